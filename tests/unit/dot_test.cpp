// Dots, contexts, hybrid time and identifiers.
#include "core/base/dot.h"

#include "core/base/error.h"
#include "core/log/change.h"
#include "tests/support/catch.h"
#include "tests/support/record_world.h"

using namespace kopdarbs;
using kopdarbs::test::replica_id;

namespace {

Context random_context(test::Random& random) {
    Context context;
    const std::uint32_t replicas = random.chance(50) ? 5 : 30;  // few are joined in another way than many
    for (std::uint32_t n = random.below(replicas); n > 0; --n)
        context.add({replica_id(static_cast<std::uint8_t>(random.below(replicas))), 1 + random.below(4)});
    return context;
}

Context joined(Context a, const Context& b) {
    a.join(b);
    return a;
}

template <class Parse>
bool invalid(Parse parse) {
    try {
        (void)parse();
    } catch (const Error& e) {
        return e.code() == ErrorCode::invalid;
    }
    return false;
}

}  // namespace

TEST_CASE("joining contexts is a least upper bound: commutative, associative, idempotent, and covers exactly what either covers") {
    test::Random random(7);
    for (int i = 0; i < 3000; ++i) {
        const Context a = random_context(random), b = random_context(random), c = random_context(random), ab = joined(a, b);
        REQUIRE(ab == joined(b, a));
        REQUIRE(joined(ab, c) == joined(a, joined(b, c)));
        REQUIRE(joined(a, a) == a);
        REQUIRE((ab.covers(a) && ab.covers(b)));
        REQUIRE((a.covers(b) == (ab == a)));
        for (std::uint8_t r = 0; r < 5; ++r)
            for (std::uint64_t n = 1; n <= 5; ++n) {
                const Dot dot{replica_id(r), n};
                REQUIRE(ab.covers(dot) == (a.covers(dot) || b.covers(dot)));
            }
    }
}

TEST_CASE("a context holds no zero, no replica twice, and is sorted") {
    Context context;
    context.add({replica_id(2), 5});
    context.add({replica_id(1), 1});
    context.add({replica_id(2), 3});
    context.add({replica_id(3), 0});
    REQUIRE(context.entries().size() == 2);
    CHECK(context.entries()[0].first == replica_id(1));
    CHECK(context.at(replica_id(2)) == 5);
    CHECK(context.at(replica_id(9)) == 0);
}

TEST_CASE("a dead own dot leaves a context: setting lowers, and setting to zero removes") {
    Context context;
    context.add({replica_id(1), 7});
    context.add({replica_id(2), 2});
    context.set(replica_id(1), 5);
    CHECK_FALSE(context.covers(Dot{replica_id(1), 6}));
    CHECK(context.covers(Dot{replica_id(1), 5}));
    context.set(replica_id(1), 0);
    CHECK(context.entries().size() == 1);
    context.set(replica_id(4), 0);
    CHECK(context.entries().size() == 1);
}

TEST_CASE("equal contexts have equal bytes, and bytes out of order, of zero or twice are corrupt") {
    test::Random random(8);
    for (int i = 0; i < 500; ++i) {
        const Context context = random_context(random);
        CborWriter w;
        write_context(w, context);
        CborReader in(w.bytes());
        REQUIRE(read_context(in) == context);
        REQUIRE(in.done());
    }
    for (const char* hex : {"a24801000000000000000148000000000000000001",
                            "a1480100000000000000"
                            "00",
                            "a248010000000000000001"
                            "48010000000000000002",
                            "a1470100000000000001", "a14801000000000000001b0020000000000000", "a14801000000000000001b1000000000000000"}) {
        INFO(hex);
        const Bytes bytes = from_hex(hex);
        CborReader in(bytes);
        CHECK_THROWS_AS(read_context(in), Error);
    }
}

TEST_CASE("pitfall 8: a stamp's full counter carries over into its milliseconds") {
    const Stamp full{(std::uint64_t{1'000} << 16) | 0xffff};
    CHECK(full.ms() == 1'000);
    CHECK(full.counter() == 65'535);
    CHECK(full.next().ms() == 1'001);
    CHECK(full.next().counter() == 0);
    CHECK(full < full.next());
    HybridClock clock(full);
    CHECK(clock.tick(1'000) == full.next());
    CHECK(clock.tick(1'000) == full.next().next());
}

TEST_CASE("a hybrid clock never runs back, whatever the wall says, and follows it when it is ahead") {
    test::Random random(9);
    HybridClock clock;
    Stamp last;
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t wall = random.chance(2) ? random.below(2'000'000'000) : 1'000'000'000;
        const Stamp now = clock.tick(wall);
        REQUIRE(last < now);
        REQUIRE(now.ms() >= wall);
        last = now;
    }
    CHECK(clock.tick(3'000'000'000) == Stamp::from_ms(3'000'000'000));
}

TEST_CASE("a hybrid clock learns from the server and never from a wall beyond belief") {
    HybridClock clock;
    clock.hear(Stamp::from_ms(5'000));
    CHECK(clock.tick(1'000) == Stamp{Stamp::from_ms(5'000).packed + 1});
    clock.hear(Stamp::from_ms(100));
    CHECK(clock.last().ms() == 5'000);
    HybridClock broken;
    CHECK(broken.tick(UINT64_MAX).ms() == kMaxStampMs);
}

TEST_CASE("times are printed as RFC 3339, over leap years and centuries") {
    CHECK(to_rfc3339(0) == "1970-01-01T00:00:00.000Z");
    CHECK(to_rfc3339(915'148'799'999) == "1998-12-31T23:59:59.999Z");
    CHECK(to_rfc3339(946'684'799'000) == "1999-12-31T23:59:59.000Z");
    CHECK(to_rfc3339(951'782'400'000) == "2000-02-29T00:00:00.000Z");
    CHECK(to_rfc3339(951'868'800'000) == "2000-03-01T00:00:00.000Z");
    CHECK(to_rfc3339(1'795'255'323'004) == "2026-11-21T10:02:03.004Z");
    CHECK(to_rfc3339(1'835'395'199'999) == "2028-02-28T23:59:59.999Z");
    CHECK(to_rfc3339(1'835'395'200'000) == "2028-02-29T00:00:00.000Z");
    CHECK(to_rfc3339(1'835'481'600'000) == "2028-03-01T00:00:00.000Z");
    CHECK(to_rfc3339(4'102'444'799'000) == "2099-12-31T23:59:59.000Z");
    // 2100 is no leap year.
    CHECK(to_rfc3339(4'107'542'400'000) == "2100-03-01T00:00:00.000Z");
    CHECK(to_rfc3339(4'107'542'399'000) == "2100-02-28T23:59:59.000Z");
    CHECK(to_rfc3339(253'402'300'799'999) == "9999-12-31T23:59:59.999Z");
    CHECK(to_string(Stamp{Stamp::from_ms(1'795'255'323'004).packed + 65'535}) == "2026-11-21T10:02:03.004Z+65535");
}

TEST_CASE("every day from 1970 to 2100 follows the one before") {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 1970, month = 1, day = 1;
    for (std::uint64_t ms = 0; year <= 2100; ms += 86'400'000) {
        char expected[16];
        std::snprintf(expected, sizeof expected, "%04d-%02d-%02d", year % 10'000, month, day % 100);
        REQUIRE(to_rfc3339(ms).substr(0, 10) == expected);
        const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        if (++day <= lengths[month - 1] + (month == 2 && leap ? 1 : 0)) continue;
        day = 1;
        if (++month <= 12) continue;
        month = 1;
        ++year;
    }
}

TEST_CASE("a dot is printed and read back, and nothing else is a dot") {
    const Dot dot{ReplicaId::from_bytes(from_hex("0123456789abcdef")), kMaxCounter};
    CHECK(to_string(dot) == "04hmasw9nf6yy:9007199254740991");
    CHECK(parse_dot(to_string(dot)) == dot);
    CHECK(parse_dot("04HMASW9NF6YY:7").counter == 7);
    for (const char* text : {"", ":", "04hmasw9nf6yy", "04hmasw9nf6yy:", "04hmasw9nf6yy:0", "04hmasw9nf6yy:-1", "04hmasw9nf6yy:1 ",
                             "04hmasw9nf6yy:9007199254740992", "04hmasw9nf6yy:99999999999999999999999", "04hmasw9nf6y:1", "04hmasw9nf6yu:1",
                             "04hmasw9nf6yz:1", "04hmasw9nf6yy:0x1", "04hmasw9nf6yy:1:1"}) {
        INFO(text);
        CHECK(invalid([&] { return parse_dot(text); }));
    }
}

TEST_CASE("a record id is a UUID of version 7 that orders by time") {
    const RecordId id = make_record_id(0x0190f3c27d1a, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
    CHECK(to_string(id) == "0190f3c2-7d1a-7fff-bfff-ffffffffffff");
    CHECK(parse_record_id("0190F3C2-7D1A-7FFF-BFFF-FFFFFFFFFFFF") == id);
    CHECK(id < make_record_id(0x0190f3c27d1b, {}));
    for (const char* text :
         {"", "0190f3c27d1a7fffbfffffffffffffff", "0190f3c2-7d1a-7fff-bfff-fffffffffff", "0190f3c2-7d1a-7fff-bfff-ffffffffffff0",
          "0190f3c2-7d1a-7fff-bffff-fffffffffff", "0190f3c2-7d1a-7fff-bfff-fffffffffffg", "{190f3c2-7d1a-7fff-bfff-ffffffffffff"}) {
        INFO(text);
        CHECK(invalid([&] { return parse_record_id(text); }));
    }
}

TEST_CASE("identifiers of the wrong size are corrupt, printed ones read back") {
    CHECK_THROWS_AS(ReplicaId::from_bytes("1234567"), Error);
    CHECK_THROWS_AS(DeviceId::from_bytes(Bytes(17, 'x')), Error);
    const DeviceId device = DeviceId::from_bytes(from_hex("00112233445566778899aabbccddeeff"));
    CHECK(to_string(device).size() == 26);
    CHECK(parse_device_id(to_string(device)) == device);
    CHECK(invalid([] { return parse_device_id("short"); }));
}

TEST_CASE("hexadecimal and base 64 are read strictly") {
    CHECK(from_hex("00fF") == Bytes("\x00\xff", 2));
    CHECK(invalid([] { return from_hex("0"); }));
    CHECK(invalid([] { return from_hex("0g"); }));
    for (std::size_t n = 0; n < 9; ++n) CHECK(from_base64(to_base64(Bytes(n, '\xfe'))) == Bytes(n, '\xfe'));
    CHECK(to_base64("foobar") == "Zm9vYmFy");
    CHECK(to_base64("fooba") == "Zm9vYmE=");
    for (const char* text : {"Zg", "Zg=", "Zh==", "Zm9=", "====", "Z===", "Zg==Zg==", "Zm 9", "Zm9_"}) {
        INFO(text);
        CHECK(invalid([&] { return from_base64(text); }));
    }
}
