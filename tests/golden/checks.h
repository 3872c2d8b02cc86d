// What is checked against the golden bytes, as plain functions: the same on every processor and with every test framework.
//
// A check needs nothing of a Crypto but sha256. One that throws has failed.
// Threading: pure functions.
#pragma once

#include <exception>
#include <iterator>
#include <limits>
#include <vector>

#include "core/log/feed.h"
#include "core/record/draft.h"
#include "core/record/json.h"
#include "sync/protocol/messages.h"
#include "tests/golden/vectors.h"

namespace kopdarbs::golden {

struct Check {
    const char* name;
    bool (*holds)(Crypto& crypto);
};

inline bool passes(const Check& check, Crypto& crypto) {
    try {
        return check.holds(crypto);
    } catch (const std::exception&) {
        return false;
    }
}

template <class AnyId>
AnyId id_of(std::string_view hex) {
    return AnyId::from_bytes(from_hex(hex));
}

inline ReplicaId replica_a() {
    return id_of<ReplicaId>("0123456789abcdef");
}
inline ReplicaId replica_b() {
    return id_of<ReplicaId>("fedcba9876543210");
}
inline ScopeId scope() {
    return id_of<ScopeId>("101112131415161718191a1b1c1d1e1f");
}
inline RecordId record() {
    return parse_record_id("0190f3c2-7d1a-7b3e-8a55-0123456789ab");
}
constexpr std::uint64_t kWall = 1'795'255'323'004;  // 2026-11-21T10:02:03.004Z

inline Path first_line() {
    return {static_cast<std::uint32_t>(PathKind::line), "observations", line_key({}), {}};
}

inline Change change_of(const Dot& dot, std::uint64_t prev, std::uint64_t before_ms, const std::string& author, std::vector<Op> ops) {
    Change c;
    c.dot = dot;
    c.prev = prev;
    c.wall_ms = kWall - before_ms;
    c.stamp = Stamp::from_ms(c.wall_ms);
    c.author = author;
    c.scope = scope();
    c.record = record();
    c.type = "home_visit";
    c.ops = std::move(ops);
    return c;
}

/// The four changes of vectors.h, as their authors made them.
inline std::vector<Change> changes() {
    const Dot b1{replica_b(), 1}, b2{replica_b(), 2}, a5{replica_a(), 5}, a7{replica_a(), 7};
    std::vector<Change> all;
    all.push_back(change_of(b1, 0, 7'200'000, "maris",
                            {{record_path(PathKind::birth), bool_value(true), {}},
                             {element_path("present", text_value("Anna")), bool_value(true), {}},
                             {text_path("observations"), encode_text_ops({{{}, true, "Sals", 0, false}}, b1), {}},
                             {first_line(), text_value("Sals"), {}}}));
    all.push_back(change_of(b2, 1, 3'600'000, "maris", {{scalar_path("heating"), text_value("working"), {}}}));
    all.back().heard = Stamp::from_ms(kWall - 7'000'000);
    all.back().seen.add(b1);
    all.push_back(change_of(a5, 0, 60'000, "ilze", {{scalar_path("heating"), text_value("none"), {}}}));
    all.back().heard = Stamp::from_ms(kWall - 7'000'000);
    all.back().seen.add(b1);
    all.push_back(change_of(a7, 5, 0, "ilze",
                            {{scalar_path("heating"), text_value("broken"), {a5, b2}},
                             {text_path("observations"), encode_text_ops({{{b1, 3}, true, " ārā", 0, false}}, a7), {}},
                             {first_line(), text_value("Sals ārā"), {}}}));
    all.back().stamp = all.back().stamp.next();
    all.back().heard = Stamp::from_ms(kWall - 30'000);
    all.back().seen.add(a5);
    all.back().seen.add(b2);
    return all;
}

inline std::vector<std::pair<Bytes, Bytes>> change_bytes() {
    return {{from_hex(kHeader1), from_hex(kContent1)},
            {from_hex(kHeader2), from_hex(kContent2)},
            {from_hex(kHeader3), from_hex(kContent3)},
            {from_hex(kHeader4), from_hex(kContent4)}};
}

inline RecordState state_of_bytes() {
    RecordState state;
    for (const auto& [header, content] : change_bytes()) {
        const Change change = decode_change(header, BytesView(content));
        if (state.apply(change, change.stamp) != Applied::applied) fail(ErrorCode::corrupt, "not applied");
    }
    return state;
}

inline FeedHead head_of_feed() {
    return {7, id_of<Hash256>(kChain4)};
}

// The checks

inline bool cbor_values(Crypto&) {
    CborWriter w;
    w.array(9);
    w.uint(24);
    w.integer(-1);
    w.octets(BytesView("\0\x01", 2));
    w.text("Ķegums");
    w.map(1), w.text("a"), w.null();
    w.boolean(true);
    w.number(1.5);
    w.number(65'504.0);
    w.number(1.1);
    if (to_hex(w.bytes()) !=
        "89"
        "1818"
        "20"
        "420001"
        "67c4b66567756d73"
        "a16161f6"
        "f5"
        "f93e00"
        "f97bff"
        "fb3ff199999999999a")
        return false;
    CborReader in(w.bytes());
    return in.item() == w.bytes() && in.done();
}

inline bool changes_encode(Crypto&) {
    std::vector<Change> made = changes();
    const auto bytes = change_bytes();
    for (std::size_t i = 0; i < made.size(); ++i) {
        encode_change(made[i]);
        if (made[i].header != bytes[i].first || made[i].content != bytes[i].second) return false;
    }
    return true;
}

inline bool changes_decode(Crypto&) {
    const std::vector<Change> made = changes();
    const auto bytes = change_bytes();
    for (std::size_t i = 0; i < made.size(); ++i) {
        const Change c = decode_change(bytes[i].first, BytesView(bytes[i].second));
        if (c.dot != made[i].dot || c.prev != made[i].prev || c.wall_ms != made[i].wall_ms || c.stamp != made[i].stamp) return false;
        if (c.heard != made[i].heard || c.author != made[i].author || c.scope != made[i].scope || c.record != made[i].record) return false;
        if (c.type != made[i].type || c.seen != made[i].seen || c.group || c.ops.size() != made[i].ops.size()) return false;
        for (std::size_t k = 0; k < c.ops.size(); ++k) {
            const Op &a = c.ops[k], &b = made[i].ops[k];
            if (!(a.path == b.path) || a.value != b.value || a.spares != b.spares) return false;
        }
    }
    return true;
}

inline bool feed_chain(Crypto& crypto) {
    const Hash256 content3 = content_hash(crypto, from_hex(kSalt3), from_hex(kContent3));
    const Hash256 content4 = content_hash(crypto, from_hex(kSalt4), from_hex(kContent4));
    const Hash256 chain3 = chain_hash(crypto, Hash256{}, from_hex(kHeader3), content3);
    const Hash256 chain4 = chain_hash(crypto, chain3, from_hex(kHeader4), content4);
    return to_hex(content3.bytes()) == kContentHash3 && to_hex(content4.bytes()) == kContentHash4 && to_hex(chain3.bytes()) == kChain3 &&
           to_hex(chain4.bytes()) == kChain4;
}

inline bool checkpoint(Crypto&) {
    return to_hex(checkpoint_message(id_of<DeviceId>(kServer), replica_a(), scope(), head_of_feed())) == kCheckpoint;
}

inline bool text_operations(Crypto&) {
    const Dot a7{replica_a(), 7}, b2{replica_b(), 2};
    const std::vector<TextOp> ops{{{}, true, "Sals", 0, false}, {{a7, 3}, true, "ā", 0, false}, {{b2, 1}, true, "", 2, false}};
    const Bytes bytes = from_hex(kTextOps);
    const std::vector<TextOp> back = decode_text_ops(bytes, a7);
    return encode_text_ops(ops, a7) == bytes && back.size() == 3 && back[1].at == ops[1].at && back[2].deleted == 2;
}

inline bool text_states(Crypto&) {
    Text alone;
    alone.splice({replica_a(), 7}, {{0, 0, "Sals"}});
    const Text two = Text::decode(from_hex(kTextOfTwo), "Sals ārā");
    return to_hex(alone.encode()) == kTextAlone && Text::decode(from_hex(kTextAlone), "Sals").text() == "Sals" &&
           to_hex(two.encode()) == kTextOfTwo && to_hex(state_of_bytes().text("observations").encode()) == kTextOfTwo;
}

inline bool record_state(Crypto&) {
    return to_hex(state_of_bytes().encode()) == kState && to_hex(RecordState::decode(from_hex(kState)).encode()) == kState;
}

inline bool record_beside_document(Crypto&) {
    const SchemaSet schema = SchemaSet::built_in();
    const RecordState state = state_of_bytes();
    const RecordState::Document document = shown_document(state, schema.type("home_visit"));
    if (document_to_json(document) != kDocument || to_hex(state.encode_beside(document)) != kStateBeside) return false;
    return to_hex(RecordState::decode_beside(from_hex(kStateBeside), document_from_json(kDocument)).encode()) == kState;
}

inline bool joined_states(Crypto&) {
    // B's two changes and A's first, joined in both orders, then the last one applied.
    const auto bytes = change_bytes();
    const auto change = [&](std::size_t i) { return decode_change(bytes[i].first, BytesView(bytes[i].second)); };
    RecordState ours, theirs;
    for (std::size_t i : {0U, 1U}) (void)ours.apply(change(i), change(i).stamp);
    for (std::size_t i : {0U, 2U}) (void)theirs.apply(change(i), change(i).stamp);
    RecordState other_order = theirs;
    other_order.join(ours);
    ours.join(theirs);
    if (ours.encode() != other_order.encode()) return false;
    return ours.apply(change(3), change(3).stamp) == Applied::applied && to_hex(ours.encode()) == kState;
}

inline bool version_and_review(Crypto& crypto) {
    const SchemaSet schema = SchemaSet::built_in();
    const RecordState state = state_of_bytes();
    const auto items = review_items(crypto, record(), state, schema.type("home_visit"));
    return to_string(version_of(state, schema.type("home_visit"))) == kVersion && items.size() == 1 && items[0].id == kReviewItem;
}

inline bool printed_names(Crypto&) {
    return to_string(replica_a()) == "04hmasw9nf6yy" && to_string(Dot{replica_b(), 2}) == "zvebn63pags10:2" &&
           to_string(Stamp::from_ms(kWall).next()) == "2026-11-21T10:02:03.004Z+1" &&
           to_string(record()) == "0190f3c2-7d1a-7b3e-8a55-0123456789ab";
}

inline sync::SyncRequest request() {
    sync::SyncRequest r;
    r.replica = replica_a();
    r.wall_ms = kWall;
    r.nonce = from_hex("303132333435363738393a3b3c3d3e3f");
    r.incarnation = id_of<GroupId>("404142434445464748494a4b4c4d4e4f");
    r.grants = id_of<Hash256>("505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f");
    const Cursor cursor{41, id_of<Hash256>("707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f")};
    r.cursors = std::vector<ScopeCursor>{{scope(), cursor, {}}};
    r.pull_bytes = 65'536;
    FeedPart feed;
    feed.scope = scope();
    feed.changes = {{from_hex(kHeader3), from_hex(kSalt3), from_hex(kContent3)},
                    {from_hex(kHeader4), from_hex(kSalt4), from_hex(kContent4)}};
    feed.head = head_of_feed();
    feed.checkpoint = id_of<Signature>(kCheckpointSignature);
    r.feeds = {feed};
    r.wanted = {record()};
    r.counter = 7;
    return r;
}

inline bool sync_request(Crypto&) {
    return to_hex(encode(request())) == kRequest && to_hex(encode(sync::decode_request(from_hex(kRequest)))) == kRequest;
}

inline bool decision(Crypto&) {
    std::vector<Verdict> verdicts(2);
    verdicts[0].counter = 5;
    verdicts[0].seq = 42;
    verdicts[1].counter = 7;
    verdicts[1].code = VerdictCode::refused;
    verdicts[1].reason = "your role may not change it";
    const Bytes body = sync::encode_decision(replica_a(), verdicts);
    ReplicaId replica;
    const std::vector<Verdict> back = sync::decode_decision(body, replica);
    return to_hex(body) == kDecision && to_hex(sync::decision_message(Hash256{}, body)) == kDecisionMessage && replica == replica_a() &&
           back.size() == 2 && back[0].seq == 42 && back[1].reason == verdicts[1].reason;
}

inline sync::SyncResponse response() {
    sync::SyncResponse r;
    r.remaining = 3;
    r.incoming.server_ms = kWall + 500;
    r.incoming.incarnation = request().incarnation;
    r.incoming.nonce = request().nonce;
    r.incoming.decision = SignedDecision{{}, from_hex(kDecision), id_of<Signature>(kDecisionSignature)};
    Entry state;
    state.kind = Entry::Kind::state;
    state.record = record();
    state.type = "home_visit";
    state.doc = kDocument;
    state.meta = from_hex(kStateBeside);
    r.incoming.states = {state};
    Entry third, fourth;
    third.header = from_hex(kHeader3);
    third.content = from_hex(kContent3);
    fourth.stamp = Stamp::from_ms(kWall);
    fourth.header = from_hex(kHeader4);
    fourth.content = from_hex(kContent4);
    r.incoming.pages = {{scope(), {third, state, fourth}, {42, request().cursors->front().cursor.hash}, {}}};
    ScopeGrant grant;
    grant.id = scope();
    grant.info.name = grant.info.target = "H-17";
    grant.info.label = "Zaube, 4";
    grant.info.section = "visits";
    grant.info.roles = {"case_worker"};
    grant.kind = "file";
    r.incoming.scopes = std::vector<ScopeGrant>{grant};
    r.incoming.types = std::vector<std::string>{"{}"};
    r.incoming.schema = id_of<Hash256>("909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
    return r;
}

inline bool sync_response(Crypto&) {
    return to_hex(encode(response())) == kResponse && to_hex(encode(sync::decode_response(from_hex(kResponse)))) == kResponse;
}

constexpr Check kChecks[] = {{"CBOR values have these bytes", cbor_values},
                             {"changes are written so", changes_encode},
                             {"changes are read so", changes_decode},
                             {"a feed is chained so", feed_chain},
                             {"a checkpoint signs these octets", checkpoint},
                             {"text operations have these bytes", text_operations},
                             {"texts have these bytes", text_states},
                             {"a record's state has these bytes", record_state},
                             {"a record's state beside its document has these bytes", record_beside_document},
                             {"states joined in either order have these bytes", joined_states},
                             {"a version and a review item are named so", version_and_review},
                             {"replicas, dots, stamps and records are printed so", printed_names},
                             {"a sync request has these bytes", sync_request},
                             {"a decision has these bytes", decision},
                             {"a sync response has these bytes", sync_response}};

}  // namespace kopdarbs::golden
