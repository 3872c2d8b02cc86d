// A municipality in a temporary directory: a server of the shipped kopdarbsd, its people, and their devices.
//
//   Cēsis with the unit amata and the file H-17; ilze (case worker) and maris (organiser) on H-17, dace (clerk) and anna (supervisor)
//   on amata.
//
// Threading: for one test.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace kopdarbs::test {

class Municipality;

/// One vault of one user on one device.
class Device {
public:
    Device(const Municipality& home, std::string dir, std::string secret)
        : home_(&home), dir_(std::move(dir)), secret_(std::move(secret)) {}

    const std::string& dir() const { return dir_; }
    const std::string& secret() const { return secret_; }
    /// Added to the environment of every command from now on.
    void set_environment(const std::string& name, const std::string& value) { environment_[name] = value; }

    /// `arguments` are the command and what follows VAULT; --json is added.
    Run run(const std::vector<std::string>& arguments, const Setting& more = {}) const;
    Process start(const std::vector<std::string>& arguments, const Setting& more = {}) const;
    /// The same, which must exit with 0: its JSON document.
    Json must(const std::vector<std::string>& arguments, const Setting& more = {}) const;
    /// The same for JSON lines.
    std::vector<Json> must_list(const std::vector<std::string>& arguments) const;
    Json get(const std::string& id) const { return must({"get", id}); }
    Json sync() const { return must({"sync"}); }

private:
    std::vector<std::string> command_line(const std::vector<std::string>& arguments) const;
    Setting setting(const Setting& more) const;
    const Municipality* home_;
    std::string dir_, secret_;
    std::map<std::string, std::string> environment_;
};

class Municipality {
public:
    /// `bin` is the directory of the shipped programs. Initialises, provisions and serves.
    explicit Municipality(std::string bin);
    Municipality(const Municipality&) = delete;
    Municipality& operator=(const Municipality&) = delete;

    std::string scratch() const { return scratch_.path(); }
    std::string path(const std::string& name) const { return scratch_.path() + "/" + name; }
    std::string server_dir() const { return path("server"); }
    std::string ca() const { return server_dir() + "/ca.pem"; }
    const std::string& url() const { return url_; }
    const std::vector<std::string>& recovery_shares() const { return shares_; }

    Run run(const std::string& program, const std::vector<std::string>& arguments, const Setting& setting = {}) const;
    Process start(const std::string& program, const std::vector<std::string>& arguments, const Setting& setting = {}) const;
    /// kopdarbsd, which must exit with 0.
    Run admin(const std::vector<std::string>& arguments) const;

    /// Serves on the port it had before, the first time on any.
    void serve();
    void kill_server();
    /// SIGTERM, and it must exit with 0.
    void stop_server();

    std::string enrol_code(const std::string& user) const;
    /// A device of `user` that has synced once; `environment` is its own from then on.
    Device enrol(const std::string& user, const std::map<std::string, std::string>& environment = {}) const;

private:
    std::string bin_;
    ScratchDir scratch_;
    std::string url_;
    std::string listen_ = "127.0.0.1:0";
    std::vector<std::string> shares_;
    Process server_;  // ends before the directory goes
};

}  // namespace kopdarbs::test
