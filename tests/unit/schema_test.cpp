// Record types: what a value must look like, who may write what, and what a new version of a type may change.
#include "core/schema/schema.h"

#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/embedded.h"
#include "core/base/error.h"
#include "tests/support/catch.h"

using namespace kopdarbs;
using Json = nlohmann::json;

namespace {

const std::string kHouse = "0190f3c2-7d1a-7b3e-8a55-0123456789ab";
const Value kNull = "\xf6";

Value text(std::string_view value) {
    CborWriter writer;
    writer.text(value);
    return writer.take();
}

Value whole(std::int64_t value) {
    CborWriter writer;
    writer.integer(value);
    return writer.take();
}

Value yes() {
    CborWriter writer;
    writer.boolean(true);
    return writer.take();
}

const SchemaSet& built_in() {
    static const SchemaSet set = SchemaSet::built_in();
    return set;
}

const TypeSchema& type(std::string_view name) {
    const TypeSchema* found = built_in().type(name);
    REQUIRE(found != nullptr);
    return *found;
}

/// A worker who did not create the record; `as_author` and `creates` change that.
Writer worker(std::string role, std::string section) {
    Writer writer;
    writer.user = "ilze";
    writer.roles = {std::move(role)};
    writer.section = std::move(section);
    writer.creator = "janis";
    return writer;
}

Writer as_author(Writer writer) {
    writer.creator = writer.user;
    return writer;
}

Writer creates(Writer writer) {
    writer.creating = true;
    writer.creator = writer.user;
    return writer;
}

Writer sees(Writer writer, std::string field, Value value) {
    writer.shown = [field = std::move(field), value = std::move(value)](std::string_view asked) { return asked == field ? value : kNull; };
    return writer;
}

bool may_write(const Writer& writer, std::string_view name) {
    return !type(name).judge_record(writer);
}

/// Both doors of a write: the record, then the field unless its schema says that there is nothing to judge.
bool may_set(const Writer& writer, std::string_view name, std::string_view field_name, const Value& before, const Value& after,
             bool resolves = false) {
    const TypeSchema& schema = type(name);
    const FieldSchema* field = schema.field(field_name);
    REQUIRE(field != nullptr);
    if (schema.judge_record(writer)) return false;
    if (!resolves && !field->has_write_rule()) return true;
    return !schema.judge_field(writer, *field, before, after, resolves);
}

bool good(std::string_view name, std::string_view field, const Value& value) {
    return !type(name).check(field, "", value);
}

bool doubtful(std::string_view name, std::string_view field, const Value& value) {
    const auto problem = type(name).check(field, "", value);
    return problem && problem->warning;
}

bool bad(std::string_view name, std::string_view field, const Value& value) {
    const auto problem = type(name).check(field, "", value);
    return problem && !problem->warning;
}

Json small_type() {
    return Json::parse(R"({"$id": "urn:kopdarbs:type:extra", "type": "object", "version": 1, "write": ["clerk"],
        "properties": {"note": {"type": "string", "merge": "latest"},
                       "tags": {"type": "array", "merge": "set", "items": {"type": "string"}},
                       "lines": {"type": "object", "merge": "rows", "columns": {"amount": {"type": "integer", "merge": "review"}}}}})");
}

/// Whether a set that holds `before` refuses `after`, and keeps what it had.
bool refuses_after(const Json& before, const Json& after) {
    SchemaSet set;
    set.add(before.dump());
    try {
        set.add(after.dump());
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::invalid);
        CHECK(set.type("extra")->source() == before.dump());
        return true;
    }
    return false;
}

std::string reason_for(const Json& json) {
    SchemaSet set;
    try {
        set.add(json.dump());
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::invalid);
        return error.what();
    }
    return {};
}

bool names(const std::string& message, const std::string& part) {
    return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every record type of the domain is built in, with labels in both languages") {
    const char* expected[] = {"appointment",
                              "attachment",
                              "case",
                              "child_risk_flag",
                              "community_activity",
                              "home_visit",
                              "household",
                              "institution",
                              "material_assessment",
                              "needs_assessment",
                              "person",
                              "practice_example",
                              "process_evaluation",
                              "provider",
                              "reception_contact",
                              "referral",
                              "supervision_attendance",
                              "supervision_session",
                              "support_plan",
                              "task",
                              "training",
                              "unit",
                              "volunteer"};
    std::vector<std::string> present;
    for (const TypeSchema* schema : built_in().types()) {
        present.push_back(schema->name());
        CHECK_FALSE(schema->label().lv.empty());
        CHECK(schema->label().lv != schema->name());
        for (const FieldSchema& field : schema->fields()) {
            INFO(schema->name() << "." << field.name);
            CHECK(field.label.lv != field.name);
            CHECK_FALSE(field.label.en.empty());
            for (const auto& column : field.columns) CHECK(column.second.label.lv != column.first);
        }
    }
    CHECK(present == std::vector<std::string>(std::begin(expected), std::end(expected)));
}

TEST_CASE("a record's section depends on the kind of its assignment") {
    CHECK(type("home_visit").section_under("file") == "visits");
    CHECK(type("home_visit").section_under("unit") == "intake");
    CHECK(type("home_visit").section_under("own") == "own");
    CHECK(type("support_plan").section_under("file") == "casework");
    CHECK(type("material_assessment").section_under("file") == "means");
    CHECK(type("support_plan").section_under("unit").empty());
    CHECK(type("community_activity").section_under("unit") == "unit");
}

TEST_CASE("roles read the sections that their work needs and no others") {
    using Names = std::vector<std::string>;
    CHECK(built_in().role("case_worker")->of_file == Names{"file", "visits", "casework", "means"});
    CHECK(built_in().role("case_worker")->of_files_unit == Names{"unit"});
    CHECK(built_in().role("organiser")->of_file == Names{"file", "visits", "means"});
    CHECK(built_in().role("community_worker")->of_file == Names{"file", "visits"});
    CHECK(built_in().role("clerk")->of_unit == Names{"unit", "intake"});
    CHECK(built_in().role("supervisor")->of_units_files == Names{"file", "visits", "casework", "means"});
    for (const char* name : {"partner", "dpo", "admin"}) {
        const RoleSchema* role = built_in().role(name);
        REQUIRE(role != nullptr);
        CHECK((role->own && role->of_file.empty() && role->of_unit.empty() && role->of_units_files.empty()));
    }
    CHECK(built_in().role("stranger") == nullptr);
}

TEST_CASE("values of a visit are good or bad by their schema") {
    CHECK(good("home_visit", "household", text(kHouse)));
    CHECK(bad("home_visit", "household", text("H-17")));
    CHECK(good("home_visit", "started_at", text("2026-11-21T10:02:03.004+02:00")));
    CHECK(good("home_visit", "started_at", text("2028-02-29T23:59:60Z")));
    for (const char* wrong :
         {"2026-11-21", "2026-11-21T10:02:03", "2027-02-29T10:02:03Z", "2026-11-21T24:02:03Z", "2026-11-21T10:02:03.Z", ""})
        CHECK(bad("home_visit", "started_at", text(wrong)));
    for (const char* value : {"working", "broken", "none", "stove"}) CHECK(good("home_visit", "heating", text(value)));
    CHECK(bad("home_visit", "heating", text("Broken")));
    CHECK(bad("home_visit", "heating", whole(1)));
    CHECK(good("home_visit", "travel_minutes", whole(40)));
    CHECK(bad("home_visit", "travel_minutes", whole(-1)));
    CHECK(bad("home_visit", "travel_minutes", whole(1441)));
    CHECK(bad("home_visit", "travel_minutes", text("40")));
    CHECK(good("home_visit", "notice_given", yes()));
    CHECK(good("home_visit", "present", text("vecmāmiņa Anna")));
    CHECK(good("home_visit", "present", text("")));
    CHECK(bad("home_visit", "present", text(std::string(201, 'a'))));
    CHECK(good("home_visit", "observations", text(std::string(100'000, 'a'))));
    CHECK(bad("home_visit", "observations", text(std::string(4'000'001, 'a'))));
    CHECK(good("home_visit", "risk_level", kNull));
    CHECK(bad("home_visit", "wallpaper", text("blue")));
}

TEST_CASE("lengths count characters and not octets") {
    std::string letters;
    for (int i = 0; i < 200; ++i) letters += "ā";
    CHECK(good("home_visit", "present", text(letters)));
    CHECK(bad("home_visit", "present", text(letters + "ā")));
}

TEST_CASE("integers stay within what every host holds exactly") {
    Json json = small_type();
    json["properties"]["count"] = {{"type", "integer"}};
    json["properties"]["share"] = {{"type", "number"}, {"minimum", 0.5}};
    SchemaSet set;
    set.add(json.dump());
    const TypeSchema& extra = *set.type("extra");
    CHECK_FALSE(extra.check("count", "", whole(9007199254740991)));
    CHECK(extra.check("count", "", whole(9007199254740992)));
    CHECK_FALSE(extra.check("count", "", whole(-9007199254740991)));
    CHECK(extra.check("count", "", whole(-9007199254740992)));
    CborWriter writer;
    writer.number(0.75);
    CHECK_FALSE(extra.check("share", "", writer.bytes()));
    CHECK(extra.check("count", "", writer.bytes()));
    CHECK(names(extra.check("share", "", whole(0))->reason.en, "at least 0.5"));
    CHECK_THROWS_AS(extra.check("count", "", BytesView("\x01\x01")), Error);
}

TEST_CASE("rows are checked column by column") {
    const TypeSchema& means = type("material_assessment");
    CHECK_FALSE(means.check("income", "amount", whole(-1250)));
    CHECK(means.check("income", "amount", text("12,50")));
    CHECK(means.check("income", "colour", text("blue")));
    CHECK_FALSE(means.check("income", "", yes()));
    CHECK(means.check("income", "amount", text("x"))->reason.lv == "Summa (centos): jābūt veselam skaitlim");
}

TEST_CASE("a problem names the field by its label and the reason in both languages, and never the value") {
    const auto problem = type("home_visit").check("risk_level", "", text("SECRET"));
    REQUIRE(problem);
    CHECK(problem->field == "risk_level");
    CHECK(problem->reason.lv == "Riska līmenis: jābūt vienam no: low, medium, high, immediate");
    CHECK(problem->reason.en == "Risk level: must be one of: low, medium, high, immediate");
}

TEST_CASE("personal codes of both forms are told from what is neither") {
    for (const char* code : {"070385-01233", "140972-01236", "220612-01234", "010554-01237"}) CHECK(personal_code_agrees(code) == true);
    CHECK(personal_code_agrees("07038501233") == true);
    CHECK(personal_code_agrees("070385-01234") == false);
    CHECK(personal_code_agrees("310285-11231") == false);
    CHECK(personal_code_agrees("320385-91234") == true);
    CHECK(personal_code_agrees("39123456789") == true);
    for (const char* code : {"", "400385-01233", "070385-0123", "070385-012333", "0703-8501233", "070385 01233", "abcdef-ghijk"})
        CHECK(personal_code_agrees(code) == std::nullopt);
}

TEST_CASE("a doubtful personal code warns and never blocks") {
    CHECK(good("person", "personal_code", text("070385-01233")));
    CHECK(doubtful("person", "personal_code", text("070385-01234")));
    CHECK(doubtful("person", "personal_code", text("nav zināms")));
    CHECK(bad("person", "personal_code", whole(70385)));
}

TEST_CASE("a phone may carry a remark but must hold a number") {
    CHECK(good("person", "phones", text("+371 26 123-456")));
    CHECK(doubtful("person", "phones", text("26123456 (māsa)")));
    CHECK(bad("person", "phones", text("zvanīt māsai")));
}

TEST_CASE("living records are written by the workers who hold the file") {
    for (const char* name : {"person", "household", "task", "appointment"})
        for (const char* role : {"community_worker", "case_worker", "organiser"}) CHECK(may_write(creates(worker(role, "file")), name));
    CHECK(may_write(creates(worker("organiser", "file")), "case"));
    CHECK_FALSE(may_write(creates(worker("community_worker", "file")), "case"));
    CHECK_FALSE(may_set(worker("community_worker", "file"), "case", "complexity", whole(1), whole(2)));
    for (const char* role : {"partner", "dpo", "admin", "clerk"})
        CHECK_FALSE(may_set(worker(role, "file"), "person", "surname", kNull, text("B")));
}

TEST_CASE("in intake a clerk registers persons and households and nothing else of a file") {
    CHECK(may_set(creates(worker("clerk", "intake")), "person", "surname", kNull, text("Bērziņa")));
    CHECK(may_write(creates(worker("clerk", "intake")), "household"));
    CHECK(may_write(creates(worker("clerk", "intake")), "reception_contact"));
    CHECK_FALSE(may_write(creates(worker("clerk", "intake")), "home_visit"));
    CHECK_FALSE(may_write(creates(worker("clerk", "intake")), "task"));
    CHECK_FALSE(may_write(creates(worker("clerk", "file")), "person"));
    CHECK_FALSE(may_write(creates(worker("case_worker", "intake")), "person"));
}

TEST_CASE("a record is created only in a section of its type") {
    CHECK_FALSE(may_write(creates(worker("case_worker", "file")), "home_visit"));
    CHECK_FALSE(may_write(creates(worker("case_worker", "visits")), "support_plan"));
    CHECK(may_write(creates(worker("case_worker", "casework")), "support_plan"));
}

TEST_CASE("a visit is written by case worker, organiser or community worker, and sealed by its author") {
    for (const char* role : {"community_worker", "case_worker", "organiser"}) {
        CHECK(may_set(worker(role, "visits"), "home_visit", "housing", kNull, text("mitrs")));
        CHECK_FALSE(type("home_visit").judge_seal(as_author(worker(role, "visits"))));
        CHECK(type("home_visit").judge_seal(worker(role, "visits")));
        CHECK_FALSE(type("home_visit").judge_amend(worker(role, "visits")));
    }
    CHECK_FALSE(may_set(worker("clerk", "visits"), "home_visit", "housing", kNull, text("mitrs")));
    CHECK_FALSE(may_set(worker("supervisor", "visits"), "home_visit", "housing", kNull, text("mitrs")));
    CHECK(type("home_visit").judge_amend(worker("clerk", "visits")));
    CHECK(type("person").judge_seal(as_author(worker("case_worker", "file"))));
}

TEST_CASE("only a supervisor resolves a highest field; others are resolved by whoever may write them") {
    CHECK(may_set(worker("supervisor", "visits"), "home_visit", "risk_level", text("high"), text("low"), true));
    CHECK_FALSE(may_set(worker("case_worker", "visits"), "home_visit", "risk_level", text("high"), text("high"), true));
    CHECK(may_set(worker("case_worker", "visits"), "home_visit", "risk_level", text("high"), text("low"), false));
    CHECK(may_set(worker("organiser", "visits"), "home_visit", "heating", text("none"), text("broken"), true));
    CHECK(may_set(worker("supervisor", "visits"), "home_visit", "heating", text("none"), text("broken"), true));
    CHECK_FALSE(may_set(worker("clerk", "visits"), "home_visit", "heating", text("none"), text("broken"), true));
    CHECK_FALSE(may_set(worker("case_worker", "file"), "person", "merged_into", kNull, text(kHouse), true));
}

TEST_CASE("a user's own scope is the user's to write, two devices' conflicts included") {
    CHECK(may_set(creates(worker("partner", "own")), "child_risk_flag", "level", kNull, text("high")));
    CHECK(may_set(as_author(worker("case_worker", "own")), "home_visit", "risk_level", text("high"), text("low"), true));
    CHECK_FALSE(may_write(worker("case_worker", "own"), "home_visit"));
}

TEST_CASE("the means assessment is the organiser's; a case worker reads it") {
    CHECK(may_set(worker("organiser", "means"), "material_assessment", "income", kNull, kNull));
    CHECK_FALSE(may_set(worker("case_worker", "means"), "material_assessment", "income", kNull, kNull));
    CHECK_FALSE(may_write(creates(worker("case_worker", "means")), "material_assessment"));
    CHECK(doubtful("material_assessment", "period", text("rudens")));
    CHECK(good("material_assessment", "period", text("2026-08/2026-10")));
}

TEST_CASE("a case is closed by a supervisor, or by a case worker after an evaluation that says so") {
    const Value active = text("active"), closed = text("closed");
    CHECK(may_set(worker("supervisor", "file"), "case", "status", active, closed));
    CHECK_FALSE(may_set(worker("case_worker", "file"), "case", "status", active, closed));
    CHECK(may_set(worker("case_worker", "file"), "case", "status", active, text("suspended")));
    Writer evaluated = worker("case_worker", "file");
    evaluated.exists = [](std::string_view name, std::string_view field, BytesView value, std::string_view link) {
        return name == "process_evaluation" && field == "decision" && value == text("close") && link == "case";
    };
    CHECK(may_set(evaluated, "case", "status", active, closed));
    CHECK_FALSE(may_set(evaluated, "case", "status", active, kNull));
    evaluated.roles = {"organiser"};
    CHECK_FALSE(may_set(evaluated, "case", "status", active, closed));
    evaluated = worker("case_worker", "file");
    evaluated.exists = [](std::string_view, std::string_view, BytesView, std::string_view) { return false; };
    const auto problem = type("case").judge_field(evaluated, *type("case").field("status"), active, closed, false);
    REQUIRE(problem);
    CHECK(names(problem->reason.en, "process_evaluation"));
    CHECK(names(problem->reason.lv, "Statuss"));
}

TEST_CASE("writing what is shown already needs no transition") {
    CHECK(may_set(worker("organiser", "file"), "case", "status", text("closed"), text("closed")));
}

TEST_CASE("anyone who holds a child at risk raises the level; a supervisor alone lowers or clears it") {
    for (const char* role : {"community_worker", "case_worker", "organiser", "clerk", "partner", "supervisor"}) {
        CHECK(may_set(creates(worker(role, "file")), "child_risk_flag", "level", kNull, text("low")));
        CHECK(may_set(worker(role, "file"), "child_risk_flag", "level", text("low"), text("high")));
        CHECK(may_set(worker(role, "file"), "child_risk_flag", "triggers", kNull, kNull));
    }
    CHECK_FALSE(may_set(worker("case_worker", "file"), "child_risk_flag", "level", text("high"), text("low")));
    CHECK_FALSE(may_set(worker("case_worker", "file"), "child_risk_flag", "level", text("high"), kNull));
    CHECK_FALSE(may_set(as_author(worker("case_worker", "file")), "child_risk_flag", "cleared", kNull, yes()));
    CHECK(type("child_risk_flag").judge_delete(as_author(worker("case_worker", "file"))));
    CHECK(may_set(worker("supervisor", "file"), "child_risk_flag", "level", text("high"), text("low")));
    CHECK(may_set(worker("supervisor", "file"), "child_risk_flag", "cleared", kNull, yes()));
    CHECK_FALSE(type("child_risk_flag").judge_delete(worker("supervisor", "file")));
}

TEST_CASE("a support plan is approved by a supervisor, once") {
    const Value name = text("vadītāja");
    CHECK(may_set(worker("supervisor", "casework"), "support_plan", "approved_by", kNull, name));
    CHECK_FALSE(may_set(worker("supervisor", "casework"), "support_plan", "approved_by", text("cita"), name));
    CHECK(may_set(worker("supervisor", "casework"), "support_plan", "approved_by", text("cita"), name, true));
    CHECK_FALSE(may_set(worker("case_worker", "casework"), "support_plan", "approved_by", kNull, name));
    CHECK_FALSE(may_set(worker("case_worker", "casework"), "support_plan", "approved_by", text("cita"), name, true));
    CHECK(may_set(worker("case_worker", "casework"), "support_plan", "goals", kNull, kNull));
    CHECK_FALSE(may_set(worker("supervisor", "casework"), "support_plan", "goals", kNull, kNull));
    CHECK_FALSE(type("support_plan").judge_seal(worker("supervisor", "casework")));
}

TEST_CASE("a field that is written once stays, unless a resolve settles two firsts") {
    const Value first = text("2026/1"), second = text("2026/2");
    CHECK(may_set(worker("case_worker", "file"), "case", "number", kNull, first));
    CHECK_FALSE(may_set(worker("case_worker", "file"), "case", "number", first, second));
    CHECK_FALSE(may_set(worker("case_worker", "file"), "case", "number", first, kNull));
    CHECK(may_set(worker("case_worker", "file"), "case", "number", first, second, true));
    CHECK_FALSE(may_set(worker("partner", "file"), "case", "number", first, second, true));
}

TEST_CASE("a referral is its sender's until it is sent, and the partner's to answer from then on") {
    const Value draft = text("draft"), sent = text("sent"), reason = text("vajadzīga patvēruma vieta");
    const Writer sender = worker("case_worker", "referral"), partner = worker("partner", "referral");
    CHECK(may_set(creates(worker("organiser", "own")), "referral", "reason", kNull, reason));
    CHECK(may_set(sees(sender, "state", draft), "referral", "reason", kNull, reason));
    CHECK(may_set(sees(sender, "state", draft), "referral", "state", draft, sent));
    for (const char* field : {"reason", "extract", "institution"})
        CHECK_FALSE(may_set(sees(sender, "state", sent), "referral", field, kNull, reason));
    CHECK(may_set(sees(sender, "state", sent), "referral", "state", sent, text("withdrawn")));
    CHECK_FALSE(may_set(sees(sender, "state", sent), "referral", "state", sent, text("accepted")));
    CHECK_FALSE(may_set(sender, "referral", "reply", kNull, kNull));

    for (const char* answer : {"accepted", "declined", "done"}) CHECK(may_set(partner, "referral", "state", sent, text(answer)));
    CHECK(may_set(partner, "referral", "state", text("accepted"), text("done")));
    for (const char* other : {"draft", "withdrawn", "received"}) CHECK_FALSE(may_set(partner, "referral", "state", sent, text(other)));
    CHECK_FALSE(may_set(partner, "referral", "state", text("withdrawn"), text("accepted")));
    CHECK(may_set(partner, "referral", "reply", kNull, kNull));
    CHECK_FALSE(may_set(sees(partner, "state", sent), "referral", "reason", kNull, reason));
    CHECK_FALSE(may_set(partner, "referral", "extract", kNull, reason, true));
    CHECK_FALSE(may_write(creates(partner), "referral"));
}

TEST_CASE("duplicates are merged by a supervisor") {
    CHECK(may_set(worker("supervisor", "file"), "person", "merged_into", kNull, text(kHouse)));
    CHECK_FALSE(may_set(worker("case_worker", "file"), "person", "merged_into", kNull, text(kHouse)));
}

TEST_CASE("data protection officer and administrator write no client content") {
    for (const TypeSchema* schema : built_in().types())
        for (const char* role : {"dpo", "admin"})
            for (const char* section : {"file", "visits", "casework", "means", "unit", "intake", "referral"}) {
                INFO(schema->name());
                CHECK(schema->judge_record(worker(role, section)));
                CHECK(schema->judge_delete(worker(role, section)));
            }
}

TEST_CASE("a published field keeps its kind") {
    Json next = small_type();
    next["version"] = 2;
    next["properties"]["note"]["merge"] = "text";
    CHECK(refuses_after(small_type(), next));
    next["properties"]["note"]["merge"] = "review";
    CHECK_FALSE(refuses_after(small_type(), next));
}

TEST_CASE("a published field or column does not disappear") {
    Json next = small_type();
    next["version"] = 2;
    next["properties"].erase("tags");
    CHECK(refuses_after(small_type(), next));
    next = small_type();
    next["version"] = 2;
    next["properties"]["lines"]["columns"] = {{"sum", {{"type", "integer"}}}};
    CHECK(refuses_after(small_type(), next));
}

TEST_CASE("a newer version replaces, an older is ignored, and one version has one text") {
    Json next = small_type();
    next["version"] = 2;
    next["properties"]["added"] = {{"type", "boolean"}};
    SchemaSet set;
    set.add(small_type().dump());
    set.add(next.dump());
    CHECK(set.type("extra")->version() == 2);
    CHECK(set.type("extra")->field("added") != nullptr);
    set.add(small_type().dump());
    CHECK(set.type("extra")->version() == 2);
    set.add(next.dump());
    next["labels"] = {{"lv", "Cits"}, {"en", "Other"}};
    CHECK_THROWS_AS(set.add(next.dump()), Error);
    CHECK(set.type("extra")->label().en == "extra");
}

TEST_CASE("unknown keywords are kept in the source and otherwise ignored") {
    Json json = small_type();
    json["colour_of_the_form"] = "green";
    json["properties"]["note"]["widget"] = {{"rows", 3}};
    json["properties"]["note"]["format"] = "haiku";
    SchemaSet set;
    set.add(json.dump());
    CHECK(set.type("extra")->source() == json.dump());
    CHECK_FALSE(set.type("extra")->check("note", "", text("anything")));
}

TEST_CASE("a check that would not be made is refused when a type is loaded") {
    for (const char* keyword : {"pattern", "const", "allOf", "not", "if", "multipleOf", "exclusiveMinimum", "$ref", "contains"}) {
        Json json = small_type();
        json["properties"]["note"][keyword] = 1;
        const std::string reason = reason_for(json);
        INFO(reason);
        CHECK(names(reason, "type extra"));
        CHECK(names(reason, "field note"));
        CHECK(names(reason, keyword));
    }
    Json json = small_type();
    json["required"] = {"note"};
    CHECK(names(reason_for(json), "required"));
    json = small_type();
    json["additionalProperties"] = false;
    CHECK(names(reason_for(json), "additionalProperties"));
}

TEST_CASE("a type that contradicts itself is refused with the field and the reason") {
    const auto with = [](const char* field, const char* property) {
        Json json = small_type();
        json["properties"][field] = Json::parse(property);
        return reason_for(json);
    };
    CHECK(names(with("risk", R"({"type": "string", "merge": "highest"})"), "field risk: merge highest needs an enum"));
    CHECK(names(with("risk", R"({"type": "string", "merge": "highest", "enum": ["a", "b"], "order": ["a"]})"),
                "order must name every value"));
    CHECK(names(with("n", R"({"type": "integer", "enum": [1, "two"]})"), "enum"));
    CHECK(names(with("n", R"({"type": "string", "minimum": 1})"), "minimum"));
    CHECK(names(with("n", R"({"type": "string", "merge": "set"})"), "array"));
    CHECK(names(with("n", R"({"type": "string", "merge": "newest"})"), "merge must be"));
    CHECK(names(with("n", R"({"merge": "latest"})"), "type must be"));
    CHECK(names(with("n", R"({"type": "string", "draft": true})"), "draft"));
    CHECK(names(with("n", R"({"type": "string", "transitions": [{"direction": "up"}]})"), "direction"));
    CHECK(names(with("n", R"({"type": "string", "write": "clerk"})"), "write"));
    CHECK(names(with("N", R"({"type": "string"})"), "name"));
    CHECK(names(with("n", R"({"type": "string", "labels": {"lv": "Tikai latviski"}})"), "both lv and en"));
}

TEST_CASE("what is no bounded JSON object is refused") {
    const auto refused = [](const std::string& source) {
        SchemaSet set;
        try {
            set.add(source);
        } catch (const Error& error) {
            return error.code() == ErrorCode::invalid && set.types().empty();
        }
        return false;
    };
    CHECK(refused(""));
    CHECK(refused("[]"));
    CHECK(refused("{\"$id\": \"urn:kopdarbs:type:x\""));
    CHECK(refused("{\"$id\": \"urn:kopdarbs:type:x\xff\"}"));
    CHECK(refused("{\"$id\": \"urn:kopdarbs:type:../x\", \"type\": \"object\", \"properties\": {}}"));
    CHECK(refused(std::string(500'000, '[')));
    CHECK(refused(small_type().dump() + std::string(1'000'001, ' ')));
    Json json = small_type();
    for (int i = 0; i < 500; ++i) json["properties"]["f" + std::to_string(i)] = {{"type", "string"}};
    CHECK(refused(json.dump()));
}

TEST_CASE("code lists name each code in both languages, with the days from and until which it holds") {
    Json document;
    for (std::size_t i = 0; i < embedded::schema_data_count; ++i)
        if (embedded::schema_data[i].name == "code_lists.json") document = Json::parse(embedded::schema_data[i].content);
    const Json& lists = document.at("code_lists");
    for (const auto& list : lists)
        for (const auto& code : list.at("codes")) {
            CHECK(code.at("code").get<std::string>().size() <= 64);
            CHECK_FALSE(code.at("labels").at("lv").get<std::string>().empty());
            CHECK_FALSE(code.at("labels").at("en").get<std::string>().empty());
            CHECK(code.at("from").get<std::string>().size() == 10);
            CHECK(code.contains("until"));
        }
    const std::function<void(const Json&)> named = [&](const Json& node) {
        if (node.is_object() && node.contains("code_list")) CHECK(lists.contains(node.at("code_list").get<std::string>()));
        // A scalar's only element is itself.
        if (node.is_structured())
            for (const Json& child : node) named(child);
    };
    for (std::size_t i = 0; i < embedded::types_count; ++i) named(Json::parse(embedded::types[i].content));
}

TEST_CASE("the example of SCHEMA.md is a type that loads and does what its text says") {
    std::ifstream file(KOPDARBS_ROOT "/core/schema/SCHEMA.md");
    REQUIRE(file.is_open());
    std::ostringstream whole_file;
    whole_file << file.rdbuf();
    const std::string page = whole_file.str(), fence = "```json\n";
    const std::size_t begin = page.find(fence) + fence.size();
    SchemaSet set;
    set.add(page.substr(begin, page.find("```\n", begin) - begin));
    const TypeSchema* loan = set.type("loan");
    REQUIRE(loan != nullptr);
    CHECK(loan->list_by() == std::vector<std::string>{"state", "due"});
    CHECK_FALSE(loan->is_document());
    Writer organiser = worker("organiser", "file");
    CHECK(loan->judge_field(organiser, *loan->field("state"), text("lent"), text("returned"), false));
    organiser.exists = [](std::string_view, std::string_view, BytesView, std::string_view link) { return link == "loan"; };
    CHECK_FALSE(loan->judge_field(organiser, *loan->field("state"), text("lent"), text("returned"), false));
    CHECK(loan->judge_field(sees(organiser, "state", text("lent")), *loan->field("aid"), text("wheelchair"), text("crutches"), false));
    CHECK(loan->judge_delete(organiser));
    CHECK_FALSE(loan->judge_delete(as_author(organiser)));
}
