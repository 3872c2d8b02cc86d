// Running a program as a person would, and killing it as a flat battery would.
//
// A child gets its own session (so no terminal to prompt on), files for stdin, stdout and stderr, and an alarm that ends it should it
// hang. Threading: a Process belongs to one thread.
#pragma once

#include <sys/types.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kopdarbs::test {

using Json = nlohmann::json;

/// How a program ended and what it said.
struct Run {
    int exit = -1;  ///< its exit code; -1 when a signal ended it
    int signal = 0;
    std::string out, err;

    /// The one JSON document that it printed.
    Json json() const { return Json::parse(out); }
    /// Its JSON lines.
    std::vector<Json> lines() const;
    /// Whether stderr is exactly one line that begins with `beginning`.
    bool one_error_line(const std::string& beginning) const;
};

struct Setting {
    std::map<std::string, std::string> environment;
    std::string input;  ///< on stdin
};

class Process {
public:
    Process() = default;
    /// Starts `program` with a working directory of its own in `scratch`.
    Process(const std::string& scratch, const std::string& program, const std::vector<std::string>& arguments, const Setting& setting = {});
    ~Process();
    Process(Process&& other) noexcept;
    Process& operator=(Process&& other) noexcept;

    bool started() const { return pid_ > 0; }
    /// The first line of stdout, without its end; waits for it. Empty when the program ended before.
    std::string first_line();
    void kill();
    void terminate();
    /// Waits for the end.
    Run wait();

private:
    void send(int signal) const;
    pid_t pid_ = -1;
    int out_ = -1;  // reading end of stdout
    std::string said_;
    std::string err_file_;
};

/// Starts, waits and returns.
Run run(const std::string& scratch, const std::string& program, const std::vector<std::string>& arguments, const Setting& setting = {});

/// A directory that goes with its owner.
class ScratchDir {
public:
    ScratchDir();
    ~ScratchDir();
    ScratchDir(const ScratchDir&) = delete;
    ScratchDir& operator=(const ScratchDir&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

std::string read_whole(const std::string& path);
void write_whole(const std::string& path, const std::string& content);

}  // namespace kopdarbs::test
