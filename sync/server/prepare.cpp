#include "sync/server/prepare.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include "core/base/error.h"
#include "core/record/json.h"
#include "core/record/rules.h"

namespace kopdarbs::sync {
namespace {

constexpr std::size_t kMaxReasonBytes = 500;
/// Changes that are worth the start of a thread, the most threads for one request, and the changes that one takes at a time.
constexpr std::size_t kWorthAThread = 50, kMaxThreads = 4, kPiece = 16;

std::string printed(const Problem& problem) {
    std::string reason = (problem.field.empty() ? std::string() : problem.field + ": ") + problem.reason.en + " / " + problem.reason.lv;
    while (reason.size() > kMaxReasonBytes || !is_utf8(reason)) reason.pop_back();
    return reason;
}

std::optional<Outcome> judge_on(const Change& change, const RecordState& at_seen, const Origin& origin, const ScopeGrant& grant,
                                const Exists& exists) {
    const TypeSchema* type = origin.directory.schema().type(change.type);
    if (type != nullptr && at_seen.empty() && type->section_under(grant.kind) != grant.info.section)
        return Outcome{VerdictCode::refused, "records of this type do not belong here / šāda veida ierakstam te nav vietas"};
    Writer writer;
    writer.user = change.author;
    writer.roles = grant.info.roles;
    writer.section = grant.info.section;
    writer.exists = exists;
    if (const auto problem = judge_change(change, at_seen, type, writer, nullptr)) return Outcome{VerdictCode::refused, printed(*problem)};
    return std::nullopt;
}

/// The state that the author of `judged` had seen of a record, exactly: from its changes. Texts, which cost the most, are left out where
/// nothing that is judged looks at them: a seal's document does, and whether a record is deleted.
RecordState state_at(Storage& storage, std::int64_t record, const Change& judged) {
    const auto writes = [&](PathKind kind) {
        return std::any_of(judged.ops.begin(), judged.ops.end(), [kind](const Op& op) { return op.path.is(kind); });
    };
    bool texts = writes(PathKind::seal) || writes(PathKind::amendment) || writes(PathKind::life);
    const std::vector<AcceptedRow> rows = storage.changes_of(record);
    const auto replayed = [&] {
        RecordState state;
        for (const AcceptedRow& accepted : rows) {
            Change change = decode_change(accepted.change.header, BytesView(accepted.change.content));
            if (!judged.seen.covers(change.dot)) continue;
            const auto left_out = [&](const Op& op) { return !texts && op.path.is(PathKind::text); };
            change.ops.erase(std::remove_if(change.ops.begin(), change.ops.end(), left_out), change.ops.end());
            (void)state.apply(change, accepted.stamp);
        }
        return state;
    };
    RecordState state = replayed();
    if (texts || !state.has_delete()) return state;
    texts = true;
    return replayed();
}

/// Whether `judge` has nothing to say, and needed to look at no other record to know.
bool is_allowed(const std::function<std::optional<Outcome>(const Exists&)>& judge) {
    bool looked_elsewhere = false;
    const auto exists = [&](std::string_view, std::string_view, BytesView, std::string_view) {
        looked_elsewhere = true;
        return false;
    };
    return !judge(exists) && !looked_elsewhere;
}

std::optional<Shape> applied(RecordState state, const Change& change, const Origin& origin, Crypto& crypto) {
    if (state.apply(change, effective(change, origin)) != Applied::applied) return std::nullopt;
    return shape_of(crypto, change.record, state, origin.directory.schema().type(change.type));
}

/// The edit of a row that stands, where its line is whole: nothing of it waits, and all that it has seen is here.
std::optional<Edited> edited_row(const Change& change, const Origin& origin, const ScopeGrant& grant, Storage& storage, Crypto& crypto) {
    auto row = storage.record(change.record);
    const ScopeEntry* scope = origin.directory.scope(change.scope);
    if (!row || scope == nullptr || row->scope != scope->no || row->type != change.type) return std::nullopt;
    const RecordState state = RecordState::decode_beside(row->meta, document_from_json(row->doc));
    const Context& known = state.context();
    const std::uint64_t mine = known.at(change.dot.replica);
    if (mine != change.prev || change.seen.at(change.dot.replica) > mine || !known.covers(change.seen)) return std::nullopt;
    const auto judged = [&](const Exists& exists) { return judge_edit(change, state, row->no, storage, origin, grant, exists); };
    if (!is_allowed(judged)) return std::nullopt;
    auto shape = applied(state, change, origin, crypto);
    if (!shape) return std::nullopt;
    return Edited{std::move(*row), std::move(*shape)};
}

/// The row that a change makes, where nothing is left for the writer to judge. What throws here the writer finds too, and says.
void foresee(PreparedChange& prepared, const Origin& origin, const ScopeGrant* grant, std::optional<Readers::Lent>& reader,
             Readers& readers, Crypto& crypto) {
    const Change& change = prepared.change;
    if (judge_alone(prepared, origin, grant)) return;
    try {
        if (change.prev == 0 && change.seen.empty()) {
            const auto judged = [&](const Exists& exists) { return judge_new(change, origin, *grant, exists); };
            if (is_allowed(judged)) prepared.creates = applied({}, change, origin, crypto);
        } else {
            if (!reader) reader.emplace(readers);
            prepared.edits = edited_row(change, origin, *grant, **reader, crypto);
        }
    } catch (const Error&) {
        prepared.creates.reset();
    }
}

PreparedChange read(const SignedChange& bytes) {
    PreparedChange p;
    try {
        p.change = decode_change(bytes.header, BytesView(bytes.content));
    } catch (const Error& e) {
        p.change = decode_change(bytes.header, std::nullopt);
        p.malformed = e.what();
    }
    p.bytes.header = std::move(p.change.header);
    p.bytes.salt = bytes.salt;
    if (p.malformed.empty())
        p.bytes.content = std::move(p.change.content);
    else
        p.bytes.content = bytes.content;
    return p;
}

/// Counts, while it lives, as one of the requests that this process prepares.
class Busy {
public:
    Busy() : others_(busy++) {}
    ~Busy() { --busy; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    /// Processors that the others leave to this one, at least one.
    std::size_t processors() const { return std::max<std::size_t>(std::thread::hardware_concurrency(), others_ + 1) - others_; }

private:
    static inline std::atomic<std::size_t> busy = 0;
    std::size_t others_;
};

/// `part` for pieces of 0 to `count` - 1, [from, to), by several threads when there is much of it and they would not wait for a processor.
/// Throws what a piece threw.
void in_parallel(std::size_t count, const std::function<void(std::size_t from, std::size_t to)>& part) {
    const Busy busy;
    const std::size_t threads = std::clamp<std::size_t>(std::min(count / kWorthAThread, busy.processors()), 1, kMaxThreads);
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t from = next.fetch_add(kPiece); from < count; from = next.fetch_add(kPiece))
            part(from, std::min(from + kPiece, count));
    };
    std::vector<std::future<void>> others;
    for (std::size_t number = 1; number < threads; ++number) others.push_back(std::async(std::launch::async, work));
    work();
    for (std::future<void>& other : others) other.get();
}

}  // namespace

PreparedFeed prepare(const FeedPart& feed, const Origin& origin, const DeviceId& server, Readers& readers, Crypto& crypto) {
    const ScopeGrant* grant = origin.grants.find(feed.scope);
    PreparedFeed prepared;
    prepared.scope = feed.scope;
    prepared.before = feed.before;
    prepared.checkpoint = feed.checkpoint;
    prepared.changes.resize(feed.changes.size());
    std::vector<Hash256> contents(feed.changes.size());
    in_parallel(feed.changes.size(), [&](std::size_t from, std::size_t to) {
        std::optional<Readers::Lent> reader;
        for (std::size_t i = from; i < to; ++i) {
            contents[i] = content_hash(crypto, feed.changes[i].salt, feed.changes[i].content);
            prepared.changes[i] = read(feed.changes[i]);
            foresee(prepared.changes[i], origin, grant, reader, readers, crypto);
        }
    });
    FeedHead head = feed.before;
    for (std::size_t i = 0; i < feed.changes.size(); ++i) {
        PreparedChange& p = prepared.changes[i];
        if (p.change.dot.replica != origin.device.replica || p.change.scope != feed.scope || p.change.dot.counter <= head.counter)
            fail(ErrorCode::corrupt, "a feed with changes that do not belong to it, or out of order");
        head = {p.change.dot.counter, chain_hash(crypto, head.hash, p.bytes.header, contents[i])};
        p.hash = head.hash;
    }
    if (!crypto.verify(origin.device.key, checkpoint_message(server, origin.device.replica, feed.scope, head), feed.checkpoint))
        fail(ErrorCode::corrupt, "a feed whose checkpoint its device did not sign: altered, cut or forged");
    prepared.head = head;
    return prepared;
}

Stamp effective(const Change& change, const Origin& origin) {
    const auto wall = static_cast<std::int64_t>(change.wall_ms) - origin.offset_ms;
    const std::uint64_t ms = std::min<std::uint64_t>(wall < 0 ? 0 : static_cast<std::uint64_t>(wall), origin.received_ms);
    const Stamp stamp = ms == change.stamp.ms() ? change.stamp : Stamp::from_ms(ms);
    // What was heard is the server's own word, so never later than now.
    const Stamp heard = std::min(change.heard, Stamp::from_ms(origin.received_ms));
    return std::max(stamp, heard);
}

std::optional<Outcome> judge_alone(const PreparedChange& prepared, const Origin& origin, const ScopeGrant* grant) {
    if (!prepared.malformed.empty()) return Outcome{VerdictCode::refused, "cannot be read: " + prepared.malformed};
    if (prepared.change.author != origin.device.user) return Outcome{VerdictCode::refused, "signed for another user"};
    if (prepared.change.group) return Outcome{VerdictCode::refused, "groups of changes are not known to this server"};
    if (grant == nullptr) return Outcome{VerdictCode::refused, "not assigned to you / jums nav piešķirts"};
    return std::nullopt;
}

std::optional<Outcome> judge_new(const Change& change, const Origin& origin, const ScopeGrant& grant, const Exists& exists) {
    return judge_on(change, {}, origin, grant, exists);
}

std::optional<Outcome> judge_edit(const Change& change, const RecordState& now, std::int64_t record, Storage& storage, const Origin& origin,
                                  const ScopeGrant& grant, const Exists& exists) {
    if (change.seen.covers(now.context())) return judge_on(change, now, origin, grant, exists);
    return judge_on(change, state_at(storage, record, change), origin, grant, exists);
}

}  // namespace kopdarbs::sync
