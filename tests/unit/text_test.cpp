#include "core/record/text.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

namespace kopdarbs {
namespace {

ReplicaId replica(std::uint8_t n) {
    ReplicaId id;
    id.octets[7] = n;
    return id;
}

Dot dot(std::uint8_t n, std::uint64_t counter) {
    return {replica(n), counter};
}

/// One replica that makes changes and hears others'.
struct Writer {
    explicit Writer(std::uint8_t number) : n(number) {}

    std::vector<TextOp> edit(const std::vector<Splice>& splices) {
        last = text.splice(dot(n, ++counter), splices);
        changes.emplace_back(dot(n, counter), last.ops);
        return last.ops;
    }
    std::vector<TextOp> insert(std::uint32_t position, const std::string& inserted) { return edit({{position, 0, inserted}}); }
    std::vector<TextOp> erase(std::uint32_t position, std::uint32_t count) { return edit({{position, count, ""}}); }
    /// A change a scalar value, each after the one before.
    void type(std::uint32_t position, const std::string& ascii) {
        for (char c : ascii) insert(position++, std::string(1, c));
    }
    void type_backwards(std::uint32_t position, const std::string& ascii) {
        for (std::size_t i = ascii.size(); i > 0; --i) insert(position, std::string(1, ascii[i - 1]));
    }
    void hear(const Writer& other) {
        for (const auto& [d, ops] : other.changes) text.apply(d, ops);
    }

    std::uint8_t n;
    std::uint64_t counter = 0;
    Text text;
    TextEdit last;
    std::vector<std::pair<Dot, std::vector<TextOp>>> changes;
};

std::string printed(const std::vector<AlteredLine>& lines) {
    std::string all;
    for (const AlteredLine& line : lines) {
        const CharId& id = line.newline;
        all += "[" + (id.dot.is_zero() ? "root" : std::to_string(id.dot.counter) + "." + std::to_string(id.offset)) +
               (line.gone ? " gone" : " " + line.text) + "]";
    }
    return all;
}

/// What `splice` alters in a text that change 1 wrote.
std::string altered(const std::string& before, const Splice& splice) {
    Writer writer(1);
    writer.insert(0, before);
    writer.edit({splice});
    return printed(writer.last.lines);
}

template <class Call>
ErrorCode code_of(Call call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    FAIL("no error");
    return ErrorCode::io;
}

bool corrupts(Text& text, const Dot& change, const std::vector<TextOp>& ops) {
    const Value before = text.encode();
    const bool corrupt = code_of([&] { text.apply(change, ops); }) == ErrorCode::corrupt;
    REQUIRE(text.encode() == before);
    return corrupt;
}

bool corrupts(const std::string& structure_hex, std::string_view shown = "") {
    return code_of([&] { (void)Text::decode(from_hex(structure_hex), shown); }) == ErrorCode::corrupt;
}

}  // namespace

TEST_CASE("concurrent forward typing does not interleave") {
    Writer a(1), b(2);
    a.type(0, "milk");
    b.type(0, "eggs");
    a.hear(b);
    b.hear(a);
    REQUIRE(a.text.text() == "milkeggs");
    REQUIRE(b.text.text() == a.text.text());
    REQUIRE(b.text.encode() == a.text.encode());
}

TEST_CASE("concurrent backward typing does not interleave") {
    Writer a(1), b(2);
    a.type_backwards(0, "milk");
    b.type_backwards(0, "eggs");
    a.hear(b);
    b.hear(a);
    REQUIRE(a.text.text() == "milkeggs");
    REQUIRE(b.text.encode() == a.text.encode());
}

TEST_CASE("concurrent words within a text do not interleave, typed forwards against backwards") {
    Writer a(1), b(2);
    a.insert(0, "Hello!");
    b.hear(a);
    a.type(5, " Alice");
    b.type_backwards(5, " Charlie");
    b.hear(a);
    a.hear(b);
    REQUIRE(a.text.text() == b.text.text());
    REQUIRE((a.text.text() == "Hello Alice Charlie!" || a.text.text() == "Hello Charlie Alice!"));
    REQUIRE(b.text.encode() == a.text.encode());
}

TEST_CASE("concurrent siblings in the middle of a typed run come in the order of their replicas, in memory and when read again") {
    Writer a(1), b(2), c(3);
    a.insert(0, "X");
    b.hear(a);
    c.hear(a);
    a.type(1, "aaa");
    b.type(1, "bb");
    c.type(1, "cc");
    for (Writer* to : {&a, &b, &c})
        for (const Writer* from : {&c, &b, &a})
            if (from != to) to->hear(*from);
    REQUIRE(a.text.text() == "Xaaabbcc");
    REQUIRE(b.text.encode() == a.text.encode());
    REQUIRE(c.text.encode() == a.text.encode());
    Text again = Text::decode(a.text.encode(), a.text.text());
    REQUIRE(again.encode() == a.text.encode());
    // What is typed at the end of another's run goes on from there.
    REQUIRE(again.splice(dot(1, 9), {{8, 0, "!"}}).ops[0].right);
    REQUIRE(c.text.splice(dot(1, 9), {{6, 0, "!"}}).ops[0].right);
    REQUIRE(a.text.splice(dot(1, 9), {{4, 0, "!"}}).ops[0].at == CharId{dot(1, 4), 0});
    // And each character is whose it was.
    REQUIRE(again.splice(dot(1, 10), {{4, 1, ""}}).ops[0].at == CharId{dot(2, 1), 0});
}

TEST_CASE("a third replica's insertion between concurrent siblings is where its author saw it") {
    Writer a(1), b(2), c(3);
    a.insert(0, "A");
    b.insert(0, "B");
    c.hear(a);
    c.hear(b);
    REQUIRE(c.text.text() == "AB");
    c.insert(1, "c");
    a.insert(1, "x");
    for (Writer* to : {&a, &b})
        for (const Writer* from : {&a, &b, &c})
            if (from != to) to->hear(*from);
    c.hear(a);
    REQUIRE(a.text.text() == b.text.text());
    REQUIRE(c.text.encode() == a.text.encode());
}

TEST_CASE("an edit alters the line that it is in, and no other") {
    CHECK(altered("one\ntwo\nthree", {5, 0, "x"}) == "[1.3 txwo]");
    CHECK(altered("one\ntwo\nthree", {0, 1, ""}) == "[root ne]");
    CHECK(altered("one\ntwo\nthree", {13, 0, "!"}) == "[1.7 three!]");
    CHECK(altered("one\ntwo", {4, 3, "two"}) == "");
}

TEST_CASE("the first text of a field alters its root line") {
    Writer writer(1);
    writer.insert(0, "first\nsecond");
    REQUIRE(printed(writer.last.lines) == "[root first]");
    Writer empty_line(1);
    empty_line.insert(0, "\n");
    REQUIRE(printed(empty_line.last.lines) == "");
}

TEST_CASE("whole lines alter none, whichever newline the caller counts in") {
    CHECK(altered("one\ntwo", {4, 0, "new\n"}) == "");
    CHECK(altered("one\ntwo", {3, 0, "\nnew"}) == "");
    CHECK(altered("one\ntwo", {7, 0, "\nnew"}) == "");
    CHECK(altered("one\n", {4, 0, "new\nmore\n"}) == "");
    CHECK(altered("one\ntwo", {4, 0, "\n"}) == "");
    Writer writer(1);
    writer.insert(0, "one\ntwo");
    writer.insert(4, "new\n");
    REQUIRE(writer.text.text() == "one\nnew\ntwo");
    std::string line;
    REQUIRE(writer.text.line({dot(1, 1), 3}, line));
    REQUIRE(line == "two");
    REQUIRE(writer.text.line({dot(1, 2), 0}, line));
    REQUIRE(line == "new");
}

TEST_CASE("a line at the very beginning alters the root line, and the old first line has a new newline") {
    CHECK(altered("one\ntwo", {0, 0, "zero\n"}) == "[root zero][2.4 one]");
}

TEST_CASE("splitting a line alters it and lists the new one") {
    CHECK(altered("one\ntwo", {5, 0, "\n"}) == "[1.3 t][2.0 wo]");
    CHECK(altered("one\ntwo", {5, 0, "A\nB"}) == "[1.3 tA][2.1 Bwo]");
}

TEST_CASE("deleting a newline alters the line before it, and its own is gone") {
    CHECK(altered("one\ntwo", {3, 1, ""}) == "[root onetwo][1.3 gone]");
    CHECK(altered("one\ntwo\nthree", {2, 6, ""}) == "[root onthree][1.3 gone][1.7 gone]");
    CHECK(altered("one\n", {3, 1, ""}) == "[1.3 gone]");
}

TEST_CASE("several splices apply one after another, and lines are compared with those before the first") {
    Writer writer(1);
    writer.insert(0, "one\ntwo");
    writer.edit({{0, 0, "x"}, {0, 1, ""}, {4, 3, "2"}});
    REQUIRE(writer.text.text() == "one\n2");
    REQUIRE(printed(writer.last.lines) == "[1.3 2]");
    Writer other(2);
    other.hear(writer);
    REQUIRE(other.text.encode() == writer.text.encode());
}

TEST_CASE("lines are known by their newline, while it is shown") {
    Writer writer(1);
    writer.insert(0, "one\ntwo");
    std::string line;
    REQUIRE(writer.text.line({}, line));
    REQUIRE(line == "one");
    REQUIRE_FALSE(writer.text.line({dot(1, 1), 2}, line));
    REQUIRE_FALSE(writer.text.line({dot(1, 9), 0}, line));
    writer.erase(3, 1);
    REQUIRE_FALSE(writer.text.line({dot(1, 1), 3}, line));
}

TEST_CASE("positions count scalar values of one to four octets") {
    Writer writer(1);
    writer.insert(0, "aā€😀z");
    REQUIRE(writer.text.length() == 5);
    writer.insert(4, "ļ");
    REQUIRE(writer.text.text() == "aā€😀ļz");
    writer.erase(1, 3);
    REQUIRE(writer.text.text() == "aļz");
    Writer other(2);
    other.hear(writer);
    REQUIRE(other.text.text() == "aļz");
    REQUIRE(Text::decode(writer.text.encode(), "aļz").encode() == writer.text.encode());
}

TEST_CASE("a long note of wide characters keeps its positions over many edits") {
    Writer writer(1);
    std::string expected;
    for (int i = 0; i < 4000; ++i) expected += i % 3 == 0 ? "ž" : i % 3 == 1 ? "😀" : "n";
    writer.insert(0, expected);
    for (std::uint32_t i = 0; i < 300; ++i) {
        const std::uint32_t position = (i * 7919) % writer.text.length();
        writer.edit({{position, 1, "ķ"}});
        std::size_t byte = utf8_offset(expected, position);
        expected.replace(byte, utf8_offset(expected, position + 1) - byte, "ķ");
    }
    REQUIRE(writer.text.text() == expected);
    REQUIRE(Text::decode(writer.text.encode(), expected).encode() == writer.text.encode());
}

TEST_CASE("a splice that cannot be is invalid and changes nothing") {
    Writer writer(1);
    writer.insert(0, "abc");
    const Value before = writer.text.encode();
    const auto refused = [&](const Dot& d, const std::vector<Splice>& splices) {
        return code_of([&] { writer.text.splice(d, splices); }) == ErrorCode::invalid && writer.text.encode() == before;
    };
    CHECK(refused(dot(1, 2), {{4, 0, "x"}}));
    CHECK(refused(dot(1, 2), {{2, 2, ""}}));
    CHECK(refused(dot(1, 2), {{0, 0xffffffff, ""}}));
    CHECK(refused(dot(1, 2), {{0, 0, "ok"}, {6, 0, "x"}}));
    CHECK(refused(dot(1, 2), {{0, 0, "\xc3"}}));
    CHECK(refused(dot(1, 2), {{0, 0, "\xed\xa0\x80"}}));
    CHECK(refused(dot(1, 2), {{0, 0, std::string(kMaxTextLength, 'x')}}));
    CHECK(refused(dot(1, 1), {{0, 0, "x"}}));
    CHECK(refused({}, {{0, 0, "x"}}));
    CHECK(writer.text.splice(dot(1, 2), {}).empty());
}

TEST_CASE("an operation that cannot be is corrupt and changes nothing") {
    Writer writer(1);
    writer.insert(0, "abc");
    writer.type(3, "de");
    Text& text = writer.text;
    const Dot next = dot(2, 1);
    CHECK(corrupts(text, next, {{{dot(9, 1), 0}, true, "x", 0, false}}));
    CHECK(corrupts(text, next, {{{dot(1, 1), 3}, true, "x", 0, false}}));
    CHECK(corrupts(text, next, {{{dot(1, 1), 0xffffffff}, true, "x", 0, false}}));
    CHECK(corrupts(text, next, {{{}, false, "x", 0, false}}));
    CHECK(corrupts(text, next, {{{{}, 1}, true, "x", 0, false}}));
    CHECK(corrupts(text, next, {{{next, 0}, true, "x", 0, false}}));
    CHECK(corrupts(text, next, {{{dot(1, 1), 0}, true, "", 0, false}}));
    CHECK(corrupts(text, next, {{{dot(1, 1), 0}, true, "x", 1, false}}));
    CHECK(corrupts(text, next, {{{dot(1, 1), 0}, true, "\xff", 0, false}}));
    CHECK(corrupts(text, next, {{{}, true, "", 1, false}}));
    CHECK(corrupts(text, next, {{{dot(1, 1), 1}, true, "", 3, false}}));
    CHECK(corrupts(text, next, {{{dot(1, 1), 1}, true, "", 0xffffffff, false}}));
    CHECK(corrupts(text, next, {{{dot(1, 2), 0}, true, "", 3, true}}));
    CHECK(corrupts(text, next, {{{dot(1, 2), 0}, true, "", 0xffffffff, true}}));
    CHECK(corrupts(text, next, {{{dot(1, 1), 0}, true, "ok", 0, false}, {{next, 2}, true, "x", 0, false}}));
    CHECK(corrupts(text, dot(1, 1), {{{}, true, "abX", 0, false}}));
    CHECK(corrupts(text, dot(1, 1), {{{}, true, "ab", 0, false}}));
    CHECK(corrupts(text, dot(1, 3), {{{}, true, "e", 0, false}}));
    CHECK(corrupts(text, {replica(1), kMaxCounter + 1}, {{{}, true, "x", 0, false}}));
    CHECK(corrupts(text, {replica(2), 0}, {{{}, true, "x", 0, false}}));
    CHECK(corrupts(text, {{}, 1}, {{{}, true, "x", 0, false}}));
}

TEST_CASE("a change applied again changes nothing, also after its characters were deleted") {
    Writer writer(1);
    writer.insert(0, "abcdef");
    writer.edit({{2, 2, "XY"}});
    writer.erase(1, 3);
    const Value state = writer.text.encode();
    writer.hear(writer);
    REQUIRE(writer.text.encode() == state);
}

TEST_CASE("independent changes of one replica may come in any order") {
    Text a, b;
    const std::vector<TextOp> first = {{{}, true, "one", 0, false}};
    const std::vector<TextOp> second = {{{}, true, "two", 0, false}};
    a.apply(dot(1, 5), first);
    a.apply(dot(1, 7), second);
    b.apply(dot(1, 7), second);
    b.apply(dot(2, 1), {{{dot(1, 7), 1}, true, "!", 0, false}});
    b.apply(dot(1, 5), first);
    a.apply(dot(2, 1), {{{dot(1, 7), 1}, true, "!", 0, false}});
    REQUIRE(a.text() == "onetwo!");
    REQUIRE(b.text() == a.text());
    REQUIRE(b.encode() == a.encode());
}

TEST_CASE("what was typed key by key is deleted in one operation") {
    Writer writer(1);
    writer.type(0, "a long sentence");
    const std::vector<TextOp> ops = writer.erase(0, 15);
    REQUIRE(ops.size() == 1);
    REQUIRE(ops[0].by_change);
    REQUIRE(ops[0].deleted == 15);
    REQUIRE(encode_text_ops(ops, dot(1, 16)).size() <= 5);
}

TEST_CASE("joining keeps both sides' characters and either side's deletions") {
    Writer a(1), b(2);
    a.insert(0, "shared text");
    b.hear(a);
    a.erase(0, 7);
    b.insert(11, "!");
    Text joined = a.text;
    joined.join(b.text);
    REQUIRE(joined.text() == "text!");
    a.hear(b);
    REQUIRE(joined.encode() == a.text.encode());
}

TEST_CASE("states that contradict each other are not joined") {
    Text a, b, c, d;
    a.apply(dot(1, 1), {{{}, true, "abc", 0, false}});
    b.apply(dot(1, 1), {{{}, true, "abX", 0, false}});
    c.apply(dot(1, 1), {{{}, true, "ab", 0, false}});
    d.apply(dot(1, 1), {{{}, true, "b", 0, false}, {{dot(1, 1), 0}, false, "a", 0, false}, {{dot(1, 1), 0}, true, "c", 0, false}});
    const Value before = a.encode();
    for (const Text* other : {&b, &c, &d}) {
        CHECK(code_of([&] { a.join(*other); }) == ErrorCode::corrupt);
        CHECK(a.encode() == before);
    }
}

TEST_CASE("shown text is within a context that has heard of all of it") {
    Writer a(1), b(2);
    a.insert(0, "abc");
    b.hear(a);
    b.insert(3, "def");
    Context seen;
    seen.add(dot(1, 1));
    REQUIRE(a.text.shown_is_within(seen));
    REQUIRE_FALSE(b.text.shown_is_within(seen));
    b.erase(3, 3);
    REQUIRE(b.text.shown_is_within(seen));
    REQUIRE(Text().shown_is_within({}));
}

TEST_CASE("a text is untouched until the first operation, and not again when all is deleted") {
    Writer writer(1);
    REQUIRE(writer.text.untouched());
    REQUIRE(to_hex(writer.text.encode()) == "4101");
    writer.insert(0, "x");
    writer.erase(0, 1);
    REQUIRE(writer.text.text().empty());
    REQUIRE_FALSE(writer.text.untouched());
}

TEST_CASE("the bytes of structures and operations are those of version 1") {
    // The figures follow the forms drawn in text_codec.cpp and text_ops.cpp.
    Writer a(1), b(2);
    a.counter = 2;
    CHECK(to_hex(encode_text_ops(a.insert(0, "Zaļā"), dot(1, 3))) == "47cc5a61c4bcc481");
    CHECK(to_hex(a.text.encode()) == "4e0101000000000000000101eb0001");
    CHECK(to_hex(encode_text_ops(a.insert(4, " "), dot(1, 4))) == "4430010320");
    CHECK(to_hex(encode_text_ops(a.last.ops)) == "4c380000000000000001030320");
    a.insert(5, "m");
    CHECK(to_hex(encode_text_ops(a.erase(4, 2), dot(1, 6))) == "424302");
    CHECK(to_hex(a.text.encode()) == "500101000000000000000102eb00018104");
    a.counter = 8;
    CHECK(to_hex(encode_text_ops(a.edit({{1, 2, "e\n"}}), dot(1, 9))) == "48520601510601650a");
    CHECK(to_hex(a.text.encode()) == "550101000000000000000103eb000181290104030201");
    b.hear(a);
    CHECK(to_hex(encode_text_ops(b.insert(1, "?"), dot(2, 1))) == "4b290000000000000001093f");
    CHECK(to_hex(b.text.encode()) == "58210102000000000000000103eb000181290104000000000000000201c0020c040201");
    CHECK(b.text.text() == "Z?e\nā");
    CHECK(to_hex(Text::decode(b.text.encode(), "Z?e\nā").encode()) == to_hex(b.text.encode()));
}

TEST_CASE("keystrokes take few octets, each and together") {
    Writer writer(1);
    writer.type(0, "Some text is typed.");
    REQUIRE(encode_text_ops(writer.changes.back().second, writer.changes.back().first).size() == 4);
    REQUIRE(writer.text.encode().size() <= 16);
}

TEST_CASE("words that changed are spliced, and nothing else") {
    const std::vector<Splice> splices =
        diff_words("The family lives in Zaube.\nRent is due.", "The family lives in Amata.\nRent is not due.");
    REQUIRE(splices.size() == 2);
    CHECK(splices[0].position == 20);
    CHECK(splices[0].deleted == 5);
    CHECK(splices[0].inserted == "Amata");
    CHECK(splices[1].deleted == 0);
    CHECK((splices[1].inserted == "not " || splices[1].inserted == " not"));
    CHECK(diff_words("same", "same").empty());
}

TEST_CASE("by letters, a word keeps what it keeps at its ends") {
    const auto only = [](std::string_view before, std::string_view after) {
        const std::vector<Splice> splices = diff_letters(before, after);
        REQUIRE(splices.size() == 1);
        return std::to_string(splices[0].position) + " -" + std::to_string(splices[0].deleted) + " +" + splices[0].inserted;
    };
    CHECK(only("Krāsns kūp.", "Krāsns kūpoja.") == "10 -0 +oja");
    CHECK(only("Krāsns kūp.", "Krāsns nekūp.") == "7 -0 +ne");
    CHECK(only("Zaļā māja", "Zaļa māja") == "3 -1 +a");  // ā and a share no octet, ā and ļ the first
    CHECK(only("ļoti", "ķoti") == "0 -1 +ķ");
    CHECK(only("aaa", "aa") == "2 -1 +");
    CHECK(only("😀", "😁") == "0 -1 +😁");
}

TEST_CASE("a difference counts scalar values, and one too large replaces the middle") {
    const std::vector<Splice> splices = diff_words("ļoti 😀 labi", "ļoti 😀 slikti");
    REQUIRE(splices.size() == 1);
    CHECK(splices[0].position == 7);
    CHECK(splices[0].deleted == 4);
    std::string before = "start ", after = "start ";
    for (int i = 0; i < 3000; ++i) before += "a" + std::to_string(i) + " ", after += "b" + std::to_string(i) + ".";
    const std::vector<Splice> large = diff_words(before + "end", after + "end");
    REQUIRE(large.size() == 1);
    CHECK(large[0].position == 6);
}

TEST_CASE("a structure that encode() would not write is corrupt") {
    CHECK(corrupts(""));
    CHECK(corrupts("40"));
    CHECK(corrupts("4102"));
    CHECK(corrupts("4101", "x"));
    CHECK(corrupts("420100"));
    CHECK(corrupts("6101"));
    const std::string zala = "Zaļā", id = "0000000000000001";
    CHECK_FALSE(Text::decode(from_hex("4e0101" + id + "01eb0001"), zala).untouched());
    CHECK(corrupts("4e0101" + id + "01eb0001", "Zaļ"));                           // too little shown
    CHECK(corrupts("4e0101" + id + "01eb0001", "Zaļā!"));                         // too much
    CHECK(corrupts("4e0101" + id + "01eb0001", "Za\xc4\xbc\xc4"));                // no UTF-8
    CHECK(corrupts("4e0101000000000000000001eb0001", zala));                      // the zero replica
    CHECK(corrupts("4e0101" + id + "02eb0001", zala));                            // a record missing
    CHECK(corrupts("4f0101" + id + "01eb800001", zala));                          // a number not in its shortest form
    CHECK(corrupts("4e0101" + id + "01eb0000", zala));                            // the left child of the root
    CHECK(corrupts("4f0101" + id + "01eb000300", zala));                          // its own replica as another
    CHECK(corrupts("4e0101" + id + "01e80001", "Z"));                             // a change of one character, not as typed
    CHECK(corrupts("4e0101" + id + "012b0009", zala));                            // a parent before the first character
    CHECK(corrupts("510101" + id + "02eb0001810404", zala));                      // lengths that add up to more
    CHECK(corrupts("500101" + id + "02c801800000", "ab"));                        // typed on, in a record of its own
    CHECK(corrupts("500101" + id + "01c7ffffff7f", ""));                          // a length out of bounds
    CHECK(corrupts("581a0102" + id + "01c00400000000000000000201c00200", "ab"));  // two that hang on each other
}

TEST_CASE("a word's letters and digits, the first and the last of each kind too, are changed as one word") {
    for (char c : std::string("azAZ09")) {
        const std::vector<Splice> splices = diff_words(std::string(2, c), std::string({c, 'm', c}));
        REQUIRE(splices.size() == 1);
        CHECK(splices[0].position == 0);
        CHECK(splices[0].deleted == 2);
        CHECK(splices[0].inserted == std::string({c, 'm', c}));
    }
}

}  // namespace kopdarbs
