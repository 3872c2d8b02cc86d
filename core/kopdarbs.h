// Kopdarbs: the records that one person holds on one device. The core's one public face.
//
// A Vault is one encrypted SQLite file. Every save is one local transaction: the change, the record, what is to be sent. Reading never
// waits for a network, and nothing that anyone saved is overwritten in silence (core/README.md has the map, DESIGN the rule).
//
// Threading: a Vault belongs to one thread at a time. Several processes may open one file; one of them syncs at a time.
// Errors: everything throws kopdarbs::Error; a failed call has changed nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/env/env.h"
#include "core/record/view.h"
#include "core/schema/schema.h"

namespace kopdarbs {

/// Octets of one JSON object, or of one text, that is put into a record.
constexpr std::size_t kMaxInputBytes = 6 * 1024 * 1024;

class ReplicaStore;  // core/store/replica.h: what the sync engine needs of a vault

/// What a server agreed with a device when it enrolled. `device_key.private_key` lives in the encrypted file only.
struct Enrolment {
    DeviceId device;
    ReplicaId replica;
    DeviceId server;
    PublicKey server_key;    ///< signs the server's decisions
    PublicKey recovery_key;  ///< of the municipality; the recovery slot is sealed to it
    std::string server_url;
    std::string ca_pem;  ///< the only authority that the device believes
    std::string user;
    KeyPair device_key;
};

/// A record as `get` shows it.
struct Record {
    RecordId id;
    std::string type;
    std::string scope;    ///< printed name: "visits:H-17"
    std::string fields;   ///< a JSON object
    std::string version;  ///< for `base`
    bool sealed = false;
    bool deleted = false;
    std::vector<ReviewItem> review;
};

/// A row of the store as it lies there: cheap to read in bulk. Vault::complete makes a Record of it.
struct Shown {
    RecordId id;
    std::string type;
    std::string scope;
    std::string fields;  ///< a JSON object
    bool sealed = false;
    bool deleted = false;
    Bytes meta;
};

struct Saved {
    RecordId id;
    Dot dot;  ///< zero when nothing had to be written
    std::string version;
    std::vector<Problem> warnings;
};

struct Decision {  ///< an open review item with its record
    RecordId record;
    std::string type;
    ReviewItem item;
};

struct Letter {  ///< a change that the server refused: kept, shown, exportable
    Dot dot;
    RecordId record;
    std::string type;
    std::string scope;
    Stamp stamp;
    std::string reason;
    std::string ops;  ///< a JSON array of {path, value}
};

struct Event {  ///< one change in a record's history
    Dot dot;
    std::string author;
    Stamp stamp;
    std::string ops;  ///< a JSON array of {path, value}
};

struct ScopeInfo {
    std::string name;  ///< "visits:H-17"
    std::string label;
    std::string section;
    std::string target;  ///< what an assignment names: "H-17"
    std::vector<std::string> roles;
};

struct Status {
    ReplicaId replica;
    PublicKey server_key;  ///< what the server's decisions and exports are signed with
    std::string user;
    std::vector<ScopeInfo> scopes;
    std::uint64_t records = 0;
    std::uint64_t unsent = 0;
    std::uint64_t refused = 0;
    std::uint64_t review = 0;
    std::uint64_t last_sync_ms = 0;  ///< 0: never
};

struct Damage {         ///< something that verify found
    std::string where;  ///< "change DOT", "record ID", "vault.db"
    std::string what;
};

struct Verified {
    std::uint64_t changes = 0;
    std::uint64_t records = 0;
    std::uint64_t feeds = 0;
    std::vector<Damage> damage;
};

struct LogLine {  ///< what happened on this device, newest last
    std::uint64_t at_ms = 0;
    std::string what;
};

struct Condition {  ///< --where field=value; the value as text is compared with the field's JSON or string
    std::string field;
    std::string value;
};

enum class Origin { save, sync };

class Vault {
public:
    /// Makes a new encrypted file at `database`. `slots` receives the key slots, which the host keeps beside it.
    /// Throws Error{invalid} for a secret that is too weak (vault/secret.h) and Error{io} when the file exists.
    static std::unique_ptr<Vault> create(const std::string& database, std::string_view secret, const Enrolment& enrolment, Env env,
                                         Bytes& slots);
    /// Throws Error{wrong_secret}, or Error{corrupt} naming what was altered.
    static std::unique_ptr<Vault> open(const std::string& database, BytesView slots, std::string_view secret, Env env);
    ~Vault();
    Vault(const Vault&) = delete;
    Vault& operator=(const Vault&) = delete;

    const Enrolment& enrolment() const;
    const SchemaSet& schema() const;

    // Writing. `base` is a version that `get` printed: what the author had seen; absent for what is here now.
    using Base = std::optional<std::string_view>;
    /// Creates a record in `scope` (a target such as "H-17" or a scope's name) when `id` is absent or unknown, else edits the given fields
    /// of it. `fields` is a JSON object (DESIGN: null is absence, an array a set whole, an object by row id gives rows, a string a text).
    Saved put(std::string_view type, std::optional<RecordId> id, std::string_view scope, std::string_view fields, Base base = {});
    /// The same for hosts that have typed values already: canonical CBOR by field name (json.h makes them).
    Saved put(std::string_view type, std::optional<RecordId> id, std::string_view scope, const RecordState::Document& fields,
              Base base = {});
    /// The arguments of one such `put`.
    struct Entry {
        std::string type;
        std::optional<RecordId> id;
        std::string scope;
        RecordState::Document fields;
    };
    /// As `put` of each entry, in order, `per_transaction` in one transaction: all of these or none. New records are worked out on
    /// `Env::helper` too. `each` is called once an entry is saved, before its transaction ends, and saves nothing itself. Where an entry is
    /// refused, how often it was called tells which. Kept are the transactions that ended: neither that of such an entry, nor one whose end
    /// failed, as on a full disk, though `each` was called for all of it.
    void put_all(std::span<const Entry> entries, std::size_t per_transaction, const std::function<void(const Saved&)>& each);
    Saved edit(const RecordId& id, std::string_view field, const std::vector<Splice>& splices, Base base = {});
    Saved edit(const RecordId& id, std::string_view field, std::string_view text, Base base = {});
    /// `element` is JSON.
    Saved add(const RecordId& id, std::string_view field, std::string_view element, Base base = {});
    Saved remove(const RecordId& id, std::string_view field, std::string_view element, Base base = {});
    Saved count(const RecordId& id, std::string_view field, std::int64_t n, Base base = {});
    /// `row` empty makes a new row; its id is `row_out`.
    Saved put_row(const RecordId& id, std::string_view field, std::string_view row, std::string_view columns, Base base = {},
                  std::string* row_out = nullptr);
    Saved remove_row(const RecordId& id, std::string_view field, std::string_view row, Base base = {});
    Saved erase(const RecordId& id, Base base = {});    ///< the command `delete`
    Saved restore(const RecordId& id, Base base = {});  ///< the command `undelete`
    Saved seal(const RecordId& id, Base base = {});
    Saved amend(const RecordId& id, std::string_view fields, Base base = {});
    /// Throws Error{stale} when no open item has this id. `value` is JSON.
    Saved resolve(std::string_view item, std::string_view value);
    Saved resolve(std::string_view item, std::size_t pick);
    /// Everything that `work` saves is one transaction: all or nothing. Once a save in it has thrown, so do the next and the batch itself
    /// (Error{invalid}), even where `work` catches: nothing is saved.
    void batch(const std::function<void()>& work);

    // Reading. Throws Error{not_found} for a record that is not held here.
    Record get(const RecordId& id) const;
    bool read(const RecordId& id, Shown& out) const;
    Record complete(const Shown& shown) const;
    /// In order of the type's `list_by` fields, then of creation. `each` returns false to stop.
    void list(std::string_view type, const std::vector<Condition>& where, std::uint64_t limit,
              const std::function<bool(const Shown&)>& each) const;
    /// Records that hold every word (`word*`: one that begins so), diacritics folded; never stale.
    void search(std::string_view words, std::string_view type, std::uint64_t limit, const std::function<bool(const Shown&)>& each);
    std::vector<Decision> review() const;
    /// Changes that are still on this device, oldest first; `complete` tells whether these are all.
    std::vector<Event> history(const RecordId& id, bool& complete) const;
    std::vector<Letter> letters() const;
    Status status() const;
    Verified verify() const;
    std::vector<LogLine> log(std::uint64_t limit) const;
    std::vector<ScopeInfo> scopes() const;

    /// Called after each commit with the records that changed, on the thread that committed. Returns a handle for unobserve.
    using Observer = std::function<void(const std::vector<RecordId>&, Origin)>;
    std::size_t observe(Observer observer);
    void unobserve(std::size_t handle);

    /// Brings the search index up to date; `search` does it too.
    void index();
    /// New secret; returns the new key slots, which the host must keep before forgetting the old.
    Bytes change_secret(BytesView slots, std::string_view secret);
    ReplicaStore& replica();

private:
    struct Parts;
    explicit Vault(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace kopdarbs
