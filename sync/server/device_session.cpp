// One device's sync request on the server: decide (write, commit), then pages (read).
#include <algorithm>

#include "core/base/error.h"
#include "sync/server/ingest.h"
#include "sync/server/server_parts.h"

namespace kopdarbs::sync {
namespace {

/// Below this a clock's offset cannot be told from the line's delay, so it counts as none.
constexpr std::int64_t kClockToleranceMs = 5'000;
constexpr std::size_t kEntryOverhead = 48;
constexpr std::int64_t kNoReplica = -1;

struct Resume {
    Cursor base;
    std::int64_t record = 0;
};

Bytes write_resume(const Resume& r) {
    Bytes bytes;
    put_u64(bytes, r.base.seq);
    bytes.append(r.base.hash.bytes());
    put_u64(bytes, static_cast<std::uint64_t>(r.record));
    return bytes;
}

std::optional<Resume> read_resume(BytesView bytes) {
    if (bytes.size() != 8 + Hash256::size + 8) return std::nullopt;
    return Resume{{get_u64(bytes), Hash256::from_bytes(bytes.substr(8, Hash256::size))},
                  static_cast<std::int64_t>(get_u64(bytes.substr(8 + Hash256::size)))};
}

Bytes cursors_bytes(const std::vector<ScopeCursor>& cursors) {
    CborWriter w;
    write_cursors(w, cursors);
    return w.take();
}

}  // namespace

DeviceSession::DeviceSession(Server::Parts& server, Storage& reader, const DeviceRow& device, std::uint64_t waited_ms)
    : server_(server),
      reader_(reader),
      device_(device),
      waited_ms_(waited_ms),
      directory_(server.directory(reader)),
      grants_(server.grants(reader, device.user)) {}

ServerSide::Decided DeviceSession::decide(const SyncRequest& request) {
    if (request.replica != device_.replica) fail(ErrorCode::fork, "this replica is not this device's any more");
    Decided decided;
    decided.server_ms = server_.env.clock.wall_ms();
    decided.incarnation = server_.identity.incarnation;
    // The device told the time when it began to send: what its line and our queue have taken since is not its clock's fault.
    const std::uint64_t told_ms = decided.server_ms - std::min(waited_ms_, decided.server_ms);
    std::int64_t offset = static_cast<std::int64_t>(request.wall_ms) - static_cast<std::int64_t>(told_ms);
    if (offset > -kClockToleranceMs && offset < kClockToleranceMs) offset = 0;
    std::vector<PreparedFeed> feeds;
    const Origin origin{device_, *grants_, *directory_, decided.server_ms, offset};
    for (const FeedPart& feed : request.feeds)
        feeds.push_back(prepare(feed, origin, server_.identity.id, server_.readers, server_.env.crypto));
    std::optional<std::vector<ScopeCursor>> offered;
    {
        const std::lock_guard lock(server_.mutex);
        const auto it = server_.offered_.find(device_.id);
        if (it != server_.offered_.end()) offered = it->second;
    }
    const Bytes fresh = server_.env.entropy.bytes(kNonceBytes);
    server_.committer.run([&](Storage& storage) {
        DeviceRow device = *storage.device(device_.id);
        // A retry with the nonce before gets the same next one; any older one is a copy's, or was set back.
        if (request.nonce == device.nonce) {
            device.nonce_before = device.nonce;
            device.nonce = fresh;
        } else if (request.nonce != device.nonce_before) {
            fail(ErrorCode::fork, "this vault was copied, or set back to an older file");
        }
        // Two copies that take turns look like one device that repeats itself, until one lacks what the other sent.
        if (storage.last_counter_of(device.replica_no) > request.counter)
            fail(ErrorCode::fork, "this vault was copied, or set back to an older file");
        decided.nonce = device.nonce;
        device.seen_ms = decided.server_ms;
        device.offset_ms = offset;
        Crypto& crypto = server_.env.crypto;
        std::optional<std::vector<ScopeCursor>> remembered;
        if (device.cursors.empty()) {
            remembered.emplace();
        } else {
            CborReader in(device.cursors);
            remembered = read_cursors(in);
        }
        if (request.cursors)
            decided.cursors = request.cursors;
        else if (digest_of_cursors(crypto, *remembered) == request.cursors_digest)
            decided.cursors = remembered;
        else if (offered && digest_of_cursors(crypto, *offered) == request.cursors_digest)
            decided.cursors = offered;
        if (decided.cursors) device.cursors = cursors_bytes(*decided.cursors);
        const std::vector<Verdict> verdicts = ingest(storage, feeds, origin, decided);
        if (!verdicts.empty()) {
            const SignedDecision last = storage.last_decision();
            SignedDecision now;
            if (!last.body.empty()) now.before = crypto.sha256(decision_message(last.before, last.body));
            now.body = encode_decision(request.replica, verdicts);
            now.signature = crypto.sign(server_.identity.signing, decision_message(now.before, now.body));
            storage.add_decision(now);
            decided.decision = now;
        }
        storage.update_device(device);
    });
    return decided;
}

std::vector<Verdict> DeviceSession::ingest(Storage& storage, const std::vector<PreparedFeed>& feeds, const Origin& origin,
                                           Decided& decided) {
    Ingest ingest(storage, server_.env, origin);
    for (const PreparedFeed& feed : feeds) ingest.take(feed);
    decided.to_restate.assign(ingest.to_restate().begin(), ingest.to_restate().end());
    decided.advanced = ingest.advanced();
    return ingest.verdicts();
}

const ScopeEntry& DeviceSession::entry_of(const ScopeId& id) {
    const auto it = heads_.find(id);
    if (it != heads_.end()) return it->second;
    return heads_.emplace(id, *reader_.scope(id)).first->second;
}

bool DeviceSession::is_current(const ScopeCursor& cursor) {
    return cursor.resume.empty() && cursor.cursor == entry_of(cursor.scope).head;
}

/// Whether the scope's order has this cursor's entry, and it is the one that the cursor names.
bool DeviceSession::is_in_order(const ScopeEntry& scope, const Cursor& cursor) {
    bool found = false;
    if (cursor.seq > 0 && cursor.seq <= scope.head.seq)
        reader_.entries(scope.no, cursor.seq - 1, cursor.seq, kNoReplica,
                        [&](const AcceptedRow& row) { return found = row.rolling == cursor.hash; });
    return found;
}

ScopePage DeviceSession::page(const ScopeCursor& from, std::size_t max_bytes, std::uint64_t& bytes, std::uint64_t& remaining) {
    const ScopeEntry& scope = entry_of(from.scope);
    ScopePage page;
    page.scope = from.scope;
    page.cursor = from.cursor;
    page.resume = from.resume;
    std::optional<Resume> resume = read_resume(from.resume);
    if (!resume && !is_in_order(scope, from.cursor)) resume = Resume{scope.head, 0};
    if (resume) {
        // A snapshot: records as they are now, at or past the base; the tail from the base joins what changes meanwhile.
        bool more = false;
        reader_.records(scope.no, resume->record, [&](const RecordRow& row) {
            more = bytes >= max_bytes;
            if (more) return false;
            Entry e;
            e.kind = Entry::Kind::state;
            e.record = row.id;
            e.type = row.type;
            e.doc = row.doc;
            e.meta = row.meta;
            bytes += row.doc.size() + row.meta.size() + kEntryOverhead;
            resume->record = row.no;
            page.entries.push_back(std::move(e));
            return true;
        });
        remaining = more ? reader_.records_after(scope.no, resume->record) : 0;
        remaining += scope.head.seq - std::min(scope.head.seq, resume->base.seq);
        page.resume = more ? write_resume(*resume) : Bytes();
        if (!more) page.cursor = resume->base;
        return page;
    }
    // Its own entries it has heard of by their verdicts.
    const bool all = reader_.entries(scope.no, from.cursor.seq, scope.head.seq, device_.replica_no, [&](const AcceptedRow& row) {
        if (bytes >= max_bytes) return false;
        page.cursor = {row.seq, row.rolling};
        Entry e;
        e.header = row.change.header;
        e.content = row.change.content;
        e.stamp = row.stamp == decode_change(row.change.header, std::nullopt).stamp ? Stamp{} : row.stamp;
        bytes += e.header.size() + e.content.size() + kEntryOverhead;
        page.entries.push_back(std::move(e));
        return true;
    });
    if (all) page.cursor = scope.head;
    remaining = scope.head.seq - std::min(scope.head.seq, page.cursor.seq);
    return page;
}

std::optional<Entry> DeviceSession::state_of(const RecordId& record) {
    const auto row = reader_.record(record);
    if (!row) return std::nullopt;
    const bool readable =
        std::any_of(grants_->numbers.begin(), grants_->numbers.end(), [&](const auto& n) { return n.second == row->scope; });
    if (!readable) return std::nullopt;
    Entry e;
    e.kind = Entry::Kind::state;
    e.record = row->id;
    e.type = row->type;
    e.doc = row->doc;
    e.meta = row->meta;
    return e;
}

void DeviceSession::offer(const std::vector<ScopeCursor>& cursors) {
    const std::lock_guard lock(server_.mutex);
    server_.offered_[device_.id] = cursors;
}

}  // namespace kopdarbs::sync
