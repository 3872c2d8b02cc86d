// Devices and a server, told as stories: what everybody has in the end, whatever the line, the order and the clocks did.
#include <algorithm>

#include "core/base/error.h"
#include "core/record/json.h"
#include "platform/posix/system.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

constexpr std::size_t kSmall = 300;  // octets a round: a change or two
constexpr std::uint64_t k2099 = 4'070'908'800'000, k1999 = 915'148'800'000;

void require_equal(const std::vector<Phone*>& phones, const std::vector<RecordId>& records) {
    for (const RecordId& id : records)
        for (Phone* phone : phones) {
            INFO(phone->vault().enrolment().user << " " << to_string(id));
            CHECK(phone->state(id) == phones.front()->state(id));
            CHECK(phone->holds(id));
        }
}

/// Story 1 of DOMAIN.md: two offline edits of one household. Gives what everybody holds in the end.
std::vector<std::string> story_one(bool ilze_first) {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris"), anna = town.enrol("anna");
    const RecordId household = ilze->create("household", "H-17", R"({"members":["Līga","Jānis"]})");
    const RecordId person = ilze->create("person", "H-17", R"({"given_name":"Līga","surname":"Bērziņa"})");
    const RecordId flag = ilze->create("child_risk_flag", "H-17", R"({"children":["Jānis"]})");
    const RecordId visit = ilze->create("home_visit", "H-17", R"({"place":"Kalna iela 3","observations":"Pirmā rindkopa."})");
    ilze->sync();
    maris->sync();
    town.pass(3'600'000);
    ilze->put(visit, R"({"risk_level":"high","heating":"broken"})");
    ilze->vault().edit(visit, "observations", "Pirmā rindkopa.\nApkure nedarbojas.");
    ilze->vault().add(flag, "triggers", R"("lack_of_care")");
    town.pass(60'000);
    maris->put(visit, R"({"risk_level":"low"})");
    maris->vault().edit(visit, "observations", "Pirmā rindkopa.\nVecmāmiņa palīdz.");
    maris->vault().add(household, "members", R"("vecmāmiņa")");
    maris->vault().add(person, "phones", R"("+37126123456")");
    town.pass(3'600'000);
    Phone& first = ilze_first ? *ilze : *maris;
    Phone& second = ilze_first ? *maris : *ilze;
    first.sync();
    second.sync();
    first.sync();
    anna->sync();
    const auto fresh = town.enrol("anna");
    const std::vector<RecordId> all{household, person, flag, visit};
    require_equal({ilze.get(), maris.get(), anna.get(), fresh.get()}, all);
    CHECK(ilze->field(visit, "risk_level") == R"("high")");
    CHECK(ilze->field(household, "members") == R"(["Jānis","Līga","vecmāmiņa"])");
    CHECK(ilze->field(person, "phones") == R"(["+37126123456"])");
    CHECK(ilze->field(flag, "triggers") == R"(["lack_of_care"])");
    CHECK(ilze->field(visit, "observations").find("Apkure nedarbojas.") != std::string::npos);
    CHECK(ilze->field(visit, "observations").find("Vecmāmiņa palīdz.") != std::string::npos);
    const auto review = anna->vault().review();
    REQUIRE(review.size() == 1);
    CHECK(review[0].item.field == "risk_level");
    anna->vault().resolve(review[0].item.id, R"("high")");
    anna->sync();
    ilze->sync();
    maris->sync();
    fresh->sync();
    require_equal({ilze.get(), maris.get(), anna.get(), fresh.get()}, all);
    CHECK(maris->vault().review().empty());
    town.require_sound({ilze.get(), maris.get(), anna.get(), fresh.get()});
    std::vector<std::string> states;
    for (const RecordId& id : all) states.push_back(ilze->state(id));
    return states;
}

struct Ending {
    std::vector<std::string> states;
    std::uint64_t changes = 0, requests = 0;
    bool faulted = false;
};

/// Ilze pushes and pulls in small rounds; `fault` happens to her request number `at`.
Ending with_fault(Fault fault, std::size_t at) {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    std::vector<RecordId> all;
    for (int i = 0; i < 3; ++i) all.push_back(maris->create("home_visit", "H-17", R"({"place":"Māra iela","observations":"Viens."})"));
    maris->sync();
    ilze->sync();
    for (int i = 0; i < 3; ++i) maris->vault().edit(all[static_cast<std::size_t>(i)], "observations", "Viens un divi.");
    const RecordId tally = maris->create("community_activity", "own", R"({"kind":"event"})");
    all.push_back(maris->create("task", "H-17", R"({"text":"Zvanīt."})"));
    maris->sync();
    for (int i = 0; i < 3; ++i) {
        ilze->put(all[static_cast<std::size_t>(i)], R"({"present":["Līga"],"travel_minutes":)" + std::to_string(i + 1) + "}");
        ilze->vault().edit(all[static_cast<std::size_t>(i)], "observations", "Viens. Trīs.");
    }
    const RecordId activity = ilze->create("community_activity", "amata", R"({"kind":"event"})");
    ilze->vault().count(activity, "door_tally", 5);
    ilze->vault().count(activity, "door_tally", 7);
    all.push_back(activity);
    const std::uint64_t before = ilze->line.requests;
    ilze->line.faults.assign(at, Fault::none);
    ilze->line.faults.push_back(fault);
    ilze->insist([&] { ilze->sync_in_batches(kSmall); });
    Ending ending;
    ending.faulted = ilze->line.faults.empty();
    ending.requests = ilze->line.requests - before;
    ilze->line.faults.clear();
    ilze->sync();
    maris->sync();
    require_equal({ilze.get(), maris.get()}, {all[0], all[1], all[2], all[3], all[4]});
    CHECK(ilze->field(activity, "door_tally") == "12");
    CHECK(ilze->vault().status().unsent == 0);
    CHECK(ilze->vault().letters().empty());
    CHECK(maris->holds(tally));
    town.require_sound({ilze.get(), maris.get()});
    for (const RecordId& id : all) ending.states.push_back(ilze->state(id));
    ending.changes = town.server().status().changes;
    return ending;
}

}  // namespace

TEST_CASE("two copies of a vault that take turns are found out as soon as one lacks what the other sent") {
    Town town;
    const auto ilze = town.enrol("ilze");
    const RecordId visit = ilze->create("home_visit", "H-17", R"({"place":"Zaube"})");
    ilze->sync();
    const auto copy = town.copy(*ilze);
    ilze->sync();
    copy->sync();  // as a retry of what the first one asked
    copy->put(visit, R"({"place":"Nītaure"})");
    ilze->sync();
    copy->sync();
    CHECK(code_of([&] { ilze->sync(); }) == ErrorCode::fork);
    copy->sync();
    CHECK(copy->field(visit, "place") == R"("Nītaure")");
}

TEST_CASE("story 1: whoever syncs first, everybody ends with the same bytes") {
    CHECK(story_one(true) == story_one(false));
}

TEST_CASE("pitfalls 3 and 4: whatever happens to any one request, nothing is saved twice and nothing is missing") {
    const Ending quiet = with_fault(Fault::none, 0);
    CHECK(quiet.requests >= 5);  // or the faults below would not hit every stage
    for (const Fault fault :
         {Fault::lose_request, Fault::lose_response, Fault::repeat_request, Fault::corrupt_request, Fault::corrupt_response})
        for (std::size_t at = 0; at < quiet.requests; ++at) {
            INFO("fault " << static_cast<int>(fault) << " at request " << at);
            const Ending ending = with_fault(fault, at);
            CHECK(ending.faulted);
            CHECK(ending.states == quiet.states);
            CHECK(ending.changes == quiet.changes);
        }
}

TEST_CASE("a lost response leaves cursors, nonce and records as they were") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId theirs = maris->create("home_visit", "H-17", R"({"place":"A"})");
    maris->sync();
    const RecordId mine = ilze->create("home_visit", "H-17", R"({"place":"B"})");
    const auto cursors = sync::digest_of_cursors(town.crypto, ilze->vault().replica().cursors());
    const Bytes nonce = ilze->vault().replica().nonce();
    for (const Fault fault : {Fault::lose_response, Fault::corrupt_response, Fault::lose_request}) {
        ilze->line.faults = {fault};
        CHECK_THROWS_AS(ilze->sync(), Error);
        CHECK(sync::digest_of_cursors(town.crypto, ilze->vault().replica().cursors()) == cursors);
        CHECK(ilze->vault().replica().nonce() == nonce);
        CHECK_FALSE(ilze->holds(theirs));
        CHECK(ilze->vault().status().unsent == 1);
    }
    ilze->reopen();
    const sync::SyncReport report = ilze->sync();
    CHECK(report.accepted == 1);
    CHECK(ilze->holds(theirs));
    CHECK(town.server().status().changes == 2);
    maris->sync();
    require_equal({ilze.get(), maris.get()}, {theirs, mine});
}

TEST_CASE("an impatient line is retried with pauses, and a dead one given up") {
    Town town;
    const auto ilze = town.enrol("ilze");
    ilze->create("task", "H-17", "{}");
    ilze->line.faults = {Fault::lose_request, Fault::lose_response, Fault::lose_response};
    const std::uint64_t started = town.clock.wall_ms();
    CHECK(ilze->sync_patiently(5).accepted == 1);
    CHECK(town.clock.wall_ms() > started);
    ilze->create("task", "H-17", "{}");
    ilze->line.faults.assign(10, Fault::lose_request);
    const std::uint64_t requests = ilze->line.requests;
    CHECK(code_of([&] { ilze->sync_patiently(3); }) == ErrorCode::network);
    CHECK(ilze->line.requests == requests + 4);
    ilze->line.faults.clear();
    CHECK(ilze->sync().accepted == 1);
}

TEST_CASE("a sync with nothing to do is one round trip, and small") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    for (int i = 0; i < 20; ++i) ilze->create("home_visit", "H-17", R"({"place":"A"})");
    ilze->sync();
    maris->sync();
    for (int i = 0; i < 3; ++i) {
        for (Phone* phone : {ilze.get(), maris.get()}) {
            const sync::SyncReport report = phone->sync();
            CHECK(report.round_trips == 1);
            CHECK(report.pushed + report.pulled == 0);
            CHECK(report.bytes_sent + report.bytes_received < 1500);
            phone->reopen();
        }
        if (i == 1) town.start();  // what a client has confirmed, a restarted server knows
    }
}

TEST_CASE("pitfall 30: a retry with the nonce before gets the same next one; pitfall 6: an older nonce is a fork") {
    Town town;
    Forger device(town, "ilze");
    const auto first = device.send(device.request_of({}));
    REQUIRE(first.status == 200);
    const Bytes n1 = device.nonce;
    device.nonce.clear();
    CHECK(device.send(device.request_of({})).response.incoming.nonce == n1);
    CHECK(device.send(device.request_of({})).status == 200);
    const Bytes n2 = device.nonce;
    CHECK(n2 != n1);
    device.nonce = n1;
    CHECK(device.send(device.request_of({})).response.incoming.nonce == n2);
    for (const Bytes& stale : {Bytes(), Bytes("no nonce of ours")}) {
        device.nonce = stale;
        const auto reply = device.send(device.request_of({}));
        CHECK(reply.status == 409);
        CHECK(reply.problem.code == "fork");
    }
    device.nonce = n2;
    CHECK(device.send(device.request_of({})).status == 200);
}

TEST_CASE("pitfall 6: a vault set back to an older file is told that it is a fork, and its original goes on") {
    Town town;
    const auto ilze = town.enrol("ilze");
    ilze->create("task", "H-17", "{}");
    ilze->close();
    const Bytes old = posix::read_file(ilze->path());
    ilze->reopen();
    ilze->sync();
    ilze->create("task", "H-17", "{}");
    ilze->sync();
    ilze->close();
    const Bytes current = posix::read_file(ilze->path());
    posix::write_file_atomically(ilze->path(), old);
    ilze->reopen();
    CHECK(code_of([&] { ilze->sync(); }) == ErrorCode::fork);
    CHECK(ilze->vault().status().unsent == 1);
    ilze->close();
    posix::write_file_atomically(ilze->path(), current);
    ilze->reopen();
    ilze->create("task", "H-17", "{}");
    CHECK(ilze->sync().accepted == 1);
    CHECK(town.server().status().changes == 3);
    town.require_sound({ilze.get()});
}

TEST_CASE("pitfalls 7 and 9: clocks at 2099 and 1999 rank as if they were right, and block nothing") {
    const bool wrong_first = GENERATE(true, false);
    const std::uint64_t wrong = GENERATE(k2099, k1999);
    INFO("clock " << wrong << ", the wrong one edits " << (wrong_first ? "first" : "last"));
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = maris->create("home_visit", "H-17", R"({"place":"A"})");
    maris->sync();
    ilze->sync();
    ilze->clock.set(wrong);
    const auto by_ilze = [&] { ilze->put(id, R"({"place":"Ilze","heating":"broken"})"); };
    const auto by_maris = [&] { maris->put(id, R"({"place":"Māris","heating":"stove"})"); };
    town.pass(60'000);
    wrong_first ? by_ilze() : by_maris();
    town.pass(60'000);
    wrong_first ? by_maris() : by_ilze();
    town.pass(60'000);
    CHECK(ilze->sync().accepted == 1);
    CHECK(maris->sync().accepted == 1);
    ilze->sync();
    require_equal({ilze.get(), maris.get()}, {id});
    CHECK(ilze->field(id, "place") == (wrong_first ? R"("Māris")" : R"("Ilze")"));
    for (const ReviewItem& item : maris->vault().get(id).review)
        for (const Candidate& c : item.values) {
            CHECK(c.stamp.ms() <= town.clock.wall_ms());
            CHECK(c.stamp.ms() + 180'000 >= town.clock.wall_ms());
        }
    // Once the clock is right again, its owner's edits rank by when they were made, at once.
    ilze->clock.offset_ms = 0;
    town.pass(60'000);
    ilze->put(id, R"({"place":"Vēlreiz"})");
    town.pass(60'000);
    maris->put(id, R"({"place":"Pēdējais"})");
    ilze->sync();
    maris->sync();
    ilze->sync();
    CHECK(ilze->field(id, "place") == R"("Pēdējais")");
    require_equal({ilze.get(), maris.get()}, {id});
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("what a long upload and a busy server take is not taken for a slow clock") {
    const bool long_upload = GENERATE(true, false);
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = maris->create("home_visit", "H-17", R"({"place":"A"})");
    maris->sync();
    ilze->sync();
    ilze->put(id, R"({"place":"Ilze"})");
    town.pass(10'000);
    maris->put(id, R"({"place":"Māris"})");
    town.pass(3'600'000);
    CHECK(maris->sync().accepted == 1);
    if (long_upload)
        ilze->line.slow_ms = 600'000;
    else
        ilze->line.faults.assign(8, Fault::lose_request);
    const std::uint64_t before = town.clock.wall_ms();
    CHECK(ilze->sync_patiently(8).accepted == 1);
    CHECK(town.clock.wall_ms() - before > 30'000);
    ilze->line.slow_ms = 0;
    maris->sync();
    CHECK(maris->field(id, "place") == R"("Māris")");
    require_equal({ilze.get(), maris.get()}, {id});
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("a device that hears of its own changes only after a lost answer stands at the head all the same") {
    Town town;
    const auto ilze = town.enrol("ilze");
    ilze->sync();
    // First from the scope's beginning, which is a snapshot's matter, then from its middle.
    for (std::uint64_t made : {1U, 2U}) {
        ilze->create("home_visit", "H-17", R"({"place":"A"})");
        ilze->line.faults = {Fault::lose_response};
        CHECK_THROWS_AS(ilze->sync(), Error);
        CHECK(ilze->sync().accepted == 1);
        std::uint64_t heard = 0;
        for (const ScopeCursor& c : ilze->vault().replica().cursors()) heard += c.cursor.seq;
        CHECK(heard == made);
    }
    town.require_sound({ilze.get()});
}

TEST_CASE("what is still to come is known from the first response on, and grows with what others write meanwhile") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    ilze->sync();
    for (int i = 0; i < 40; ++i) maris->create("home_visit", "H-17", R"({"place":"A"})");
    maris->sync();
    const std::uint64_t before = ilze->line.requests;
    ilze->line.on_the_way = [&] {
        if (ilze->line.requests != before + 2) return;
        for (int i = 0; i < 10; ++i) maris->create("home_visit", "H-17", R"({"place":"B"})");
        maris->sync();
    };
    const sync::SessionCounts counts = ilze->sync_in_batches(1000);
    CHECK(counts.round_trips > 5);
    CHECK(counts.pulled == 50);
    CHECK(counts.to_pull == 50);
}

TEST_CASE("pitfall 16: a snapshot taken while others write misses nothing and doubles nothing") {
    Town town;
    const auto ilze = town.enrol("ilze");
    std::vector<RecordId> all;
    for (int i = 0; i < 25; ++i) all.push_back(ilze->create("home_visit", "H-17", R"({"place":"Kalna iela","observations":"Teksts."})"));
    ilze->sync();
    const auto maris = town.enrol_fresh("maris");
    int page = 0;
    maris->line.on_the_way = [&] {
        const std::size_t i = static_cast<std::size_t>(page++);
        if (i >= all.size() || page > 20) return;
        ilze->put(all[i], R"({"place":"Lejas iela"})");  // before the page under way, and after it
        ilze->vault().edit(all[24 - i], "observations", "Teksts un vēl.");
        all.push_back(ilze->create("task", "H-17", R"({"text":"Pa vidu."})"));
        ilze->sync();
    };
    maris->sync_in_batches(kSmall);
    CHECK(page > 10);
    maris->line.on_the_way = nullptr;
    maris->sync();
    ilze->sync();
    require_equal({ilze.get(), maris.get()}, all);
    CHECK(maris->vault().status().records == all.size());
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("pitfall 15: a bootstrap that is cut goes on where it was, with local work on top") {
    Town town;
    const auto ilze = town.enrol("ilze");
    std::vector<RecordId> all;
    for (int i = 0; i < 30; ++i)
        all.push_back(ilze->create("home_visit", "H-17", R"({"place":"Kalna iela","observations":"Garāks teksts lapai."})"));
    ilze->sync();
    const auto whole = town.enrol_fresh("maris");
    whole->sync_in_batches(kSmall);
    const std::uint64_t all_requests = whole->line.requests;
    const auto maris = town.enrol_fresh("maris");
    const std::uint64_t enrolling = maris->line.requests;
    maris->line.faults.assign(10, Fault::none);
    maris->line.faults.push_back(Fault::lose_response);
    CHECK_THROWS_AS(maris->sync_in_batches(kSmall), Error);
    const std::uint64_t cut = maris->line.requests;
    maris->reopen();
    const std::uint64_t have = maris->vault().status().records;
    CHECK((have > 0 && have < 30));
    ilze->put(all[0], R"({"place":"Lejas iela"})");
    ilze->sync();
    all.push_back(maris->create("home_visit", "H-17", R"({"place":"Māra"})"));
    maris->put(all[0], R"({"travel_minutes":7})");
    maris->sync_in_batches(kSmall);
    CHECK(maris->line.requests - cut < all_requests - enrolling);  // not from the beginning
    ilze->sync();
    maris->sync();
    require_equal({ilze.get(), maris.get()}, all);
    town.require_sound({ilze.get(), maris.get(), whole.get()});
}

TEST_CASE("pitfall 14: a new assignment brings what was there before it; an ended one ends at the next contact") {
    Town town;
    const auto ilze = town.enrol("ilze"), rita = town.enrol("rita");
    const RecordId old = rita->create("home_visit", "H-18", R"({"place":"Nītaure"})");
    rita->sync();
    ilze->sync();
    CHECK_FALSE(ilze->holds(old));
    town.provision(Town::usual_assignments() + R"(,{"user":"ilze","role":"case_worker","scope":"H-18","from":"2026-01-01","until":null})");
    ilze->sync();
    require_equal({rita.get(), ilze.get()}, {old});
    ilze->put(old, R"({"travel_minutes":9})");
    CHECK(ilze->sync().accepted == 1);
    town.provision(Town::usual_assignments());
    ilze->sync();
    for (const ScopeInfo& scope : ilze->vault().scopes()) CHECK(scope.target != "H-18");
    CHECK(code_of([&] { ilze->vault().put("home_visit", std::nullopt, "H-18", "{}"); }) == ErrorCode::refused);
    const RecordId later = rita->create("home_visit", "H-18", R"({"place":"Vēlāk"})");
    rita->sync();
    ilze->sync();
    CHECK_FALSE(ilze->holds(later));
    town.require_sound({ilze.get(), rita.get()});
}

TEST_CASE("an assignment that lies in the future or the past gives nothing today, and does when its day comes") {
    Town town;
    town.provision(Town::usual_assignments() +
                   R"(,{"user":"ilze","role":"case_worker","scope":"H-18","from":"2026-11-27","until":"2026-11-28"})");
    const auto ilze = town.enrol("ilze");
    const auto holds_h18 = [&] {
        ilze->sync();
        const auto scopes = ilze->vault().scopes();
        return std::any_of(scopes.begin(), scopes.end(), [](const ScopeInfo& s) { return s.target == "H-18"; });
    };
    std::vector<bool> days;
    for (int day = 0; day < 6; ++day, town.pass(24 * 3'600'000)) days.push_back(holds_h18());
    CHECK(std::count(days.begin(), days.end(), true) == 2);
    CHECK_FALSE(days.front());
    CHECK_FALSE(days.back());
}

TEST_CASE("an entry that was passed over is noticed when the next one comes: the record, or the scope, is asked for whole") {
    const bool creation = GENERATE(false, true);
    INFO("what was passed over " << (creation ? "made the record" : "changed it"));
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    ilze->create("home_visit", "H-17", R"({"place":"Cits"})");  // so that what follows comes as entries
    if (creation) {
        ilze->sync();
        maris->sync();
    }
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A","observations":"Viens."})");
    if (!creation) {
        ilze->sync();
        maris->sync();
    }
    ilze->vault().edit(id, "observations", "Viens divi.");
    ilze->vault().edit(id, "observations", "Viens divi trīs.");
    ilze->sync();
    bool dropped = false;
    maris->line.rewrite = [&](sync::HttpResponse& response) {
        sync::SyncResponse message = read_response(response);
        for (ScopePage& page : message.incoming.pages) {
            if (dropped || page.entries.size() < 2) continue;
            page.entries.erase(page.entries.begin());
            dropped = true;
        }
        write_response(response, message);
    };
    const sync::SyncReport report = maris->sync();
    CHECK(dropped);
    if (!creation) CHECK(report.round_trips == 2);
    maris->line.rewrite = nullptr;
    maris->sync();
    require_equal({ilze.get(), maris.get()}, {id});
    CHECK(maris->sync().round_trips == 1);
    town.require_sound({ilze.get(), maris.get()});
}
