// A save: from what a person asks to one committed, chained, unsent change.
#include "core/base/error.h"
#include "core/record/json.h"
#include "core/record/rules.h"
#include "core/store/store.h"

namespace kopdarbs {
namespace {

std::string printed(const Problem& problem) {
    return (problem.field.empty() ? std::string() : problem.field + ": ") + problem.reason.en + " / " + problem.reason.lv;
}

}  // namespace

std::optional<Version> Store::version_given(const Vault::Base& base, const Stored* record) {
    if (!base) return std::nullopt;
    if (record == nullptr) fail(ErrorCode::invalid, "--base: the record is not here");
    Version version = parse_version(*base);
    // Own changes that were refused since have left every context; what was seen of this replica is the last that lives.
    if (const std::uint64_t own = version.seen.at(enrolment.replica); own > 0) {
        Query q(db,
                "WITH RECURSIVE line(counter) AS (SELECT ?1 UNION ALL SELECT c.prev FROM change c JOIN line USING (counter)) "
                "SELECT counter FROM line WHERE counter <= ?2 LIMIT 1");
        version.seen.set(enrolment.replica, q.bind(record->own).bind(own).one().unsigned_integer(0));
    }
    return version;
}

Text Store::text_at(const Stored& record, const RecordState& state, std::string_view field, const std::optional<Version>& version) {
    if (!version || version->seen.covers(state.context())) return state.text(field);
    // The oldest text that was replaced only after everything the caller has seen; if none was, it stands as it was. Where older ones were
    // dropped, the oldest that is kept may be younger than what the caller saw.
    const std::uint64_t kept =
        Query(db, "SELECT count(*) FROM past_text WHERE record = ? AND field = ?").bind(record.no).text(field).one().unsigned_integer(0);
    Query q(db, "SELECT context, structure, shown FROM past_text WHERE record = ? AND field = ? ORDER BY no");
    q.bind(record.no).text(field);
    for (bool oldest = true; q.next(); oldest = false) {
        CborReader in(q.bytes(0));
        const Context context = read_context(in);
        if (!context.covers(version->seen)) continue;
        if (oldest && kept >= kPastTextsKept && context != version->seen)
            fail(ErrorCode::stale, std::string(field) + ": too much was written since that version; read it again");
        return Text::decode(q.bytes(1), q.bytes(2));
    }
    return state.text(field);
}

Change NextChanges::to(const RecordId& record, const TypeSchema& type, const ScopeRow& scope) {
    Change change;
    change.dot = {store_.enrolment.replica, ++counter_};
    if (counter_ > kMaxCounter) fail(ErrorCode::io, "this replica has no numbers left");
    change.wall_ms = std::min(store_.env.clock.wall_ms(), kMaxStampMs);
    change.stamp = clock_.tick(change.wall_ms);
    change.heard = store_.heads.heard();
    change.author = store_.enrolment.user;
    change.scope = scope.id;
    change.record = record;
    change.type = type.name();
    change.type_version = type.version();
    return change;
}

Salted encode_salted(Change& change, const Env& env) {
    encode_change(change);
    if (change.content.size() > kMaxContentBytes) fail(ErrorCode::invalid, "more than 8 MiB in one save");
    Salted salted{env.entropy.octets<kSaltBytes>(), {}};
    salted.hash = content_hash(env.crypto, view(salted.salt), change.content);
    return salted;
}

void Store::append(const Change& change, const Salted& salted, std::int64_t record_no, std::int64_t scope_no) {
    const Hash256 hash = chain_hash(env.crypto, heads.feed(scope_no).hash, change.header, salted.hash);
    Query(db, "INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(change.dot.counter)
        .bind(record_no)
        .bind(change.prev)
        .bind(scope_no)
        .blob(change.header)
        .blob(view(salted.salt))
        .blob(change.content)
        .id(hash)
        .run();
    heads.advance(scope_no, {change.dot.counter, hash}, change.stamp);
}

Saved Store::save(const Stored* before, const RecordId& id, const TypeSchema& type, const ScopeRow& scope, Vault::Base base,
                  const std::function<void(Draft&, const RecordState&)>& fill) {
    const RecordState was = before == nullptr ? RecordState() : before->state();
    Change change = NextChanges(*this).to(id, type, scope);
    const std::optional<Version> version = version_given(base, before);
    Draft draft(was, type, change.dot, version);
    if (before == nullptr) draft.create();
    fill(draft, was);
    Saved saved{id, {}, {}, {}};
    change.seen = draft.seen();
    change.ops = draft.take();
    if (change.ops.empty()) {
        saved.version = to_string(version_of(was, &type));
        return saved;
    }
    change.prev = was.context().at(enrolment.replica);
    const bool on_all = change.seen.covers(was.context());
    const auto problem = judge_change(change, on_all ? was : was.within(change.seen), &type, writer_on(scope, id), &saved.warnings);
    if (problem) fail(ErrorCode::refused, printed(*problem));
    RecordState now = was;
    const Applied applied = now.apply(change, change.stamp, draft.take_texts());
    KOPDARBS_ASSERT(applied == Applied::applied);
    if (now.context().entries().size() > kMaxReplicasInContext) fail(ErrorCode::refused, "too many devices have written to this record");
    std::int64_t no = 0;
    if (before == nullptr) {
        no = insert(id, scope.no, type.name(), now, shape_of(env.crypto, id, now, &type));
    } else {
        no = before->no;
        // The first unsent change of a record keeps what was confirmed beside it.
        if (!has_pending(*before)) Query(db, "INSERT INTO confirmed VALUES (?, ?, ?)").bind(no).text(before->doc).blob(before->meta).run();
        show(*before, was, now);
    }
    const Salted salted = encode_salted(change, env);
    append(change, salted, no, scope.no);
    saved.dot = change.dot;
    saved.version = to_string(version_of(now, &type));
    return saved;
}

}  // namespace kopdarbs
