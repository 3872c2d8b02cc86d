// The one rule and each policy, as claims about two or three people and one record.
#include "core/base/error.h"
#include "core/record/json_document.h"
#include "core/record/rules.h"
#include "core/record/state.h"
#include "core/record/view.h"
#include "platform/posix/openssl_crypto.h"
#include "tests/support/catch.h"
#include "tests/support/person.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

using Values = std::vector<std::string>;
posix::OpenSslCrypto crypto;

Value words(std::string_view text) {
    return text_value(text);
}

std::function<void(Draft&)> put(const char* field, Value value) {
    return [=](Draft& d) { d.put(field, value); };
}

/// Both save, then each hears the other; the second's clock is ahead.
void concurrently(Person& a, Person& b, const std::function<void(Draft&)>& first, const std::function<void(Draft&)>& second) {
    const Change x = a.save(2'000, first), y = b.save(3'000, second);
    REQUIRE(a.hear(y) == Applied::applied);
    REQUIRE(b.hear(x) == Applied::applied);
    REQUIRE(a.state.encode() == b.state.encode());
}

}  // namespace

// Policies

TEST_CASE("each path has the policy of what it addresses, and an unknown field asks for review") {
    const TypeSchema& type = Person::type();
    const std::vector<std::pair<Path, Merge>> policies = {
        {scalar_path("name"), Merge::latest},
        {scalar_path("phone"), Merge::review},
        {scalar_path("risk"), Merge::highest},
        {scalar_path("number"), Merge::review},  // written once
        {scalar_path("unknown"), Merge::review},
        {element_path("tags", words("a")), Merge::set},
        {row_path("lines", "r"), Merge::set},
        {column_path("lines", "r", "amount"), Merge::review},
        {column_path("lines", "r", "kind"), Merge::latest},
        {column_path("lines", "r", "unknown"), Merge::review},
        {counter_path("visits", ReplicaId{}), Merge::counter},
        {text_path("note"), Merge::text},
        {record_path(PathKind::seal), Merge::latest},
    };
    for (const auto& [path, policy] : policies) {
        CAPTURE(path.kind, path.field);
        CHECK(policy_of(path, &type) == policy);
    }
}

TEST_CASE("latest: the greater stamp is shown, the other value stays, and nobody is asked") {
    Person a(1), b(2);
    shared(a, {&b});
    concurrently(a, b, put("name", words("Anna")), put("name", words("Ansis")));
    CHECK(a.shown("name") == "\"Ansis\"");
    CHECK(a.values(scalar_path("name")) == Values{"\"Anna\"", "\"Ansis\""});
    CHECK(a.review(crypto).empty());
}

TEST_CASE("latest: of equal stamps the greater replica is shown, on every device") {
    Person a(1), b(2);
    shared(a, {&b});
    const Change x = a.save(2'000, put("name", words("Z"))), y = b.save(2'000, put("name", words("A")));
    (void)a.hear(y), (void)b.hear(x);
    CHECK(a.shown("name") == "\"A\"");
    CHECK(b.shown("name") == "\"A\"");
}

TEST_CASE("review: differing values show the latest and open an item that names both, sorted by stamp") {
    Person a(1), b(2);
    shared(a, {&b});
    concurrently(a, b, put("phone", words("111")), put("phone", words("222")));
    CHECK(a.shown("phone") == "\"222\"");
    const auto items = a.review(crypto);
    REQUIRE(items.size() == 1);
    CHECK(items[0].kind == ReviewKind::value);
    CHECK(items[0].field == "phone");
    REQUIRE(items[0].values.size() == 2);
    CHECK(to_json(items[0].values[0].value) == "\"111\"");
    CHECK(items[0].values[0].author == "user1");
    CHECK(items[0].values[1].stamp == Stamp::from_ms(3'000));
    CHECK(items[0].id == b.review(crypto)[0].id);
}

TEST_CASE("equal concurrent values are no conflict, and the next write covers both") {
    Person a(1), b(2);
    shared(a, {&b});
    concurrently(a, b, put("phone", words("111")), put("phone", words("111")));
    CHECK(a.review(crypto).empty());
    CHECK(a.at(scalar_path("phone"))->siblings.size() == 2);
    a.save(4'000, put("phone", words("333")));
    CHECK(a.values(scalar_path("phone")) == Values{"\"333\""});
}

TEST_CASE("highest: the graver value is shown although the milder is later, and an item is open") {
    Person a(1), b(2);
    shared(a, {&b});
    concurrently(a, b, put("risk", words("immediate")), put("risk", words("low")));
    CHECK(a.shown("risk") == "\"immediate\"");
    REQUIRE(a.review(crypto).size() == 1);
    CHECK(a.review(crypto)[0].field == "risk");
}

TEST_CASE("once: two concurrent firsts are siblings under an item of their own kind") {
    Person a(1), b(2);
    shared(a, {&b});
    concurrently(a, b, put("number", int_value(1)), put("number", int_value(2)));
    REQUIRE(a.review(crypto).size() == 1);
    CHECK(a.review(crypto)[0].kind == ReviewKind::once);
}

TEST_CASE("set: a concurrent addition wins over a removal, and a removal that has seen the addition holds") {
    Person a(1), b(2);
    shared(a, {&b}, [](Draft& d) { d.add_element("tags", words("gluds")); });
    concurrently(
        a, b, [](Draft& d) { d.remove_element("tags", words("gluds")); },
        [](Draft& d) { d.put("tags", value_from_json(R"(["gluds","jauns"])")); });
    CHECK(a.shown("tags") == R"(["jauns"])");
    Person c(3);
    c.state.join(a.state);
    concurrently(c, a, [](Draft& d) { d.add_element("tags", words("gluds")); }, [](Draft& d) { d.remove_element("tags", words("jauns")); });
    CHECK(c.shown("tags") == R"(["gluds"])");
    CHECK(c.review(crypto).empty());
}

TEST_CASE("pitfall 31: two corrections of one income are two values of one row, and the row is there once") {
    Person a(1), b(2);
    shared(a, {&b}, [](Draft& d) { d.put_row("lines", "alga", value_from_json(R"({"amount": 500})")); });
    concurrently(
        a, b, [](Draft& d) { d.put_row("lines", "alga", value_from_json(R"({"amount": 510})")); },
        [](Draft& d) { d.put_row("lines", "alga", value_from_json(R"({"amount": 520})")); });
    CHECK(a.shown("lines") == R"({"alga":{"amount":520}})");
    REQUIRE(a.review(crypto).size() == 1);
    CHECK(a.review(crypto)[0].field == "lines.alga.amount");
}

TEST_CASE("pitfall 38: a row that is removed while its amount is edited stays") {
    Person a(1), b(2);
    shared(a, {&b}, [](Draft& d) { d.put_row("lines", "alga", value_from_json(R"({"amount": 500})")); });
    concurrently(
        a, b, [](Draft& d) { d.remove_row("lines", "alga"); },
        [](Draft& d) { d.put_row("lines", "alga", value_from_json(R"({"amount": 520})")); });
    CHECK(a.shown("lines") == R"({"alga":{"amount":520}})");
    a.save(5'000, [](Draft& d) { d.remove_row("lines", "alga"); });
    CHECK(a.shown("lines").empty());
}

TEST_CASE("counter: concurrent steps add up, negative ones too") {
    Person a(1), b(2);
    shared(a, {&b}, [](Draft& d) { d.count("visits", 5); });
    concurrently(a, b, [](Draft& d) { d.count("visits", 2); }, [](Draft& d) { d.count("visits", -4); });
    CHECK(a.shown("visits") == "3");
}

TEST_CASE("counter: a replica's last total counts, also when its clock was set back or its form was old") {
    Person a(1);
    shared(a, {}, [](Draft& d) { d.count("visits", 5); });
    const Version old = a.version();
    a.save(9'000, [](Draft& d) { d.count("visits", 2); });
    a.save(2'000, [](Draft& d) { d.count("visits", 1); }, old);
    CHECK(a.at(counter_path("visits", a.id))->siblings.size() == 2);
    CHECK(a.shown("visits") == "8");
}

TEST_CASE("text: two edits of one line are merged and wait to be read once; of two lines, they do not") {
    Person a(1), b(2);
    shared(a, {&b}, put("note", words("pirmā\notrā")));
    concurrently(a, b, put("note", words("pirmā rinda\notrā")), put("note", words("pirmā\notrā rinda")));
    CHECK(a.shown("note") == R"("pirmā rinda\notrā rinda")");
    CHECK(a.review(crypto).empty());
    concurrently(a, b, put("note", words("pirmā gara rinda\notrā rinda")), put("note", words("pirmā rinda un vēl\notrā rinda")));
    CHECK(a.shown("note") == R"("pirmā gara rinda un vēl\notrā rinda")");
    REQUIRE(a.review(crypto).size() == 1);
    CHECK(a.review(crypto)[0].kind == ReviewKind::text);
}

TEST_CASE("a field and a type that the schema does not know are kept and treated as review") {
    Person a(1), b(2);
    shared(a, {&b});
    const auto unknown = [](Person& p, const char* value) {
        Change c = p.draft(2'000, [](Draft&) {});
        c.ops = {{scalar_path("later"), words(value), {}}};
        (void)p.hear(c);
        return c;
    };
    const Change x = unknown(a, "x"), y = unknown(b, "y");
    (void)a.hear(y), (void)b.hear(x);
    CHECK(a.state.encode() == b.state.encode());
    CHECK(a.review(crypto).size() == 1);
    CHECK(review_items(crypto, RecordId{}, a.state, nullptr).size() == 1);
    CHECK(a.values(scalar_path("later")) == Values{"\"x\"", "\"y\""});
}

// Causality

TEST_CASE("pitfall 10: who has seen a value replaces it, however early the clock says, however often it was written") {
    Person a(1), b(2);
    shared(a, {&b});
    Change last = a.save(2'000, put("phone", words("1")));
    (void)b.hear(last);
    for (int i = 2; i < 9; ++i)
        (void)b.hear(last = a.save(9'000 + static_cast<std::uint64_t>(i), put("phone", words("9" + std::to_string(i)))));
    const Change reply = b.save(10, put("phone", words("0")));
    REQUIRE(a.hear(reply) == Applied::applied);
    CHECK(a.values(scalar_path("phone")) == Values{"\"0\""});
    CHECK(a.shown("phone") == "\"0\"");
    CHECK(a.review(crypto).empty());
}

TEST_CASE("pitfall 26: a change whose context names what is not here is early, changes nothing, and applies later") {
    Person a(1), b(2), c(3);
    const Change birth = shared(a, {&b, &c});
    const Change x = a.save(2'000, put("phone", words("x")));
    (void)b.hear(x);
    const Change z = b.save(3'000, put("phone", words("z")));
    const Value before = c.state.encode();
    CHECK(c.hear(z) == Applied::early);
    CHECK(c.state.encode() == before);
    CHECK(c.hear(x) == Applied::applied);
    CHECK(c.hear(z) == Applied::applied);
    CHECK(c.hear(x) == Applied::duplicate);
    CHECK(c.values(scalar_path("phone")) == Values{"\"z\""});
    CHECK(c.state.encode() == b.state.encode());
    CHECK(c.hear(birth) == Applied::duplicate);
}

TEST_CASE("pitfall 26: a change made on an old base waits for its replica's change before it, which would be lost else") {
    Person a(1), b(2);
    shared(a, {&b});
    const Version old = a.version();
    const Change x = a.save(2'000, put("name", words("Anna")));
    const Change y = a.save(3'000, put("phone", words("222")), old);
    REQUIRE(y.seen.at(a.id) < y.prev);
    CHECK(b.hear(y) == Applied::early);
    CHECK(b.hear(x) == Applied::applied);
    CHECK(b.hear(y) == Applied::applied);
    CHECK(b.shown("name") == "\"Anna\"");
    CHECK(b.state.encode() == a.state.encode());
}

TEST_CASE("pitfall 28: a form opened before a pull and saved after it covers only what its user saw") {
    Person a(1), b(2);
    shared(a, {&b}, put("phone", words("old")));
    const Version opened = a.version();
    (void)a.hear(b.save(2'000, put("phone", words("theirs"))));
    a.save(3'000, put("phone", words("mine")), opened);
    CHECK(a.values(scalar_path("phone")) == Values{"\"mine\"", "\"theirs\""});
    REQUIRE(a.review(crypto).size() == 1);
}

TEST_CASE("pitfall 32: changes are applied, not joined: {name, phone} and then {name} keeps the phone") {
    Person a(1), b(2);
    const Change both = a.save(2'000, [](Draft& d) {
        d.put("name", words("Anna"));
        d.put("phone", words("111"));
    });
    const Change name = a.save(3'000, put("name", words("Anna Liepa")));
    (void)b.hear(both), (void)b.hear(name);
    CHECK(b.shown("phone") == "\"111\"");
    CHECK(b.shown("name") == "\"Anna Liepa\"");
    // Taken for a small state, the second change would have said that the phone is gone.
    RecordState small = RecordState();
    small = b.state.within(name.seen);
    CHECK(small.find(scalar_path("phone")) != nullptr);
}

TEST_CASE("pitfall 35: a form that was open across a refusal is saved without the dead dot, and everybody can apply it") {
    Person a(1), b(2);
    shared(a, {&b}, put("phone", words("old")));
    const RecordState confirmed = a.state;
    a.save(2'000, put("phone", words("refused")));
    Version opened = a.version();
    // The server refused it: the state is what was confirmed, and the dead dot leaves the form's version.
    a.state = confirmed;
    opened.seen.set(a.id, confirmed.context().at(a.id));
    const Change later = a.save(4'000, put("phone", words("new")), opened);
    CHECK(b.hear(later) == Applied::applied);
    CHECK(b.values(scalar_path("phone")) == Values{"\"new\""});
}

TEST_CASE("pitfall 36: an ordinary write spares all that differ, also when it equals one of them; a resolve covers all") {
    Person a(1), b(2), c(3);
    shared(a, {&b, &c});
    concurrently(a, b, put("phone", words("111")), put("phone", words("222")));
    // The one that is shown already, asked for again, writes nothing at all.
    Draft same(a.state, a.type(), {a.id, 99}, std::nullopt);
    same.put("phone", words("222"));
    CHECK(same.empty());
    a.save(4'000, put("phone", words("111")));
    CHECK(a.values(scalar_path("phone")) == Values{"\"111\"", "\"111\"", "\"222\""});
    REQUIRE(a.review(crypto).size() == 1);
    const ReviewItem item = a.review(crypto)[0];
    a.save(5'000, [&](Draft& d) { d.resolve(item, words("111")); });
    CHECK(a.values(scalar_path("phone")) == Values{"\"111\""});
    CHECK(a.review(crypto).empty());
}

TEST_CASE("a review item's id changes with its siblings and not with their stamps, so a stale decision finds none") {
    Person a(1), b(2);
    shared(a, {&b});
    concurrently(a, b, put("phone", words("111")), put("phone", words("222")));
    const std::string before = a.review(crypto)[0].id;
    const Dot dot = a.at(scalar_path("phone"))->siblings[0].dot;
    a.state.restamp(dot, Stamp::from_ms(99'000));
    CHECK(a.review(crypto)[0].id == before);
    CHECK(a.shown("phone") == "\"111\"");
    a.save(4'000, put("phone", words("333")));
    CHECK(a.review(crypto)[0].id != before);
}

TEST_CASE("of two stamps of one dot a join keeps the smaller, in either order") {
    Person a(1);
    const Change birth = a.draft(5'000, put("name", words("Anna")));
    RecordState x, y;
    (void)x.apply(birth, Stamp::from_ms(5'000));
    (void)y.apply(birth, Stamp::from_ms(4'000));
    RecordState yx = y;
    yx.join(x);
    x.join(y);
    CHECK(x.encode() == yx.encode());
    CHECK(x.written(birth.dot).stamp == Stamp::from_ms(4'000));
}

// Refusals

TEST_CASE("pitfall 27: a refused +2 is not in the totals that follow it, nor refused words in the text") {
    Person a(1), b(2);
    shared(a, {&b}, [](Draft& d) {
        d.count("visits", 1);
        d.put("note", words("sākums"));
    });
    const RecordState confirmed = a.state;
    const Change refused = a.save(2'000, [](Draft& d) {
        d.count("visits", 2);
        d.put("note", words("sākums slepens"));
    });
    const RecordState before = a.state;
    const Change next = a.save(3'000, [](Draft& d) {
        d.count("visits", 4);
        d.put("note", words("sākums slepens un beigas"));
    });
    const Change again = reauthored(next, {a.id, 10}, before, a.state, confirmed, &a.type());
    CHECK(b.hear(again) == Applied::applied);
    CHECK(b.shown("visits") == "5");
    CHECK(b.shown("note") == "\"sākums un beigas\"");
    CHECK(again.prev == refused.prev);
}

TEST_CASE("a set given whole by an older form neither brings back what was removed since nor takes away what was added") {
    Person a(1), b(2);
    shared(a, {&b}, [](Draft& d) { d.put("tags", value_from_json(R"(["viens","divi"])")); });
    const Version form = a.version();
    CHECK(a.hear(b.save(2'000, [](Draft& d) {
        d.remove_element("tags", words("divi"));
        d.add_element("tags", words("trīs"));
    })) == Applied::applied);
    const Change saved = a.save(3'000, [](Draft& d) { d.put("tags", value_from_json(R"(["viens","divi","četri"])")); }, form);
    CHECK(saved.ops.size() == 1);
    CHECK(a.shown("tags") == R"(["trīs","viens","četri"])");
}

TEST_CASE("several edits of one text, authored again, each land where they were meant") {
    Person a(1), b(2);
    shared(a, {&b}, put("note", words("viens divi trīs četri pieci")));
    const RecordState confirmed = a.state;
    a.save(2'000, put("note", words("nulle viens divi trīs četri pieci")));
    const RecordState before = a.state;
    const Change next = a.save(3'000, put("note", words("nulle viens DIVI UN DIVI trīs pieci seši")));
    const Change again = reauthored(next, {a.id, 10}, before, a.state, confirmed, &a.type());
    CHECK(b.hear(again) == Applied::applied);
    CHECK(b.shown("note") == "\"viens DIVI UN DIVI trīs pieci seši\"");
}

TEST_CASE("pitfall 33: re-authored work keeps its seen, and dominates nothing that its author had not seen") {
    Person a(1), b(2);
    shared(a, {&b}, put("phone", words("old")));
    const RecordState confirmed = a.state;
    a.save(2'000, put("name", words("refused")));
    const RecordState before = a.state;
    const Change next = a.save(3'000, put("phone", words("mine")));
    RecordState authoritative = confirmed;
    const Change theirs = b.save(2'500, put("phone", words("theirs")));
    (void)authoritative.apply(theirs, theirs.stamp);
    const Change again = reauthored(next, {a.id, 10}, before, a.state, authoritative, &a.type());
    CHECK_FALSE(again.seen.covers(theirs.dot));
    CHECK(b.hear(again) == Applied::applied);
    CHECK(b.values(scalar_path("phone")) == Values{"\"mine\"", "\"theirs\""});
}

TEST_CASE("pitfall 33: re-authored work on an old base does not cover the own change that the form had not shown") {
    Person a(1);
    shared(a, {}, put("phone", words("old")));
    const Version opened = a.version();
    a.save(2'000, put("phone", words("accepted")));
    const RecordState confirmed = a.state;
    a.save(2'500, put("name", words("refused")));
    const RecordState before = a.state;
    const Change next = a.save(3'000, put("phone", words("from the old form")), opened);
    const Change again = reauthored(next, {a.id, 10}, before, a.state, confirmed, &a.type());
    RecordState state = confirmed;
    REQUIRE(state.apply(again, again.stamp) == Applied::applied);
    CHECK(state.find(scalar_path("phone"))->siblings.size() == 2);
}

TEST_CASE("an amendment authored again names what lives of what its author had seen, so that it can be accepted") {
    Person a(1);
    shared(a, {}, put("name", words("Anna")));
    a.save(2'000, [&](Draft& d) { d.seal(shown_document(a.state, &a.type())); });
    const RecordState confirmed = a.state;
    a.save(3'000, [](Draft& d) { d.amend({{"name", words("Refused")}}); });
    const RecordState before = a.state;
    const Change next = a.save(4'000, [](Draft& d) { d.amend({{"name", words("Anna Liepa")}}); });
    const Change again = reauthored(next, {a.id, 10}, before, a.state, confirmed, &a.type());
    Writer writer;
    writer.user = again.author;
    writer.roles = {"worker"};
    CHECK_FALSE(judge_change(again, confirmed.within(again.seen), &a.type(), writer, nullptr));
}

TEST_CASE("pitfall 34: a change accepted out of quarantine under the server's dot is new to those who covered the original") {
    Person a(1), b(2), server(9);
    shared(a, {&b});
    const Change original = a.save(2'000, put("phone", words("held")));
    const Change after = a.draft(3'000, put("name", words("Anna")));
    Change accepted = original;
    accepted.dot = {server.id, 1};
    accepted.prev = 0;
    // B has since heard a later change of A's replica, so its context covers the dead dot.
    Change later = after;
    later.seen.set(a.id, original.prev);
    later.prev = original.prev;
    REQUIRE(b.hear(later) == Applied::applied);
    REQUIRE(b.state.context().covers(original.dot));
    CHECK(b.hear(original) == Applied::duplicate);
    CHECK(b.hear(accepted) == Applied::applied);
    CHECK(b.shown("phone") == "\"held\"");
}

// Deletion and sealing

TEST_CASE("a delete that has seen everything deletes; anything it had not seen keeps the record, with an item") {
    Person a(1), b(2);
    shared(a, {&b}, put("name", words("Anna")));
    Person alone = a;
    alone.save(2'000, [](Draft& d) { d.remove(); });
    CHECK(alone.state.deleted());
    CHECK(alone.review(crypto).empty());
    concurrently(a, b, [](Draft& d) { d.remove(); }, put("phone", words("111")));
    CHECK_FALSE(a.state.deleted());
    REQUIRE(a.review(crypto).size() == 1);
    CHECK(a.review(crypto)[0].kind == ReviewKind::deleted);
    const ReviewItem item = a.review(crypto)[0];
    a.save(5'000, [&](Draft& d) { d.resolve(item, bool_value(true)); });
    CHECK(a.state.deleted());
    a.save(6'000, [](Draft& d) { d.restore(); });
    CHECK_FALSE(a.state.has_delete());
    CHECK(a.shown("phone") == "\"111\"");
}

TEST_CASE("a delete that had not seen an edit of a text keeps the record") {
    Person a(1), b(2);
    shared(a, {&b}, put("note", words("teksts")));
    concurrently(a, b, [](Draft& d) { d.remove(); }, put("note", words("teksts\nvēl")));
    CHECK_FALSE(a.state.deleted());
    CHECK(a.review(crypto).size() == 1);
}

TEST_CASE("pitfall 37: two concurrent deletes agree") {
    Person a(1), b(2);
    shared(a, {&b}, put("name", words("Anna")));
    concurrently(a, b, [](Draft& d) { d.remove(); }, [](Draft& d) { d.remove(); });
    CHECK(a.state.deleted());
    CHECK(a.review(crypto).empty());
}

TEST_CASE("nothing dominates a seal; what was written without it is an item that ends in an amendment") {
    Person a(1), b(2);
    shared(a, {&b}, put("name", words("Anna")));
    concurrently(a, b, [&](Draft& d) { d.seal(shown_document(a.state, &a.type())); }, put("name", words("Ansis")));
    CHECK(is_sealed(a.state));
    CHECK(a.shown("name") == "\"Anna\"");
    REQUIRE(a.review(crypto).size() == 1);
    const ReviewItem item = a.review(crypto)[0];
    CHECK(item.kind == ReviewKind::sealed);
    CHECK(item.field == "name");
    a.save(5'000, [&](Draft& d) { d.resolve(item, words("Ansis")); });
    CHECK(a.shown("name") == "\"Ansis\"");
    CHECK(a.review(crypto).empty());
    CHECK(a.at(record_path(PathKind::seal)) != nullptr);
}

TEST_CASE("two seals of different documents are settled by an amendment that has seen both") {
    Person a(1), b(2);
    shared(a, {&b}, put("name", words("Anna")));
    const Change x = a.save(2'000, put("phone", words("111"))), y = b.save(2'000, put("phone", words("222")));
    const Change x_seal = a.save(3'000, [&](Draft& d) { d.seal(a.document()); });
    const Change y_seal = b.save(3'500, [&](Draft& d) { d.seal(b.document()); });
    for (const Change& c : {y, y_seal}) REQUIRE(a.hear(c) == Applied::applied);
    for (const Change& c : {x, x_seal}) REQUIRE(b.hear(c) == Applied::applied);
    CHECK(a.state.encode() == b.state.encode());
    CHECK(a.shown("phone") == "\"222\"");
    REQUIRE(a.review(crypto).size() == 1);
    const ReviewItem item = a.review(crypto)[0];
    CHECK(item.kind == ReviewKind::sealed);
    REQUIRE(item.values.size() == 2);
    a.save(4'000, [&](Draft& d) { d.resolve(item, item.values[0].value); });
    CHECK(a.shown("phone") == "\"111\"");
    CHECK(a.review(crypto).empty());
    CHECK(a.at(record_path(PathKind::seal))->siblings.size() == 2);
}

TEST_CASE("an amendment may show a field that nobody ever wrote, and its state comes back from the row") {
    Person a(1);
    shared(a, {}, put("name", words("Anna")));
    a.save(2'000, [&](Draft& d) { d.seal(shown_document(a.state, &a.type())); });
    a.save(3'000, [](Draft& d) { d.amend({{"name", words("Anna")}, {"phone", words("111")}}); });
    const RecordState::Document document = a.document();
    const RecordState back = RecordState::decode_beside(a.state.encode_beside(document), document_from_json(document_to_json(document)));
    CHECK(back.find(scalar_path("phone")) == nullptr);
    CHECK(back.encode() == a.state.encode());
}

// What nobody should send

TEST_CASE("a change that writes one path twice means its last word, also for seals and births, and its state can be read") {
    Person a(1);
    Change twice = a.draft(1'000, put("name", words("Anna")));
    twice.ops.push_back(twice.ops[0]);
    twice.ops.push_back({scalar_path("name"), words("Ansis"), {}});
    REQUIRE(a.hear(twice) == Applied::applied);
    CHECK(a.at(record_path(PathKind::birth))->siblings.size() == 1);
    CHECK(a.shown("name") == "\"Ansis\"");
    CHECK(RecordState::decode(a.state.encode()).encode() == a.state.encode());
}

TEST_CASE("text operations that cannot be leave the state as it was") {
    Person a(1);
    shared(a, {}, put("name", words("Anna")));
    const Value before = a.state.encode();
    Change bad = a.draft(2'000, put("name", words("Ansis")));
    const Dot unknown{replica_id(7), 3};
    bad.ops.push_back({text_path("note"), encode_text_ops({{{unknown, 0}, true, "x", 0, false}}, bad.dot), {}});
    CHECK_THROWS_AS(a.hear(bad), Error);
    CHECK(a.state.encode() == before);
    bad.ops.push_back({text_path("second"), encode_text_ops({{{}, true, "x", 0, false}}, bad.dot), {}});
    CHECK_THROWS_AS(a.hear(bad), Error);
    CHECK(a.state.encode() == before);
}

TEST_CASE("damaged bytes of a state are corrupt or another state, and never anything worse") {
    World world(4);
    for (int i = 0; i < 60; ++i) world.step();
    const RecordState::Document document = shown_document(world.server.state, &world_type());
    const Value whole = world.server.state.encode(), meta = world.server.state.encode_beside(document);
    Random random(11);
    for (int i = 0; i < 20'000; ++i) {
        const bool beside = random.chance(50);
        Bytes bytes = beside ? meta : whole;
        if (random.chance(10)) bytes.resize(random.below(static_cast<std::uint32_t>(bytes.size())));
        if (!bytes.empty()) bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] = static_cast<char>(random.below(256));
        try {
            const RecordState state = beside ? RecordState::decode_beside(bytes, document) : RecordState::decode(bytes);
            REQUIRE(RecordState::decode(state.encode()).encode() == state.encode());
        } catch (const Error& e) {
            REQUIRE(e.code() == ErrorCode::corrupt);
        }
    }
}

TEST_CASE("sets that a document shows are named in their order, and hold each element once") {
    Change change;
    change.dot = {ReplicaId::from_bytes("replica1"), 1};
    change.ops = {{record_path(PathKind::birth), bool_value(true), {}},
                  {element_path("a", text_value("x")), bool_value(true), {}},
                  {element_path("b", text_value("y")), bool_value(true), {}}};
    RecordState state;
    REQUIRE(state.apply(change, Stamp::from_ms(1)) == Applied::applied);
    const auto document_of = [](const char* json) { return document_from_json(json); };
    const RecordState::Document document = document_of(R"({"a":["x"],"b":["y"]})");
    const Value meta = state.encode_beside(document);
    CHECK(RecordState::decode_beside(meta, document).encode() == state.encode());
    const std::string named =
        "\x82\x61"
        "a"
        "\x61"
        "b";
    const std::size_t at = meta.rfind(named);
    REQUIRE(at != meta.npos);
    Value swapped = meta, twice = meta;
    swapped.replace(at, named.size(),
                    "\x82\x61"
                    "b"
                    "\x61"
                    "a");
    twice.replace(at, named.size(),
                  "\x82\x61"
                  "a"
                  "\x61"
                  "a");
    CHECK_THROWS_AS(RecordState::decode_beside(swapped, document), Error);
    CHECK_THROWS_AS(RecordState::decode_beside(twice, document), Error);
    CHECK_THROWS_AS(RecordState::decode_beside(meta, document_of(R"({"a":["x","x"],"b":["y"]})")), Error);
    CHECK_THROWS_AS(RecordState::decode_beside(meta, document_of(R"({"a":["x"]})")), Error);
}

TEST_CASE("a document as we print it is read the quick way; cut anywhere, it is refused") {
    const std::string printed =
        R"({"a":"plain ā","b":"quoted \"x\"\n\\","c":[1,-2,"three",[],{}],"d":{"e":null,"ff":true},"g":false,"h":9007199254740991})";
    RecordState::Document quick;
    REQUIRE(read_printed_document(printed, quick));
    CHECK(quick == document_from_json(" " + printed));  // the library's way
    CHECK(document_to_json(quick) == printed);
    for (std::size_t size = 0; size < printed.size(); ++size) {
        INFO(size);
        const std::vector<char> exactly(printed.begin(), printed.begin() + static_cast<std::ptrdiff_t>(size));
        const std::string_view part(exactly.data(), size);
        RecordState::Document cut;
        CHECK_FALSE(read_printed_document(part, cut));
        CHECK_THROWS_AS(document_from_json(part), Error);
    }
    for (const char* other :
         {R"({"a":1 })", R"({"b":1,"a":2})", R"({"a":1,"a":2})", R"({"a":01})", R"({"a":-0})", R"({"a":1.5})", R"({"a":1e3})",
          R"({"a":9007199254740992})", R"({"a":"\u0041"})", R"({"a":{"bb":1,"c":2}})", R"({"a":1}x)", "[1]"}) {
        INFO(other);
        RecordState::Document cut;
        CHECK_FALSE(read_printed_document(other, cut));
    }
}
