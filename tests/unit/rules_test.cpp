// Whether a change may be, judged on what its author had seen: what the schema alone does not say (schema_test.cpp has the rest).
#include "core/record/rules.h"

#include <limits>

#include "core/base/error.h"
#include "tests/support/catch.h"
#include "tests/support/person.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

/// A type whose conflicts only a supervisor settles, and that its author seals.
const TypeSchema& loan() {
    static const SchemaSet set = [] {
        SchemaSet all;
        all.add(
            R"({"$id": "urn:kopdarbs:type:loan", "type": "object", "version": 1, "write": ["worker"], "delete": ["supervisor"], "document": true,
            "properties": {
                "phone": {"type": "string", "merge": "review", "resolve": ["supervisor"], "maxLength": 5},
                "number": {"type": "string", "merge": "latest", "once": true, "resolve": ["supervisor"]},
                "tags": {"type": "array", "merge": "set", "items": {"type": "string", "maxLength": 5}},
                "fees": {"type": "object", "merge": "rows", "columns": {"amount": {"type": "integer", "merge": "review", "maximum": 10}}},
                "visits": {"type": "integer", "merge": "counter"},
                "form": {"type": "object", "merge": "latest"},
                "note": {"type": "string", "merge": "text"}}})");
        return all;
    }();
    return *set.type("loan");
}

Writer as(std::vector<std::string> roles, std::string user = "ilze") {
    Writer writer;
    writer.user = std::move(user);
    writer.roles = std::move(roles);
    return writer;
}

/// A record that `ilze` made, and what comes after.
struct Case {
    Case() {
        Change birth = change({{record_path(PathKind::birth), bool_value(true), {}}});
        (void)state.apply(birth, birth.stamp);
    }

    Change change(std::vector<Op> ops) const {
        Change c;
        c.dot = {replica_id(1), state.context().at(replica_id(1)) + 1};
        c.prev = c.dot.counter - 1;
        c.author = "ilze";
        c.type = "loan";
        c.seen = state.context();
        c.ops = std::move(ops);
        return c;
    }
    bool may(const std::vector<Op>& ops, Writer writer = as({"worker"})) const {
        return !judge_change(change(ops), state, &loan(), std::move(writer), nullptr);
    }
    void apply(const std::vector<Op>& ops) {
        const Change c = change(ops);
        (void)state.apply(c, c.stamp);
    }
    /// Two values that differ at a path, by two replicas.
    void contest(const Path& path, const Value& a, const Value& b) {
        Change x = change({{path, a, {}}}), y = change({{path, b, {}}});
        y.dot = {replica_id(2), 1};
        y.prev = 0;
        (void)state.apply(x, x.stamp);
        (void)state.apply(y, y.stamp);
    }
    std::vector<Dot> dots_at(const Path& path) const {
        std::vector<Dot> dots;
        for (const Sibling& s : state.find(path)->siblings) dots.push_back(s.dot);
        return dots;
    }
    Value signed_value(BytesView document) const {
        CborWriter w;
        w.array(2);
        write_context(w, state.context());
        w.raw(document);
        return w.take();
    }
    Value seen() const {
        CborWriter w;
        write_context(w, state.context());
        return w.take();
    }
    RecordState state;
};

const Path kPhone = scalar_path("phone");

}  // namespace

TEST_CASE("a change that covers two differing siblings is a resolve, whatever it calls itself, and needs the right to") {
    Case c;
    c.contest(kPhone, text_value("111"), text_value("222"));
    CHECK_FALSE(c.may({{kPhone, text_value("333"), {}}}));
    CHECK_FALSE(c.may({{kPhone, text_value("111"), {}}}));
    CHECK(c.may({{kPhone, text_value("333"), {}}}, as({"supervisor"})));
    CHECK(c.may({{kPhone, text_value("333"), c.dots_at(kPhone)}}));
    // Sparing one of two covers one value: no conflict is decided by that.
    CHECK(c.may({{kPhone, text_value("333"), {c.dots_at(kPhone)[0]}}}));
}

TEST_CASE("covering two equal siblings, or siblings of a set, is no resolve") {
    Case c;
    c.contest(kPhone, text_value("111"), text_value("111"));
    CHECK(c.may({{kPhone, text_value("333"), {}}}));
    Case set;
    const Path tag = element_path("tags", text_value("a"));
    set.contest(tag, bool_value(true), bool_value(false));
    CHECK(set.may({{tag, bool_value(false), {}}}));
}

TEST_CASE("covering two differing lines of a text is a resolve, which any writer of the text may") {
    Case c;
    const Path line{static_cast<std::uint32_t>(PathKind::line), "note", line_key({}), {}};
    c.contest(line, text_value("a"), text_value("b"));
    CHECK(c.may({{line, text_value("c"), {}}}));
    CHECK_FALSE(c.may({{line, text_value("c"), {}}}, as({"clerk"})));
    CHECK_FALSE(c.may({{line, int_value(1), {}}}));
}

TEST_CASE("of a once field a second value is refused to who has seen the first, and only a resolve follows two firsts") {
    Case c;
    const Path number = scalar_path("number");
    CHECK(c.may({{number, text_value("1"), {}}}));
    c.contest(number, text_value("1"), text_value("2"));
    CHECK_FALSE(c.may({{number, text_value("3"), c.dots_at(number)}}));
    CHECK_FALSE(c.may({{number, text_value("1"), {}}}));
    CHECK(c.may({{number, text_value("1"), {}}}, as({"supervisor"})));
}

TEST_CASE("a deleted record takes no write before it is brought back") {
    Case c;
    CHECK_FALSE(c.may({{record_path(PathKind::life), c.seen(), {}}}));
    REQUIRE(c.may({{record_path(PathKind::life), c.seen(), {}}}, as({"supervisor"})));
    c.apply({{record_path(PathKind::life), c.seen(), {}}});
    REQUIRE(c.state.deleted());
    CHECK_FALSE(c.may({{kPhone, text_value("111"), {}}}));
    CHECK(c.may({{record_path(PathKind::life), null_value(), {}}, {kPhone, text_value("111"), {}}}, as({"supervisor", "worker"})));
}

TEST_CASE("a deletion that claims to have seen more, less or something else is refused") {
    Case c;
    Context more = c.state.context();
    more.set(replica_id(2), std::uint64_t{1} << 50);
    CborWriter claimed;
    write_context(claimed, more);
    const Path life = record_path(PathKind::life);
    CHECK_FALSE(c.may({{life, claimed.bytes(), {}}}, as({"supervisor"})));
    CHECK_FALSE(c.may({{life, from_hex("a0"), {}}}, as({"supervisor"})));
    CHECK_FALSE(c.may({{life, int_value(5), {}}}, as({"supervisor"})));
    CHECK_FALSE(c.may({{life, bool_value(true), {}}}, as({"supervisor"})));
    // A map that is no context would leave a record that nobody can read.
    CHECK_THROWS_AS(c.may({{life, value_from_json(R"({"a": 1})"), {}}}, as({"supervisor"})), Error);
}

TEST_CASE("a sealed record can only be amended, in an operation of its own, and an unsealed one not at all") {
    Case c;
    const Path seal = record_path(PathKind::seal), amendment = record_path(PathKind::amendment);
    const Value empty = document_to_value({});
    CHECK_FALSE(c.may({{amendment, c.signed_value(empty), {}}}));
    CHECK(c.may({{seal, c.signed_value(empty), {}}}));
    c.apply({{seal, c.signed_value(empty), {}}});
    CHECK_FALSE(c.may({{kPhone, text_value("111"), {}}}));
    CHECK_FALSE(c.may({{seal, c.signed_value(empty), {}}}));
    const Op amends{amendment, c.signed_value(document_to_value({{"phone", text_value("111")}})), {}};
    CHECK(c.may({amends}));
    CHECK_FALSE(c.may({amends}, as({"clerk"})));
    CHECK_FALSE(c.may({amends, {kPhone, text_value("111"), {}}}));
}

TEST_CASE("a seal carries the document that its author saw, and names that version") {
    Case c;
    c.apply({{kPhone, text_value("111"), {}}});
    const Path seal = record_path(PathKind::seal);
    const Value seen = c.signed_value(document_to_value({{"phone", text_value("111")}}));
    CHECK(c.may({{seal, seen, {}}}));
    CHECK_FALSE(c.may({{seal, c.signed_value(document_to_value({{"phone", text_value("112")}})), {}}}));
    CHECK_FALSE(c.may({{seal, seen, {}}}, as({"worker"}, "maris")));
    Case earlier;
    CHECK_FALSE(c.may({{seal, earlier.signed_value(document_to_value({{"phone", text_value("111")}})), {}}}));
}

TEST_CASE("an amendment shows only what its fields may hold, in sets and rows too") {
    Case c;
    c.apply({{record_path(PathKind::seal), c.signed_value(document_to_value({})), {}}});
    const auto may_show = [&](const char* field, const Value& value) {
        return c.may({{record_path(PathKind::amendment), c.signed_value(document_to_value({{field, value}})), {}}});
    };
    CborWriter nan;
    nan.number(std::numeric_limits<double>::quiet_NaN());
    CHECK(may_show("tags", value_from_json(R"(["a"])")));
    CHECK_FALSE(may_show("tags", value_from_json(R"(["too long"])")));
    CHECK_FALSE(may_show("tags", value_from_json(R"("a")")));
    CHECK_FALSE(may_show("tags", Value("\x81") + nan.bytes()));
    CHECK(may_show("fees", value_from_json(R"({"a": {"amount": 3}})")));
    CHECK_FALSE(may_show("fees", value_from_json(R"({"a": {"amount": 11}})")));
    CHECK_FALSE(may_show("fees", value_from_json(R"({"a": {"colour": 1}})")));
    CHECK_FALSE(may_show("visits", nan.bytes()));
    CHECK_FALSE(may_show("phone", text_value("too long")));
    CHECK_FALSE(may_show("colour", text_value("red")));
}

TEST_CASE("a record is born exactly once") {
    Case c;
    CHECK_FALSE(c.may({{record_path(PathKind::birth), bool_value(true), {}}}));
    CHECK_FALSE(c.may({{record_path(PathKind::birth), bool_value(true), {}}, {kPhone, text_value("111"), {}}}));
    const RecordState nothing;
    Change unborn = c.change({{kPhone, text_value("111"), {}}});
    unborn.seen = {};
    CHECK(judge_change(unborn, nothing, &loan(), as({"worker"}), nullptr));
    unborn.ops.push_back({record_path(PathKind::birth), bool_value(true), {}});
    CHECK_FALSE(judge_change(unborn, nothing, &loan(), as({"worker"}), nullptr));
    CHECK(judge_change(unborn, nothing, &loan(), as({"clerk"}), nullptr));
    CHECK(creator_of(c.state) == "ilze");
    CHECK(creator_of(nothing).empty());
}

TEST_CASE("a counter's part is written by its own replica only") {
    Case c;
    CHECK(c.may({{counter_path("visits", replica_id(1)), int_value(3), {}}}));
    CHECK_FALSE(c.may({{counter_path("visits", replica_id(2)), int_value(3), {}}}));
    CHECK_FALSE(c.may({{counter_path("visits", replica_id(1)), text_value("3"), {}}}));
}

TEST_CASE("unknown types, fields, columns and kinds of operation are refused when newly written") {
    Case c;
    CHECK(judge_change(c.change({{kPhone, text_value("111"), {}}}), c.state, nullptr, as({"worker"}), nullptr));
    CHECK_FALSE(c.may({}));
    CHECK_FALSE(c.may({{scalar_path("colour"), text_value("red"), {}}}));
    CHECK_FALSE(c.may({{column_path("fees", "a", "colour"), text_value("red"), {}}}));
    CHECK_FALSE(c.may({{Path{11, {}, {}, {}}, null_value(), {}}}));
    CHECK_FALSE(c.may({{Path{900, {}, text_value("x"), {}}, null_value(), {}}}));
    // A known field by an operation of another kind.
    CHECK_FALSE(c.may({{scalar_path("tags"), text_value("a"), {}}}));
    CHECK_FALSE(c.may({{element_path("phone", text_value("a")), bool_value(true), {}}}));
    CHECK_FALSE(c.may({{element_path("tags", text_value("a")), int_value(1), {}}}));
    CHECK_FALSE(c.may({{row_path("phone", "a"), bool_value(true), {}}}));
    CHECK_FALSE(c.may({{row_path("fees", "a"), null_value(), {}}}));
    CHECK_FALSE(c.may({{scalar_path("note"), text_value("a"), {}}}));
    CHECK_FALSE(c.may({{text_path("phone"), encode_text_ops({}), {}}}));
}

TEST_CASE("a free-form object holds only what JSON can say, or its record could not be read again") {
    Case c;
    const Path form = scalar_path("form");
    const auto object = [](const Value& member) { return Value("\xa1\x61\x61") + member; };
    CborWriter number, octets, large;
    number.number(std::numeric_limits<double>::infinity());
    octets.octets("x");
    large.uint(UINT64_MAX);
    CHECK(c.may({{form, object(value_from_json(R"([1, -2.5, {"b": null}, "c", true])")), {}}}));
    CHECK_FALSE(c.may({{form, object(number.bytes()), {}}}));
    CHECK_FALSE(c.may({{form, object(octets.bytes()), {}}}));
    CHECK_FALSE(c.may({{form, object(large.bytes()), {}}}));
    CHECK_FALSE(c.may({{form, from_hex("a10102"), {}}}));
    CHECK_FALSE(c.may({{form, object(Value(30, '\x81') + '\x01'), {}}}));
    CHECK_FALSE(c.may({{form, value_from_json("[1]"), {}}}));
}

TEST_CASE("judging on the state at seen, later changes decide nothing") {
    Case c;
    const Change early = c.change({{kPhone, text_value("000"), {}}});
    const RecordState seen_then = c.state;
    c.contest(kPhone, text_value("111"), text_value("222"));
    CHECK_FALSE(judge_change(early, seen_then, &loan(), as({"worker"}), nullptr));
    CHECK_FALSE(judge_change(early, c.state.within(early.seen), &loan(), as({"worker"}), nullptr));
}
