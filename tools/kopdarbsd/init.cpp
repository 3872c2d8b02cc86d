// init: a new server in a directory of its own.
//
// The store is made last, so that a directory with a store is whole; whatever fails before that is removed again.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "platform/posix/certificates.h"
#include "tools/common/json_object.h"
#include "tools/common/outcome.h"
#include "tools/common/text_out.h"
#include "tools/kopdarbsd/commands.h"
#include "tools/kopdarbsd/server_dir.h"

namespace kopdarbs::tools {
namespace {

std::string why(int error) {
    return std::generic_category().message(error);
}

bool is_empty_directory(const std::string& dir) {
    DIR* listing = ::opendir(dir.c_str());
    if (listing == nullptr) fail(ErrorCode::io, "cannot use " + dir + ": " + why(errno));
    bool empty = true;
    while (const dirent* entry = ::readdir(listing)) {
        if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) empty = false;
    }
    ::closedir(listing);
    return empty;
}

/// A directory for a new server; until keep(), what was put into it goes again.
class NewServerDir {
public:
    explicit NewServerDir(const ServerDir& at) : at_(at) {
        made_ = ::mkdir(at_.dir.c_str(), 0700) == 0;
        if (!made_ && errno != EEXIST) fail(ErrorCode::io, "cannot make " + at_.dir + ": " + why(errno));
        if (!made_ && !is_empty_directory(at_.dir)) fail(ErrorCode::io, at_.dir + " is not empty");
        if (!made_ && ::chmod(at_.dir.c_str(), 0700) != 0) fail(ErrorCode::io, "cannot use " + at_.dir + ": " + why(errno));
    }
    ~NewServerDir() {
        if (kept_) return;
        const std::string database = at_.database();
        for (const std::string& file :
             {at_.authority(), at_.authority_key(), at_.certificate(), at_.key(), database, database + "-wal", database + "-shm"}) {
            ::unlink(file.c_str());
        }
        if (made_) ::rmdir(at_.dir.c_str());
    }
    NewServerDir(const NewServerDir&) = delete;
    NewServerDir& operator=(const NewServerDir&) = delete;
    void keep() { kept_ = true; }

private:
    ServerDir at_;
    bool made_ = false;
    bool kept_ = false;
};

/// This machine's name, where a certificate can hold it.
std::vector<std::string> own_names() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return {};
    const std::string text(name.data());
    const bool plain = text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == text.npos;
    if (text.empty() || !plain || text == "localhost") return {};
    return {text};
}

void make_certificates(const ServerDir& at, std::uint64_t wall_ms) {
    const auto authority = posix::make_authority("Kopdarbs", wall_ms);
    const auto server = posix::make_server_certificate(authority, own_names(), wall_ms);
    posix::write_file_atomically(at.authority_key(), authority.key_pem);
    posix::write_file_atomically(at.authority(), authority.certificate_pem);
    posix::write_file_atomically(at.key(), server.key_pem);
    posix::write_file_atomically(at.certificate(), server.certificate_pem);
}

}  // namespace

int init_command(const Request& request) {
    if (request.storage.rfind("postgres:", 0) == 0 || request.storage.rfind("postgresql:", 0) == 0) {
        throw UsageError("--storage: PostgreSQL is not supported by this version; use --storage sqlite");
    }
    if (request.storage != "sqlite") throw UsageError("--storage: '" + request.storage + "' is not sqlite");
    const ServerDir at{request.dir};
    Host host;
    NewServerDir made(at);
    make_certificates(at, host.clock.wall_ms());
    const sync::RecoveryShares shares = sync::Server::create(at.database(), host.env());
    made.keep();
    if (request.json) {
        const std::string both = "[" + json_string(shares.first) + "," + json_string(shares.second) + "]";
        print_line(JsonObject().text("dir", at.dir).text("ca", at.authority()).raw("recovery_shares", both).str());
        return kExitDone;
    }
    print_line("a new server in " + at.dir + "; devices are given " + at.authority() + "\n");
    print_line("The municipality's recovery key, in two shares. They are shown once. Give them to two people who keep them apart: only");
    print_line("both together open a vault whose secret is forgotten.\n");
    print_line("  first   " + shares.first);
    print_line("  second  " + shares.second);
    return kExitDone;
}

}  // namespace kopdarbs::tools
