// The inside of a vault, shared by its public face (vault*.cpp), the sync side (replica.cpp), search and verification.
//
// Invariants
//  1. shown = confirmed ⊕ unsent: `record` holds the state with this replica's unsent changes applied, `confirmed` the state without
//     them, only while there are any and there was something before them.
//  2. One transaction a save: change and record. A crash leaves both or neither. A batch of which one save fails is undone as a whole.
//  3. doc and meta are functions of the state and the schema (shape_of); a reader may trust either.
// Threading: as the Vault's.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/kopdarbs.h"
#include "core/log/feed.h"
#include "core/record/draft.h"
#include "core/record/json.h"
#include "core/store/database.h"
#include "core/store/heads.h"
#include "core/store/replica.h"
#include "core/store/shape.h"

namespace kopdarbs {

/// Earlier texts that are kept of one field, for forms that were opened on them.
constexpr std::uint64_t kPastTextsKept = 16;

/// A record's row.
struct Stored {
    std::int64_t no = 0;
    RecordId id;
    std::int64_t scope = 0;
    std::uint64_t own = 0;  ///< this replica's newest change in what is shown
    std::string type;
    std::string doc;
    Bytes meta;
    RecordState state() const { return RecordState::decode_beside(meta, document_from_json(doc)); }
};

/// Binds a list key so that SQLite orders numbers as numbers and text as text.
void bind_key(Query& query, const Value& key);

struct ScopeRow {
    std::int64_t no = 0;
    ScopeId id;
    ScopeInfo info;
    std::string kind;  ///< of the target: "file", "unit", "own"
    bool held = false;
};

/// A change's salt, and the hash of its content with it.
struct Salted {
    std::array<std::uint8_t, kSaltBytes> salt;
    Hash256 hash;
};
/// Fills in `header` and `content` too. Throws Error{invalid} when the content is too large.
Salted encode_salted(Change& change, const Env& env);

struct Store {
    Store(const std::string& path, Database::Mode mode, BytesView key, Env environment);

    // store.cpp: rows
    std::optional<Stored> find(const RecordId& id);
    std::optional<Stored> find(std::int64_t no);
    RecordId make_id() { return make_record_id(env.clock.wall_ms(), env.entropy.octets<10>()); }
    /// The new row's number; absent, and nothing done, where there is a record of this id.
    std::optional<std::int64_t> insert_new(const RecordId& id, std::int64_t scope, std::string_view type, const RecordState& state,
                                           const Shape& shape);
    /// The same where there is none.
    std::int64_t insert(const RecordId& id, std::int64_t scope, std::string_view type, const RecordState& state, const Shape& shape);
    void update(std::int64_t no, const RecordState& state, const Shape& shape);
    /// The words of a record that may be indexed are others now.
    void words_changed(std::int64_t no);
    std::optional<RecordState> confirmed(std::int64_t no);
    /// The record's unsent changes, oldest first.
    std::vector<Change> pending(const Stored& stored);
    bool has_pending(const Stored& stored) { return heads.is_unsent(stored.own); }
    /// Writes what is shown of `state`, remembering texts as they were in `before`.
    void show(const Stored& before, const RecordState& was, const RecordState& state);
    Bytes setting(const char* name);
    void set_setting(const char* name, BytesView value);
    void log(const std::string& what);

    // store.cpp: scopes, types and identity, cached; refreshed when another process committed
    const std::vector<ScopeRow>& scopes();
    const ScopeRow& scope(std::int64_t no);
    /// Where a new record of `type` lives when its author says `name`: a target, a scope's name, "own" or nothing. Null when there is no
    /// such place.
    const ScopeRow* find_scope(std::string_view name, const TypeSchema& type);
    const ScopeRow& scope_for(std::string_view name, const TypeSchema& type);
    void reload();
    void load_types();
    Writer writer_on(const ScopeRow& scope, const RecordId& record);
    /// The same, for whom no other record exists.
    Writer writer_on(const ScopeRow& scope) const;

    // save.cpp
    /// One change by this device's user. `fill` asks for the operations; nothing is written when it asks for none.
    Saved save(const Stored* before, const RecordId& id, const TypeSchema& type, const ScopeRow& scope, Vault::Base base,
               const std::function<void(Draft&, const RecordState&)>& fill);
    /// Makes `change` this replica's next, unsent.
    void append(const Change& change, const Salted& salted, std::int64_t record_no, std::int64_t scope_no);
    std::optional<Version> version_given(const Vault::Base& base, const Stored* record);
    /// The text that the reader of `version` saw; throws Error{stale} when that is no longer known.
    Text text_at(const Stored& record, const RecordState& state, std::string_view field, const std::optional<Version>& version);

    Record complete(const Stored& stored);
    void touched(const RecordId& id) { touched_.push_back(id); }
    void notify(Origin origin);
    Env env;
    Database db;
    Heads heads;
    SchemaSet schema;
    Enrolment enrolment;
    std::map<std::size_t, Vault::Observer> observers;
    std::size_t next_observer = 1;
    int batch_depth = 0;
    std::uint64_t turns = 0;  ///< write transactions begun here

private:
    friend class Turn;
    bool turn_ = false;    ///< a write transaction is open: no other process changes what is cached
    bool undone_ = false;  ///< a part of it failed
    std::vector<ScopeRow> scopes_;
    std::int64_t scopes_version_ = -1;
    std::vector<RecordId> touched_;
};

/// Begins this replica's next changes: numbered and stamped, with nothing seen and no operations yet. Each is to be appended in this order,
/// in a Turn, while nothing else is saved; those that are not are forgotten, and their numbers are the next one's to give.
class NextChanges {
public:
    explicit NextChanges(Store& store) : store_(store), counter_(store.heads.counter()), clock_(store.heads.stamp()) {}
    /// Throws Error{io} when this replica has no numbers left.
    Change to(const RecordId& record, const TypeSchema& type, const ScopeRow& scope);

private:
    Store& store_;
    std::uint64_t counter_;
    HybridClock clock_;
};

/// A write transaction: all of it or nothing. Scopes, types and heads are looked at once, inside, where no other process can change them;
/// when it is undone, observers hear nothing of it. Joins one that is open already, which can't be committed once a part of it was not.
class Turn {
public:
    explicit Turn(Store& store);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    void commit();

private:
    void require_whole() const;
    Store& store_;
    bool outermost_, done_ = false;
    std::optional<Transaction> transaction_;
};

struct Vault::Parts {
    Parts(const std::string& path, Database::Mode mode, Bytes vault_key, Env environment)
        : key(std::move(vault_key)), store(path, mode, key, environment), replica(store) {}
    Bytes key;
    const WipeAtEnd key_wiped{key};
    Store store;
    const WipeAtEnd device_key_wiped{store.enrolment.device_key.private_key};
    ReplicaStore replica;
};

}  // namespace kopdarbs
