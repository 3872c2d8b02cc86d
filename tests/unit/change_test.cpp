// A change's bytes, and the feed that chains them: what later versions append survives, what is out of bounds is corrupt.
#include "core/log/change.h"

#include "core/base/error.h"
#include "core/log/feed.h"
#include "core/record/json.h"
#include "core/record/state.h"
#include "platform/posix/openssl_crypto.h"
#include "tests/support/catch.h"
#include "tests/support/record_world.h"

using namespace kopdarbs;
using kopdarbs::test::replica_id;

namespace {

Change example() {
    Change c;
    c.dot = {replica_id(1), 7};
    c.prev = 5;
    c.wall_ms = 1'795'255'323'004;
    c.stamp = Stamp::from_ms(c.wall_ms);
    c.author = "ilze";
    c.type = "home_visit";
    c.seen.add({replica_id(1), 5});
    c.seen.add({replica_id(2), 2});
    c.ops = {{scalar_path("heating"), text_value("broken"), {{replica_id(2), 2}}}};
    encode_change(c);
    return c;
}

/// A header by parts, so that one of them can be another.
struct Header {
    std::vector<Value> parts;

    explicit Header(BytesView bytes) {
        CborReader in(bytes);
        for (std::size_t n = in.array(); n > 0; --n) parts.emplace_back(in.item());
    }
    Bytes bytes() const {
        CborWriter w;
        w.array(parts.size());
        for (const Value& part : parts) w.raw(part);
        return w.take();
    }
    Header with(std::size_t n, Value value) const {
        Header other = *this;
        other.parts.at(n) = std::move(value);
        return other;
    }
};

Value uint_value(std::uint64_t value) {
    CborWriter w;
    w.uint(value);
    return w.take();
}

Value context_value(const Context& context) {
    CborWriter w;
    write_context(w, context);
    return w.take();
}

template <class Decode>
bool corrupt(Decode decode) {
    try {
        (void)decode();
    } catch (const Error& e) {
        return e.code() == ErrorCode::corrupt;
    }
    return false;
}

bool corrupt_header(const Header& header) {
    const Bytes bytes = header.bytes();
    return corrupt([&] { return decode_change(bytes, std::nullopt); });
}

/// A content in `hex` behind the example's header, whose size is made to fit.
Change with_content(const std::string& hex) {
    const Bytes content = from_hex(hex);
    return decode_change(Header(example().header).with(13, uint_value(content.size())).bytes(), BytesView(content));
}

bool corrupt_content(const std::string& hex) {
    return corrupt([&] { return with_content(hex); });
}

Bytes again(Change change) {
    encode_change(change);
    return change.content;
}

}  // namespace

TEST_CASE("a change is read as it was written") {
    const Change made = example();
    const Change read = decode_change(made.header, BytesView(made.content));
    CHECK(read.dot == made.dot);
    CHECK(read.prev == 5);
    CHECK(read.seen == made.seen);
    CHECK_FALSE(read.group);
    REQUIRE(read.ops.size() == 1);
    CHECK(read.ops[0].spares == made.ops[0].spares);
    CHECK(read.header == made.header);
    CHECK(read.content == made.content);
    Change grouped = made;
    grouped.group = GroupId::from_bytes(Bytes(16, 'g'));
    encode_change(grouped);
    CHECK(decode_change(grouped.header, BytesView(grouped.content)).group == grouped.group);
}

TEST_CASE("pitfall 18: what a newer version appends to header, content and operations is kept verbatim") {
    Header header(example().header);
    header.parts[0] = uint_value(2);
    header.parts.push_back(value_from_json(R"({"later": [1, 2]})"));
    header.parts.push_back(bool_value(true));
    // [[[ [0, "heating"], "broken", [], {"why": 1} ]], "more"]
    CborWriter content;
    content.array(2);
    content.array(1);
    content.array(4);
    write_path(content, scalar_path("heating"));
    content.raw(text_value("broken"));
    content.array(0);
    content.raw(value_from_json(R"({"why": 1})"));
    content.text("more");
    header.parts[13] = uint_value(content.size());
    const Change read = decode_change(header.bytes(), BytesView(content.bytes()));
    CHECK(read.header == header.bytes());
    CHECK(read.content == content.bytes());
    REQUIRE(read.ops.size() == 1);
    CHECK(read.ops[0].value == text_value("broken"));
    CHECK(read.ops[0].spares.empty());
}

TEST_CASE("pitfall 18: operations of unknown kinds survive a change's round trip and a state's") {
    // Kind 11 without further parts, 12 with one, 900 with three; an unknown field of a known kind.
    const std::string hex =
        "8184"
        "82810b01"
        "82820c"
        "6178"
        "8102"
        "8284190384"
        "01"
        "82f5f6"
        "a0"
        "626f6b"
        "8282"
        "00"
        "6475756975"
        "fb3ff199999999999a";
    const Change change = with_content(hex);
    REQUIRE(change.ops.size() == 4);
    CHECK(change.ops[2].path.kind == 900);
    CHECK(to_hex(again(change)) == hex);
    RecordState state;
    Change first = change;
    first.seen = {};
    first.prev = 0;
    REQUIRE(state.apply(first, first.stamp) == Applied::applied);
    const RecordState back = RecordState::decode(state.encode());
    CHECK(back.encode() == state.encode());
    for (const Op& op : change.ops) {
        const Register* reg = back.find(op.path);
        REQUIRE(reg != nullptr);
        CHECK(reg->siblings.front().value == op.value);
    }
    const RecordState beside = RecordState::decode_beside(state.encode_beside({}), {});
    CHECK(beside.encode() == state.encode());
}

TEST_CASE("every bound of a header is kept") {
    const Header good(example().header);
    CHECK_FALSE(corrupt_header(good));
    CHECK(corrupt_header(good.with(0, uint_value(0))));
    CHECK(corrupt_header(good.with(1, value_from_json("\"abcdefgh\""))));
    CHECK(corrupt_header(good.with(2, uint_value(0))));
    CHECK(corrupt_header(good.with(2, uint_value(kMaxCounter + 1))));
    CHECK(corrupt_header(good.with(3, uint_value(7))));
    CHECK(corrupt_header(good.with(3, uint_value(8))));
    CHECK_FALSE(corrupt_header(good.with(3, uint_value(6))));
    CHECK(corrupt_header(good.with(4, uint_value(kMaxCounter + 1))));
    CHECK(corrupt_header(good.with(5, uint_value(std::uint64_t{1} << 63))));
    CHECK_FALSE(corrupt_header(good.with(5, uint_value(kMaxStampMs << 16 | 0xffff))));
    CHECK(corrupt_header(good.with(6, uint_value((kMaxStampMs + 1) << 16))));
    CHECK(corrupt_header(good.with(7, text_value(std::string(129, 'x')))));
    CHECK(corrupt_header(good.with(10, text_value(std::string(129, 'x')))));
    CHECK(corrupt_header(good.with(11, uint_value(std::uint64_t{1} << 32))));
    CHECK(corrupt_header(good.with(13, uint_value(kMaxContentBytes + 1))));
    CHECK(corrupt_header(good.with(14, bool_value(true))));
    Header shorter = good;
    shorter.parts.pop_back();
    CHECK(corrupt_header(shorter));
    CHECK(corrupt([] { return decode_change(example().header + '\0', std::nullopt); }));
    Header large = good;
    CborWriter octets;
    octets.octets(Bytes(kMaxHeaderBytes, 'x'));
    large.parts.push_back(octets.take());
    CHECK(corrupt_header(large));
}

TEST_CASE("pitfall 23: a hostile `seen` is refused: beyond belief, of itself, unsorted, or of too many") {
    const Header good(example().header);
    Context far;
    far.set(replica_id(2), std::uint64_t{1} << 60);
    CHECK(corrupt_header(good.with(12, context_value(far))));
    far.set(replica_id(2), kMaxCounter);
    CHECK_FALSE(corrupt_header(good.with(12, context_value(far))));
    Context itself;
    itself.set(replica_id(1), 7);
    CHECK(corrupt_header(good.with(12, context_value(itself))));
    itself.set(replica_id(1), 8);
    CHECK(corrupt_header(good.with(12, context_value(itself))));
    CborWriter many;
    many.map(5'000);
    for (std::uint64_t i = 0; i < 5'000; ++i) {
        Bytes id;
        put_u64(id, i + 1);
        many.octets(id);
        many.uint(1);
    }
    CHECK(corrupt_header(good.with(12, many.take())));
    CHECK(corrupt_header(good.with(12, from_hex("a14800000000000000ff00"))));
}

TEST_CASE("a content is what its header says, and has operations of a known shape") {
    const Change made = example();
    CHECK(corrupt([&] { return decode_change(made.header, BytesView(made.content).substr(1)); }));
    CHECK(corrupt([&] { return decode_change(made.header, BytesView(made.content + '\0')); }));
    CHECK_FALSE(corrupt_content("8180"));
    for (const char* hex : {"80", "8100", "818180", "81818100",
                            "818182800"
                            "0",
                            "81818281"
                            "00"
                            "01",
                            "8181828200"
                            "0101",
                            "818182830061616162"
                            "01",
                            "8181828201616101",
                            "81818282"
                            "04"
                            "616101",
                            "8181828304616141"
                            "0001",
                            "8181828304616148000000000000000001"
                            "00",
                            "8181828403616161626163"
                            "f6f6",
                            "818182820"
                            "7f601",
                            "8181828301"
                            "6161"
                            "0a01"
                            "02",
                            "81818281"
                            "1a00010000"
                            "01",
                            "8181828900010203040506070801",
                            "818183810701"
                            "81820001"}) {
        INFO(hex);
        CHECK(corrupt_content(hex));
    }
}

TEST_CASE("names in paths are bounded, and so is the number of operations") {
    Change long_name = example();
    long_name.ops = {{scalar_path(std::string(129, 'x')), null_value(), {}}};
    encode_change(long_name);
    CHECK(corrupt([&] { return decode_change(long_name.header, BytesView(long_name.content)); }));
    Change long_row = example();
    long_row.ops = {{row_path("lines", std::string(129, 'x')), bool_value(true), {}}};
    encode_change(long_row);
    CHECK(corrupt([&] { return decode_change(long_row.header, BytesView(long_row.content)); }));
    Change many = example();
    many.ops.assign(kMaxOps + 1, {scalar_path("a"), null_value(), {}});
    encode_change(many);
    CHECK(corrupt([&] { return decode_change(many.header, BytesView(many.content)); }));
    many.ops.pop_back();
    encode_change(many);
    CHECK(decode_change(many.header, BytesView(many.content)).ops.size() == kMaxOps);
}

TEST_CASE("every truncation and many damages of a change are corrupt or another change, and never anything worse") {
    const Change made = example();
    for (std::size_t size = 0; size < made.header.size(); ++size)
        REQUIRE(corrupt([&] { return decode_change(made.header.substr(0, size), std::nullopt); }));
    test::Random random(5);
    for (int i = 0; i < 20'000; ++i) {
        Bytes header = made.header, content = made.content;
        Bytes& damaged = random.chance(50) ? header : content;
        damaged[random.below(static_cast<std::uint32_t>(damaged.size()))] = static_cast<char>(random.below(256));
        try {
            const Change read = decode_change(header, BytesView(content));
            REQUIRE((read.dot.counter > 0 && read.seen.at(read.dot.replica) < read.dot.counter));
        } catch (const Error& e) {
            REQUIRE(e.code() == ErrorCode::corrupt);
        }
    }
}

TEST_CASE("a feed's hash depends on every octet before it, and on their order") {
    posix::OpenSslCrypto crypto;
    const Change a = example();
    Change b = example();
    b.dot.counter = 8;
    encode_change(b);
    const Hash256 ca = content_hash(crypto, "salt-a", a.content), cb = content_hash(crypto, "salt-b", b.content);
    const Hash256 one = chain_hash(crypto, Hash256{}, a.header, ca), two = chain_hash(crypto, one, b.header, cb);
    CHECK(two != chain_hash(crypto, chain_hash(crypto, Hash256{}, b.header, cb), a.header, ca));
    CHECK(ca != content_hash(crypto, "salt-b", a.content));
    CHECK(one == crypto.sha256(Bytes(32, '\0') + a.header + Bytes(crypto.sha256("salt-a" + a.content).bytes())));
    for (std::size_t i = 0; i < a.header.size(); ++i) {
        Bytes altered = a.header;
        altered[i] = static_cast<char>(altered[i] ^ 1);
        REQUIRE(chain_hash(crypto, chain_hash(crypto, Hash256{}, altered, ca), b.header, cb) != two);
    }
}

TEST_CASE("pitfall 29: with content and salt erased the chain still verifies, and the content cannot be guessed from what stays") {
    posix::OpenSslCrypto crypto;
    const Change made = example();
    const Bytes salt(kSaltBytes, 's');
    const Hash256 kept = content_hash(crypto, salt, made.content);
    const Hash256 before = chain_hash(crypto, Hash256{}, made.header, kept);
    const Change erased = decode_change(made.header, std::nullopt);
    CHECK(erased.erased);
    CHECK(erased.ops.empty());
    CHECK(erased.dot == made.dot);
    CHECK(erased.seen == made.seen);
    CHECK(chain_hash(crypto, Hash256{}, erased.header, kept) == before);
    // Whoever guesses the content right, and not the salt, cannot tell.
    CHECK(content_hash(crypto, Bytes(kSaltBytes, 't'), made.content) != kept);
    CHECK(content_hash(crypto, {}, made.content) != kept);
}

TEST_CASE("a checkpoint names its purpose, the server, the feed and its head") {
    const DeviceId server = DeviceId::from_bytes(Bytes(16, 's'));
    const ScopeId scope = ScopeId::from_bytes(Bytes(16, 'c'));
    const FeedHead head{7, Hash256::from_bytes(Bytes(32, 'h'))};
    const Bytes message = checkpoint_message(server, replica_id(1), scope, head);
    CHECK(message.substr(0, 22) == Bytes("kopdarbs checkpoint 1\0", 22));
    CHECK(message.size() == 22 + 16 + 8 + 16 + 8 + 32);
    CHECK(message != checkpoint_message(DeviceId{}, replica_id(1), scope, head));
    CHECK(message != checkpoint_message(server, replica_id(2), scope, head));
    CHECK(message != checkpoint_message(server, replica_id(1), ScopeId{}, head));
    CHECK(message != checkpoint_message(server, replica_id(1), scope, {8, head.hash}));
    CHECK(message != checkpoint_message(server, replica_id(1), scope, {7, {}}));
}
