// A vault of version 1, made once and kept: every later version must open it and show the same.
//
// vault_v1/{vault.db,keys} were made by the hidden case below, which says what is in them. Making them anew is for a format that was never
// released: KOPDARBS_GOLDEN_OUT=DIR tests-golden "[make-golden]".
#include <cstdlib>
#include <filesystem>

#include "core/base/error.h"
#include "core/record/json.h"
#include "platform/posix/system.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

constexpr const char* kGoldenSecret = "zelta vārdi pirmajai versijai 1";

/// Every kind of field, review item and change that version 1 knows, sent and unsent.
void fill(Town& town, Phone& ilze) {
    const auto second = town.enrol("ilze");
    const auto at = [&](std::uint8_t last) {
        std::array<std::uint8_t, 10> random{};
        random[9] = last;
        return make_record_id(1'795'600'000'000, random);
    };
    Vault& v = ilze.vault();
    v.put(
        "home_visit", at(1), "H-17",
        R"({"place":"Kalna iela 3","risk_level":"low","present":["Līga","Jānis"],"observations":"Pirmā rinda.\nOtrā rinda.","notice_given":true,"travel_minutes":20})");
    v.put("community_activity", at(2), "amata", R"({"kind":"event","place":"Zaube"})");
    v.count(at(2), "door_tally", 7);
    v.put("support_plan", at(3), "H-17", R"({"goals":{"g1":{"text":"Atrast darbu","status":"planned"},"g2":{"text":"Skola"}}})");
    v.remove_row(at(3), "goals", "g2");
    v.put("home_visit", at(4), "H-17", R"({"place":"Parakstīts","outcome":"done"})");
    v.seal(at(4));
    v.amend(at(4), R"({"place":"Labots"})");
    v.put("task", at(5), "own", R"({"text":"Dzēsts."})");
    v.erase(at(5));
    v.put("person", at(6), "H-17", R"({"surname":"Bērziņa","given_name":"Līga","phones":["+37126123456"]})");
    (void)ilze.sync();
    (void)second->sync();
    town.pass(60'000);
    second->put(at(1), R"({"risk_level":"high","place":"Lejas iela"})");
    second->vault().edit(at(1), "observations", "Pirmā rinda.\nOtrā rinda, māsas.");
    second->vault().count(at(2), "door_tally", 5);
    (void)second->sync();
    town.pass(60'000);
    v.put("home_visit", at(1), {}, R"({"risk_level":"immediate"})");
    v.edit(at(1), "observations", "Pirmā rinda.\nMana otrā rinda.");
    (void)ilze.sync();
    const std::string short_surname = R"("maxLength": 100, "search": true)";
    std::string person = read_whole(std::string(KOPDARBS_ROOT) + "/core/schema/types/person.json");
    person.replace(person.find("\"version\": 1"), 12, "\"version\": 2");
    const std::size_t surname = person.find(short_surname, person.find("\"surname\": {"));
    person.replace(surname, short_surname.size(), R"("maxLength": 10, "search": true)");
    town.provision(Town::usual_assignments(), {person});
    v.put("person", at(6), {}, R"({"surname":"Bērziņa-Kalniņa"})");
    v.put("person", at(6), {}, R"({"language":"lv"})");
    (void)ilze.sync();
    v.put("home_visit", at(1), {}, R"({"travel_minutes":25})");  // still unsent
    v.put("task", at(7), "own", R"({"text":"Vēl nenosūtīts."})");
}

}  // namespace

TEST_CASE("make the golden vault of version 1", "[.][make-golden]") {
    const char* out = std::getenv("KOPDARBS_GOLDEN_OUT");
    REQUIRE(out != nullptr);
    Town town(1);
    const auto ilze = town.enrol("ilze");
    fill(town, *ilze);
    town.crypto.real_scrypt = true;
    const Bytes slots = ilze->vault().change_secret(ilze->slots(), kGoldenSecret);
    ilze->vault().index();
    ilze->close();
    std::filesystem::create_directories(out);
    posix::write_file_atomically(std::string(out) + "/vault.db", posix::read_file(ilze->path()));
    posix::write_file_atomically(std::string(out) + "/keys", slots);
}

TEST_CASE("a vault of version 1 opens with its secret, is sound, and shows every value that was put into it") {
    const std::string golden = std::string(KOPDARBS_ROOT) + "/tests/golden/vault_v1";
    const ScratchDir scratch;
    const std::string copy = scratch.path() + "/vault.db";
    posix::write_file_atomically(copy, posix::read_file(golden + "/vault.db"));
    const Bytes slots = posix::read_file(golden + "/keys");
    FakeClock clock;
    SeededEntropy entropy(7);
    posix::OpenSslCrypto crypto;  // the real cost of unlocking
    const Env env{clock, entropy, crypto};
    CHECK(code_of([&] { (void)Vault::open(copy, slots, "citi vārdi pirmajai versijai 1", env); }) == ErrorCode::wrong_secret);
    const auto vault = Vault::open(copy, slots, kGoldenSecret, env);
    for (const Damage& damage : vault->verify().damage) FAIL_CHECK(damage.where << ": " << damage.what);

    const auto at = [](std::uint8_t last) {
        std::array<std::uint8_t, 10> random{};
        random[9] = last;
        return make_record_id(1'795'600'000'000, random);
    };
    const auto fields = [&](std::uint8_t last) { return vault->get(at(last)).fields; };
    const Status status = vault->status();
    CHECK(status.user == "ilze");
    CHECK(status.records == 6);
    CHECK(status.unsent == 2);
    CHECK(status.refused == 1);
    CHECK(status.review == 2);
    CHECK(status.scopes.size() == 6);
    CHECK(status.last_sync_ms == 1'795'600'120'000);
    CHECK(fields(1) ==
          R"({"notice_given":true,"observations":"Pirmā rinda.\nMana otrā rinda, māsas.","place":"Lejas iela","present":["Jānis","Līga"],)"
          R"("risk_level":"immediate","travel_minutes":25})");
    CHECK(fields(2) == R"({"door_tally":12,"kind":"event","place":"Zaube"})");
    CHECK(fields(3) == R"({"goals":{"g1":{"text":"Atrast darbu","status":"planned"}}})");
    CHECK(fields(4) == R"({"outcome":"done","place":"Labots"})");
    CHECK(vault->get(at(4)).sealed);
    CHECK(vault->get(at(5)).deleted);
    CHECK(fields(6) == R"({"given_name":"Līga","language":"lv","phones":["+37126123456"],"surname":"Bērziņa"})");
    CHECK(fields(7) == R"({"text":"Vēl nenosūtīts."})");
    CHECK(vault->get(at(7)).scope == "own:ilze");

    const auto review = vault->review();
    REQUIRE(review.size() == 2);
    for (const Decision& decision : review) {
        CHECK(decision.record == at(1));
        REQUIRE(decision.item.values.size() == 2);
        CHECK(decision.item.values[0].stamp.ms() == 1'795'600'060'000);
        CHECK(decision.item.values[1].stamp.ms() == 1'795'600'120'000);
        const bool risk = decision.item.field == "risk_level";
        CHECK(decision.item.kind == (risk ? ReviewKind::value : ReviewKind::text));
        CHECK(to_json(decision.item.values[0].value) == (risk ? R"("high")" : R"("Otrā rinda, māsas.")"));
        CHECK(to_json(decision.item.values[1].value) == (risk ? R"("immediate")" : R"("Mana otrā rinda.")"));
    }
    REQUIRE(vault->letters().size() == 1);
    CHECK(vault->letters()[0].ops.find("Bērziņa-Kalniņa") != std::string::npos);
    CHECK(vault->letters()[0].reason.find("surname") != std::string::npos);
    CHECK(vault->schema().type("person")->version() == 2);
    std::vector<RecordId> hits;
    vault->search("berzina", {}, 10, [&](const Shown& shown) {
        hits.push_back(shown.id);
        return true;
    });
    CHECK(hits == std::vector<RecordId>{at(6)});

    // It is not only read: what it was doing can go on.
    const Saved saved = vault->put("home_visit", at(1), {}, R"({"place":"Turpinās"})");
    CHECK(saved.dot.replica == status.replica);
    vault->resolve(vault->review()[0].item.id, std::size_t{0});
    CHECK(vault->verify().damage.empty());
    CHECK(vault->status().unsent == 4);
}
