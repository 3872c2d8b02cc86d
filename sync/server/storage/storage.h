// What a server keeps, behind one interface: SQLite in one file, or another database where one machine is not enough.
//
// Invariants that every implementation keeps
//  1. A scope's sequence is gapless: append() gives the next number under that scope's row lock, held to commit.
//  2. Nothing is visible to other connections before commit(); rollback() leaves no trace.
//  3. The verdict on a dot, once committed, never changes.
// Threading: one Storage is one connection and belongs to one thread at a time; a server opens several.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/store/replica.h"
#include "core/store/shape.h"

namespace kopdarbs::sync {

struct RecordRow {
    std::int64_t no = 0;
    RecordId id;
    std::int64_t scope = 0;
    std::string type;
    std::string doc;
    Bytes meta;
};

struct ScopeEntry {
    std::int64_t no = 0;
    ScopeGrant grant;  ///< without roles
    Cursor head;
};

struct DeviceRow {
    std::int64_t no = 0;
    DeviceId id;
    PublicKey key;
    std::string user;
    std::uint64_t enrolled_ms = 0, seen_ms = 0;
    std::int64_t offset_ms = 0;
    Bytes nonce, nonce_before, cursors, recovery;
    std::int64_t replica_no = 0;
    ReplicaId replica;  ///< its newest
};

struct DotRow {
    VerdictCode code = VerdictCode::accepted;
    std::int64_t place = 0;
};

struct AcceptedRow {
    std::uint64_t seq = 0;
    Stamp stamp;
    SignedChange change;
    Hash256 hash, rolling;
    ReplicaId replica;
};

struct RejectedRow {
    std::int64_t no = 0;
    std::int64_t replica = 0, scope = 0;
    std::string reason;
    SignedChange change;
    Hash256 hash;
};

struct FileEntry {
    std::string id, unit, label;
};
struct UnitEntry {
    std::string id, name, kind;
};
struct AssignmentEntry {
    std::string user, role, target, from, until;  ///< dates; until may be empty
};

class Storage {
public:
    virtual ~Storage() = default;

    virtual void begin() = 0;
    virtual void commit() = 0;
    /// Ends the transaction, if there is one, as if nothing of it had been. Where that fails, the next begin() says so.
    virtual void rollback() noexcept = 0;
    /// Until rollback() everything is read as of one moment; writers are not kept waiting.
    virtual void begin_read() = 0;
    /// Part of a transaction that can be undone alone. `release` keeps it.
    virtual void savepoint() = 0;
    virtual void release() = 0;
    virtual void undo_to_savepoint() = 0;

    virtual Bytes setting(const char* name) = 0;
    virtual void set_setting(const char* name, BytesView value) = 0;
    virtual void audit(std::uint64_t at_ms, const std::string& what) = 0;
    virtual std::vector<LogLine> audit_lines(std::uint64_t limit) = 0;

    // Directory
    virtual void put_unit(const UnitEntry& unit) = 0;
    virtual void put_file(const FileEntry& file) = 0;
    virtual void put_partner(const std::string& id, const std::string& name, const std::string& kind) = 0;
    virtual void put_user(const std::string& id, const std::string& name, const std::string& language) = 0;
    virtual void put_assignment(const AssignmentEntry& assignment) = 0;
    virtual void put_type(const std::string& name, std::uint32_t version, const std::string& source) = 0;
    virtual void put_scope(const ScopeGrant& scope) = 0;
    virtual std::vector<UnitEntry> units() = 0;
    virtual std::vector<FileEntry> files() = 0;
    virtual std::vector<std::string> users() = 0;
    virtual std::vector<AssignmentEntry> assignments(const std::string& user) = 0;  ///< of everybody when empty
    virtual std::vector<std::string> types() = 0;
    virtual std::vector<ScopeEntry> scopes() = 0;
    virtual std::optional<ScopeEntry> scope(const ScopeId& id) = 0;

    // Devices
    virtual void put_code(const Hash256& hash, const std::string& user, std::uint64_t expires_ms) = 0;
    /// Marks the code used and returns its user, or nothing when it is unknown, used or expired.
    virtual std::optional<std::string> use_code(const Hash256& hash, std::uint64_t now_ms) = 0;
    virtual void add_device(const DeviceRow& device) = 0;
    virtual std::optional<DeviceRow> device(const DeviceId& id) = 0;
    virtual std::vector<DeviceRow> devices() = 0;
    virtual void update_device(const DeviceRow& device) = 0;  ///< what changes: seen, offset, nonces, cursors, recovery
    virtual bool replica_exists(const ReplicaId& id) = 0;
    /// Changes that were accepted from a device's replicas.
    virtual std::uint64_t accepted_of(std::int64_t device) = 0;

    // Changes
    virtual std::optional<FeedHead> feed(std::int64_t replica, std::int64_t scope) = 0;
    virtual void set_feed(std::int64_t replica, std::int64_t scope, const FeedHead& head, const Signature& checkpoint) = 0;
    virtual std::optional<DotRow> dot(std::int64_t replica, std::uint64_t counter) = 0;
    virtual void set_dot(std::int64_t replica, std::uint64_t counter, const DotRow& row) = 0;
    virtual std::optional<RecordRow> record(const RecordId& id) = 0;
    virtual std::int64_t insert_record(const RecordId& id, std::int64_t scope, std::string_view type, const Shape& shape) = 0;
    virtual void update_record(std::int64_t no, const Shape& shape) = 0;
    /// The next place in the scope's order; `rolling` is computed from the change's hash by the implementation's caller.
    virtual std::int64_t append(std::int64_t scope, std::uint64_t seq, std::int64_t replica, std::int64_t record, Stamp stamp,
                                const SignedChange& change, const Hash256& hash, const Hash256& rolling) = 0;
    /// Locks the scope's row until commit and returns its head.
    virtual Cursor lock_scope(std::int64_t scope) = 0;
    virtual void set_scope_head(std::int64_t scope, const Cursor& head) = 0;
    virtual std::int64_t reject(const RejectedRow& row, const RecordId& record, std::uint64_t since_ms) = 0;
    virtual void drop_rejected(std::int64_t no) = 0;
    virtual std::vector<RejectedRow> held(const RecordId& record) = 0;
    virtual std::uint64_t held_of(std::int64_t replica) = 0;
    /// The highest number of a replica's change that got a verdict, held ones included; 0 for none.
    virtual std::uint64_t last_counter_of(std::int64_t replica) = 0;
    virtual AcceptedRow accepted_at(std::int64_t place) = 0;
    virtual RejectedRow rejected_at(std::int64_t no) = 0;
    virtual std::vector<AcceptedRow> changes_of(std::int64_t record) = 0;  ///< in the scope's order
    virtual std::optional<ReplicaId> replica_id(std::int64_t no) = 0;
    virtual SignedDecision last_decision() = 0;  ///< with an empty body when there is none
    virtual void add_decision(const SignedDecision& decision) = 0;

    // Pulling. `each` returns false to stop.
    /// Entries `after` < seq <= `upto` but those of one replica, in order. Returns whether all were given.
    virtual bool entries(std::int64_t scope, std::uint64_t after, std::uint64_t upto, std::int64_t but_replica,
                         const std::function<bool(const AcceptedRow&)>& each) = 0;
    virtual void records(std::int64_t scope, std::int64_t after, const std::function<bool(const RecordRow&)>& each) = 0;
    virtual std::uint64_t records_after(std::int64_t scope, std::int64_t after) = 0;
    virtual bool record_where(std::string_view type, const std::function<bool(const RecordRow&)>& each) = 0;

    virtual void counts(std::uint64_t& records, std::uint64_t& changes, std::uint64_t& refused, std::uint64_t& held,
                        std::uint64_t& review) = 0;
    /// For verification: every change of a feed, decided either way, by counter.
    virtual void feed_changes(std::int64_t replica, std::int64_t scope,
                              const std::function<void(std::uint64_t counter, const SignedChange&, const Hash256& hash)>& each) = 0;
    struct FeedRow {
        std::int64_t replica = 0, scope = 0;
        FeedHead head;
        Signature checkpoint;
    };
    virtual std::vector<FeedRow> feeds() = 0;
    virtual void decisions(const std::function<void(const SignedDecision&)>& each) = 0;
    /// What the database itself says of damage; empty when sound.
    virtual std::vector<std::string> integrity() = 0;
};

/// `create`: throws Error{io} when there is one already; else when there is none. `background`: as a Database's, for the one that writes.
std::unique_ptr<Storage> open_sqlite_storage(const std::string& path, bool create, Background* background = nullptr);

}  // namespace kopdarbs::sync
