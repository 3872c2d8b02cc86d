#include "tools/bench/town.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>

#include "platform/posix/certificates.h"
#include "sync/client/engine.h"
#include "sync/server/https_server.h"
#include "sync/server/server.h"
#include "tools/bench/home_visit.h"

namespace kopdarbs::bench {
namespace {

constexpr const char* kSecret = "four plain words of bench 4711";

sync::HttpsServer* serving = nullptr;
void stop_serving(int) {
    serving->stop();
}

[[noreturn]] void serve(const std::string& database, Env env, const posix::CertificateAndKey& certificate, int report) {
    sync::Server server(database, env);
    sync::HttpsServer::Options options;
    options.certificate_pem = certificate.certificate_pem;
    options.key_pem = certificate.key_pem;
    sync::HttpsServer https(options, [&](const sync::HttpRequest& request) { return server.handle(request); });
    serving = &https;
    std::signal(SIGTERM, stop_serving);
    const std::uint16_t port = https.port();
    if (write(report, &port, sizeof port) != sizeof port) _exit(1);
    close(report);
    https.run();
    _exit(0);
}

}  // namespace

Bytes CheapSecrets::scrypt(BytesView secret, BytesView salt, const ScryptCost&) {
    return Bytes(sha256(Bytes(secret).append(salt)).bytes());
}

Town::Town(const std::string& dir, int users, bool shared) : dir_(dir) {
    std::filesystem::remove_all(dir);
    std::filesystem::create_directories(dir);
    const std::string database = dir + "/server.db";
    (void)sync::Server::create(database, env());
    std::string people, files, assignments;
    for (int i = 0; i < users; ++i) {
        const std::string n = std::to_string(i), file = shared ? "0" : n;
        for (std::string* list : {&people, &files, &assignments})
            if (i > 0) *list += ',';
        people.append(R"({"id":"u)").append(n).append(R"(","name":"U","language":"lv"})");
        files.append(R"({"id":"F)").append(n).append(R"(","unit":"a","label":"F"})");
        assignments.append(R"({"user":"u)").append(n).append(R"(","role":"case_worker","scope":"F)").append(file);
        assignments.append(R"(","from":"2020-01-01","until":null})");
    }
    sync::Server(database, env())
        .provision(R"({"municipality":{"id":"m","name":"M"},"units":[{"id":"a","name":"A","kind":"parish"}],"files":[)" + files +
                       R"(],"users":[)" + people + R"(],"assignments":[)" + assignments + "]}",
                   {home_visit_type()});
    const auto authority = posix::make_authority("bench", clock_.wall_ms());
    const auto certificate = posix::make_server_certificate(authority, {}, clock_.wall_ms());
    ca_ = authority.certificate_pem;
    int report[2];
    if (pipe(report) != 0) throw std::runtime_error("no pipe");
    server_ = fork();
    if (server_ == 0) {
        close(report[0]);
        serve(database, env(), certificate, report[1]);
    }
    close(report[1]);
    std::uint16_t port = 0;
    if (read(report[0], &port, sizeof port) != sizeof port) throw std::runtime_error("the server did not start");
    close(report[0]);
    url_ = "https://127.0.0.1:" + std::to_string(port);
}

Town::~Town() {
    kill(server_, SIGTERM);
    waitpid(server_, nullptr, 0);
    std::filesystem::remove_all(dir_);
}

std::unique_ptr<posix::HttpsTransport> Town::dial() const {
    return std::make_unique<posix::HttpsTransport>(url_, ca_);
}

Device Town::enrol(int user, const std::string& name, bool synced) {
    // A connection of its own to the store, as the administrator's command would have.
    const std::string code = sync::Server(dir_ + "/server.db", env()).enrol_code("u" + std::to_string(user));
    const auto transport = dial();
    Device device;
    device.path = dir_ + "/" + name + ".db";
    const Enrolment enrolment = sync::enrol(*transport, url_, ca_, code, env());
    device.vault = Vault::create(device.path, kSecret, enrolment, env(), device.slots);
    sync::confirm_enrolment(*device.vault, device.slots, *transport, env());
    if (synced) (void)sync::synchronise(*device.vault, *transport, env(), {});
    return device;
}

std::uint64_t Town::accepted() const {
    posix::SystemClock clock;
    posix::SystemEntropy entropy;
    CheapSecrets crypto;
    return sync::Server(dir_ + "/server.db", {clock, entropy, crypto}).status().changes;
}

}  // namespace kopdarbs::bench
