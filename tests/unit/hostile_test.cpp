// What a device or a server may say that no honest one would, and what comes of it: nothing.
#include <algorithm>

#include "core/base/error.h"
#include "core/record/draft.h"
#include "core/record/json.h"
#include "platform/posix/system.h"
#include "sync/frame/compression.h"
#include "sync/protocol/http_signature.h"
#include "sync/protocol/paths.h"
#include "sync/server/storage/storage.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

constexpr const char* kVisits = "visits:H-17";

Op scalar(std::string_view field, Value value) {
    return {scalar_path(field), std::move(value), {}};
}

/// A request that the server must turn away whole, leaving nothing behind.
void require_turned_away(Town& town, Forger& device, const sync::SyncRequest& request, int status) {
    const auto before = town.server().status();
    const auto reply = device.send(request);
    CHECK(reply.status == status);
    CHECK(town.server().status().changes == before.changes);
    CHECK(town.server().status().refused == before.refused);
    CHECK(town.server().verify().damage.empty());
}

}  // namespace

TEST_CASE("a feed that its device did not sign as it is, is turned away whole") {
    Town town;
    Forger device(town, "ilze");
    std::vector<Change> changes;
    for (int i = 0; i < 3; ++i)
        changes.push_back(device.birth("home_visit", kVisits, device.fresh_record(), {scalar("place", text_value("A"))}));
    const sync::SyncRequest good = device.request_of(changes);
    const auto altered = [&](const std::function<void(FeedPart&)>& alter) {
        sync::SyncRequest request = good;
        request.nonce = device.nonce;
        alter(request.feeds[0]);
        return request;
    };
    const auto flip = [](Bytes& bytes) { bytes.back() = static_cast<char>(bytes.back() ^ 1); };
    INFO("forged checkpoint");
    require_turned_away(town, device, altered([](FeedPart& f) { f.checkpoint.octets[5] ^= 1; }), 400);
    require_turned_away(town, device, altered([](FeedPart& f) { f.changes.pop_back(); }), 400);                // truncated
    require_turned_away(town, device, altered([](FeedPart& f) { f.changes.erase(f.changes.begin()); }), 400);  // its beginning cut off
    require_turned_away(town, device, altered([](FeedPart& f) { std::swap(f.changes[0], f.changes[1]); }), 400);
    require_turned_away(town, device, altered([&](FeedPart& f) { flip(f.changes[1].content); }), 400);
    require_turned_away(town, device, altered([&](FeedPart& f) { flip(f.changes[1].salt); }), 400);
    require_turned_away(town, device, altered([&](FeedPart& f) { f.before.hash.octets[0] ^= 1; }), 400);
    require_turned_away(town, device, altered([&](FeedPart& f) { f.scope = town.scope("file:H-17"); }), 400);
    sync::SyncRequest twice = good;
    twice.nonce = device.nonce;
    twice.feeds.push_back(twice.feeds[0]);
    CHECK(device.send(twice).status == 200);  // the same again is a repetition, and does nothing
    CHECK(town.server().status().changes == 3);
    town.require_sound({});
}

TEST_CASE("another replica's dots, another user's name and another's scope give nothing") {
    Town town;
    const auto maris = town.enrol("maris");
    const RecordId theirs = maris->create("home_visit", "H-17", R"({"place":"A"})");
    maris->sync();
    {
        Forger device(town, "ilze");
        Change stolen = device.birth("home_visit", kVisits, device.fresh_record());
        stolen.dot = {maris->vault().enrolment().replica, 99};
        require_turned_away(town, device, device.request_of({stolen}), 400);
    }
    {
        Forger device(town, "ilze");
        Change signed_for_another = device.birth("home_visit", kVisits, device.fresh_record());
        signed_for_another.author = "maris";
        CHECK(device.push({signed_for_another}).only().code == VerdictCode::refused);
        CHECK(device.push({device.birth("home_visit", "visits:H-18", device.fresh_record())}).only().code == VerdictCode::refused);
        CHECK(device.push({device.birth("home_visit", "own:maris", device.fresh_record())}).only().code == VerdictCode::refused);
        const auto unknown = device.push({device.birth("home_visit", "visits:H-99", device.fresh_record())});
        CHECK(unknown.status == 426);
    }
    {
        // A record that lives in one scope is not written through another.
        Forger device(town, "ilze");
        Change elsewhere = device.change("home_visit", "casework:H-17", theirs, {scalar("place", text_value("B"))});
        elsewhere.seen.add({maris->vault().enrolment().replica, 1});
        CHECK(device.push({elsewhere}).only().code == VerdictCode::refused);
        Change other_type = device.change("task", kVisits, theirs, {scalar("due", text_value("2026-12-01"))});
        other_type.seen.add({maris->vault().enrolment().replica, 1});
        CHECK(device.push({other_type}).only().code == VerdictCode::refused);
    }
    sync::SyncRequest foreign;
    Forger device(town, "ilze");
    foreign = device.request_of({});
    foreign.replica = maris->vault().enrolment().replica;
    CHECK(device.send(foreign).status == 409);
    maris->sync();
    CHECK(maris->field(theirs, "place") == R"("A")");
    town.require_sound({maris.get()});
}

TEST_CASE("pitfalls 20 and 23: a change that claims to have seen 2^52 changes waits alone, is bounded, and stops nobody") {
    Town town;
    const auto maris = town.enrol("maris");
    Forger device(town, "ilze");
    const RecordId id = device.fresh_record();
    REQUIRE(device.push({device.birth("home_visit", kVisits, id)}).only().code == VerdictCode::accepted);
    maris->sync();
    const Dot far{maris->vault().enrolment().replica, std::uint64_t{1} << 52};
    Change hostile = device.change("home_visit", kVisits, id, {scalar("place", text_value("A"))});
    hostile.seen.add(far);
    CHECK(device.push({hostile}).only().code == VerdictCode::held);
    std::vector<Change> flood;
    for (int i = 0; i < 1100; ++i) {
        Change c = device.birth("home_visit", kVisits, device.fresh_record());
        c.seen.add(far);
        flood.push_back(c);
    }
    flood.push_back(device.birth("home_visit", kVisits, device.fresh_record()));
    const auto reply = device.push(flood);
    REQUIRE(reply.status == 200);
    CHECK(reply.verdicts.back().code == VerdictCode::accepted);
    CHECK(town.server().status().held == 1000);
    maris->put(id, R"({"place":"B"})");
    CHECK(maris->sync().accepted == 1);
    CHECK(maris->field(id, "place") == R"("B")");
    town.require_sound({maris.get()});
}

TEST_CASE("pitfall 17: one change that cannot be read is refused alone") {
    Town town;
    const auto maris = town.enrol("maris");
    const Bytes garbage[] = {Bytes("\xff\xff\xff"), Bytes(), Bytes("\x81\x81\x82\x82\x63xyz\x00\x00", 9)};
    for (const Bytes& content : garbage) {
        INFO(to_hex(content));
        Forger device(town, "ilze");
        const RecordId good = device.fresh_record();
        Change bad = device.birth("home_visit", kVisits, device.fresh_record());
        encode_change(bad);
        // The header says how long the content is, so a header is made for this one: encode_change writes what it is given.
        sync::SyncRequest request = device.request_of({device.birth("home_visit", kVisits, good)});
        FeedPart& feed = request.feeds[0];
        feed.changes.insert(feed.changes.begin(), {bad.header, Bytes(kSaltBytes, 's'), content});
        Hash256 hash;
        for (const SignedChange& c : feed.changes)
            hash = chain_hash(town.crypto, hash, c.header, content_hash(town.crypto, c.salt, c.content));
        feed.head.hash = hash;
        feed.checkpoint = device.sign(checkpoint_message(device.enrolment().server, device.enrolment().replica, feed.scope, feed.head));
        const auto reply = device.send(request);
        REQUIRE(reply.verdicts.size() == 2);
        CHECK(reply.verdicts[0].code == VerdictCode::refused);
        CHECK(reply.verdicts[1].code == VerdictCode::accepted);
        maris->sync();
        CHECK(maris->holds(good));
    }
    town.require_sound({maris.get()});
}

TEST_CASE("text operations that cannot be are refused, and leave the record as it was") {
    Town town;
    const auto maris = town.enrol("maris");
    Forger device(town, "ilze");
    const RecordId id = device.fresh_record();
    TextOp insert;
    insert.text = "Teksts";
    Change birth = device.birth("home_visit", kVisits, id);
    birth.ops.push_back({text_path("observations"), encode_text_ops({insert}, birth.dot), {}});
    REQUIRE(device.push({birth}).only().code == VerdictCode::accepted);
    TextOp nowhere = insert;
    nowhere.at = {{maris->vault().enrolment().replica, 7}, 3};
    TextOp deletes;
    deletes.at = {birth.dot, 4};
    deletes.deleted = 100;
    TextOp unreadable = insert;
    unreadable.text = "Te\xffksts";
    for (const TextOp& op : {nowhere, deletes, unreadable}) {
        Change bad = device.change("home_visit", kVisits, id, {});
        bad.ops = {{text_path("observations"), encode_text_ops({op}, bad.dot), {}}, scalar("place", text_value("X"))};
        const auto reply = device.push({bad});
        CHECK(reply.only().code != VerdictCode::accepted);
        Change garbage = device.change("home_visit", kVisits, id, {{text_path("observations"), text_value("x"), {}}});
        CHECK(device.push({garbage}).only().code != VerdictCode::accepted);
    }
    maris->sync();
    CHECK(maris->field(id, "observations") == R"("Teksts")");
    CHECK(maris->field(id, "place") == "null");
    town.require_sound({maris.get()});
}

TEST_CASE("a change that passes over an accepted one of its own device to the same record is refused") {
    Town town;
    Forger device(town, "ilze");
    const RecordId id = device.fresh_record();
    REQUIRE(device.push({device.birth("home_visit", kVisits, id)}).only().code == VerdictCode::accepted);
    const Change second = device.change("home_visit", kVisits, id, {scalar("place", text_value("B"))});
    REQUIRE(device.push({second}).only().code == VerdictCode::accepted);
    Change third = device.change("home_visit", kVisits, id, {scalar("place", text_value("C"))});
    REQUIRE(third.prev == second.dot.counter);
    third.prev = second.prev;
    const auto reply = device.push({third});
    REQUIRE(reply.verdicts.size() == 1);
    CHECK(reply.only().code == VerdictCode::refused);
    town.require_sound({});
}

TEST_CASE("the server judges every rule itself: a hand-made change that a device would have refused is refused") {
    Town town;
    Forger ilze(town, "ilze"), maris(town, "maris"), zane(town, "zane");
    const auto refused = [&](Forger& device, Change change, const char* why) {
        INFO(why);
        const auto reply = device.push({std::move(change)});
        REQUIRE(reply.verdicts.size() == 1);
        CHECK(reply.only().code == VerdictCode::refused);
        CHECK_FALSE(reply.only().reason.empty());
    };
    const auto born = [&](Forger& device, const char* type, const char* scope, std::vector<Op> ops = {}) {
        const RecordId id = device.fresh_record();
        REQUIRE(device.push({device.birth(type, scope, id, std::move(ops))}).only().code == VerdictCode::accepted);
        return id;
    };
    const Value yes = bool_value(true);
    refused(ilze, ilze.birth("no_such_type", kVisits, ilze.fresh_record()), "unknown type");
    refused(ilze, ilze.birth("home_visit", kVisits, ilze.fresh_record(), {scalar("no_such_field", yes)}), "unknown field");
    refused(ilze, ilze.birth("home_visit", kVisits, ilze.fresh_record(), {scalar("risk_level", text_value("purple"))}),
            "not in the enumeration");
    refused(ilze, ilze.birth("home_visit", kVisits, ilze.fresh_record(), {scalar("travel_minutes", int_value(-1))}), "below the minimum");
    refused(ilze, ilze.birth("home_visit", kVisits, ilze.fresh_record(), {scalar("place", int_value(1))}), "of another type");
    refused(ilze, ilze.birth("home_visit", kVisits, ilze.fresh_record(), {scalar("present", yes)}), "a scalar write to a set");
    refused(ilze, ilze.birth("home_visit", kVisits, ilze.fresh_record(), {{element_path("place", text_value("x")), yes, {}}}),
            "an element of a scalar");
    refused(ilze, ilze.birth("home_visit", kVisits, ilze.fresh_record(), {{element_path("present", int_value(1)), yes, {}}}),
            "an element of another type");
    refused(ilze, ilze.birth("home_visit", kVisits, ilze.fresh_record(), {{{99, "place", {}, {}}, yes, {}}}),
            "an unknown kind of operation");
    refused(ilze, ilze.birth("home_visit", "file:H-17", ilze.fresh_record()), "a visit in another section");
    refused(ilze, ilze.birth("material_assessment", "means:H-17", ilze.fresh_record()), "only organisers write means");
    refused(maris, maris.birth("support_plan", "casework:H-17", maris.fresh_record()), "an organiser has no casework");
    refused(zane, zane.birth("referral", "intake:amata", zane.fresh_record()), "no referral in intake");
    refused(ilze, ilze.change("home_visit", kVisits, ilze.fresh_record(), {scalar("place", text_value("A"))}), "never created");
    refused(ilze, ilze.change("home_visit", kVisits, ilze.fresh_record(), {}), "changes nothing");
    Change grouped = ilze.birth("home_visit", kVisits, ilze.fresh_record());
    grouped.group = town.entropy.id<GroupId>();
    refused(ilze, grouped, "a group");

    const RecordId visit = born(ilze, "home_visit", kVisits, {scalar("place", text_value("A"))});
    refused(ilze, ilze.birth("home_visit", kVisits, visit), "created twice");
    const RecordId amended = born(ilze, "home_visit", kVisits);
    CborWriter w;
    w.array(2);
    write_context(w, Context());
    w.map(0);
    refused(ilze, ilze.change("home_visit", kVisits, amended, {{record_path(PathKind::amendment), w.bytes(), {}}}), "amended, not sealed");
    const RecordId forged_seal = born(ilze, "home_visit", kVisits, {scalar("place", text_value("A"))});
    refused(ilze, ilze.change("home_visit", kVisits, forged_seal, {{record_path(PathKind::seal), w.bytes(), {}}}),
            "a seal over another document");
    const RecordId tally = born(ilze, "community_activity", "unit:amata");
    refused(
        ilze,
        ilze.change("community_activity", "unit:amata", tally, {{counter_path("door_tally", zane.enrolment().replica), int_value(5), {}}}),
        "another replica's part of a counter");
    const RecordId person = born(ilze, "person", "file:H-17");
    refused(ilze, ilze.change("person", "file:H-17", person, {scalar("merged_into", text_value(to_string(visit)))}),
            "only supervisors merge");
    const RecordId flag = born(ilze, "child_risk_flag", "file:H-17", {scalar("level", text_value("high"))});
    refused(ilze, ilze.change("child_risk_flag", "file:H-17", flag, {scalar("level", text_value("low"))}), "a risk goes down");
    const RecordId flag_to_delete = born(ilze, "child_risk_flag", "file:H-17");
    CborWriter seen;
    write_context(seen, Context());
    refused(ilze, ilze.change("child_risk_flag", "file:H-17", flag_to_delete, {{record_path(PathKind::life), seen.bytes(), {}}}),
            "only supervisors delete");
    const RecordId plan = born(ilze, "support_plan", "casework:H-17", {scalar("client_agreed_on", text_value("2026-11-01"))});
    refused(ilze, ilze.change("support_plan", "casework:H-17", plan, {scalar("client_agreed_on", text_value("2026-11-02"))}),
            "written once");
    const RecordId unapproved = born(ilze, "support_plan", "casework:H-17");
    refused(ilze, ilze.change("support_plan", "casework:H-17", unapproved, {scalar("approved_by", text_value("ilze"))}),
            "only supervisors approve");
    const RecordId closed = born(ilze, "case", "file:H-17", {scalar("status", text_value("active"))});
    refused(ilze, ilze.change("case", "file:H-17", closed, {scalar("status", text_value("closed"))}), "closed without an evaluation");
    town.require_sound({});
}

TEST_CASE("a write that covers two differing values is a decision, whatever it calls itself, and needs the right to") {
    Town town;
    const auto anna = town.enrol("anna");
    Forger ilze(town, "ilze"), maris(town, "maris");
    const RecordId id = ilze.fresh_record();
    const Change birth = ilze.birth("child_risk_flag", "file:H-17", id);
    REQUIRE(ilze.push({birth}).only().code == VerdictCode::accepted);
    const Change one = ilze.change("child_risk_flag", "file:H-17", id, {scalar("level", text_value("high"))});
    Change two = maris.change("child_risk_flag", "file:H-17", id, {scalar("level", text_value("medium"))});
    two.seen.add(birth.dot);
    REQUIRE(ilze.push({one}).only().code == VerdictCode::accepted);
    REQUIRE(maris.push({two}).only().code == VerdictCode::accepted);
    Change decides = maris.change("child_risk_flag", "file:H-17", id, {scalar("level", text_value("medium"))});
    decides.seen.add(one.dot);
    CHECK(maris.push({decides}).only().code == VerdictCode::refused);
    anna->sync();
    REQUIRE(anna->vault().get(id).review.size() == 1);
    CHECK(anna->field(id, "level") == R"("high")");
    anna->vault().resolve(anna->vault().get(id).review[0].id, R"("medium")");
    CHECK(anna->sync().accepted == 1);
    CHECK(anna->field(id, "level") == R"("medium")");
    town.require_sound({anna.get()});
}

TEST_CASE("a decision that the server did not sign is not believed, and nothing of its message is saved") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId theirs = maris->create("home_visit", "H-17", R"({"place":"A"})");
    maris->sync();
    const RecordId mine = ilze->create("home_visit", "H-17", R"({"place":"B"})");
    ilze->put(mine, R"({"place":"C"})");
    const std::function<void(sync::SyncResponse&)> lies[] = {
        [](sync::SyncResponse& r) { r.incoming.decision->body.back() = static_cast<char>(r.incoming.decision->body.back() ^ 1); },
        [](sync::SyncResponse& r) { r.incoming.decision->signature.octets[0] ^= 1; },
        [](sync::SyncResponse& r) { r.incoming.decision->before.octets[0] ^= 1; },
        [&](sync::SyncResponse& r) {
            ReplicaId about;
            auto verdicts = sync::decode_decision(r.incoming.decision->body, about);
            verdicts[0].code = VerdictCode::refused;
            verdicts[0].count = 1;
            verdicts[0].reason = "jo tā";
            r.incoming.decision->body = sync::encode_decision(about, verdicts);
        },
        [](sync::SyncResponse& r) { r.protocol = 2; },
    };
    for (const auto& lie : lies) {
        ilze->line.rewrite = [&](sync::HttpResponse& response) {
            sync::SyncResponse message = read_response(response);
            lie(message);
            write_response(response, message);
        };
        const ErrorCode code = code_of([&] { ilze->sync(); });
        CHECK((code == ErrorCode::corrupt || code == ErrorCode::protocol));
        CHECK(ilze->vault().status().unsent == 2);
        CHECK(ilze->vault().letters().empty());
        CHECK_FALSE(ilze->holds(theirs));
    }
    ilze->line.rewrite = nullptr;
    CHECK(ilze->sync().accepted == 2);
    CHECK(ilze->holds(theirs));
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("a response that cannot be changes nothing: records, cursors, scopes, types and the next save are as before") {
    Town town;
    const auto ilze = town.enrol("ilze"), rita = town.enrol("rita"), maris = town.enrol("maris");
    const RecordId other = rita->create("home_visit", "H-18", R"({"place":"A"})");
    const RecordId here = maris->create("home_visit", "H-17", R"({"place":"A"})");
    rita->sync();
    maris->sync();
    town.provision(Town::usual_assignments() + R"(,{"user":"ilze","role":"case_worker","scope":"H-18","from":"2026-01-01","until":null})");
    std::vector<std::function<void(sync::SyncResponse&)>> lies;
    lies.emplace_back([](sync::SyncResponse& r) { r.incoming.pages.back().scope.octets[0] ^= 1; });
    lies.emplace_back([](sync::SyncResponse& r) {
        for (ScopePage& page : r.incoming.pages)
            for (Entry& e : page.entries) e.meta.resize(e.meta.size() / 2), e.content.clear();
    });
    lies.emplace_back([](sync::SyncResponse& r) { r.incoming.types->push_back("{}"); });
    lies.emplace_back([&](sync::SyncResponse& r) {
        // A state that claims changes of this device that it never made.
        RecordState state;
        Change c;
        c.dot = {ilze->vault().enrolment().replica, 1'000'000};
        c.ops = {{record_path(PathKind::birth), bool_value(true), {}}};
        (void)state.apply(c, Stamp::from_ms(1));
        Entry e;
        e.kind = Entry::Kind::state;
        e.record = make_record_id(1, {});
        e.type = "home_visit";
        e.doc = "{}";
        e.meta = state.encode_beside({});
        for (ScopePage& page : r.incoming.pages) page.entries.push_back(e);
    });
    const auto cursors = sync::digest_of_cursors(town.crypto, ilze->vault().replica().cursors());
    for (std::size_t i = 0; i < lies.size(); ++i) {
        INFO("lie " << i);
        ilze->line.rewrite = [&](sync::HttpResponse& response) {
            sync::SyncResponse message = read_response(response);
            lies[i](message);
            write_response(response, message);
        };
        CHECK_THROWS_AS(ilze->sync(), Error);
        CHECK_FALSE(ilze->holds(other));
        CHECK_FALSE(ilze->holds(here));
        CHECK(sync::digest_of_cursors(town.crypto, ilze->vault().replica().cursors()) == cursors);
        CHECK(ilze->vault().scopes().size() == 6);
        CHECK(code_of([&] { ilze->vault().put("home_visit", std::nullopt, "H-18", "{}"); }) == ErrorCode::refused);
        CHECK_FALSE(ilze->create("home_visit", "H-17", R"({"place":"Vēl"})").is_zero());
        CHECK(ilze->vault().verify().damage.empty());
    }
    ilze->line.rewrite = nullptr;
    ilze->sync();
    CHECK(ilze->holds(other));
    CHECK(ilze->holds(here));
    town.require_sound({ilze.get(), rita.get(), maris.get()});
}

TEST_CASE("history is given of what one may read, and of nothing else") {
    Town town;
    const auto ilze = town.enrol("ilze"), rita = town.enrol("rita");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    ilze->put(id, R"({"place":"B"})");
    ilze->sync();
    CHECK(sync::fetch_history(ilze->vault(), id, ilze->line, ilze->env()).size() == 2);
    const std::string unreadable = message_of([&] { (void)sync::fetch_history(rita->vault(), id, rita->line, rita->env()); });
    const std::string absent =
        message_of([&] { (void)sync::fetch_history(rita->vault(), make_record_id(1, {}), rita->line, rita->env()); });
    CHECK(unreadable == absent);  // not even that it exists
    Forger device(town, "rita");
    sync::SyncRequest asks = device.request_of({});
    asks.pull_bytes = 1 << 20;
    asks.wanted = {id};
    const auto reply = device.send(asks);
    CHECK(reply.response.incoming.states.empty());
    // Nor does an attempt to write it bring its state.
    Change blind = device.change("home_visit", "visits:H-18", id, {scalar("place", text_value("C"))});
    CHECK(device.push({blind}).response.incoming.states.empty());
}

TEST_CASE("an enrolment code works once, in time, and guessing is bounded") {
    Town town;
    Line line(town);
    const auto enrol = [&](const std::string& code) { return sync::enrol(line, "https://x", "", code, town.env()); };
    const std::string code = town.server().enrol_code("ilze");
    CHECK(code.size() == 19);
    CHECK(code_of([&] { enrol("0000-0000-0000-0000"); }) == ErrorCode::refused);
    CHECK(code_of([&] { enrol("ne kods"); }) == ErrorCode::refused);
    CHECK(code_of([&] { enrol(""); }) == ErrorCode::refused);
    std::string upper = code;
    for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    CHECK(enrol(upper).user == "ilze");
    CHECK(code_of([&] { enrol(code); }) == ErrorCode::refused);
    const std::string late = town.server().enrol_code("ilze");
    town.pass(std::uint64_t{14} * 24 * 3'600'000);
    CHECK(code_of([&] { enrol(late); }) == ErrorCode::refused);
    CHECK(code_of([&] { (void)town.server().enrol_code("nobody"); }) == ErrorCode::not_found);
    const std::string right = town.server().enrol_code("ilze");
    bool bounded = false;
    for (int i = 0; i < 100 && !bounded; ++i) bounded = code_of([&] { enrol("0000-0000-0000-0001"); }) == ErrorCode::busy;
    CHECK(bounded);
    CHECK(code_of([&] { enrol(right); }) == ErrorCode::busy);
    town.pass(11 * 60'000);
    CHECK(enrol(right).user == "ilze");
}

TEST_CASE("what is unsigned, signed by a stranger, or said in another protocol is turned away with its own status") {
    Town town;
    Forger device(town, "ilze");
    sync::HttpRequest request;
    request.path = sync::kPathSync;
    CHECK(town.server().handle(request).status == 403);
    request.method = "GET";
    CHECK(town.server().handle(request).status == 404);
    CHECK(device.post("/1/nothing", {}).status == 404);
    for (const Bytes& body : {Bytes(), Bytes("garbage"), Bytes(100'000, 'x')}) {
        CHECK(device.post(sync::kPathSync, body).status == 400);
        CHECK(device.post(sync::kPathSync, sync::compress(body)).status == 400);
        CHECK(device.post(sync::kPathHistory, body).status == 400);
    }
    CHECK(device.post(sync::kPathRecovery, Bytes(100'000, 'x')).status == 400);
    sync::SyncRequest newer = device.request_of({});
    newer.min_protocol = 2;
    newer.max_protocol = 3;
    const auto reply = device.send(newer);
    CHECK(reply.status == 426);
    CHECK(reply.problem.code == "protocol");
    newer.min_protocol = 1;
    CHECK(device.send(newer).status == 200);
    Town elsewhere(2);
    Forger stranger(elsewhere, "ilze");
    sync::HttpRequest stolen;
    stolen.path = sync::kPathSync;
    stolen.body = sync::compress(sync::encode(stranger.request_of({})));
    sync::sign_request(stolen, to_string(stranger.enrolment().device), stranger.enrolment().device_key, town.crypto);
    CHECK(town.server().handle(stolen).status == 403);
}

TEST_CASE("pitfall 5: a cursor into another incarnation's order starts again from a snapshot, and joins") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    std::vector<RecordId> all;
    for (int i = 0; i < 5; ++i) all.push_back(ilze->create("home_visit", "H-17", R"({"place":"A"})"));
    ilze->sync();
    maris->sync();
    const auto twin = town.enrol("ilze");
    town.stop();
    const Bytes backup = posix::read_file(town.database());
    town.start();
    for (int i = 0; i < 5; ++i) all.push_back(ilze->create("home_visit", "H-17", R"({"place":"B"})"));
    ilze->sync();
    maris->sync();
    maris->sync();
    const bool remembered = GENERATE(true, false);
    INFO("the server " << (remembered ? "remembers" : "does not know") << " where the device stood");
    town.stop();
    posix::write_file_atomically(town.database(), backup);
    {
        const auto storage = sync::open_sqlite_storage(town.database(), false);
        storage->begin();
        storage->set_setting("incarnation", town.entropy.id<GroupId>().bytes());
        sync::DeviceRow device = *storage->device(maris->vault().enrolment().device);
        device.nonce = maris->vault().replica().nonce();
        if (remembered) {
            CborWriter cursors;
            sync::write_cursors(cursors, maris->vault().replica().cursors());
            device.cursors = cursors.bytes();
        }
        storage->update_device(device);
        storage->commit();
    }
    town.start();
    for (int i = 0; i < 3; ++i) all.push_back(twin->create("home_visit", "H-17", R"({"place":"C"})"));
    twin->put(all[0], R"({"place":"Pēc atjaunošanas"})");
    CHECK(twin->sync().accepted == 4);
    maris->sync();
    for (const RecordId& id : all) CHECK(maris->holds(id));
    CHECK(maris->field(all[0], "place") == R"("Pēc atjaunošanas")");
    CHECK(maris->vault().verify().damage.empty());
}

TEST_CASE("a cursor that the server's order does not have, in place or hash, starts again from a snapshot") {
    Town town;
    const auto ilze = town.enrol("ilze");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    for (int i = 0; i < 4; ++i) ilze->create("home_visit", "H-17", R"({"place":"A"})");
    ilze->sync();
    Forger device(town, "maris");
    const auto first = device.send(device.request_of({}));
    const GroupId incarnation = first.response.incoming.incarnation;
    const auto pulled = [&](std::uint64_t seq, const Hash256& hash) {
        sync::SyncRequest request = device.request_of({});
        request.incarnation = incarnation;
        request.cursors = std::vector<ScopeCursor>{{town.scope(kVisits), {seq, hash}, {}}};
        request.pull_bytes = 1 << 20;
        const auto reply = device.send(request);
        std::size_t entries = 0;
        Cursor now;
        for (const ScopePage& page : reply.response.incoming.pages)
            if (page.scope == town.scope(kVisits)) entries = page.entries.size(), now = page.cursor;
        CHECK(now.seq == 5);
        return entries;
    };
    CHECK(pulled(3, Hash256()) == 5);
    CHECK(pulled(5, Hash256()) == 5);
    CHECK(pulled(9, Hash256()) == 5);
    CHECK(pulled(0, Hash256()) == 5);
    CHECK(ilze->holds(id));
}
