// The log as an outside witness reads it: tools/verify_chain.mjs, in another language, with nothing of ours.
#include <functional>
#include <sstream>

#include "tests/support/catch.h"
#include "tests/support/municipality.h"

using namespace kopdarbs::test;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + '\n';
    return text;
}

/// The place of the n-th line of a kind, from 0.
std::size_t nth(const std::vector<std::string>& lines, const std::string& kind, int n) {
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (lines[i].rfind("{\"" + kind + "\"", 0) == 0 && n-- == 0) return i;
    FAIL("there is no such line: " << kind);
    return 0;
}

/// Another octet at the beginning of a member's base64.
void damage(std::string& line, const std::string& member) {
    char& c = line.at(line.find("\"" + member + "\":\"") + member.size() + 4);
    c = c == 'A' ? 'B' : 'A';
}

}  // namespace

TEST_CASE("an outside witness finds an export whole, and each of thirteen kinds of damage to it") {
    Municipality home(KOPDARBS_BIN);
    const Device ilze = home.enrol("ilze");
    const Device maris = home.enrol("maris");
    const std::string visit =
        ilze.must({"put", "home_visit", "--scope", "H-17", R"({"place": "Kalna iela 3", "observations": "Pirmā rindkopa."})"}).at("id");
    ilze.must({"put", "child_risk_flag", "--scope", "H-17", R"({"children": ["Jānis"]})"});
    ilze.sync();
    maris.sync();
    for (const char* risk : {"high", "low", "high"}) {
        maris.must({"put", "home_visit", "--id", visit, std::string(R"({"risk_level": ")") + risk + R"("})"});
        ilze.must({"edit", visit, "observations", "--text", std::string("Vecmāmiņa palīdz.\n") + risk});
        ilze.sync();
        maris.sync();
    }
    std::string provision = read_whole(home.path("provision.json"));
    const std::string of_ilze = R"({"user": "ilze", "role": "case_worker", "scope": "H-17", "from": "2026-01-01", "until": null},)";
    provision.erase(provision.find(of_ilze), of_ilze.size());
    write_whole(home.path("provision.json"), provision);
    ilze.must({"put", "home_visit", "--id", visit, R"({"heating": "broken"})"});  // refused: her assignment has ended
    home.admin({"provision", home.server_dir(), home.path("provision.json")});
    CHECK(ilze.run({"sync"}).exit == 1);

    const std::string file = home.path("export.jsonl");
    home.admin({"verify", home.server_dir(), "--export", file});
    const std::string witness = std::string(KOPDARBS_ROOT) + "/tools/verify_chain.mjs";
    const std::string key = maris.must({"status"}).at("server_key");
    const auto judge = [&](const std::string& text) {
        write_whole(file, text);
        return run(home.scratch(), "/usr/bin/env", {"node", witness, file, "--key", key, "--json"});
    };
    const std::string whole = read_whole(file);
    const Run sound = judge(whole);
    INFO(sound.err);
    REQUIRE(sound.exit == 0);
    const Json found = Json::parse(sound.out);
    CHECK(found.at("changes").get<int>() >= 9);
    CHECK(found.at("entries").get<int>() >= 8);
    CHECK(found.at("decisions").get<int>() >= 4);
    CHECK(run(home.scratch(), "/usr/bin/env", {"node", witness, file, "--key", std::string(43, 'A') + "="}).exit == 1);

    using Lines = std::vector<std::string>;
    const std::vector<std::pair<const char*, std::function<void(Lines&)>>> damages{
        {"content", [](Lines& l) { damage(l[nth(l, "change", 1)], "content"); }},
        {"salt", [](Lines& l) { damage(l[nth(l, "change", 0)], "salt"); }},
        {"header", [](Lines& l) { damage(l[nth(l, "change", 2)], "header"); }},
        {"a change is gone", [](Lines& l) { l.erase(l.begin() + static_cast<std::ptrdiff_t>(nth(l, "change", 1))); }},
        {"checkpoint", [](Lines& l) { damage(l[nth(l, "feed", 0)], "checkpoint"); }},
        {"an entry is gone", [](Lines& l) { l.erase(l.begin() + static_cast<std::ptrdiff_t>(nth(l, "entry", 0))); }},
        {"entries change places", [](Lines& l) { std::swap(l[nth(l, "entry", 0)], l[nth(l, "entry", 1)]); }},
        {"decisions change places", [](Lines& l) { std::swap(l[nth(l, "decision", 0)], l[nth(l, "decision", 1)]); }},
        {"a decision is altered", [](Lines& l) { damage(l[nth(l, "decision", 1)], "body"); }},
        {"a signature is altered", [](Lines& l) { damage(l[nth(l, "decision", 0)], "signature"); }},
        {"the first decision is gone", [](Lines& l) { l.erase(l.begin() + static_cast<std::ptrdiff_t>(nth(l, "decision", 0))); }},
        {"the end is gone", [](Lines& l) { l.pop_back(); }},
        {"another server's key", [](Lines& l) { damage(l[0], "key"); }},
    };
    for (const auto& [what, work] : damages) {
        Lines lines = lines_of(whole);
        work(lines);
        const Run judged = judge(joined(lines));
        INFO(what << ": " << judged.err);
        CHECK(judged.exit == 1);
        CHECK(judged.err.find("verify_chain: ") == 0);
    }
}
