// Verdicts: what a device does with changes that were refused, are to be made again, or wait; and that one change never stands in
// another's way.
#include <algorithm>

#include "core/base/error.h"
#include "core/record/json.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

std::string read_type(const std::string& name) {
    return read_whole(std::string(KOPDARBS_ROOT) + "/core/schema/types/" + name + ".json");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

/// Version 2 of a type, in which `from` is `to`.
std::string stricter(const std::string& name, const std::string& from, const std::string& to) {
    return replaced(replaced(read_type(name), "\"version\": 1", "\"version\": 2"), from, to);
}

/// Visits' places get at most five characters: a rule that devices hear of after they have written.
std::string short_places() {
    return stricter("home_visit", "\"maxLength\": 300", "\"maxLength\": 5");
}

void require_equal(const std::vector<Phone*>& phones, const RecordId& id) {
    for (Phone* phone : phones) {
        INFO(phone->vault().enrolment().user);
        CHECK(phone->state(id) == phones.front()->state(id));
    }
}

/// What `author` has not sent yet is judged under a type that forbids long places, and made again where it hung on one; `other` hears of
/// it.
void refuse_long_places(Town& town, Phone& author, Phone& other) {
    town.provision(Town::usual_assignments(), {short_places()});
    author.sync();
    author.sync();
    other.sync();
}

}  // namespace

TEST_CASE("pitfall 17: a refused change becomes a letter, what is shown goes back, and everything else goes through") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    ilze->sync();
    town.provision(Town::usual_assignments(), {short_places()});
    const Saved bad = ilze->put(id, R"({"place":"Kalna iela 3"})");
    const RecordId other = ilze->create("home_visit", "H-17", R"({"place":"B"})");
    const RecordId third = ilze->create("task", "H-17", R"({"text":"Zvanīt."})");
    CHECK(ilze->field(id, "place") == R"("Kalna iela 3")");
    std::vector<RecordId> told;
    ilze->vault().observe([&](const std::vector<RecordId>& ids, Origin) { told = ids; });
    const sync::SyncReport report = ilze->sync();
    CHECK(report.pushed == 3);
    CHECK(report.refused == 1);
    CHECK(report.accepted == 2);
    CHECK(ilze->field(id, "place") == R"("A")");
    CHECK(std::find(told.begin(), told.end(), id) != told.end());
    REQUIRE(ilze->vault().letters().size() == 1);
    const Letter letter = ilze->vault().letters()[0];
    CHECK(letter.dot == bad.dot);
    CHECK(letter.record == id);
    CHECK(letter.type == "home_visit");
    CHECK(letter.scope == "visits:H-17");
    CHECK(letter.reason.find("place") != std::string::npos);
    CHECK(letter.ops.find("Kalna iela 3") != std::string::npos);
    CHECK(ilze->vault().status().refused == 1);
    CHECK(ilze->vault().status().unsent == 0);
    CHECK(town.server().status().refused == 1);
    maris->sync();
    for (const RecordId& record : {id, other, third}) require_equal({ilze.get(), maris.get()}, record);
    ilze->reopen();
    CHECK(ilze->vault().letters().size() == 1);
    CHECK(ilze->sync().round_trips == 1);
    // What is possible goes on.
    ilze->put(id, R"({"place":"Zaube"})");
    CHECK(ilze->sync().accepted == 1);
    maris->sync();
    require_equal({ilze.get(), maris.get()}, id);
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("pitfall 27: what followed a refused change is made again: registers, sets, counters as differences, text on its text") {
    Town town;
    town.provision(Town::usual_assignments(), {});
    const auto ilze = town.enrol("ilze"), zane = town.enrol("zane");
    const RecordId id = ilze->create("community_activity", "amata", R"({"place":"Zaube","journal":"Viens divi trīs."})");
    ilze->vault().count(id, "door_tally", 10);
    ilze->sync();
    zane->sync();
    town.provision(Town::usual_assignments(), {stricter("community_activity", "\"maxLength\": 300", "\"maxLength\": 5")});
    town.pass(1000);
    zane->vault().count(id, "door_tally", 100);
    zane->vault().edit(id, "journal", "Nulle. Viens divi trīs.");
    zane->vault().add(id, "resources", R"("krēsli")");
    zane->sync();
    town.pass(1000);
    ilze->put(id, R"({"place":"Kultūras nams"})");
    ilze->vault().count(id, "door_tally", 2);
    ilze->vault().count(id, "door_tally", 5);
    ilze->vault().edit(id, "journal", "Viens divi trīs. Četri.");
    ilze->vault().edit(id, "journal", "Viens divi trīs. Četri pieci.");
    ilze->vault().add(id, "resources", R"("galdi")");
    ilze->put(id, R"({"minutes":90})");
    const sync::SyncReport report = ilze->sync();
    CHECK(report.refused == 1);
    CHECK(report.again == 6);
    CHECK(report.accepted == 6);
    zane->sync();
    require_equal({ilze.get(), zane.get()}, id);
    CHECK(ilze->field(id, "door_tally") == "117");
    CHECK(ilze->field(id, "journal") == R"("Nulle. Viens divi trīs. Četri pieci.")");
    CHECK(ilze->field(id, "resources") == R"(["galdi","krēsli"])");
    CHECK(ilze->field(id, "minutes") == "90");
    CHECK(ilze->field(id, "place") == R"("Zaube")");
    CHECK(ilze->vault().letters().size() == 1);
    CHECK(ilze->vault().status().unsent == 0);
    town.require_sound({ilze.get(), zane.get()});
}

TEST_CASE("pitfall 27: a refused count is not in the next total") {
    Town town;
    const auto ilze = town.enrol("ilze");
    const RecordId id = ilze->create("community_activity", "amata", R"({"place":"Zaube"})");
    ilze->vault().count(id, "door_tally", 10);
    ilze->sync();
    town.provision(Town::usual_assignments(), {stricter("community_activity", R"("maximum": 1000000000)", R"("maximum": 20)")});
    ilze->vault().count(id, "door_tally", 15);
    ilze->vault().count(id, "door_tally", -8);
    CHECK(ilze->field(id, "door_tally") == "17");
    const sync::SyncReport report = ilze->sync();
    CHECK(report.refused == 1);
    CHECK(report.again == 1);
    CHECK(ilze->field(id, "door_tally") == "2");
    town.require_sound({ilze.get()});
}

TEST_CASE("pitfall 27: an edit inside words that were refused lands in what is left, and the words stay in the letter") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"observations":"Sākums."})");
    ilze->sync();
    town.provision(Town::usual_assignments(), {short_places()});
    ilze->put(id, R"({"place":"Kalna iela 3","observations":"Sākums. Gara jauna rindkopa."})");
    ilze->vault().edit(id, "observations", "Sākums. Gara jauka jauna rindkopa.");
    ilze->vault().edit(id, "observations", "Labs sākums. Gara jauka jauna rindkopa.");
    const sync::SyncReport report = ilze->sync();
    CHECK(report.refused == 1);
    CHECK(report.again == 2);
    CHECK(report.accepted == 2);
    const std::string now = ilze->field(id, "observations");
    CHECK(now.find("rindkopa") == std::string::npos);
    CHECK(now.find("Labs") != std::string::npos);
    CHECK(now.find("jauka") != std::string::npos);
    REQUIRE(ilze->vault().letters().size() == 1);
    CHECK(ilze->vault().letters()[0].ops.find("rindkopa") != std::string::npos);
    maris->sync();
    require_equal({ilze.get(), maris.get()}, id);
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("pitfall 27: an ending added to a word is made again as an ending, and what others wrote into the word stays") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A","observations":"Krāsns kūp."})");
    ilze->sync();
    maris->sync();
    ilze->vault().edit(id, "observations", std::vector<Splice>{{7, 0, "ne"}, {10, 0, "r"}});
    ilze->sync();
    maris->put(id, R"({"place":"Kalna iela 3"})");
    maris->vault().edit(id, "observations", std::vector<Splice>{{10, 0, "oja"}});
    refuse_long_places(town, *maris, *ilze);
    CHECK(maris->field(id, "place") == R"("A")");
    CHECK(maris->field(id, "observations") == R"("Krāsns nekrūpoja.")");
    require_equal({ilze.get(), maris.get()}, id);
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("pitfall 27: what was written between refused words splits no word that somebody else wrote there") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A","observations":"Silts."})");
    ilze->sync();
    maris->sync();
    ilze->vault().edit(id, "observations", "Silts. Durvis.");
    ilze->sync();
    maris->put(id, R"({"place":"Kalna iela 3","observations":"Silts. Dārzs. Dakts."})");
    maris->vault().edit(id, "observations", "Silts. Dārzs. Logs. Dakts.");
    refuse_long_places(town, *maris, *ilze);
    const std::string text = maris->field(id, "observations");
    INFO(text);
    CHECK(text.find("Durvis") != std::string::npos);
    CHECK(text.find("Logs") != std::string::npos);
    CHECK(text.find("Silts") < text.find("Logs"));
    CHECK(text.find("Logs") < text.find("Durvis"));
    CHECK(text.find("Dakts") == std::string::npos);
    require_equal({ilze.get(), maris.get()}, id);
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("pitfall 27: a sentence taken out is taken out again, and what others wrote into it stays") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A","observations":"Silts. Krāsns kūp. Gaišs."})");
    ilze->sync();
    maris->sync();
    ilze->vault().edit(id, "observations", "Silts. Krāsns stipri kūp. Gaišs.");
    ilze->sync();
    maris->put(id, R"({"place":"Kalna iela 3"})");
    maris->vault().edit(id, "observations", "Silts. Tīrs. Gaišs.");
    refuse_long_places(town, *maris, *ilze);
    const std::string text = maris->field(id, "observations");
    INFO(text);
    CHECK(text.find("stipri") != std::string::npos);
    CHECK(text.find("Tīrs") != std::string::npos);
    CHECK(text.find("Krāsns") == std::string::npos);
    CHECK(text.find("kūp") == std::string::npos);
    CHECK(maris->vault().get(id).review.size() == 1);
    require_equal({ilze.get(), maris.get()}, id);
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("pitfall 33: what is made again keeps what its author had seen, so a conflict stays a conflict") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A","heating":"working"})");
    ilze->sync();
    maris->sync();
    town.provision(Town::usual_assignments(), {short_places()});
    town.pass(1000);
    maris->put(id, R"({"heating":"broken"})");
    maris->sync();
    town.pass(1000);
    ilze->put(id, R"({"place":"Kalna iela 3"})");
    ilze->put(id, R"({"heating":"stove"})");
    const sync::SyncReport report = ilze->sync();
    CHECK(report.refused == 1);
    CHECK(report.again == 1);
    maris->sync();
    require_equal({ilze.get(), maris.get()}, id);
    const Record record = maris->vault().get(id);
    REQUIRE(record.review.size() == 1);
    CHECK(record.review[0].field == "heating");
    CHECK(record.review[0].values.size() == 2);
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("pitfall 35: a form open across a refusal can still be saved") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A","observations":"Teksts."})");
    ilze->sync();
    town.provision(Town::usual_assignments(), {short_places()});
    ilze->put(id, R"({"place":"Kalna iela 3"})");
    const std::string form = ilze->version(id);
    CHECK(ilze->sync().refused == 1);
    ilze->put(id, R"({"heating":"broken"})", form);
    ilze->vault().edit(id, "observations", "Teksts un vēl.", form);
    const sync::SyncReport report = ilze->sync();
    CHECK(report.accepted == 2);
    CHECK(report.again == 0);
    maris->sync();
    CHECK(maris->field(id, "heating") == R"("broken")");
    CHECK(maris->field(id, "observations") == R"("Teksts un vēl.")");
    require_equal({ilze.get(), maris.get()}, id);
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("a change saved while the answer that refuses its line was on the way is not lost") {
    Town town;
    const auto ilze = town.enrol("ilze"), zane = town.enrol("zane");
    const RecordId id = ilze->create("community_activity", "amata", R"({"place":"Zaube","journal":"Viens."})");
    ilze->vault().count(id, "door_tally", 10);
    ilze->sync();
    town.provision(Town::usual_assignments(), {stricter("community_activity", "\"maxLength\": 300", "\"maxLength\": 5")});
    ilze->put(id, R"({"place":"Kultūras nams"})");
    const auto other = ilze->second_process();
    int answers = 0;
    ilze->line.on_the_way = [&] {
        if (answers++ > 0) return;
        (void)other->count(id, "door_tally", 7);
        (void)other->edit(id, "journal", "Viens divi.");
        (void)other->put("community_activity", id, {}, R"({"minutes":30})");
    };
    ilze->sync();
    ilze->line.on_the_way = nullptr;
    CHECK(ilze->vault().verify().damage.empty());
    ilze->sync();
    zane->sync();
    require_equal({ilze.get(), zane.get()}, id);
    CHECK(ilze->field(id, "door_tally") == "17");
    CHECK(ilze->field(id, "journal") == R"("Viens divi.")");
    CHECK(ilze->field(id, "minutes") == "30");
    CHECK(ilze->vault().status().unsent == 0);
    CHECK(ilze->sync().round_trips == 1);
    town.require_sound({ilze.get(), zane.get()});
}

TEST_CASE("an answer about one record leaves what is confirmed of another that was edited meanwhile") {
    Town town;
    const auto ilze = town.enrol("ilze");
    const RecordId told = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    const RecordId edited = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    ilze->sync();
    ilze->put(told, R"({"place":"B"})");
    const auto other = ilze->second_process();
    int answers = 0;
    ilze->line.on_the_way = [&] {
        if (answers++ == 0) (void)other->put("home_visit", edited, {}, R"({"place":"B"})");
        CHECK(other->verify().damage.empty());
    };
    ilze->sync();
    CHECK(answers == 2);
    CHECK(ilze->vault().status().unsent == 0);
    town.require_sound({ilze.get()});
}

TEST_CASE("changes saved while an answer was on the way are sent next, on whatever came") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A","observations":"Viens."})");
    ilze->sync();
    maris->sync();
    maris->vault().edit(id, "observations", "Nulle. Viens.");
    maris->sync();
    ilze->put(id, R"({"travel_minutes":1})");
    const auto other = ilze->second_process();
    int answers = 0;
    ilze->line.on_the_way = [&] {
        if (answers++ == 0) (void)other->edit(id, "observations", "Viens. Divi.");
    };
    ilze->sync();
    maris->sync();
    CHECK(ilze->vault().status().unsent == 0);
    CHECK(ilze->field(id, "observations") == R"("Nulle. Viens. Divi.")");
    require_equal({ilze.get(), maris.get()}, id);
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("a record that was deleted and written to at the same time is judged as its author saw it, and lives") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris"), tablet = town.enrol("ilze");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A","observations":"Krāsns kūp.\n"})");
    ilze->sync();
    maris->sync();
    ilze->vault().erase(id);
    // A line of its own alters none: only the text shows that somebody wrote.
    maris->vault().edit(id, "observations", std::vector<Splice>{{12, 0, "Meita klepo.\n"}});
    ilze->sync();
    maris->sync();
    tablet->sync();
    // The tablet has seen both; what comes in the meantime makes the server look back at what the tablet saw.
    maris->put(id, R"({"heating":"broken"})");
    maris->sync();
    tablet->put(id, R"({"place":"B"})");
    const sync::SyncReport report = tablet->sync();
    CHECK(report.accepted == 1);
    CHECK(report.refused == 0);
    CHECK(tablet->field(id, "place") == R"("B")");
    CHECK(tablet->field(id, "observations") == R"("Krāsns kūp.\nMeita klepo.\n")");
    town.require_sound({ilze.get(), maris.get(), tablet.get()});
}

TEST_CASE("a seal is judged on what its author saw, texts and all, whatever came in the meantime") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A","outcome":"done","observations":"Krāsns kūp."})");
    ilze->sync();
    maris->sync();
    maris->put(id, R"({"heating":"broken"})");
    maris->sync();
    ilze->vault().seal(id);
    const sync::SyncReport report = ilze->sync();
    CHECK(report.accepted == 1);
    CHECK(report.refused == 0);
    maris->sync();
    CHECK(maris->vault().get(id).sealed);
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("a record whose creation was refused goes, its letters stay, and the next record is saved, found and sent") {
    Town town;
    const auto ilze = town.enrol("ilze");
    town.provision(Town::usual_assignments(), {short_places()});
    const RecordId lost = ilze->create("home_visit", "H-17", R"({"place":"Kalna iela 3","observations":"Neaizmirst."})");
    ilze->put(lost, R"({"travel_minutes":5})");
    std::vector<RecordId> told;
    ilze->vault().observe([&](const std::vector<RecordId>& ids, Origin) { told.insert(told.end(), ids.begin(), ids.end()); });
    ilze->sync();
    CHECK_FALSE(ilze->holds(lost));
    CHECK(ilze->vault().letters().size() == 2);
    CHECK(std::find(told.begin(), told.end(), lost) != told.end());
    const RecordId next = ilze->create("home_visit", "H-17", R"({"place":"Zaube","observations":"Cits teksts."})");
    const std::string form = ilze->version(next);
    ilze->vault().edit(next, "observations", "Pavisam cits teksts.");
    ilze->vault().edit(next, "observations", std::vector<Splice>{{0, 4, "Viens"}}, form);
    int hits = 0;
    ilze->vault().search("Neaizmirst", {}, 10, [&](const Shown&) { return ++hits > 0; });
    CHECK(hits == 0);
    bool complete = false;
    CHECK(ilze->vault().history(next, complete).size() == 3);
    const sync::SyncReport report = ilze->sync();
    CHECK(report.accepted == 3);
    CHECK(ilze->sync().round_trips == 1);
    CHECK(town.server().status().records == 1);
    town.require_sound({ilze.get()});
}

TEST_CASE("rights lost while offline: everything written there is kept as letters, what others may read is unchanged") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    ilze->sync();
    maris->sync();
    const std::string before = maris->state(id);
    ilze->put(id, R"({"place":"B"})");
    ilze->create("home_visit", "H-17", R"({"place":"C"})");
    const RecordId own = ilze->create("task", "own", R"({"text":"Mans."})");
    town.provision(replaced(Town::usual_assignments(),
                            R"({"user":"ilze","role":"case_worker","scope":"H-17","from":"2026-01-01","until":null},)", ""));
    const sync::SyncReport report = ilze->sync();
    CHECK(report.accepted == 1);
    CHECK(report.refused == 2);
    CHECK(ilze->vault().letters().size() == 2);
    CHECK(ilze->holds(own));
    maris->sync();
    CHECK(maris->state(id) == before);
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("a change that has seen what the server lacks waits, and is decided when that has come") {
    Town town;
    const auto maris = town.enrol("maris");
    Forger ilze(town, "ilze");
    const RecordId id = maris->create("home_visit", "H-17", R"({"place":"A"})");
    const Saved unsent = maris->put(id, R"({"place":"B"})");
    Change early = ilze.change("home_visit", "visits:H-17", id, {{scalar_path("place"), text_value("C"), {}}});
    early.seen = Context();
    early.seen.add(unsent.dot);
    const RecordId other = ilze.fresh_record();
    sync::SyncRequest request = ilze.request_of({early, ilze.birth("home_visit", "visits:H-17", other)});
    auto reply = ilze.send(request);
    REQUIRE(reply.verdicts.size() == 2);
    CHECK(reply.verdicts[0].code == VerdictCode::held);
    CHECK(reply.verdicts[1].code == VerdictCode::accepted);
    CHECK(town.server().status().held == 1);
    CHECK(maris->sync().accepted == 2);
    // Asked about again, together with something new in the same scope.
    request.nonce = ilze.nonce;
    reply = ilze.send(request);
    REQUIRE(reply.verdicts.size() == 2);
    CHECK(reply.verdicts[0].code == VerdictCode::accepted);
    CHECK(reply.verdicts[1].code == VerdictCode::accepted);
    CHECK(town.server().status().held == 0);
    Change later = ilze.change("home_visit", "visits:H-17", id, {{scalar_path("travel_minutes"), int_value(4), {}}});
    later.seen.add(unsent.dot);
    reply = ilze.push({later, ilze.birth("home_visit", "visits:H-17", ilze.fresh_record())});
    REQUIRE_FALSE(reply.verdicts.empty());
    for (const Verdict& v : reply.verdicts) CHECK(v.code == VerdictCode::accepted);
    maris->sync();
    CHECK(maris->field(id, "place") == R"("C")");
    CHECK(maris->field(id, "travel_minutes") == "4");
    CHECK(maris->vault().status().records == 3);
    const auto fresh = town.enrol("maris");
    require_equal({maris.get(), fresh.get()}, id);
    town.require_sound({maris.get(), fresh.get()});
}

TEST_CASE("a waiting change and its successors are decided in order, also when they are all that is sent") {
    Town town;
    const auto maris = town.enrol("maris");
    Forger ilze(town, "ilze");
    const RecordId id = maris->create("home_visit", "H-17", R"({"place":"A"})");
    Change first = ilze.change("home_visit", "visits:H-17", id, {{scalar_path("place"), text_value("B"), {}}});
    first.seen = Context();
    first.seen.add({maris->vault().enrolment().replica, 1});
    Change second = ilze.change("home_visit", "visits:H-17", id, {{scalar_path("place"), text_value("C"), {}}});
    second.seen = first.seen;
    second.seen.add(first.dot);
    sync::SyncRequest request = ilze.request_of({first, second});
    for (const Verdict& v : ilze.send(request).verdicts) CHECK(v.code == VerdictCode::held);
    for (int again = 0; again < 3; ++again) {
        request.nonce = ilze.nonce;
        for (const Verdict& v : ilze.send(request).verdicts) CHECK(v.code == VerdictCode::held);
    }
    CHECK(town.server().status().held == 2);
    maris->sync();
    request.nonce = ilze.nonce;
    const auto reply = ilze.send(request);
    std::uint64_t accepted = 0;
    for (const Verdict& v : reply.verdicts) accepted += v.code == VerdictCode::accepted ? v.count : 0;
    CHECK(accepted == 2);
    maris->sync();
    CHECK(maris->field(id, "place") == R"("C")");
    town.require_sound({maris.get()});
}

TEST_CASE("pitfall 18: a device that lags behind keeps types and fields that it does not know, and writes around them") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    ilze->sync();
    maris->sync();
    const std::string pets = R"("travel_minutes": {)";
    town.provision(Town::usual_assignments(),
                   {stricter("home_visit", pets,
                             R"("pets": {"type": "integer", "merge": "latest", "labels": {"lv": "Dzīvnieki", "en": "Pets"}}, )" + pets),
                    replaced(replaced(read_type("task"), "urn:kopdarbs:type:task", "urn:kopdarbs:type:errand"), "\"Task\"", "\"Errand\"")});
    ilze->sync();
    ilze->put(id, R"({"pets":3})");
    const RecordId errand = ilze->create("errand", "H-17", R"({"text":"Jauns veids."})");
    CHECK(ilze->sync().accepted == 2);
    // Māris' device does not get the new types yet.
    maris->line.rewrite = [](sync::HttpResponse& response) {
        sync::SyncResponse message = read_response(response);
        message.incoming.types.reset();
        message.incoming.schema = Hash256();
        write_response(response, message);
    };
    maris->sync();
    CHECK(maris->field(id, "pets") == "3");
    CHECK(maris->field(errand, "text") == R"("Jauns veids.")");
    CHECK(code_of([&] { maris->put(id, R"({"pets":4})"); }) == ErrorCode::invalid);
    maris->put(id, R"({"place":"B"})");
    CHECK(maris->sync().accepted == 1);
    ilze->sync();
    CHECK(ilze->field(id, "pets") == "3");
    CHECK(ilze->field(id, "place") == R"("B")");
    maris->line.rewrite = nullptr;
    maris->sync();
    maris->put(id, R"({"pets":4})");
    CHECK(maris->sync().accepted == 1);
    ilze->sync();
    require_equal({ilze.get(), maris.get()}, id);
    require_equal({ilze.get(), maris.get()}, errand);
    town.require_sound({ilze.get(), maris.get()});
}
