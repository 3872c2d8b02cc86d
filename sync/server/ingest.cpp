#include "sync/server/ingest.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/record/json.h"
#include "core/record/rules.h"
#include "core/store/shape.h"

namespace kopdarbs::sync {
namespace {

constexpr std::uint64_t kMaxHeldPerReplica = 1000;

}  // namespace

void Ingest::say(Verdict v) {
    if (!verdicts_.empty() && v.code == VerdictCode::accepted && v.stamp.packed == 0) {
        Verdict& last = verdicts_.back();
        if (last.code == VerdictCode::accepted && last.stamp.packed == 0 && last.counter + last.count == v.counter &&
            last.seq + last.count == v.seq) {
            ++last.count;
            return;
        }
    }
    verdicts_.push_back(std::move(v));
}

void Ingest::take(const PreparedFeed& feed) {
    const ScopeEntry* scope = origin_.directory.scope(feed.scope);
    if (scope == nullptr) fail(ErrorCode::protocol, "a feed in a scope that this server does not know");
    const FeedHead known = storage_.feed(origin_.device.replica_no, scope->no).value_or(FeedHead{});
    std::size_t first_new = 0;
    if (known.counter < feed.before.counter)
        fail(ErrorCode::protocol, "the server lacks earlier changes of this device: restore a newer backup");
    bool joined = known.counter == feed.before.counter && known.hash == feed.before.hash;
    for (; first_new < feed.changes.size() && feed.changes[first_new].change.dot.counter <= known.counter; ++first_new)
        joined = joined || (feed.changes[first_new].change.dot.counter == known.counter && feed.changes[first_new].hash == known.hash);
    if (!joined && first_new == feed.changes.size() && first_new > 0) {
        // All of it was here before: the last one must be the one we have.
        const PreparedChange& last = feed.changes.back();
        const auto dot = storage_.dot(origin_.device.replica_no, last.change.dot.counter);
        if (dot)
            joined = (dot->code == VerdictCode::accepted ? storage_.accepted_at(dot->place).hash : storage_.rejected_at(dot->place).hash) ==
                     last.hash;
    }
    if (!joined) fail(ErrorCode::fork, "this device's changes are not those that it sent before: it is a copy, or was set back");
    const ScopeGrant* grant = origin_.grants.find(feed.scope);
    const Cursor before = storage_.lock_scope(scope->no);
    heads_[scope->no] = before;
    for (std::size_t i = 0; i < first_new; ++i) repeat(feed.changes[i]);  // which may accept what was held
    for (std::size_t i = first_new; i < feed.changes.size(); ++i) take(feed.changes[i], scope->no, grant);
    if (first_new < feed.changes.size()) storage_.set_feed(origin_.device.replica_no, scope->no, feed.head, feed.checkpoint);
    if (storage_.held_of(origin_.device.replica_no) > 0)
        for (const RecordId& record : std::set<RecordId>(touched_)) release_held(record);
    touched_.clear();
    for (const auto& [no, head] : heads_) storage_.set_scope_head(no, head);
    advanced_.push_back({feed.scope, before, heads_.at(scope->no)});
    heads_.clear();
}

void Ingest::repeat(const PreparedChange& prepared) {
    const auto dot = storage_.dot(origin_.device.replica_no, prepared.change.dot.counter);
    if (!dot) fail(ErrorCode::fork, "a change under a number that was used for another scope: the device is a copy, or was set back");
    if (dot->code == VerdictCode::held) {
        // Asked about again: what it waited for may be here now.
        storage_.drop_rejected(dot->place);
        take(prepared, storage_.scope(prepared.change.scope)->no, origin_.grants.find(prepared.change.scope));
        return;
    }
    Verdict v;
    v.counter = prepared.change.dot.counter;
    v.code = dot->code;
    if (dot->code == VerdictCode::accepted) {
        const AcceptedRow row = storage_.accepted_at(dot->place);
        v.seq = row.seq;
        v.stamp = row.stamp == prepared.change.stamp ? Stamp{} : row.stamp;
    } else {
        v.reason = storage_.rejected_at(dot->place).reason;
        to_restate_.insert(prepared.change.record);
    }
    say(std::move(v));
}

void Ingest::take(const PreparedChange& prepared, std::int64_t scope_no, const ScopeGrant* grant) {
    // One number, one change: a second one, in another scope's feed, is a copy's or a forger's.
    if (const auto known = storage_.dot(origin_.device.replica_no, prepared.change.dot.counter); known && known->code != VerdictCode::held)
        fail(ErrorCode::fork, "a number that was used before: the device is a copy, or was set back");
    const std::optional<RecordRow> row = storage_.record(prepared.change.record);
    if (!row && prepared.creates) {
        store(prepared, scope_no, 0, *prepared.creates);
        return;
    }
    if (row && prepared.edits && prepared.edits->is_of(*row)) {
        store(prepared, scope_no, row->no, prepared.edits->shape);
        return;
    }
    RecordState state;
    if (row) state = RecordState::decode_beside(row->meta, document_from_json(row->doc));
    const auto outcome = judge(prepared, scope_no, grant, row, state);
    if (outcome)
        keep(prepared, scope_no, *outcome);
    else
        accept(prepared, scope_no, row, std::move(state));
}

std::optional<Outcome> Ingest::check_line(const Change& change, const RecordState& state) {
    const std::int64_t replica = origin_.device.replica_no;
    const std::uint64_t mine = state.context().at(change.dot.replica);
    if (mine > change.prev) return Outcome{VerdictCode::refused, "numbered behind an accepted change of this device"};
    const auto undecided = [&](std::uint64_t counter) -> std::optional<Outcome> {
        const auto dot = storage_.dot(replica, counter);
        if (!dot || dot->code == VerdictCode::held) return Outcome{VerdictCode::held, "waits for an earlier change"};
        if (dot->code != VerdictCode::accepted) return Outcome{VerdictCode::again, "an earlier change to this record was not accepted"};
        return std::nullopt;
    };
    if (mine < change.prev) {
        if (auto outcome = undecided(change.prev)) return outcome;
        return Outcome{VerdictCode::refused, "follows a change of another record"};
    }
    if (change.seen.at(change.dot.replica) > mine)
        if (auto outcome = undecided(change.seen.at(change.dot.replica))) return outcome;
    if (!state.context().covers(change.seen)) return Outcome{VerdictCode::held, "it has seen what is not here yet"};
    return std::nullopt;
}

std::optional<Outcome> Ingest::judge(const PreparedChange& prepared, std::int64_t scope_no, const ScopeGrant* grant,
                                     const std::optional<RecordRow>& row, const RecordState& state) {
    const Change& change = prepared.change;
    if (auto outcome = judge_alone(prepared, origin_, grant)) return outcome;
    if (row && row->scope != scope_no) return Outcome{VerdictCode::refused, "the record lives in another scope"};
    if (row && row->type != change.type) return Outcome{VerdictCode::refused, "the record is of another type"};
    if (auto outcome = check_line(change, state)) return outcome;
    const Exists exists = [&, id = text_value(to_string(change.record))](std::string_view other, std::string_view field, BytesView value,
                                                                         std::string_view link) {
        return storage_.record_where(other, [&](const RecordRow& candidate) {
            const bool readable = std::any_of(origin_.grants.numbers.begin(), origin_.grants.numbers.end(),
                                              [&](const auto& n) { return n.second == candidate.scope; });
            if (!readable) return false;
            const auto document = document_from_json(candidate.doc);
            const auto has = [&](std::string_view name, BytesView wanted) {
                return std::any_of(document.begin(), document.end(), [&](const auto& m) { return m.first == name && m.second == wanted; });
            };
            return has(field, value) && has(link, id);
        });
    };
    try {
        return row ? judge_edit(change, state, row->no, storage_, origin_, *grant, exists) : judge_new(change, origin_, *grant, exists);
    } catch (const Error& e) {
        return Outcome{VerdictCode::refused, std::string("cannot be read: ") + e.what()};
    }
}

void Ingest::accept(const PreparedChange& prepared, std::int64_t scope_no, const std::optional<RecordRow>& row, RecordState state) {
    const Change& change = prepared.change;
    try {
        const Applied applied = state.apply(change, effective(change, origin_));
        KOPDARBS_ASSERT(applied == Applied::applied);
    } catch (const Error& e) {
        // Text operations are the one thing that only applying finds out.
        keep(prepared, scope_no, {VerdictCode::refused, std::string("cannot be applied: ") + e.what()});
        return;
    }
    store(prepared, scope_no, row ? row->no : 0, shape_of(env_.crypto, change.record, state, origin_.directory.schema().type(change.type)));
}

void Ingest::store(const PreparedChange& prepared, std::int64_t scope_no, std::int64_t record_no, const Shape& shape) {
    const Change& change = prepared.change;
    const Stamp stamp = effective(change, origin_);
    if (record_no == 0)
        record_no = storage_.insert_record(change.record, scope_no, change.type, shape);
    else
        storage_.update_record(record_no, shape);
    const auto locked = heads_.find(scope_no);
    Cursor& head = locked != heads_.end() ? locked->second : heads_.emplace(scope_no, storage_.lock_scope(scope_no)).first->second;
    Bytes link(head.hash.bytes());
    link.append(prepared.hash.bytes());
    head = {head.seq + 1, env_.crypto.sha256(link)};
    const std::int64_t place =
        storage_.append(scope_no, head.seq, origin_.device.replica_no, record_no, stamp, prepared.bytes, prepared.hash, head.hash);
    storage_.set_dot(origin_.device.replica_no, change.dot.counter, {VerdictCode::accepted, place});
    touched_.insert(change.record);
    Verdict v;
    v.counter = change.dot.counter;
    v.seq = head.seq;
    v.stamp = stamp == change.stamp ? Stamp{} : stamp;
    say(std::move(v));
}

void Ingest::keep(const PreparedChange& prepared, std::int64_t scope_no, const Outcome& given) {
    Outcome outcome = given;
    const std::int64_t replica = origin_.device.replica_no;
    if (outcome.code == VerdictCode::held && storage_.held_of(replica) >= kMaxHeldPerReplica)
        outcome = {VerdictCode::refused, "too many changes wait already"};
    RejectedRow row;
    row.replica = replica;
    row.scope = scope_no;
    row.reason = outcome.reason;
    row.change = prepared.bytes;
    row.hash = prepared.hash;
    const std::int64_t place = storage_.reject(row, prepared.change.record, origin_.received_ms);
    storage_.set_dot(replica, prepared.change.dot.counter, {outcome.code, place});
    to_restate_.insert(prepared.change.record);
    Verdict v;
    v.counter = prepared.change.dot.counter;
    v.code = outcome.code;
    v.reason = outcome.reason;
    say(std::move(v));
}

/// Something arrived in `record`: what was held there may be decided now. Only this device's own: another's is decided when it asks.
void Ingest::release_held(const RecordId& record) {
    for (const RejectedRow& row : storage_.held(record)) {
        if (row.replica != origin_.device.replica_no) continue;
        PreparedChange prepared;
        prepared.change = decode_change(row.change.header, BytesView(row.change.content));
        prepared.bytes = row.change;
        prepared.hash = row.hash;
        const auto current = storage_.record(record);
        if (!current) continue;
        const RecordState state = RecordState::decode_beside(current->meta, document_from_json(current->doc));
        if (const auto outcome = check_line(prepared.change, state); outcome && outcome->code == VerdictCode::held) continue;
        storage_.drop_rejected(row.no);
        take(prepared, row.scope, origin_.grants.find(prepared.change.scope));
    }
}

}  // namespace kopdarbs::sync
