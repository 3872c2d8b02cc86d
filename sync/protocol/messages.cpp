#include "sync/protocol/messages.h"

#include <algorithm>

#include "core/base/error.h"
#include "sync/protocol/change_columns.h"
#include "sync/protocol/entries.h"

namespace kopdarbs::sync {
namespace {

constexpr std::size_t kMaxFeeds = 20'000;
constexpr std::size_t kMaxChanges = 200'000;
constexpr std::size_t kMaxScopes = 20'000;
constexpr std::size_t kMaxTypes = 1'000;
constexpr std::size_t kMaxWanted = 1'000;
constexpr std::size_t kMaxResumeBytes = 64;
constexpr std::size_t kMaxReasonBytes = 1'000;
constexpr std::size_t kRequestParts = 13, kResponseParts = 13;

[[noreturn]] void corrupt(const char* what) {
    fail(ErrorCode::corrupt, std::string("message: ") + what);
}

/// Opens an array of at least `least` parts; `rest` skips what a newer version appended.
struct Parts {
    Parts(CborReader& reader, std::size_t least) : in(reader), count(reader.array()) {
        if (count < least) corrupt("too few parts");
        extra = count - least;
    }
    void rest() {
        for (; extra > 0; --extra) in.skip();
    }
    CborReader& in;
    std::size_t count, extra;
};

void write_optional(CborWriter& out, BytesView octets) {
    octets.empty() ? out.null() : out.octets(octets);
}
Bytes read_optional(CborReader& in, std::size_t max) {
    if (in.peek() == CborType::null) {
        in.null();
        return {};
    }
    const BytesView bytes = in.octets();
    if (bytes.empty() || bytes.size() > max) corrupt("octets out of bounds");
    return Bytes(bytes);
}

Stamp read_stamp(CborReader& in) {
    return Stamp{in.uint(kMaxStampMs << 16 | 0xffff)};
}

void write_feed(CborWriter& out, const FeedPart& feed) {
    out.array(7);
    out.octets(feed.scope.bytes());
    out.uint(feed.before.counter);
    out.octets(feed.before.hash.bytes());
    out.octets(feed.checkpoint.bytes());
    out.octets(feed.head.hash.bytes());
    Bytes salts;
    std::vector<ChangeView> changes;
    for (const SignedChange& c : feed.changes) {
        salts += c.salt;
        changes.push_back({c.header, c.content});
    }
    write_changes(out, changes);
    out.octets(salts);
}

FeedPart read_feed(CborReader& in, Budget& budget) {
    FeedPart feed;
    Parts parts(in, 7);
    feed.scope = ScopeId::from_bytes(in.octets());
    feed.before.counter = in.uint(kMaxCounter);
    feed.before.hash = Hash256::from_bytes(in.octets());
    feed.checkpoint = Signature::from_bytes(in.octets());
    feed.head.hash = Hash256::from_bytes(in.octets());
    std::vector<ChangeBytes> changes = read_changes(in, kMaxChanges, budget);
    if (changes.empty()) corrupt("a feed without changes");
    const BytesView salts = in.octets(changes.size() * kSaltBytes);
    for (std::size_t i = 0; i < changes.size(); ++i)
        feed.changes.push_back(
            {std::move(changes[i].header), Bytes(salts.substr(i * kSaltBytes, kSaltBytes)), std::move(changes[i].content)});
    parts.rest();
    return feed;
}

void write_grant(CborWriter& out, const ScopeGrant& g) {
    out.array(7);
    out.octets(g.id.bytes());
    out.text(g.info.name);
    out.text(g.info.label);
    out.text(g.info.section);
    out.text(g.info.target);
    out.text(g.kind);
    out.array(g.info.roles.size());
    for (const std::string& role : g.info.roles) out.text(role);
}

ScopeGrant read_grant(CborReader& in) {
    ScopeGrant g;
    Parts parts(in, 7);
    g.id = ScopeId::from_bytes(in.octets());
    g.info.name = in.text(kMaxNameBytes * 2);
    g.info.label = in.text(1'000);
    g.info.section = in.text(kMaxNameBytes);
    g.info.target = in.text(kMaxNameBytes);
    g.kind = in.text(kMaxNameBytes);
    for (std::size_t n = in.array(100); n > 0; --n) g.info.roles.emplace_back(in.text(kMaxNameBytes));
    parts.rest();
    return g;
}

void write_page(CborWriter& out, const ScopePage& page) {
    out.array(5);
    out.octets(page.scope.bytes());
    out.uint(page.cursor.seq);
    out.octets(page.cursor.hash.bytes());
    write_optional(out, page.resume);
    write_entries(out, page.entries);
}

ScopePage read_page(CborReader& in, Budget& budget) {
    ScopePage page;
    Parts parts(in, 5);
    page.scope = ScopeId::from_bytes(in.octets());
    page.cursor.seq = in.uint(kMaxCounter);
    page.cursor.hash = Hash256::from_bytes(in.octets());
    page.resume = read_optional(in, kMaxResumeBytes);
    page.entries = read_entries(in, budget);
    parts.rest();
    return page;
}

}  // namespace

void write_cursors(CborWriter& out, const std::vector<ScopeCursor>& cursors) {
    out.array(cursors.size());
    for (const ScopeCursor& c : cursors) {
        out.array(4);
        out.octets(c.scope.bytes());
        out.uint(c.cursor.seq);
        out.octets(c.cursor.hash.bytes());
        write_optional(out, c.resume);
    }
}

std::vector<ScopeCursor> read_cursors(CborReader& in) {
    std::vector<ScopeCursor> cursors;
    for (std::size_t n = in.array(kMaxScopes); n > 0; --n) {
        ScopeCursor c;
        Parts parts(in, 4);
        c.scope = ScopeId::from_bytes(in.octets());
        c.cursor.seq = in.uint(kMaxCounter);
        c.cursor.hash = Hash256::from_bytes(in.octets());
        c.resume = read_optional(in, kMaxResumeBytes);
        parts.rest();
        cursors.push_back(std::move(c));
    }
    return cursors;
}

Hash256 digest_of_cursors(Crypto& crypto, const std::vector<ScopeCursor>& cursors) {
    std::vector<ScopeCursor> sorted = cursors;
    std::sort(sorted.begin(), sorted.end(), [](const ScopeCursor& a, const ScopeCursor& b) { return a.scope < b.scope; });
    CborWriter w;
    write_cursors(w, sorted);
    return crypto.sha256(w.bytes());
}

Bytes encode(const SyncRequest& r) {
    CborWriter w;
    w.array(kRequestParts);
    w.uint(r.min_protocol);
    w.uint(r.max_protocol);
    w.uint(r.features);
    w.octets(r.replica.bytes());
    w.uint(r.wall_ms);
    write_optional(w, r.nonce);
    w.octets(r.incarnation.bytes());
    w.octets(r.grants.bytes());
    if (r.cursors)
        write_cursors(w, *r.cursors);
    else
        w.octets(r.cursors_digest.bytes());
    w.uint(r.pull_bytes);
    w.array(r.feeds.size());
    for (const FeedPart& feed : r.feeds) write_feed(w, feed);
    w.array(r.wanted.size());
    for (const RecordId& id : r.wanted) w.octets(id.bytes());
    w.uint(r.counter);
    return w.take();
}

SyncRequest decode_request(BytesView bytes) {
    SyncRequest r;
    CborReader in(bytes);
    Parts parts(in, kRequestParts);
    Budget budget(kMaxMessageBytes);
    r.min_protocol = in.uint();
    r.max_protocol = in.uint();
    if (r.min_protocol > kProtocol || r.max_protocol < kProtocol)
        fail(ErrorCode::protocol,
             "this server speaks protocol 1, the device " + std::to_string(r.min_protocol) + " to " + std::to_string(r.max_protocol));
    r.features = in.uint();
    r.replica = ReplicaId::from_bytes(in.octets());
    r.wall_ms = in.uint(kMaxCounter);
    r.nonce = read_optional(in, 64);
    r.incarnation = GroupId::from_bytes(in.octets());
    r.grants = Hash256::from_bytes(in.octets());
    if (in.peek() == CborType::array)
        r.cursors = read_cursors(in);
    else
        r.cursors_digest = Hash256::from_bytes(in.octets());
    r.pull_bytes = in.uint(kMaxMessageBytes);
    for (std::size_t n = in.array(kMaxFeeds); n > 0; --n) r.feeds.push_back(read_feed(in, budget));
    for (std::size_t n = in.array(kMaxWanted); n > 0; --n) r.wanted.push_back(RecordId::from_bytes(in.octets()));
    r.counter = in.uint(kMaxCounter);
    parts.rest();
    in.finish();
    return r;
}

Bytes encode(const SyncResponse& r) {
    CborWriter w;
    w.array(kResponseParts);
    w.uint(r.protocol);
    w.uint(r.features);
    w.uint(r.incoming.server_ms);
    w.octets(r.incoming.incarnation.bytes());
    write_optional(w, r.incoming.nonce);
    w.boolean(r.cursors_wanted);
    w.uint(r.remaining);
    if (r.incoming.decision) {
        w.array(3);
        w.octets(r.incoming.decision->before.bytes());
        w.octets(r.incoming.decision->body);
        w.octets(r.incoming.decision->signature.bytes());
    } else {
        w.null();
    }
    write_entries(w, r.incoming.states);
    w.array(r.incoming.pages.size());
    for (const ScopePage& page : r.incoming.pages) write_page(w, page);
    if (r.incoming.scopes) {
        w.array(r.incoming.scopes->size());
        for (const ScopeGrant& g : *r.incoming.scopes) write_grant(w, g);
    } else {
        w.null();
    }
    if (r.incoming.types) {
        w.array(r.incoming.types->size());
        for (const std::string& type : *r.incoming.types) w.text(type);
    } else {
        w.null();
    }
    w.octets(r.incoming.schema.bytes());
    return w.take();
}

SyncResponse decode_response(BytesView bytes) {
    SyncResponse r;
    CborReader in(bytes);
    Parts parts(in, kResponseParts);
    Budget budget(kMaxMessageBytes);
    r.protocol = in.uint();
    r.features = in.uint();
    r.incoming.server_ms = in.uint(kMaxStampMs);
    r.incoming.incarnation = GroupId::from_bytes(in.octets());
    r.incoming.nonce = read_optional(in, 64);
    r.cursors_wanted = in.boolean();
    r.remaining = in.uint(kMaxCounter);
    if (in.peek() == CborType::null) {
        in.null();
    } else {
        Parts decision(in, 3);
        SignedDecision d;
        d.before = Hash256::from_bytes(in.octets());
        d.body = in.octets();
        d.signature = Signature::from_bytes(in.octets());
        decision.rest();
        r.incoming.decision = std::move(d);
    }
    r.incoming.states = read_entries(in, budget);
    for (std::size_t n = in.array(kMaxScopes); n > 0; --n) r.incoming.pages.push_back(read_page(in, budget));
    if (in.peek() == CborType::null) {
        in.null();
    } else {
        r.incoming.scopes.emplace();
        for (std::size_t n = in.array(kMaxScopes); n > 0; --n) r.incoming.scopes->push_back(read_grant(in));
    }
    if (in.peek() == CborType::null) {
        in.null();
    } else {
        r.incoming.types.emplace();
        for (std::size_t n = in.array(kMaxTypes); n > 0; --n) r.incoming.types->emplace_back(in.text());
    }
    r.incoming.schema = Hash256::from_bytes(in.octets());
    parts.rest();
    in.finish();
    return r;
}

Bytes encode_decision(const ReplicaId& replica, const std::vector<Verdict>& verdicts) {
    CborWriter w;
    w.array(2);
    w.octets(replica.bytes());
    w.array(verdicts.size());
    for (const Verdict& v : verdicts) {
        w.array(v.reason.empty() ? 5 : 6);
        w.uint(static_cast<std::uint64_t>(v.code));
        w.uint(v.counter);
        w.uint(v.count);
        w.uint(v.seq);
        w.uint(v.stamp.packed);
        if (!v.reason.empty()) w.text(v.reason);
    }
    return w.take();
}

std::vector<Verdict> decode_decision(BytesView body, ReplicaId& replica) {
    CborReader in(body);
    Parts parts(in, 2);
    replica = ReplicaId::from_bytes(in.octets());
    std::vector<Verdict> verdicts;
    for (std::size_t n = in.array(kMaxChanges); n > 0; --n) {
        Verdict v;
        const std::size_t count = in.array();
        if (count < 5) corrupt("a verdict with too few parts");
        const std::uint64_t code = in.uint();
        if (code < 1 || code > 5) corrupt("a verdict of a kind that this version does not know");
        v.code = static_cast<VerdictCode>(code);
        v.counter = in.uint(kMaxCounter);
        v.count = in.uint(kMaxChanges);
        v.seq = in.uint(kMaxCounter);
        v.stamp = read_stamp(in);
        if (count > 5) v.reason = in.text(kMaxReasonBytes);
        for (std::size_t i = 6; i < count; ++i) in.skip();
        if (v.count == 0) corrupt("a verdict on nothing");
        if (v.count > 1 && (v.code != VerdictCode::accepted || v.stamp.packed != 0)) corrupt("a run of verdicts that are not alike");
        verdicts.push_back(std::move(v));
    }
    parts.rest();
    in.finish();
    return verdicts;
}

Bytes decision_message(const Hash256& before, BytesView body) {
    Bytes message("kopdarbs decision 1");
    message += '\0';
    message.append(before.bytes()).append(body);
    return message;
}

Bytes encode(const ProblemDocument& p) {
    CborWriter w;
    w.array(2);
    w.text(p.code);
    w.text(p.message);
    return w.take();
}

ProblemDocument decode_problem(BytesView bytes) {
    CborReader in(bytes);
    Parts parts(in, 2);
    ProblemDocument p;
    p.code = in.text(64);
    p.message = in.text(kMaxReasonBytes);
    parts.rest();
    in.finish();
    return p;
}

Bytes encode(const ServerIntroduction& m) {
    CborWriter w;
    w.array(4);
    w.uint(kProtocol);
    w.octets(m.server.bytes());
    w.octets(m.server_key.bytes());
    w.octets(m.recovery_key.bytes());
    return w.take();
}

ServerIntroduction decode_introduction(BytesView bytes) {
    CborReader in(bytes);
    Parts parts(in, 4);
    if (in.uint() != kProtocol) fail(ErrorCode::protocol, "the server speaks another protocol");
    ServerIntroduction m;
    m.server = DeviceId::from_bytes(in.octets());
    m.server_key = PublicKey::from_bytes(in.octets());
    m.recovery_key = PublicKey::from_bytes(in.octets());
    parts.rest();
    in.finish();
    return m;
}

Bytes encode(const EnrolRequest& m) {
    CborWriter w;
    w.array(3);
    w.uint(kProtocol);
    w.text(m.code);
    w.octets(m.device_key.bytes());
    return w.take();
}

EnrolRequest decode_enrol_request(BytesView bytes) {
    CborReader in(bytes);
    Parts parts(in, 3);
    if (in.uint() != kProtocol) fail(ErrorCode::protocol, "this server speaks another protocol");
    EnrolRequest m;
    m.code = in.text(64);
    m.device_key = PublicKey::from_bytes(in.octets());
    parts.rest();
    in.finish();
    return m;
}

Bytes encode(const EnrolResponse& m) {
    CborWriter w;
    w.array(3);
    w.octets(m.device.bytes());
    w.octets(m.replica.bytes());
    w.text(m.user);
    return w.take();
}

EnrolResponse decode_enrol_response(BytesView bytes) {
    CborReader in(bytes);
    Parts parts(in, 3);
    EnrolResponse m;
    m.device = DeviceId::from_bytes(in.octets());
    m.replica = ReplicaId::from_bytes(in.octets());
    m.user = in.text(kMaxNameBytes);
    parts.rest();
    in.finish();
    return m;
}

}  // namespace kopdarbs::sync
