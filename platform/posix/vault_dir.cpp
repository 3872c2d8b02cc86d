#include "platform/posix/vault_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "core/vault/slots.h"

namespace kopdarbs::posix {
namespace {

constexpr auto kLockPoll = std::chrono::milliseconds(50);
constexpr std::array<const char*, 3> kDatabaseFiles = {"/vault.db", "/vault.db-wal", "/vault.db-shm"};

std::string database_of(const std::string& dir) {
    return dir + "/vault.db";
}
std::string keys_of(const std::string& dir) {
    return dir + "/keys";
}
std::string marker_of(const std::string& dir) {
    return dir + "/unconfirmed";
}

bool exists(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0;
}

void remove_database(const std::string& dir) {
    for (const char* name : kDatabaseFiles) ::unlink((dir + name).c_str());
}

}  // namespace

bool prepare_vault_dir(const std::string& dir) {
    const bool made = ::mkdir(dir.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) fail(ErrorCode::io, "cannot make " + dir + ": " + std::generic_category().message(errno));
    if (exists(keys_of(dir))) fail(ErrorCode::io, "there is a vault at " + dir + " already");
    if (exists(database_of(dir))) fail(ErrorCode::io, dir + " holds a vault.db without its keys");
    if (!made && ::chmod(dir.c_str(), 0700) != 0) {
        fail(ErrorCode::io, "cannot use " + dir + ": " + std::generic_category().message(errno));
    }
    if (::access(dir.c_str(), R_OK | W_OK | X_OK) != 0) {
        fail(ErrorCode::io, "cannot write in " + dir + ": " + std::generic_category().message(errno));
    }
    return made;
}

std::unique_ptr<Vault> create_vault(const std::string& dir, std::string_view secret, const Enrolment& enrolment, Env env) {
    (void)prepare_vault_dir(dir);
    try {
        write_file_atomically(marker_of(dir), "");
        Bytes slots;
        auto vault = Vault::create(database_of(dir), secret, enrolment, env, slots);
        write_slots(dir, slots);
        return vault;
    } catch (...) {
        ::unlink(keys_of(dir).c_str());
        remove_database(dir);
        ::unlink(marker_of(dir).c_str());
        throw;
    }
}

std::unique_ptr<Vault> open_vault(const std::string& dir, std::string_view secret, Env env) {
    const Bytes slots = read_slots(dir);
    if (!exists(database_of(dir))) fail(ErrorCode::not_found, "no vault at " + dir + ": its vault.db is missing");
    return Vault::open(database_of(dir), slots, secret, env);
}

Bytes read_slots(const std::string& dir) {
    if (!exists(keys_of(dir))) {
        const bool orphaned = exists(database_of(dir));
        fail(ErrorCode::not_found, "no vault at " + dir + (orphaned ? ": its keys are missing" : ""));
    }
    return read_file(keys_of(dir), kMaxSlotsBytes);
}

void write_slots(const std::string& dir, BytesView slots) {
    write_file_atomically(keys_of(dir), slots);
}

bool is_confirmed(const std::string& dir) {
    return !exists(marker_of(dir));
}

void mark_confirmed(const std::string& dir) {
    if (::unlink(marker_of(dir).c_str()) != 0 && errno != ENOENT) {
        fail(ErrorCode::io, "cannot remove " + marker_of(dir) + ": " + std::generic_category().message(errno));
    }
}

SyncLock::SyncLock(const std::string& dir, std::uint64_t wait_ms) : lock_(dir + "/sync.lock") {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
    while (!lock_.try_lock()) {
        if (std::chrono::steady_clock::now() >= end) fail(ErrorCode::busy, "another process is syncing this vault");
        std::this_thread::sleep_for(kLockPoll);
    }
}

}  // namespace kopdarbs::posix
