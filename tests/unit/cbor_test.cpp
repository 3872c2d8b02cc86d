// Deterministic CBOR against RFC 8949 Appendix A, against another implementation, and against whoever means harm.
#include "core/base/cbor.h"

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/record/json.h"
#include "tests/support/catch.h"
#include "tests/support/record_world.h"

using namespace kopdarbs;
using Json = nlohmann::json;

namespace {

template <class Read>
bool corrupt(const Bytes& bytes, Read read) {
    CborReader in(bytes);
    try {
        read(in);
    } catch (const Error& e) {
        return e.code() == ErrorCode::corrupt;
    }
    return false;
}

bool refused(const Bytes& bytes) {
    return corrupt(bytes, [](CborReader& in) { in.skip(), in.finish(); });
}

bool refused(const char* hex) {
    return refused(from_hex(hex));
}

Bytes repeated(const char* octets, std::size_t times) {
    Bytes all;
    for (std::size_t i = 0; i < times; ++i) all += octets;
    return all;
}

/// Reads one item part by part and writes it again.
void copy(CborReader& in, CborWriter& out) {
    switch (in.peek()) {
        case CborType::uint: out.uint(in.uint()); break;
        case CborType::negative: out.integer(in.integer()); break;
        case CborType::octets: out.octets(in.octets()); break;
        case CborType::text: out.text(in.text()); break;
        case CborType::boolean: out.boolean(in.boolean()); break;
        case CborType::null: in.null(), out.null(); break;
        case CborType::number: out.number(in.number()); break;
        case CborType::array: {
            const std::size_t count = in.array();
            out.array(count);
            for (std::size_t i = 0; i < count; ++i) copy(in, out);
            break;
        }
        case CborType::map: {
            const std::size_t count = in.map();
            out.map(count);
            for (std::size_t i = 0; i < 2 * count; ++i) copy(in, out);
            break;
        }
    }
}

std::string random_text(test::Random& random, std::size_t length) {
    static const char* letters[] = {"a", "Z", "0", " ", "ā", "ķ", "水", "𐅑", "\"", "\\", "\n"};
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += random.pick(letters);
    return text;
}

/// With keys of one length, in whose order every deterministic encoding agrees, and without floats unless asked for.
Json random_json(test::Random& random, int depth, bool floats) {
    switch (random.below(depth > 4 ? 6 : 8)) {
        case 0: return nullptr;
        case 1: return random.chance(50);
        case 2: return std::uint64_t{random.below(1U << 31)} << random.below(22);
        case 3: return -static_cast<std::int64_t>(std::uint64_t{random.below(1U << 31)} << random.below(22)) - 1;
        case 4:
            return floats ? Json(std::ldexp(static_cast<double>(random.below(1U << 31)) + 0.5, static_cast<int>(random.below(60)) - 40))
                          : Json(random.below(300));
        case 5: return random_text(random, random.below(40));
        case 6: {
            Json array = Json::array();
            for (std::uint32_t n = random.below(30); n > 0; --n) array.push_back(random_json(random, depth + 1, floats));
            return array;
        }
        default: {
            Json object = Json::object();
            for (std::uint32_t n = random.below(6); n > 0; --n)
                object["k" + std::to_string(10 + random.below(90))] = random_json(random, depth + 1, floats);
            return object;
        }
    }
}

}  // namespace

TEST_CASE("the integers of RFC 8949 Appendix A are written and read") {
    const std::vector<std::pair<std::uint64_t, const char*>> examples = {{0, "00"},
                                                                         {1, "01"},
                                                                         {10, "0a"},
                                                                         {23, "17"},
                                                                         {24, "1818"},
                                                                         {25, "1819"},
                                                                         {100, "1864"},
                                                                         {1000, "1903e8"},
                                                                         {1000000, "1a000f4240"},
                                                                         {1000000000000, "1b000000e8d4a51000"},
                                                                         {UINT64_MAX, "1bffffffffffffffff"}};
    for (const auto& [value, hex] : examples) {
        CborWriter w;
        w.uint(value);
        CHECK(to_hex(w.bytes()) == hex);
        CborReader in(w.bytes());
        CHECK(in.uint() == value);
        CHECK(in.done());
    }
    const std::vector<std::pair<std::int64_t, const char*>> negatives = {
        {-1, "20"}, {-10, "29"}, {-100, "3863"}, {-1000, "3903e7"}, {INT64_MIN, "3b7fffffffffffffff"}, {INT64_MAX, "1b7fffffffffffffff"}};
    for (const auto& [value, hex] : negatives) {
        CborWriter w;
        w.integer(value);
        CHECK(to_hex(w.bytes()) == hex);
        CborReader in(w.bytes());
        CHECK(in.integer() == value);
    }
}

TEST_CASE("the numbers of RFC 8949 Appendix A are written and read, each in its shortest form") {
    const double infinity = std::numeric_limits<double>::infinity();
    const std::vector<std::pair<double, const char*>> examples = {{0.0, "f90000"},
                                                                  {-0.0, "f98000"},
                                                                  {1.0, "f93c00"},
                                                                  {1.1, "fb3ff199999999999a"},
                                                                  {1.5, "f93e00"},
                                                                  {65504.0, "f97bff"},
                                                                  {100000.0, "fa47c35000"},
                                                                  {3.4028234663852886e+38, "fa7f7fffff"},
                                                                  {1.0e+300, "fb7e37e43c8800759c"},
                                                                  {5.960464477539063e-8, "f90001"},
                                                                  {0.00006103515625, "f90400"},
                                                                  {-4.0, "f9c400"},
                                                                  {-4.1, "fbc010666666666666"},
                                                                  {infinity, "f97c00"},
                                                                  {-infinity, "f9fc00"},
                                                                  // Beside the RFC: the edges of half and single precision.
                                                                  {65505.0, "fa477fe100"},
                                                                  {0.000060975551605224609375, "f903ff"},
                                                                  {2.98023223876953125e-8, "fa33000000"},
                                                                  {1.401298464324817e-45, "fa00000001"}};
    for (const auto& [value, hex] : examples) {
        CborWriter w;
        w.number(value);
        CHECK(to_hex(w.bytes()) == hex);
        const Bytes bytes = from_hex(hex);
        CborReader in(bytes);
        const double back = in.number();
        CHECK(back == value);
        CHECK(std::signbit(back) == std::signbit(value));
    }
    CborWriter w;
    w.number(std::numeric_limits<double>::quiet_NaN());
    CHECK(to_hex(w.bytes()) == "f97e00");
    CborReader in(w.bytes());
    CHECK(std::isnan(in.number()));
}

TEST_CASE("the strings, arrays, maps and simple values of RFC 8949 Appendix A are canonical and survive a copy") {
    for (const char* hex : {"f4",
                            "f5",
                            "f6",
                            "40",
                            "4401020304",
                            "60",
                            "6161",
                            "6449455446",
                            "62225c",
                            "62c3bc",
                            "63e6b0b4",
                            "64f0908591",
                            "80",
                            "83010203",
                            "8301820203820405",
                            "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
                            "a0",
                            "a201020304",
                            "a26161016162820203",
                            "826161a161626163",
                            "a56161614161626142616361436164614461656145"}) {
        INFO(hex);
        const Bytes bytes = from_hex(hex);
        CborReader in(bytes);
        CHECK(in.item() == bytes);
        CHECK(in.done());
        CborReader again(bytes);
        CborWriter out;
        copy(again, out);
        CHECK(to_hex(out.bytes()) == hex);
    }
}

TEST_CASE("what Appendix A shows beyond our subset is refused") {
    for (const char* hex : {"c249010000000000000000",
                            "3bffffffffffffffff",
                            "c349010000000000000000",
                            "f7",
                            "f0",
                            "f8ff",
                            "f818",
                            "fa7f800000",
                            "fa7fc00000",
                            "faff800000",
                            "fb7ff0000000000000",
                            "fb7ff8000000000000",
                            "fbfff0000000000000",
                            "c074323031332d30332d32315432303a30343a30305a",
                            "c11a514b67b0",
                            "d74401020304",
                            "d818456449455446",
                            "5f42010243030405ff",
                            "7f657374726561646d696e67ff",
                            "9fff",
                            "9f018202039f0405ffff",
                            "83018202039f0405ff",
                            "bf61610161629f0203ffff",
                            "826161bf61626163ff",
                            "ff",
                            "1c",
                            "5d",
                            "fc"}) {
        INFO(hex);
        CHECK(refused(hex));
    }
}

TEST_CASE("a number or length in a longer form than needed is refused") {
    for (const char* hex : {"1800",
                            "1817",
                            "190000",
                            "1900ff",
                            "1a0000ffff",
                            "1b00000000ffffffff",
                            "3800",
                            "3817",
                            "390000",
                            "5800",
                            "580161",
                            "7800",
                            "780161",
                            "9800",
                            "980100",
                            "b800",
                            "b8010000",
                            "fa3fc00000",
                            "fb3ff8000000000000",
                            "fa47000000",
                            "f97e01",
                            "f9fe00"}) {
        INFO(hex);
        CHECK(refused(hex));
    }
}

TEST_CASE("map keys out of order or twice are refused, at any depth") {
    for (const char* hex : {"a20100"
                            "0000",
                            "a20000"
                            "0000",
                            "a2616201616102", "a2616101616102",
                            "a2626161016162"
                            "02",
                            "81a20100"
                            "0000",
                            "a100a20100"
                            "0000"}) {
        INFO(hex);
        CHECK(refused(hex));
    }
    CHECK_FALSE(
        refused("a2616201626161"
                "02"));
}

TEST_CASE("text that is not UTF-8 is refused") {
    for (const char* hex : {"6180", "61ff", "62c080", "62c328", "63e28028", "63eda080", "63edbfbf", "64f08080af", "64f4908080",
                            "64f8888080", "62e680", "63f0908561"}) {
        INFO(hex);
        CHECK(refused(hex));
    }
    CHECK_FALSE(refused("64f48fbfbf"));
    CHECK_FALSE(refused("63ed9fbf"));
}

namespace {

/// The table of RFC 3629 section 4, octet by octet.
bool follows_rfc_3629(const std::string& text) {
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto in = [](unsigned c, unsigned from, unsigned to) { return c >= from && c <= to; };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned a = at(i), b = at(i + 1), c = at(i + 2), d = at(i + 3);
        const bool tail_c = in(c, 0x80, 0xbf), tail_d = in(d, 0x80, 0xbf);
        if (a < 0x80)
            i += 1;
        else if (in(a, 0xc2, 0xdf) && in(b, 0x80, 0xbf))
            i += 2;
        else if (in(a, 0xe0, 0xef) && in(b, a == 0xe0 ? 0xa0 : 0x80, a == 0xed ? 0x9f : 0xbf) && tail_c)
            i += 3;
        else if (in(a, 0xf0, 0xf4) && in(b, a == 0xf0 ? 0x90 : 0x80, a == 0xf4 ? 0x8f : 0xbf) && tail_c && tail_d)
            i += 4;
        else
            return false;
    }
    return true;
}

}  // namespace

TEST_CASE("UTF-8 is what RFC 3629 says, wherever in a word it stands") {
    const std::string edges("\x00\x41\x7f\x80\x8f\x90\x9f\xa0\xbf\xc1\xc2\xdf\xe0\xef\xf0\xff", 16);
    std::size_t wrong = 0, well_formed = 0;
    for (std::size_t before = 0; before < 9; ++before) {
        std::string text(before, 'a');
        if (before > 1) text.replace(before - 2, 2, "ā");
        text += "....āēī smilšu";
        for (unsigned a = 0x7f; a < 256; ++a)
            for (unsigned b = 0x7f; b < 256; ++b)
                for (char c : edges)
                    for (char d : {'A', '\x80', '\xbf', '\xc2'}) {
                        text[before] = static_cast<char>(a), text[before + 1] = static_cast<char>(b);
                        text[before + 2] = c, text[before + 3] = d;
                        const bool good = follows_rfc_3629(text);
                        well_formed += good ? 1U : 0U;
                        wrong += good != is_utf8(text) || good != is_utf8(text.substr(0, before + 4)) ? 1U : 0U;
                    }
    }
    CHECK(wrong == 0);
    CHECK(well_formed > 10'000);
}

TEST_CASE("a length that its bytes cannot hold is refused before anything is allocated") {
    for (const char* hex : {"5b7fffffffffffffff",
                            "5bffffffffffffffff",
                            "7bffffffffffffffff",
                            "9bffffffffffffffff",
                            "9b0000000100000000",
                            "bbffffffffffffffff",
                            "bb7fffffffffffffff",
                            "9a00ffffff",
                            "82",
                            "8200",
                            "a1",
                            "a100",
                            "42",
                            "4261",
                            "18",
                            "19ff",
                            "1bffffffffffffff",
                            "f9",
                            "f97e",
                            ""}) {
        INFO(hex);
        CHECK(refused(hex));
    }
    const auto array = [](CborReader& in) { (void)in.array(); };
    CHECK(corrupt(from_hex("9bffffffffffffffff"), array));
    CHECK(corrupt(from_hex("8300"), array));
    CHECK(corrupt(from_hex("a200"), [](CborReader& in) { (void)in.map(); }));
}

TEST_CASE("nesting is bounded") {
    CHECK_FALSE(refused(repeated("\x81", 32) + '\x01'));
    CHECK(refused(repeated("\x81", 34) + '\x01'));
    CHECK(refused(repeated("\x81", 1'000'000) + '\x01'));
    CHECK(refused(repeated("\xa1\x01", 500'000) + '\x01'));
}

TEST_CASE("the reader says corrupt, and never anything else, when the next item is not what was asked for") {
    const Bytes text = from_hex("6161");
    CHECK(corrupt(text, [](CborReader& in) { (void)in.uint(); }));
    CHECK(corrupt(text, [](CborReader& in) { (void)in.integer(); }));
    CHECK(corrupt(text, [](CborReader& in) { (void)in.octets(); }));
    CHECK(corrupt(text, [](CborReader& in) { (void)in.array(); }));
    CHECK(corrupt(text, [](CborReader& in) { (void)in.map(); }));
    CHECK(corrupt(text, [](CborReader& in) { (void)in.boolean(); }));
    CHECK(corrupt(text, [](CborReader& in) { in.null(); }));
    CHECK(corrupt(text, [](CborReader& in) { (void)in.number(); }));
    CHECK(corrupt(text, [](CborReader& in) { (void)in.text(0); }));
    CHECK(corrupt(from_hex("1864"), [](CborReader& in) { (void)in.uint(99); }));
    CHECK(corrupt(from_hex("420000"), [](CborReader& in) { (void)in.octets(3); }));
    CHECK(corrupt(from_hex("1b8000000000000000"), [](CborReader& in) { (void)in.integer(); }));
    CHECK(corrupt(from_hex("0101"), [](CborReader& in) { in.skip(), in.finish(); }));
    CHECK(corrupt({}, [](CborReader& in) { (void)in.peek(); }));
}

TEST_CASE("our bytes are those of another implementation wherever deterministic encodings agree, and it reads all of them") {
    test::Random random(20'261);
    for (int i = 0; i < 1500; ++i) {
        const Json json = random_json(random, 0, false);
        const std::vector<std::uint8_t> theirs = Json::to_cbor(json);
        const Value ours = value_from_json(json.dump());
        REQUIRE(ours == Bytes(theirs.begin(), theirs.end()));
        REQUIRE(Json::parse(to_json(ours)) == json);
    }
    for (int i = 0; i < 1500; ++i) {
        const Json json = random_json(random, 0, true);
        const Value ours = value_from_json(json.dump());
        REQUIRE(Json::from_cbor(ours) == json);
        REQUIRE(value_from_json(to_json(ours)) == ours);
    }
}

TEST_CASE("every truncation is refused, and whatever is accepted after damage is canonical") {
    test::Random random(20'262);
    int accepted = 0;
    for (int i = 0; i < 400; ++i) {
        const Value value = value_from_json(random_json(random, 0, true).dump());
        for (std::size_t size = 0; size < value.size(); size += 1 + value.size() / 50) REQUIRE(refused(value.substr(0, size)));
        for (int k = 0; k < 60; ++k) {
            Bytes altered = value;
            for (std::uint32_t n = 1 + random.below(3); n > 0; --n)
                altered[random.below(static_cast<std::uint32_t>(altered.size()))] = static_cast<char>(random.below(256));
            if (refused(altered)) continue;
            CborReader in(altered);
            CborWriter out;
            copy(in, out);
            REQUIRE(out.bytes() == altered);
            ++accepted;
        }
    }
    CHECK(accepted > 1000);
}
