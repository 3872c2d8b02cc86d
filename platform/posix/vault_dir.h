// A vault as a directory: the encrypted file, its key slots beside it, and the lock of the one who syncs.
//
//   DIR/vault.db      the encrypted SQLite file (with -wal and -shm while it is open)
//   DIR/keys          key slots; replaced as a whole, mode 0600
//   DIR/sync.lock     held by the process that syncs
//   DIR/unconfirmed   there from enrolment until the server has the recovery slot
//
// Invariants: the directory is its owner's only (0700); nothing here overwrites a vault that exists; a vault without its keys is
// named, never replaced.
// Threading: functions may be called from any thread, a SyncLock belongs to one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/kopdarbs.h"
#include "platform/posix/system.h"

namespace kopdarbs::posix {

/// Makes `dir` for a new vault, or takes an empty one. Returns whether it was made here. Throws Error{io} when a vault is there or the
/// directory cannot be made.
bool prepare_vault_dir(const std::string& dir);

/// Makes a vault in `dir`, which it prepares. A failed call leaves no half-made vault. Throws as Vault::create does.
std::unique_ptr<Vault> create_vault(const std::string& dir, std::string_view secret, const Enrolment& enrolment, Env env);
/// Throws Error{not_found} "no vault at DIR", else as Vault::open does.
std::unique_ptr<Vault> open_vault(const std::string& dir, std::string_view secret, Env env);

Bytes read_slots(const std::string& dir);
void write_slots(const std::string& dir, BytesView slots);

/// Whether the server has confirmed that it keeps the recovery slot; until then whoever syncs tries again.
bool is_confirmed(const std::string& dir);
void mark_confirmed(const std::string& dir);

/// One process at a time syncs a vault.
class SyncLock {
public:
    /// Waits its turn, at most `wait_ms`; then throws Error{busy}.
    SyncLock(const std::string& dir, std::uint64_t wait_ms);

private:
    FileLock lock_;
};

}  // namespace kopdarbs::posix
