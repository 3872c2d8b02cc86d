// doctor: whether a server's directory is as it should be; each check is one line, "ok" or "problem".
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "tools/common/input.h"
#include "tools/common/json_object.h"
#include "tools/common/outcome.h"
#include "tools/common/shapes.h"
#include "tools/common/text_out.h"
#include "tools/kopdarbsd/commands.h"
#include "tools/kopdarbsd/server_dir.h"

namespace kopdarbs::tools {
namespace {

constexpr std::size_t kMaxPemBytes = 64 * 1024;
constexpr std::uint64_t kMinFreeBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t kEarliestMs = 1'767'225'600'000;  // 2026-01-01: this program is not older
constexpr std::uint64_t kLatestMs = 4'102'444'800'000;    // 2100-01-01
constexpr mode_t kAllModes = 0777;

class Report {
public:
    explicit Report(bool json) : json_(json) {}
    /// `problem` is empty where all is well.
    void line(const std::string& check, const std::string& problem) {
        const bool ok = problem.empty();
        healthy_ = healthy_ && ok;
        if (json_)
            print_line(JsonObject().text("check", check).boolean("ok", ok).text_or_null("problem", problem).str());
        else
            print_line((ok ? "ok       " : bold("problem  ")) + one_line(check) + (ok ? "" : ": " + one_line(problem)));
    }
    bool healthy() const { return healthy_; }

private:
    bool json_;
    bool healthy_ = true;
};

std::string mode_problem(const std::string& path, mode_t wanted) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return std::generic_category().message(errno);
    const mode_t excess = status.st_mode & kAllModes & ~wanted;
    return excess == 0 ? "" : "others than its owner may use it (chmod " + std::string(wanted == 0700 ? "700" : "600") + ")";
}

struct FreeX509 {
    void operator()(X509* x) const { X509_free(x); }
    void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
    void operator()(BIO* b) const { BIO_free(b); }
};
using Certificate = std::unique_ptr<X509, FreeX509>;
using Key = std::unique_ptr<EVP_PKEY, FreeX509>;

std::unique_ptr<BIO, FreeX509> bio_of(const Bytes& bytes) {
    return std::unique_ptr<BIO, FreeX509>(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

Certificate read_certificate(const std::string& path) {
    const Bytes pem = input_file(path, kMaxPemBytes);
    return Certificate(PEM_read_bio_X509(bio_of(pem).get(), nullptr, nullptr, nullptr));
}

Key read_key(const std::string& path) {
    Bytes pem = input_file(path, kMaxPemBytes);
    Key key(PEM_read_bio_PrivateKey(bio_of(pem).get(), nullptr, nullptr, nullptr));
    wipe(pem);
    return key;
}

std::string pair_problem(const std::string& certificate_path, const std::string& key_path) {
    const Certificate certificate = read_certificate(certificate_path);
    const Key key = read_key(key_path);
    if (!certificate) return "the certificate does not read";
    if (!key) return "the key does not read";
    return X509_check_private_key(certificate.get(), key.get()) == 1 ? "" : "the key is another certificate's";
}

std::string chain_problem(const ServerDir& at) {
    const Certificate authority = read_certificate(at.authority());
    const Certificate server = read_certificate(at.certificate());
    if (!authority || !server) return "a certificate does not read";
    EVP_PKEY* signer = X509_get0_pubkey(authority.get());
    if (signer == nullptr || X509_verify(server.get(), signer) != 1) return "ca.pem did not sign server.pem";
    return X509_cmp_current_time(X509_get0_notAfter(server.get())) > 0 ? "" : "server.pem has expired";
}

std::string space_problem(const std::string& dir) {
    struct statvfs status{};
    if (::statvfs(dir.c_str(), &status) != 0) return std::generic_category().message(errno);
    const std::uint64_t free_bytes = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
    return free_bytes >= kMinFreeBytes ? "" : std::to_string(free_bytes >> 20) + " MiB are free, fewer than 1024";
}

std::string clock_problem(std::uint64_t wall_ms, const std::vector<sync::DeviceInfo>& devices) {
    if (wall_ms < kEarliestMs || wall_ms > kLatestMs) return "it says " + to_rfc3339(wall_ms);
    for (const sync::DeviceInfo& device : devices) {
        const std::uint64_t latest = std::max(device.enrolled_ms, device.last_seen_ms);
        if (latest > wall_ms) return "it says " + to_rfc3339(wall_ms) + ", but a device was here at " + to_rfc3339(latest);
    }
    return "";
}

/// What `check` throws is a problem, not the doctor's end.
template <class Check>
std::string guarded(Check check) {
    try {
        return check();
    } catch (const Error& e) {
        return e.what();
    }
}

void examine_store(const ServerDir& at, Host& host, Report& report) {
    std::unique_ptr<sync::Server> server;
    report.line("server.db opens", guarded([&] {
                    server = open_server(at, host.env());
                    return std::string();
                }));
    if (!server) return;
    report.line("server.db is whole", guarded([&] {
                    const Verified verified = server->verify();
                    if (verified.damage.empty()) return std::string();
                    const Damage& first = verified.damage.front();
                    return first.where + ": " + first.what + " (" + std::to_string(verified.damage.size()) + " in all)";
                }));
    report.line("clock", guarded([&] { return clock_problem(host.clock.wall_ms(), server->devices()); }));
}

}  // namespace

int doctor_command(const Request& request) {
    const ServerDir at{request.dir};
    require_server(at);
    Host host;
    Report report(request.json);
    report.line("directory is its owner's only", mode_problem(at.dir, 0700));
    for (const std::string& path : {at.database(), at.authority_key(), at.key()}) {
        report.line(path.substr(at.dir.size() + 1) + " is its owner's only", mode_problem(path, 0600));
    }
    report.line("ca.key belongs to ca.pem", guarded([&] { return pair_problem(at.authority(), at.authority_key()); }));
    report.line("server.key belongs to server.pem", guarded([&] { return pair_problem(at.certificate(), at.key()); }));
    report.line("ca.pem signed server.pem", guarded([&] { return chain_problem(at); }));
    report.line("disk space", space_problem(at.dir));
    examine_store(at, host, report);
    return report.healthy() ? kExitDone : kExitRefused;
}

}  // namespace kopdarbs::tools
