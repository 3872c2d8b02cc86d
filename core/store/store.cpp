#include "core/store/store.h"

#include <algorithm>

#include "core/base/embedded.h"
#include "core/base/error.h"
#include "core/record/json.h"

namespace kopdarbs {
namespace {

constexpr std::uint64_t kLogLinesKept = 2000;

Stored read_row(Query& q) {
    Stored s;
    s.no = q.integer(0);
    s.id = q.id<RecordId>(1);
    s.scope = q.integer(2);
    s.own = q.unsigned_integer(3);
    s.type = q.bytes(4);
    s.doc = q.bytes(5);
    s.meta = q.bytes(6);
    return s;
}

}  // namespace

void bind_key(Query& query, const Value& key) {
    if (key.empty()) {
        query.null();
        return;
    }
    CborReader in(key);
    switch (in.peek()) {
        case CborType::text: query.text(text_of(key)); break;
        case CborType::uint:
        case CborType::negative: query.bind(in.integer()); break;
        default: query.blob(key); break;
    }
}

Store::Store(const std::string& path, Database::Mode mode, BytesView key, Env environment)
    : env(environment), db(path, mode, key, Database::Durability::full, environment.background), heads(db) {
    KOPDARBS_ASSERT(env.helper == nullptr || env.helper != env.background);
    db.migrate(embedded::migrations, embedded::migrations_count);
}

std::optional<Stored> Store::find(const RecordId& id) {
    Query q(db, "SELECT no, id, scope, own, type, doc, meta FROM record WHERE id = ?");
    q.id(id);
    if (!q.next()) return std::nullopt;
    return read_row(q);
}

std::optional<Stored> Store::find(std::int64_t no) {
    Query q(db, "SELECT no, id, scope, own, type, doc, meta FROM record WHERE no = ?");
    q.bind(no);
    if (!q.next()) return std::nullopt;
    return read_row(q);
}

std::optional<std::int64_t> Store::insert_new(const RecordId& id, std::int64_t scope_no, std::string_view type, const RecordState& state,
                                              const Shape& shape) {
    Query q(db,
            "INSERT INTO record(id, scope, type, k1, k2, flags, review, own, doc, meta) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT(id) DO NOTHING");
    q.id(id).bind(scope_no).text(type);
    bind_key(q, shape.k1);
    bind_key(q, shape.k2);
    q.bind(shape.flags).bind(shape.review).bind(state.context().at(enrolment.replica)).text(shape.doc).blob(shape.meta).run();
    if (db.changed_rows() == 0) return std::nullopt;
    const std::int64_t no = db.last_insert_row();
    words_changed(no);  // its number may be that of one that went
    touched(id);
    return no;
}

std::int64_t Store::insert(const RecordId& id, std::int64_t scope_no, std::string_view type, const RecordState& state, const Shape& shape) {
    const auto no = insert_new(id, scope_no, type, state, shape);
    if (!no) fail(ErrorCode::corrupt, "a record that was not found is there: " + to_string(id));
    return *no;
}

void Store::update(std::int64_t no, const RecordState& state, const Shape& shape) {
    Query(db, "UPDATE record SET flags = ?, review = ?, own = ?, doc = ?, meta = ? WHERE no = ?")
        .bind(shape.flags)
        .bind(shape.review)
        .bind(state.context().at(enrolment.replica))
        .text(shape.doc)
        .blob(shape.meta)
        .bind(no)
        .run();
    // Apart, so that an index page is written only when a key did change.
    Query keys(db, "UPDATE record SET k1 = ?1, k2 = ?2 WHERE no = ?3 AND (k1 IS NOT ?1 OR k2 IS NOT ?2)");
    bind_key(keys, shape.k1);
    bind_key(keys, shape.k2);
    keys.bind(no).run();
    words_changed(no);
}

void Store::words_changed(std::int64_t no) {
    if (no <= heads.indexed()) Query(db, "INSERT OR IGNORE INTO unindexed VALUES (?)").bind(no).run();
}

void Store::show(const Stored& before, const RecordState& was, const RecordState& state) {
    for (const auto& [field, text] : was.texts()) {
        const auto now = state.texts().find(field);
        const Value structure = text.structure();
        if (now != state.texts().end() && now->second.structure() == structure) continue;
        CborWriter context;
        write_context(context, was.context());
        const std::string shown = text.text();
        Query(db, "INSERT INTO past_text(record, field, context, structure, shown) VALUES (?, ?, ?, ?, ?)")
            .bind(before.no)
            .text(field)
            .blob(context.bytes())
            .blob(structure)
            .text(shown)
            .run();
        Query(db,
              "DELETE FROM past_text WHERE record = ?1 AND field = ?2 AND no <= "
              "(SELECT no FROM past_text WHERE record = ?1 AND field = ?2 ORDER BY no DESC LIMIT 1 OFFSET ?3)")
            .bind(before.no)
            .text(field)
            .bind(kPastTextsKept)
            .run();
    }
    update(before.no, state, shape_of(env.crypto, before.id, state, schema.type(before.type)));
    touched(before.id);
}

std::optional<RecordState> Store::confirmed(std::int64_t no) {
    Query q(db, "SELECT doc, meta FROM confirmed WHERE no = ?");
    q.bind(no);
    if (!q.next()) return std::nullopt;
    return RecordState::decode_beside(q.bytes(1), document_from_json(q.bytes(0)));
}

std::vector<Change> Store::pending(const Stored& stored) {
    // Along the line of the record's changes, from the newest back: what stands before a decided one is decided.
    std::vector<Change> changes;
    for (std::uint64_t counter = stored.own; heads.is_unsent(counter); counter = changes.back().prev) {
        Query q(db, "SELECT header, content FROM change WHERE counter = ?");
        q.bind(counter).one();
        changes.push_back(decode_change(q.bytes(0), q.bytes(1)));
    }
    std::reverse(changes.begin(), changes.end());
    return changes;
}

Bytes Store::setting(const char* name) {
    Query q(db, "SELECT value FROM setting WHERE name = ?");
    q.text(name);
    return q.next() ? Bytes(q.bytes(0)) : Bytes();
}

void Store::set_setting(const char* name, BytesView value) {
    Query(db, "INSERT INTO setting VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value").text(name).blob(value).run();
}

void Store::log(const std::string& what) {
    Query(db, "INSERT INTO log(at_ms, what) VALUES (?, ?)").bind(env.clock.wall_ms()).text(what).run();
    Query(db, "DELETE FROM log WHERE no <= ?").bind(db.last_insert_row() - static_cast<std::int64_t>(kLogLinesKept)).run();
}

const std::vector<ScopeRow>& Store::scopes() {
    if (turn_) return scopes_;
    const std::int64_t version = db.data_version();
    if (version != scopes_version_) {
        reload();
        scopes_version_ = version;
    }
    return scopes_;
}

void Store::reload() {
    scopes_.clear();
    scopes_version_ = -1;
    Query q(db, "SELECT no, id, name, label, section, target, kind, roles, held FROM scope ORDER BY no");
    while (q.next()) {
        ScopeRow row;
        row.no = q.integer(0);
        row.id = q.id<ScopeId>(1);
        row.info.name = q.bytes(2);
        row.info.label = q.bytes(3);
        row.info.section = q.bytes(4);
        row.info.target = q.bytes(5);
        row.kind = q.bytes(6);
        const Value roles = value_from_json(q.bytes(7));
        CborReader in(roles);
        for (std::size_t n = in.array(); n > 0; --n) row.info.roles.emplace_back(in.text());
        row.held = q.integer(8) != 0;
        scopes_.push_back(std::move(row));
    }
    q.reset();
    load_types();
}

void Store::load_types() {
    schema = SchemaSet::built_in();
    Query q(db, "SELECT source FROM record_type ORDER BY name");
    while (q.next()) schema.add(q.bytes(0));
}

const ScopeRow& Store::scope(std::int64_t no) {
    // A scope's number never changes its meaning, so the cached rows serve until one is missing.
    for (int attempt = 0; attempt < 2; ++attempt) {
        for (const ScopeRow& row : attempt == 0 ? scopes_ : scopes())
            if (row.no == no) return row;
    }
    fail(ErrorCode::corrupt, "a record in a scope that is not there");
}

const ScopeRow* Store::find_scope(std::string_view name, const TypeSchema& type) {
    const ScopeRow* found = nullptr;
    for (const ScopeRow& row : scopes()) {
        if (!row.held) continue;
        if (row.info.name == name) return &row;
        const bool own = row.kind == "own" && (name.empty() || name == "own");
        if ((row.info.target == name || own) && row.info.section == type.section_under(row.kind)) found = &row;
    }
    return found;
}

const ScopeRow& Store::scope_for(std::string_view name, const TypeSchema& type) {
    const ScopeRow* found = find_scope(name, type);
    if (scopes_.empty()) fail(ErrorCode::refused, "nothing is assigned here yet: sync first");
    if (found == nullptr)
        fail(ErrorCode::refused, "scope '" + (name.empty() ? "own" : std::string(name.substr(0, 128))) +
                                     "': not assigned to you, or it holds no " + type.name());
    return *found;
}

Writer Store::writer_on(const ScopeRow& row) const {
    Writer writer;
    writer.user = enrolment.user;
    writer.roles = row.info.roles;
    writer.section = row.info.section;
    return writer;
}

Writer Store::writer_on(const ScopeRow& row, const RecordId& record) {
    Writer writer = writer_on(row);
    writer.exists = [this, record](std::string_view type, std::string_view field, BytesView value, std::string_view link) {
        const Value id = text_value(to_string(record));
        Query q(db, "SELECT doc FROM record WHERE type = ? AND flags & 2 = 0");
        q.text(type);
        while (q.next()) {
            const auto document = document_from_json(q.bytes(0));
            const auto has = [&](std::string_view name, BytesView wanted) {
                return std::any_of(document.begin(), document.end(), [&](const auto& m) { return m.first == name && m.second == wanted; });
            };
            if (has(field, value) && has(link, id)) return true;
        }
        return false;
    };
    return writer;
}

void Store::notify(Origin origin) {
    if (batch_depth > 0 || db.in_transaction()) return;
    std::vector<RecordId> records;
    records.swap(touched_);
    if (records.empty()) return;
    std::sort(records.begin(), records.end());
    records.erase(std::unique(records.begin(), records.end()), records.end());
    for (const auto& [handle, observer] : observers) observer(records, origin);
}

Turn::Turn(Store& store) : store_(store), outermost_(!store.turn_) {
    if (!outermost_) require_whole();
    transaction_.emplace(store.db);
    if (!outermost_) return;
    ++store.turns;
    (void)store.scopes();
    store.heads.begin();
    store.turn_ = true;
    store.undone_ = false;
}

Turn::~Turn() {
    if (done_) return;
    store_.undone_ = true;
    if (!outermost_) return;
    store_.turn_ = false;
    store_.heads.end(false);
    store_.touched_.clear();
    store_.scopes_version_ = -1;
}

/// After some errors SQLite has undone the transaction by itself; what came then would be one of its own.
void Turn::require_whole() const {
    if (store_.undone_ || !store_.db.in_transaction())
        fail(ErrorCode::invalid, "a save in this batch failed: nothing of the batch is saved");
}

void Turn::commit() {
    if (outermost_) {
        require_whole();
        store_.heads.write();
    }
    transaction_->commit();
    done_ = true;
    if (!outermost_) return;
    store_.turn_ = false;
    store_.heads.end(true);
}

Record Store::complete(const Stored& stored) {
    const TypeSchema* type = schema.type(stored.type);
    const RecordState state = stored.state();
    Record record;
    record.id = stored.id;
    record.type = stored.type;
    record.scope = scope(stored.scope).info.name;
    record.fields = stored.doc;
    record.version = to_string(version_of(state, type));
    record.sealed = is_sealed(state);
    record.deleted = state.deleted();
    record.review = review_items(env.crypto, stored.id, state, type);
    return record;
}

}  // namespace kopdarbs
