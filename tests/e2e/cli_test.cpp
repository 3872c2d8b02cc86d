// The shipped programs, as people and scripts use them: stories of DOMAIN.md, and what happens when something is wrong.
#include <cstdlib>
#include <filesystem>

#include "platform/posix/system.h"
#include "tests/support/catch.h"
#include "tests/support/municipality.h"

using namespace kopdarbs::test;
namespace fs = std::filesystem;

namespace {

const std::string kVisit = R"({"place": "Kalna iela 3", "observations": "Pirmā rindkopa."})";

std::string id_of(const Json& saved) {
    return saved.at("id").get<std::string>();
}

std::string visit_of(const Device& device) {
    return id_of(device.must({"put", "home_visit", "--scope", "H-17", kVisit}));
}

/// Each file of a vault, as it lies on the disk.
std::string raw_bytes(const Device& device) {
    std::string bytes;
    for (const auto& entry : fs::directory_iterator(device.dir())) bytes += read_whole(entry.path().string());
    return bytes;
}

std::string faketime_library() {
    for (const auto& entry : fs::directory_iterator("/usr/lib")) {
        const fs::path library = entry.path() / "faketime" / "libfaketime.so.1";
        std::error_code none;
        if (fs::exists(library, none)) return library.string();
    }
    return {};
}

/// A device whose clock is wrong as `faketime` says: "@2099-01-01 00:00:00" or "+72y".
Device enrol_with_wrong_clock(const Municipality& home, const std::string& user, const std::string& faketime) {
    const char* asan = std::getenv("ASAN_OPTIONS");
    return home.enrol(user, {{"LD_PRELOAD", faketime_library()},
                             {"FAKETIME", faketime},
                             {"FAKETIME_DONT_FAKE_MONOTONIC", "1"},
                             {"ASAN_OPTIONS", std::string(asan == nullptr ? "" : asan) + ":verify_asan_link_order=0"}});
}

void require_equal_everywhere(const std::vector<const Device*>& devices, const std::string& id) {
    const Json first = devices.front()->get(id);
    for (const Device* device : devices) {
        INFO(device->dir());
        REQUIRE(device->get(id) == first);
    }
}

}  // namespace

TEST_CASE("two offline edits of one household: everything is kept, the risk is high until a person decides") {
    const bool ilze_first = GENERATE(true, false);
    Municipality home(KOPDARBS_BIN);
    const Device ilze = home.enrol("ilze");
    const Device maris = home.enrol("maris");
    const Device anna = home.enrol("anna");

    const std::string household = id_of(ilze.must({"put", "household", "--scope", "H-17", R"({"members": ["Līga", "Jānis"]})"}));
    const std::string person = id_of(ilze.must({"put", "person", "--scope", "H-17", R"({"given_name": "Līga", "surname": "Bērziņa"})"}));
    const std::string flag = id_of(ilze.must({"put", "child_risk_flag", "--scope", "H-17", R"({"children": ["Jānis"]})"}));
    const std::string visit = visit_of(ilze);
    ilze.sync();
    maris.sync();

    ilze.must({"put", "home_visit", "--id", visit, R"({"risk_level": "high", "heating": "broken"})"});
    ilze.must({"edit", visit, "observations", "--text", "Pirmā rindkopa.\nApkure nedarbojas."});
    ilze.must({"add", flag, "triggers", "lack_of_care"});
    maris.must({"put", "home_visit", "--id", visit, R"({"risk_level": "low"})"});
    maris.must({"edit", visit, "observations", "--text", "Pirmā rindkopa.\nVecmāmiņa palīdz."});
    maris.must({"add", household, "members", "vecmāmiņa"});
    maris.must({"add", person, "phones", "+37126123456"});

    const Device& first = ilze_first ? ilze : maris;
    const Device& second = ilze_first ? maris : ilze;
    for (const Device* device : {&first, &second, &first, &anna}) device->sync();
    for (const std::string& id : {household, person, flag, visit}) require_equal_everywhere({&ilze, &maris, &anna}, id);

    const Json shown = anna.get(visit);
    const std::string observations = shown.at("fields").at("observations");
    REQUIRE(observations.find("Apkure nedarbojas.") != observations.npos);
    REQUIRE(observations.find("Vecmāmiņa palīdz.") != observations.npos);
    REQUIRE(shown.at("fields").at("risk_level") == "high");
    REQUIRE(shown.at("fields").at("heating") == "broken");
    REQUIRE(anna.get(household).at("fields").at("members").size() == 3);
    REQUIRE(anna.get(person).at("fields").at("phones") == Json({"+37126123456"}));
    REQUIRE(anna.get(flag).at("fields").at("triggers") == Json({"lack_of_care"}));

    const std::vector<Json> review = anna.must_list({"review"});
    REQUIRE(review.size() == 1);
    const Json& item = review.front();
    REQUIRE(item.at("record") == visit);
    REQUIRE(item.at("field") == "risk_level");
    REQUIRE(item.at("values").size() == 2);
    for (const Json& value : item.at("values")) REQUIRE(value.at("author") == (value.at("value") == "high" ? "ilze" : "maris"));

    const Run refused = maris.run({"resolve", item.at("item"), "--pick", "0"});
    REQUIRE(refused.exit == 1);
    REQUIRE(refused.one_error_line("kopdarbs: refused: "));

    anna.must({"resolve", item.at("item"), "--value", "\"medium\""});
    for (const Device* device : {&anna, &ilze, &maris}) device->sync();
    require_equal_everywhere({&ilze, &maris, &anna}, visit);
    REQUIRE(ilze.get(visit).at("fields").at("risk_level") == "medium");
    REQUIRE(ilze.must_list({"review"}).empty());

    const std::vector<Json> history = ilze.must_list({"history", visit});
    REQUIRE(history.back() == Json({{"complete", true}}));
    const Json& decision = history.at(history.size() - 2);
    REQUIRE(decision.at("author") == "anna");
    REQUIRE(decision.at("ops").at(0).at("value") == "medium");
    for (const Device* device : {&ilze, &maris, &anna}) REQUIRE(device->must({"verify"}).at("damage").empty());
    REQUIRE(home.admin({"verify", home.server_dir(), "--json"}).json().at("damage").empty());
}

TEST_CASE("what is refused says why in one line and changes nothing") {
    Municipality home(KOPDARBS_BIN);
    const Device ilze = home.enrol("ilze");
    const std::string visit = visit_of(ilze);
    const Json before = ilze.get(visit);
    const Json status = ilze.must({"status"});

    struct Bad {
        std::vector<std::string> arguments;
        std::string input;
        int exit;
        std::string error;
    };
    const std::string id = visit;
    const std::vector<Bad> all = {
        {{"put", "home_visit", "--scope", "H-17", "{\"place\": "}, "", 2, "kopdarbs: usage: JSON: "},
        {{"put", "home_visit", "--scope", "H-17", "[1]"}, "", 2, "kopdarbs: usage: JSON: not a JSON object"},
        {{"put", "no_such_type", "--scope", "H-17", "{}"}, "", 1, "kopdarbs: refused: no such type: 'no_such_type'"},
        {{"put", "home_visit", "--scope", "H-17", R"({"no_such_field": 1})"}, "", 1, "kopdarbs: refused: "},
        {{"put", "home_visit", "--id", id, R"({"risk_level": "extreme"})"}, "", 1, "kopdarbs: refused: risk_level: Risk level: "},
        {{"put", "home_visit", "--id", id, R"({"risk_level": "extreme"})", "--lang", "lv"},
         "",
         1,
         "kopdarbs: refused: risk_level: Riska līmenis: "},
        {{"put", "home_visit", "--id", id, R"({"travel_minutes": "ten"})"}, "", 1, "kopdarbs: refused: travel_minutes: "},
        {{"put", "home_visit", "--id", id, "-"}, R"({"observations": ")" + std::string(100'000'000, 'a') + "\"}", 1, "kopdarbs: refused: "},
        {{"edit", id, "observations", "--text", "-"}, std::string(7'000'000, 'a'), 1, "kopdarbs: refused: "},
        {{"edit", id, "observations", "--text", "-"}, "broken \xff\xfe", 2, "kopdarbs: usage: standard input is not UTF-8"},
        {{"edit", id, "observations", "--text", "broken \xc3"}, "", 2, "kopdarbs: usage: argument 7 is not UTF-8"},
        {{"edit", id, "observations", "--splice", "900,0,x"}, "", 1, "kopdarbs: refused: "},
        {{"edit", id, "observations", "--splice", "nowhere"}, "", 2, "kopdarbs: usage: --splice: "},
        {{"put", "home_visit", "--scope", "H-99", "{}"}, "", 1, "kopdarbs: refused: scope 'H-99': "},
        {{"put", "home_visit", "--id", id, "--base", "nonsense!", "{}"}, "", 2, "kopdarbs: usage: --base: "},
        {{"get", "0190a000-0000-7000-8000-000000000000"}, "", 1, "kopdarbs: not found: "},
        {{"get", "seventeen"}, "", 2, "kopdarbs: usage: 'seventeen' is no record id"},
        {{"count", id, "observations", "99999999999999999999"}, "", 2, "kopdarbs: usage: "},
        {{"resolve", "abcdefghijkmnpqrstvwxyz012", "--pick", "0"}, "", 1, "kopdarbs: stale: "},
        {{"frobnicate", id}, "", 2, "kopdarbs: usage: no command is called 'frobnicate'"},
    };
    for (const Bad& bad : all) {
        Setting setting;
        setting.input = bad.input;
        const Run result = ilze.run(bad.arguments, setting);
        INFO(bad.error << " was expected of " << bad.arguments.front() << "; stderr: " << result.err.substr(0, 400));
        CHECK(result.exit == bad.exit);
        CHECK(result.one_error_line(bad.error));
        CHECK(result.out.empty());
    }
    REQUIRE(ilze.get(visit) == before);
    REQUIRE(ilze.must({"status"}) == status);
    REQUIRE(ilze.must({"verify"}).at("damage").empty());
}

TEST_CASE("a vault opens with its own secret only") {
    Municipality home(KOPDARBS_BIN);
    const Device ilze = home.enrol("ilze");
    Setting other;
    other.environment["KOPDARBS_SECRET"] = "not the secret of this vault";
    const Run wrong = home.run("kopdarbs", {"status", ilze.dir()}, other);
    REQUIRE(wrong.exit == 1);
    REQUIRE(wrong.one_error_line("kopdarbs: wrong secret: "));
    const Run none = home.run("kopdarbs", {"status", ilze.dir()});
    REQUIRE(none.exit == 2);
    REQUIRE(none.one_error_line("kopdarbs: usage: no secret: "));
    const Run nowhere = home.run("kopdarbs", {"status", home.path("nowhere")}, other);
    REQUIRE(nowhere.exit == 1);
    REQUIRE(nowhere.one_error_line("kopdarbs: not found: no vault at "));

    Setting changing;
    changing.environment["KOPDARBS_NEW_SECRET"] = "pienene bruklene egle 9052";
    ilze.must({"secret"}, changing);
    REQUIRE(ilze.run({"status"}).exit == 1);
    other.environment["KOPDARBS_SECRET"] = changing.environment["KOPDARBS_NEW_SECRET"];
    REQUIRE(home.run("kopdarbs", {"status", ilze.dir()}, other).exit == 0);

    const std::string device = home.admin({"devices", home.server_dir(), "--json"}).lines().at(0).at("device");
    Setting shares;
    shares.environment = {{"KOPDARBS_SHARE_1", home.recovery_shares().at(0)}, {"KOPDARBS_SHARE_2", home.recovery_shares().at(1)}};
    const Run recovered = home.run("kopdarbsd", {"recover", home.server_dir(), "--device", device, "--json"}, shares);
    REQUIRE(recovered.exit == 0);
    other.environment["KOPDARBS_SECRET"] = recovered.json().at("secret");
    REQUIRE(home.run("kopdarbs", {"status", ilze.dir()}, other).exit == 0);
}

TEST_CASE("an enrolment code works once, and a slip before it costs nothing") {
    Municipality home(KOPDARBS_BIN);
    const std::string code = home.enrol_code("ilze");
    const auto enrol = [&](const std::string& vault, const std::string& ca, const std::string& with, const std::string& secret) {
        Setting setting;
        setting.environment["KOPDARBS_SECRET"] = secret;
        return home.run("kopdarbs", {"enrol", home.path(vault), "--server", home.url(), "--ca", ca, "--code", with}, setting);
    };
    const std::string good = "zirgs akmens upe lazda 7431";
    home.admin({"init", home.path("stranger")});

    const Run weak = enrol("a", home.ca(), code, "12345678");
    REQUIRE(weak.exit == 1);
    REQUIRE(weak.one_error_line("kopdarbs: refused: secret: "));
    const Run stranger = enrol("a", home.path("stranger") + "/ca.pem", code, good);
    REQUIRE(stranger.exit == 3);
    REQUIRE(stranger.one_error_line("kopdarbs: network: "));
    const Run unknown = enrol("a", home.ca(), "0000-0000-0000-0000", good);
    REQUIRE(unknown.exit == 1);
    REQUIRE(unknown.one_error_line("kopdarbs: refused: "));
    REQUIRE_FALSE(fs::exists(home.path("a")));
    const Run missing = enrol("a", home.path("no.pem"), code, good);
    REQUIRE(missing.exit == 3);
    REQUIRE(missing.one_error_line("kopdarbs: input or output: "));

    REQUIRE(enrol("a", home.ca(), code, good).exit == 0);
    const Run again = enrol("b", home.ca(), code, good);
    REQUIRE(again.exit == 1);
    REQUIRE(again.one_error_line("kopdarbs: refused: "));
    const Run there = enrol("a", home.ca(), home.enrol_code("ilze"), good);
    REQUIRE(there.exit == 3);
    REQUIRE(there.one_error_line("kopdarbs: input or output: there is a vault at "));
}

TEST_CASE("a sync with nothing to do is one small round trip") {
    Municipality home(KOPDARBS_BIN);
    const Device ilze = home.enrol("ilze");
    visit_of(ilze);
    ilze.sync();
    ilze.sync();
    const Json report = ilze.sync();
    REQUIRE(report.at("round_trips") == 1);
    REQUIRE(report.at("bytes_sent").get<int>() + report.at("bytes_received").get<int>() < 1200);
    REQUIRE(report.at("pushed") == 0);
    REQUIRE(report.at("pulled") == 0);
}

TEST_CASE("a second sync of a vault says that another is at it") {
    Municipality home(KOPDARBS_BIN);
    const Device ilze = home.enrol("ilze");
    const std::string visit = visit_of(ilze);
    kopdarbs::posix::FileLock lock(ilze.dir() + "/sync.lock");
    lock.lock();
    const Run result = ilze.run({"sync"});
    REQUIRE(result.exit == 3);
    REQUIRE(result.one_error_line("kopdarbs: busy: another process is syncing this vault"));
    ilze.must({"put", "home_visit", "--id", visit, R"({"outcome": "done"})"});
    lock.unlock();
    REQUIRE(ilze.sync().at("accepted") == 2);
}

TEST_CASE("clocks that say 2099 and 1999 neither stop a sync nor win for ever") {
    REQUIRE_FALSE(faketime_library().empty());
    Municipality home(KOPDARBS_BIN);
    const Device ilze = enrol_with_wrong_clock(home, "ilze", "@2099-01-01 00:00:00");
    const Device maris = enrol_with_wrong_clock(home, "maris", "@1999-01-01 00:00:00");
    const Device anna = home.enrol("anna");
    const std::string visit = visit_of(ilze);
    REQUIRE(ilze.sync().at("accepted") == 1);
    maris.sync();
    maris.must({"put", "home_visit", "--id", visit, R"({"place": "Liepu iela 7"})"});
    REQUIRE(maris.sync().at("accepted") == 1);
    ilze.sync();
    anna.sync();
    require_equal_everywhere({&ilze, &maris, &anna}, visit);
    REQUIRE(ilze.get(visit).at("fields").at("place") == "Liepu iela 7");
    for (const Json& line : anna.must_list({"history", visit})) {
        if (line.contains("complete")) continue;
        const std::string year = line.at("stamp").get<std::string>().substr(0, 4);
        REQUIRE(year != "2099");
        REQUIRE(year != "1999");
    }
}

TEST_CASE("of two concurrent values the later one is shown, whatever the authors' clocks say") {
    REQUIRE_FALSE(faketime_library().empty());
    Municipality home(KOPDARBS_BIN);
    const Device ahead = enrol_with_wrong_clock(home, "ilze", "+72y");
    const Device behind = enrol_with_wrong_clock(home, "maris", "-27y");
    const std::string visit = visit_of(ahead);
    ahead.sync();
    behind.sync();
    ahead.must({"put", "home_visit", "--id", visit, R"({"place": "agrāk"})"});
    behind.must({"put", "home_visit", "--id", visit, R"({"place": "vēlāk"})"});
    behind.sync();
    ahead.sync();
    behind.sync();
    require_equal_everywhere({&ahead, &behind}, visit);
    REQUIRE(ahead.get(visit).at("fields").at("place") == "vēlāk");
}

TEST_CASE("a stolen vault shows no client's name") {
    Municipality home(KOPDARBS_BIN);
    const Device ilze = home.enrol("ilze");
    const std::string person = id_of(ilze.must(
        {"put", "person", "--scope", "H-17", R"({"given_name": "Zelmina", "surname": "Abolkalne", "personal_code": "070385-01233"})"}));
    REQUIRE(ilze.must_list({"search", "zelmina"}).size() == 1);
    ilze.sync();
    const std::string bytes = raw_bytes(ilze);
    REQUIRE(bytes.size() > 4096);
    for (const char* word : {"Zelmina", "zelmina", "Abolkalne", "abolkalne", "070385", "given_name", "H-17", "SQLite format"}) {
        INFO(word);
        REQUIRE(bytes.find(word) == bytes.npos);
    }
    REQUIRE(ilze.get(person).at("fields").at("given_name") == "Zelmina");
}

TEST_CASE("one flipped bit in a vault is named by verify") {
    Municipality home(KOPDARBS_BIN);
    const Device ilze = home.enrol("ilze");
    for (int i = 0; i < 10; ++i) visit_of(ilze);
    ilze.sync();
    REQUIRE(ilze.must({"verify"}).at("damage").empty());
    const std::string file = ilze.dir() + "/vault.db";
    const std::string whole = read_whole(file);
    for (const std::size_t place : {whole.size() / 7, whole.size() / 3, whole.size() / 2, whole.size() - whole.size() / 5}) {
        std::string damaged = whole;
        damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
        write_whole(file, damaged);
        const Run result = ilze.run({"verify"});
        INFO("byte " << place << " of " << whole.size() << ": " << result.err);
        REQUIRE(result.exit == 1);
        REQUIRE(result.err.rfind("kopdarbs: corrupt: ", 0) == 0);
    }
    write_whole(file, whole);
    REQUIRE(ilze.must({"verify"}).at("damage").empty());
}

TEST_CASE("an import keeps whole batches and names the bad line") {
    Municipality home(KOPDARBS_BIN);
    const Device ilze = home.enrol("ilze");
    std::string lines;
    for (int i = 1; i <= 1203; ++i) {
        const std::string surname = i == 1100 ? "17" : "\"Persona " + std::to_string(i) + "\"";
        lines += R"({"uzvards": )" + surname + R"(, "piezimes": "nevajag"})" + "\n";
        if (i == 1150) lines += "\nnot JSON\n";
    }
    write_whole(home.path("people.jsonl"), lines);
    write_whole(home.path("map.json"), R"({"uzvards": "surname", "piezimes": null})");
    const std::vector<std::string> command = {"import", home.path("people.jsonl"), "--type", "person", "--scope", "H-17",
                                              "--map",  home.path("map.json")};
    const Run stopped = ilze.run(command);
    REQUIRE(stopped.exit == 1);
    REQUIRE(stopped.one_error_line("kopdarbs: refused: line 1100: surname: "));
    REQUIRE(stopped.json().at("imported") == 1000);
    REQUIRE(ilze.must({"status"}).at("records") == 1000);

    const std::size_t bad = lines.find(": 17,");
    lines.replace(bad, 5, ": \"x\",");
    write_whole(home.path("people.jsonl"), lines);
    const Run unreadable = ilze.run(command);
    REQUIRE(unreadable.exit == 1);
    INFO(unreadable.err);
    REQUIRE(unreadable.one_error_line("kopdarbs: refused: line 1152: not JSON"));
    REQUIRE(unreadable.json().at("imported") == 1000);
    REQUIRE(ilze.must({"status"}).at("records") == 2000);

    lines.erase(lines.find("not JSON"), 8);
    write_whole(home.path("people.jsonl"), lines);
    REQUIRE(run(home.scratch(), "/usr/bin/gzip", {home.path("people.jsonl")}).exit == 0);
    std::vector<std::string> zipped = command;
    zipped[1] += ".gz";
    REQUIRE(ilze.must(zipped).at("imported") == 1203);
    REQUIRE(ilze.must({"status"}).at("records") == 3203);
    REQUIRE(ilze.must_list({"list", "person", "--where", "surname=Persona 1203"}).size() == 1);
    REQUIRE(ilze.must_list({"list", "person", "--limit", "7"}).size() == 7);

    // What is dropped may be of any size; what is kept may not.
    const std::string large(7 << 20, 'a');
    const std::string dropped = R"({"uzvards":"Ozola","piezimes":")" + large + "\"}\n", kept = R"({"uzvards":")" + large + "\"}\n";
    std::vector<std::string> too_large = command;
    too_large[1] = home.path("large.jsonl");
    write_whole(too_large[1], dropped + kept);
    const Run refused = ilze.run(too_large);
    INFO(refused.err);
    REQUIRE(refused.one_error_line("kopdarbs: refused: line 2: fields: larger than 6 MiB"));
    write_whole(too_large[1], dropped);
    REQUIRE(ilze.must(too_large).at("imported") == 1);
}

TEST_CASE("rows, splices, deletion, sealing and amending from the command line") {
    Municipality home(KOPDARBS_BIN);
    const Device maris = home.enrol("maris");
    const std::string means = id_of(maris.must({"put", "material_assessment", "--scope", "H-17", "{}"}));
    const std::string row = maris.must({"row", means, "income", R"({"amount": 45000, "source": "pensija"})"}).at("row");
    maris.must({"row", means, "income", "--row", row, R"({"amount": 46000})"});
    REQUIRE(maris.get(means).at("fields").at("income").at(row) == Json({{"amount", 46000}, {"source", "pensija"}}));
    maris.must({"row", means, "income", "--remove", row});
    REQUIRE_FALSE(maris.get(means).at("fields").contains("income"));

    const std::string visit = visit_of(maris);
    maris.must({"edit", visit, "observations", "--splice", "5,0, jaunā"});
    REQUIRE(maris.get(visit).at("fields").at("observations") == "Pirmā jaunā rindkopa.");
    maris.must({"edit", visit, "observations", "--text",
                "a\xcc\x84"
                "da"});  // a macron typed apart is the letter ā
    REQUIRE(maris.get(visit).at("fields").at("observations") == "āda");
    REQUIRE(maris.must({"put", "home_visit", "--id", visit, R"({"observations": "a\u0304da"})"}).at("dot").is_null());
    maris.must({"add", visit, "present", "Līga"});
    maris.must({"remove", visit, "present", "Līga"});

    maris.must({"delete", visit});
    REQUIRE(maris.get(visit).at("deleted") == true);
    maris.must({"undelete", visit});
    REQUIRE(maris.get(visit).at("deleted") == false);
    maris.must({"seal", visit});
    REQUIRE(maris.run({"put", "home_visit", "--id", visit, R"({"place": "citur"})"}).exit == 1);
    maris.must({"amend", visit, R"({"place": "citur"})"});
    const Json sealed = maris.get(visit);
    REQUIRE(sealed.at("sealed") == true);
    REQUIRE(sealed.at("fields").at("place") == "citur");
    REQUIRE(maris.sync().at("refused") == 0);
}

TEST_CASE("what the server refuses is kept as a letter and can be exported") {
    Municipality home(KOPDARBS_BIN);
    const Device ilze = home.enrol("ilze");
    const std::string visit = visit_of(ilze);
    std::string provision = read_whole(home.path("provision.json"));
    const std::string of_ilze = R"({"user": "ilze", "role": "case_worker", "scope": "H-17", "from": "2026-01-01", "until": null},)";
    provision.erase(provision.find(of_ilze), of_ilze.size());
    write_whole(home.path("provision.json"), provision);
    REQUIRE(home.admin({"provision", home.server_dir(), home.path("provision.json"), "--json"}).json().at("ended") == 1);

    const Run sync = ilze.run({"sync"});
    INFO(sync.out << sync.err);
    const Json report = sync.json();
    REQUIRE(report.at("accepted") == 0);
    REQUIRE(sync.exit == (report.at("refused") == 0 ? 0 : 1));
    const std::size_t letters = ilze.must_list({"letters"}).size();
    REQUIRE(letters == report.at("refused"));
    REQUIRE(ilze.must({"letters", "--export", home.path("letters.jsonl")}).at("exported") == letters);
    const std::string exported = read_whole(home.path("letters.jsonl"));
    if (letters > 0) REQUIRE(exported.find(visit) != exported.npos);
}

TEST_CASE("a server that is away keeps nobody from working, and the doctor names what is wrong with one") {
    Municipality home(KOPDARBS_BIN);
    const Device ilze = home.enrol("ilze");
    home.stop_server();
    const std::string visit = visit_of(ilze);
    const Run sync = ilze.run({"sync"});
    REQUIRE(sync.exit == 3);
    REQUIRE(sync.one_error_line("kopdarbs: network: "));
    REQUIRE(ilze.must({"status"}).at("unsent") == 1);
    REQUIRE(ilze.must_list({"history", visit}).size() == 2);
    home.serve();
    REQUIRE(ilze.sync().at("accepted") == 1);

    const Run healthy = home.run("kopdarbsd", {"doctor", home.server_dir()});
    INFO(healthy.out);
    REQUIRE(healthy.exit == 0);
    fs::permissions(home.server_dir() + "/ca.key", fs::perms::others_read, fs::perm_options::add);
    const Run ill = home.run("kopdarbsd", {"doctor", home.server_dir()});
    REQUIRE(ill.exit == 1);
    REQUIRE(ill.out.find("problem  ca.key is its owner's only: ") != ill.out.npos);

    REQUIRE(home.run("kopdarbsd", {"init", home.server_dir()}).exit == 3);
    const Run second = home.run("kopdarbsd", {"serve", home.server_dir()});
    REQUIRE(second.exit == 3);
    REQUIRE(second.one_error_line("kopdarbsd: busy: "));
    const Run postgres = home.run("kopdarbsd", {"init", home.path("other"), "--storage", "postgres://localhost/kopdarbs"});
    REQUIRE(postgres.exit == 2);
    REQUIRE(postgres.one_error_line("kopdarbsd: usage: --storage: "));
}
