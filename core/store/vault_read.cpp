// The public face: reading.
#include <algorithm>
#include <charconv>

#include "core/base/error.h"
#include "core/record/json.h"
#include "core/store/store.h"

namespace kopdarbs {
namespace {

void read_shown(Query& q, Store& store, Shown& out) {
    out.id = q.id<RecordId>(1);
    out.scope = store.scope(q.integer(2)).info.name;
    out.type = q.bytes(3);
    out.fields = q.bytes(4);
    out.meta = q.bytes(5);
    out.sealed = (q.integer(6) & kSealed) != 0;
    out.deleted = (q.integer(6) & kDeleted) != 0;
}

/// Whether a shown document has every wanted value: compared with the field's string, or with its JSON.
bool meets(const std::string& fields, const std::vector<Condition>& where, std::size_t from) {
    if (where.size() <= from) return true;
    const auto document = document_from_json(fields);
    return std::all_of(where.begin() + static_cast<std::ptrdiff_t>(from), where.end(), [&](const Condition& c) {
        const auto it =
            std::lower_bound(document.begin(), document.end(), c.field, [](const auto& m, const auto& f) { return m.first < f; });
        if (it == document.end() || it->first != c.field) return c.value == "null";
        return (CborReader(it->second).peek() == CborType::text && text_of(it->second) == c.value) || to_json(it->second) == c.value;
    });
}

/// Whether `text` is an integer as JSON prints it.
bool is_integer(const std::string& text, std::int64_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && std::to_string(number) == text;
}

/// Whether all that meets a condition for `value` has it as its key (bind_key): a text or an integer, and no other JSON.
bool is_key(const std::string& value) {
    std::int64_t number = 0;
    if (value.empty() || is_integer(value, number)) return true;
    return std::string_view("\"[{-0123456789").find(value[0]) == std::string_view::npos && value != "null" && value != "true" &&
           value != "false";
}

}  // namespace

Record Vault::get(const RecordId& id) const {
    const auto stored = parts_->store.find(id);
    if (!stored) fail(ErrorCode::not_found, "no record " + to_string(id) + " here");
    return parts_->store.complete(*stored);
}

bool Vault::read(const RecordId& id, Shown& out) const {
    Query q(parts_->store.db, "SELECT no, id, scope, type, doc, meta, flags FROM record WHERE id = ?");
    q.id(id);
    if (!q.next()) return false;
    read_shown(q, parts_->store, out);
    return true;
}

Record Vault::complete(const Shown& shown) const {
    const auto stored = parts_->store.find(shown.id);
    if (!stored) fail(ErrorCode::not_found, "no record " + to_string(shown.id) + " here");
    return parts_->store.complete(*stored);
}

void Vault::list(std::string_view type, const std::vector<Condition>& where, std::uint64_t limit,
                 const std::function<bool(const Shown&)>& each) const {
    Store& store = parts_->store;
    const TypeSchema* schema = store.schema.type(type);
    if (schema == nullptr) fail(ErrorCode::invalid, "no such type: '" + std::string(type.substr(0, kMaxNameBytes)) + "'");
    for (const Condition& c : where)
        if (schema->field(c.field) == nullptr)
            fail(ErrorCode::invalid, "--where " + c.field.substr(0, kMaxNameBytes) + ": " + schema->name() + " has no such field");
    // The first list field, if asked for, is looked up in the index; everything else is looked at.
    const bool indexed = !where.empty() && !schema->list_by().empty() && where[0].field == schema->list_by()[0] &&
                         schema->field(where[0].field)->kind() == Kind::scalar && is_key(where[0].value);
    Query by_key(store.db, "SELECT no, id, scope, type, doc, meta, flags FROM record WHERE type = ? AND k1 IN (?, ?) ORDER BY k1, k2, no");
    Query all(store.db, "SELECT no, id, scope, type, doc, meta, flags FROM record WHERE type = ? ORDER BY k1, k2, no");
    Query& q = indexed ? by_key : all;
    q.text(type);
    if (indexed) {
        std::int64_t number = 0;
        q.text(where[0].value);
        is_integer(where[0].value, number) ? q.bind(number) : q.text(where[0].value);
    }
    Shown shown;
    std::uint64_t found = 0;
    while (found < limit && q.next()) {
        if ((q.integer(6) & kDeleted) != 0) continue;
        read_shown(q, store, shown);
        if (!meets(shown.fields, where, indexed ? 1 : 0)) continue;
        ++found;
        if (!each(shown)) return;
    }
}

std::vector<Decision> Vault::review() const {
    Store& store = parts_->store;
    (void)store.scopes();
    std::vector<Decision> decisions;
    Query q(store.db, "SELECT no FROM record WHERE review > 0 ORDER BY no");
    while (q.next()) {
        const Stored stored = *store.find(q.integer(0));
        for (ReviewItem& item : review_items(store.env.crypto, stored.id, stored.state(), store.schema.type(stored.type)))
            decisions.push_back({stored.id, stored.type, std::move(item)});
    }
    return decisions;
}

std::vector<Event> Vault::history(const RecordId& id, bool& complete) const {
    Store& store = parts_->store;
    const auto stored = store.find(id);
    if (!stored) fail(ErrorCode::not_found, "no record " + to_string(id) + " here");
    std::vector<Event> events;
    Context held;
    Query q(store.db,
            "WITH RECURSIVE line(counter) AS (SELECT ?1 UNION ALL SELECT c.prev FROM change c JOIN line USING (counter)) "
            "SELECT c.header, c.content, v.stamp FROM line JOIN change c USING (counter) LEFT JOIN verdict v USING (counter) "
            "ORDER BY c.counter");
    q.bind(stored->own);
    while (q.next()) {
        const Change change = decode_change(q.bytes(0), q.bytes(1));
        events.push_back({change.dot, change.author, q.is_null(2) ? change.stamp : Stamp{q.unsigned_integer(2)}, ops_to_json(change.ops)});
        held.add(change.dot);
    }
    complete = held == stored->state().context();
    return events;
}

std::vector<Letter> Vault::letters() const {
    Store& store = parts_->store;
    (void)store.scopes();
    std::vector<Letter> letters;
    Query q(store.db,
            "SELECT c.header, c.content, c.scope, v.reason FROM verdict v JOIN change c USING (counter) WHERE v.verdict = 2 ORDER BY "
            "c.counter");
    while (q.next()) {
        const Change change = decode_change(q.bytes(0), q.bytes(1));
        letters.push_back({change.dot, change.record, change.type, store.scope(q.integer(2)).info.name, change.stamp, q.string(3),
                           ops_to_json(change.ops)});
    }
    return letters;
}

Status Vault::status() const {
    Store& store = parts_->store;
    const auto count = [&](const char* sql) { return Query(store.db, sql).one().unsigned_integer(0); };
    Status status;
    status.replica = store.enrolment.replica;
    status.server_key = store.enrolment.server_key;
    status.user = store.enrolment.user;
    status.scopes = scopes();
    status.records = count("SELECT count(*) FROM record WHERE flags & 2 = 0");
    status.unsent = store.heads.unsent_after(0);
    status.refused = count("SELECT count(*) FROM verdict WHERE verdict = 2");
    status.review = count("SELECT coalesce(sum(review), 0) FROM record WHERE review > 0");
    const Bytes last = store.setting("last_sync_ms");
    status.last_sync_ms = last.empty() ? 0 : get_u64(last);
    return status;
}

std::vector<LogLine> Vault::log(std::uint64_t limit) const {
    std::vector<LogLine> lines;
    Query q(parts_->store.db, "SELECT at_ms, what FROM (SELECT no, at_ms, what FROM log ORDER BY no DESC LIMIT ?) ORDER BY no");
    q.bind(limit);
    while (q.next()) lines.push_back({q.unsigned_integer(0), q.string(1)});
    return lines;
}

std::vector<ScopeInfo> Vault::scopes() const {
    std::vector<ScopeInfo> held;
    for (const ScopeRow& row : parts_->store.scopes())
        if (row.held) held.push_back(row.info);
    return held;
}

}  // namespace kopdarbs
