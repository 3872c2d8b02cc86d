#include "tests/support/municipality.h"

#include "tests/support/catch.h"

namespace kopdarbs::test {
namespace {

constexpr const char* kProvision = R"({
  "municipality": {"id": "cesis", "name": "Cēsu novads"},
  "units": [{"id": "amata", "name": "Amatas pagasts", "kind": "parish"}],
  "files": [{"id": "H-17", "unit": "amata", "label": "Zaube, 4"}],
  "partners": [],
  "users": [{"id": "ilze", "name": "Ilze Ozola", "language": "lv"}, {"id": "maris", "name": "Māris Kalns", "language": "lv"},
            {"id": "dace", "name": "Dace Liepa", "language": "lv"}, {"id": "anna", "name": "Anna Krūmiņa", "language": "lv"}],
  "assignments": [{"user": "ilze", "role": "case_worker", "scope": "H-17", "from": "2026-01-01", "until": null},
                  {"user": "maris", "role": "organiser", "scope": "H-17", "from": "2026-01-01", "until": null},
                  {"user": "dace", "role": "clerk", "scope": "amata", "from": "2026-01-01", "until": null},
                  {"user": "anna", "role": "supervisor", "scope": "amata", "from": "2026-01-01", "until": null}],
  "types": []
})";
constexpr const char* kSecret = "zirgs akmens upe lazda 7431";
constexpr const char* kListening = "listening on ";

}  // namespace

std::vector<std::string> Device::command_line(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{arguments.front(), dir_, "--json"};
    all.insert(all.end(), arguments.begin() + 1, arguments.end());
    return all;
}

Setting Device::setting(const Setting& more) const {
    Setting all = more;
    all.environment.insert(environment_.begin(), environment_.end());
    all.environment.emplace("KOPDARBS_SECRET", secret_);
    return all;
}

Run Device::run(const std::vector<std::string>& arguments, const Setting& more) const {
    return home_->run("kopdarbs", command_line(arguments), setting(more));
}

Process Device::start(const std::vector<std::string>& arguments, const Setting& more) const {
    return home_->start("kopdarbs", command_line(arguments), setting(more));
}

Json Device::must(const std::vector<std::string>& arguments, const Setting& more) const {
    const Run result = run(arguments, more);
    INFO(dir_ << ": kopdarbs " << arguments.front() << ": " << result.err);
    REQUIRE(result.exit == 0);
    return result.json();
}

std::vector<Json> Device::must_list(const std::vector<std::string>& arguments) const {
    const Run result = run(arguments);
    INFO(dir_ << ": kopdarbs " << arguments.front() << ": " << result.err);
    REQUIRE(result.exit == 0);
    return result.lines();
}

Municipality::Municipality(std::string bin) : bin_(std::move(bin)) {
    shares_ = admin({"init", server_dir(), "--json"}).json().at("recovery_shares").get<std::vector<std::string>>();
    write_whole(path("provision.json"), kProvision);
    admin({"provision", server_dir(), path("provision.json")});
    serve();
}

Run Municipality::run(const std::string& program, const std::vector<std::string>& arguments, const Setting& setting) const {
    return test::run(scratch(), bin_ + "/" + program, arguments, setting);
}

Process Municipality::start(const std::string& program, const std::vector<std::string>& arguments, const Setting& setting) const {
    return Process(scratch(), bin_ + "/" + program, arguments, setting);
}

Run Municipality::admin(const std::vector<std::string>& arguments) const {
    Run result = run("kopdarbsd", arguments);
    INFO("kopdarbsd " << arguments.front() << ": " << result.err);
    REQUIRE(result.exit == 0);
    return result;
}

void Municipality::serve() {
    server_ = start("kopdarbsd", {"serve", server_dir(), "--listen", listen_});
    const std::string line = server_.first_line();
    INFO("kopdarbsd serve printed: " << line);
    REQUIRE(line.rfind(kListening, 0) == 0);
    url_ = line.substr(std::string(kListening).size());
    REQUIRE(url_.rfind("https://127.0.0.1:", 0) == 0);
    listen_ = url_.substr(std::string("https://").size());
}

void Municipality::kill_server() {
    server_.kill();
    (void)server_.wait();
}

void Municipality::stop_server() {
    server_.terminate();
    const Run ended = server_.wait();
    INFO("kopdarbsd serve: " << ended.err);
    REQUIRE(ended.exit == 0);
}

std::string Municipality::enrol_code(const std::string& user) const {
    return admin({"enrol-code", server_dir(), "--user", user, "--json"}).json().at("code").get<std::string>();
}

Device Municipality::enrol(const std::string& user, const std::map<std::string, std::string>& environment) const {
    Device device(*this, path(user), kSecret);
    for (const auto& [name, value] : environment) device.set_environment(name, value);
    const Json enrolled = device.must({"enrol", "--server", url(), "--ca", ca(), "--code", enrol_code(user)});
    REQUIRE(enrolled.at("user") == user);
    device.sync();
    return device;
}

}  // namespace kopdarbs::test
