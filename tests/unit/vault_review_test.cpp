// Review items: how each kind comes about, how a person decides it by one of the values or by another, and that every device then agrees.
#include <algorithm>

#include "core/base/error.h"
#include "core/record/json.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

/// Two devices write concurrently; somebody decides.
struct Conflict {
    const char* name;
    const char *first, *second, *decider;  ///< users
    const char *type, *scope, *fields;     ///< the record as both have seen it
    std::function<void(Phone&, const RecordId&)> by_first, by_second;
    ReviewKind kind;
    const char* field;  ///< of the item, as printed
    const char* value;  ///< another decision, as JSON
};

const std::vector<Conflict>& conflicts() {
    static const std::vector<Conflict> all{
        {"a value", "ilze", "maris", "anna", "home_visit", "H-17", R"({"heating":"working"})",
         [](Phone& p, const RecordId& id) { p.put(id, R"({"heating":"broken"})"); },
         [](Phone& p, const RecordId& id) { p.put(id, R"({"heating":"stove"})"); }, ReviewKind::value, "heating", R"("none")"},
        {"a value taken away against a new one", "ilze", "maris", "anna", "home_visit", "H-17", R"({"housing":"sausa"})",
         [](Phone& p, const RecordId& id) { p.put(id, R"({"housing":null})"); },
         [](Phone& p, const RecordId& id) { p.put(id, R"({"housing":"mitra"})"); }, ReviewKind::value, "housing", R"("silta")"},
        {"the graver of two", "ilze", "maris", "anna", "home_visit", "H-17", R"({"risk_level":"low"})",
         [](Phone& p, const RecordId& id) { p.put(id, R"({"risk_level":"immediate"})"); },
         [](Phone& p, const RecordId& id) { p.put(id, R"({"risk_level":"medium"})"); }, ReviewKind::value, "risk_level", R"("high")"},
        {"a line of text", "ilze", "maris", "ilze", "home_visit", "H-17", R"({"observations":"Virsraksts.\nMāja ir silta.\nBeigas."})",
         [](Phone& p, const RecordId& id) { p.vault().edit(id, "observations", "Virsraksts.\nMāja ir auksta.\nBeigas."); },
         [](Phone& p, const RecordId& id) { p.vault().edit(id, "observations", "Virsraksts.\nJaunā māja ir silta.\nBeigas."); },
         ReviewKind::text, "observations", R"("Jaunā māja ir auksta.")"},
        {"a column of a row", "maris", "maris", "maris", "material_assessment", "H-17", R"({"income":{"alga":{"amount":100}}})",
         [](Phone& p, const RecordId& id) { p.vault().put_row(id, "income", "alga", R"({"amount":200})"); },
         [](Phone& p, const RecordId& id) { p.vault().put_row(id, "income", "alga", R"({"amount":300})"); }, ReviewKind::value,
         "income.alga.amount", "250"},
        {"two firsts of a field that is written once", "ilze", "ilze", "anna", "support_plan", "H-17", "{}",
         [](Phone& p, const RecordId& id) { p.put(id, R"({"client_agreed_on":"2026-11-01"})"); },
         [](Phone& p, const RecordId& id) { p.put(id, R"({"client_agreed_on":"2026-11-02"})"); }, ReviewKind::once, "client_agreed_on",
         R"("2026-11-03")"},
        {"a deletion against an edit", "ilze", "maris", "ilze", "home_visit", "H-17", R"({"place":"A"})",
         [](Phone& p, const RecordId& id) { p.vault().erase(id); },
         [](Phone& p, const RecordId& id) { p.put(id, R"({"travel_minutes":3})"); }, ReviewKind::deleted, "", "false"},
        {"an edit that the seal had not seen", "ilze", "maris", "ilze", "home_visit", "H-17", R"({"place":"A","outcome":"done"})",
         [](Phone& p, const RecordId& id) { p.vault().seal(id); }, [](Phone& p, const RecordId& id) { p.put(id, R"({"place":"B"})"); },
         ReviewKind::sealed, "place", R"("C")"},
    };
    return all;
}

/// The conflict as everybody has it after a sync.
struct Scene {
    explicit Scene(const Conflict& c) : first(town.enrol(c.first)), second(town.enrol(c.second)), decider(town.enrol(c.decider)) {
        id = first->create(c.type, c.scope, c.fields);
        sync();
        town.pass(60'000);
        c.by_first(*first, id);
        town.pass(60'000);
        c.by_second(*second, id);
        town.pass(60'000);
        sync();
    }
    void sync() {
        for (int round = 0; round < 2; ++round)
            for (Phone* phone : phones()) phone->sync();
    }
    std::vector<Phone*> phones() { return {first.get(), second.get(), decider.get()}; }
    void require_equal() {
        for (Phone* phone : phones()) CHECK(phone->state(id) == first->state(id));
        town.require_sound(phones());
    }
    ReviewItem item() {
        const auto open = decider->vault().review();
        REQUIRE(open.size() == 1);
        CHECK(open[0].record == id);
        return open[0].item;
    }
    Town town;
    std::unique_ptr<Phone> first, second, decider;
    RecordId id;
};

}  // namespace

TEST_CASE("every kind of conflict opens one item, the same on every device, with all of its values") {
    for (const Conflict& c : conflicts()) {
        INFO(c.name);
        Scene scene(c);
        scene.require_equal();
        const ReviewItem item = scene.item();
        CHECK(item.kind == c.kind);
        CHECK(item.field == c.field);
        CHECK(item.values.size() >= (c.kind == ReviewKind::sealed ? 1U : 2U));
        CHECK(std::is_sorted(item.values.begin(), item.values.end(),
                             [](const Candidate& a, const Candidate& b) { return a.stamp < b.stamp; }));
        for (Phone* phone : scene.phones()) {
            REQUIRE(phone->vault().review().size() == 1);
            CHECK(phone->vault().review()[0].item.id == item.id);
            CHECK(phone->vault().status().review == 1);
        }
        CHECK(scene.town.server().status().review == 1);
        CHECK_FALSE(scene.first->vault().get(scene.id).deleted);
    }
}

TEST_CASE("deciding by one of the values closes the item everywhere, and shows that value") {
    for (const Conflict& c : conflicts())
        for (const bool last : {false, true}) {
            INFO(c.name << ", the " << (last ? "last" : "first") << " value");
            Scene scene(c);
            const ReviewItem item = scene.item();
            const std::size_t pick = last ? item.values.size() - 1 : 0;
            CHECK(code_of([&] { scene.decider->vault().resolve(item.id, item.values.size()); }) == ErrorCode::invalid);
            scene.decider->vault().resolve(item.id, pick);
            CHECK(scene.decider->vault().review().empty());
            scene.sync();
            scene.require_equal();
            CHECK(scene.first->vault().letters().empty());
            CHECK(scene.decider->vault().letters().empty());
            for (Phone* phone : scene.phones()) CHECK(phone->vault().review().empty());
            const std::string decided = to_json(item.values[pick].value);
            if (c.kind == ReviewKind::deleted)
                CHECK(scene.second->vault().get(scene.id).deleted == (decided == "true"));
            else if (c.kind == ReviewKind::text)
                CHECK(scene.second->field(scene.id, "observations") ==
                      R"("Virsraksts.\n)" + decided.substr(1, decided.size() - 2) + R"(\nBeigas.")");
            else
                CHECK(scene.second->vault().get(scene.id).fields.find(decided == "null" ? "{}" : decided) != std::string::npos);
            CHECK(code_of([&] { scene.decider->vault().resolve(item.id, pick); }) == ErrorCode::stale);
        }
}

TEST_CASE("deciding by another value closes the item everywhere, and shows that value") {
    for (const Conflict& c : conflicts()) {
        INFO(c.name);
        Scene scene(c);
        const ReviewItem item = scene.item();
        CHECK(code_of([&] { scene.decider->vault().resolve(item.id, "not json"); }) == ErrorCode::invalid);
        scene.decider->vault().resolve(item.id, std::string_view(c.value));
        scene.sync();
        scene.require_equal();
        for (Phone* phone : scene.phones()) CHECK(phone->vault().review().empty());
        CHECK(scene.decider->vault().letters().empty());
        if (c.kind == ReviewKind::deleted)
            CHECK_FALSE(scene.first->vault().get(scene.id).deleted);
        else
            CHECK(scene.first->vault().get(scene.id).fields.find(std::string(c.value).substr(1, std::string(c.value).size() - 2)) !=
                  std::string::npos);
    }
}

TEST_CASE("a decision on an item that has changed since is called stale and decides nothing") {
    for (const Conflict& c : conflicts()) {
        if (c.kind == ReviewKind::sealed || c.kind == ReviewKind::once || c.kind == ReviewKind::deleted)
            continue;  // no third ordinary write
        INFO(c.name);
        Scene scene(c);
        const ReviewItem item = scene.item();
        const auto third = scene.town.enrol(c.first);
        c.by_first(*third, scene.id);
        scene.town.pass(60'000);
        // A third, different value.
        if (c.kind == ReviewKind::text)
            third->vault().edit(scene.id, "observations", std::vector<Splice>{{12, 0, "Vēl. "}});
        else if (std::string(c.field) == "income.alga.amount")
            third->vault().put_row(scene.id, "income", "alga", R"({"amount":999})");
        else
            third->put(scene.id, std::string(R"({")") + c.field + R"(":)" + c.value + "}");
        third->sync();
        scene.sync();
        CHECK(code_of([&] { scene.decider->vault().resolve(item.id, std::size_t{0}); }) == ErrorCode::stale);
        REQUIRE(scene.decider->vault().review().size() == 1);
        CHECK(scene.decider->vault().review()[0].item.values.size() >= 3);
    }
}

TEST_CASE("pitfall 36: a routine edit, equal to one of the values or not, closes no item") {
    for (const Conflict& c : conflicts()) {
        if (c.kind != ReviewKind::value || std::string(c.field).find('.') != std::string::npos) continue;
        INFO(c.name);
        Scene scene(c);
        const ReviewItem item = scene.item();
        for (const Candidate& candidate : item.values) {
            const std::string fields = std::string(R"({")") + c.field + R"(":)" + to_json(candidate.value) + R"(,"travel_minutes":1})";
            scene.first->put(scene.id, fields);
        }
        scene.sync();
        scene.require_equal();
        REQUIRE(scene.decider->vault().review().size() == 1);
        CHECK(scene.decider->vault().review()[0].item.values.size() >= item.values.size());
    }
}

TEST_CASE("a person without the right to decide is told so, here already") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("child_risk_flag", "H-17", R"({"children":["Jānis"]})");
    ilze->sync();
    maris->sync();
    ilze->put(id, R"({"level":"high"})");
    maris->put(id, R"({"level":"low"})");
    ilze->sync();
    maris->sync();
    REQUIRE(maris->vault().review().size() == 1);
    const std::string item = maris->vault().review()[0].item.id;
    CHECK(code_of([&] { maris->vault().resolve(item, R"("low")"); }) == ErrorCode::refused);
    CHECK(maris->vault().review().size() == 1);
    CHECK(code_of([&] { maris->vault().resolve("no-such-item", std::size_t{0}); }) == ErrorCode::stale);
    CHECK(maris->vault().status().unsent == 0);
}

TEST_CASE("a supervisor decides between lines and between columns, as the type says that she may") {
    for (const Conflict& c : conflicts()) {
        if (c.kind != ReviewKind::text && std::string(c.field).find('.') == std::string::npos) continue;
        INFO(c.name);
        Scene scene(c);
        const auto anna = scene.town.enrol("anna");
        REQUIRE_NOTHROW(anna->vault().resolve(anna->vault().review().at(0).item.id, std::size_t{0}));
    }
}

TEST_CASE("pitfall 38: a decision on a row's column survives a concurrent removal of the row, like any write to it") {
    const auto& all = conflicts();
    const auto row = std::find_if(all.begin(), all.end(), [](const Conflict& c) { return std::string(c.field) == "income.alga.amount"; });
    Scene scene(*row);
    scene.decider->vault().resolve(scene.item().id, std::string_view(row->value));
    scene.first->vault().remove_row(scene.id, "income", "alga");
    scene.sync();
    scene.require_equal();
    CHECK(scene.first->field(scene.id, "income") == R"({"alga":{"amount":250}})");
}
