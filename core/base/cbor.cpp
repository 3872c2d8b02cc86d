#include "core/base/cbor.h"

#include <cmath>
#include <cstring>

#include "core/base/error.h"

namespace kopdarbs {
namespace {

constexpr std::uint16_t kHalfNan = 0x7e00;

[[noreturn]] void corrupt(const char* what) {
    fail(ErrorCode::corrupt, std::string("CBOR: ") + what);
}

/// The half-precision form of `value`, if that is exact (RFC 8949 section 3.3).
bool to_half(float value, std::uint16_t& half) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, 4);
    const std::uint32_t sign = bits >> 31, exponent = (bits >> 23) & 0xff, fraction = bits & 0x7fffff;
    std::uint32_t result = sign << 15;
    if (exponent == 0xff) {
        if (fraction != 0) return false;
        result |= 0x7c00;
    } else if (exponent == 0 && fraction == 0) {
        // zero
    } else {
        const int e = static_cast<int>(exponent) - 127;
        if (e >= -14 && e <= 15) {
            if ((fraction & 0x1fff) != 0) return false;
            result |= static_cast<std::uint32_t>(e + 15) << 10 | fraction >> 13;
        } else if (e >= -24 && e < -14) {
            const std::uint32_t full = fraction | 0x800000;
            const int shift = -e - 1;  // 2^e · 1.f = n · 2^-24, n = full >> (23 - (e + 24))
            if ((full & ((1U << shift) - 1)) != 0) return false;
            result |= full >> shift;
        } else {
            return false;
        }
    }
    half = static_cast<std::uint16_t>(result);
    return true;
}

double from_half(std::uint16_t half) {
    const int exponent = (half >> 10) & 31;
    const double fraction = half & 1023;
    const double magnitude = exponent == 0    ? std::ldexp(fraction, -24)
                             : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                              : std::ldexp(fraction + 1024, exponent - 25);
    return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace

void CborWriter::long_head(unsigned major, std::uint64_t argument) {
    const int size = argument <= 0xff ? 0 : argument <= 0xffff ? 1 : argument <= 0xffffffff ? 2 : 3;
    out_ += static_cast<char>((major << 5) + 24 + static_cast<unsigned>(size));
    for (int shift = (8 << size) - 8; shift >= 0; shift -= 8) out_ += static_cast<char>(argument >> shift);
}

void CborWriter::number(double value) {
    const float single = static_cast<float>(value);
    std::uint16_t half = kHalfNan;
    if (std::isnan(value) || (static_cast<double>(single) == value && to_half(single, half))) {
        out_ += '\xf9';
        out_ += static_cast<char>(half >> 8);
        out_ += static_cast<char>(half);
    } else if (static_cast<double>(single) == value) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, &single, 4);
        out_ += '\xfa';
        put_u32(out_, bits);
    } else {
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, 8);
        out_ += '\xfb';
        put_u64(out_, bits);
    }
}

void CborReader::finish() const {
    if (!done()) corrupt("bytes are left over");
}

CborReader::Head CborReader::head() {
    if (at_ == end_) corrupt("it ends too early");
    const unsigned initial = static_cast<std::uint8_t>(*at_++);
    Head h{initial >> 5, initial & 31, initial & 31};
    if (h.info < 24) return h;
    if (h.info > 27) corrupt("an indefinite or reserved length");
    const std::size_t size = std::size_t{1} << (h.info - 24);
    if (static_cast<std::size_t>(end_ - at_) < size) corrupt("it ends too early");
    h.argument = 0;
    for (std::size_t i = 0; i < size; ++i) h.argument = h.argument << 8 | static_cast<std::uint8_t>(*at_++);
    const bool shortest = h.info == 24 ? h.argument >= 24 : h.argument >> (4 * size) != 0;
    if (h.major != 7 && !shortest) corrupt("a length that is not the shortest");
    return h;
}

CborType CborReader::peek() const {
    if (at_ == end_) corrupt("it ends too early");
    const unsigned initial = static_cast<std::uint8_t>(*at_);
    switch (initial >> 5) {
        case 0: return CborType::uint;
        case 1: return CborType::negative;
        case 2: return CborType::octets;
        case 3: return CborType::text;
        case 4: return CborType::array;
        case 5: return CborType::map;
        case 7:
            if (initial == 0xf4 || initial == 0xf5) return CborType::boolean;
            if (initial == 0xf6) return CborType::null;
            if (initial >= 0xf9 && initial <= 0xfb) return CborType::number;
            break;
        default: break;
    }
    corrupt("a kind of item that is not used here");
}

std::uint64_t CborReader::expect(unsigned major, const char* what) {
    const Head h = head();
    if (h.major != major) corrupt(what);
    return h.argument;
}

BytesView CborReader::take(std::uint64_t size) {
    if (size > static_cast<std::uint64_t>(end_ - at_)) corrupt("it ends too early");
    const BytesView bytes(at_, static_cast<std::size_t>(size));
    at_ += size;
    return bytes;
}

std::uint64_t CborReader::uint() {
    return expect(0, "not an unsigned integer");
}

std::uint64_t CborReader::uint(std::uint64_t max) {
    const std::uint64_t value = uint();
    if (value > max) corrupt("an integer out of bounds");
    return value;
}

std::int64_t CborReader::integer() {
    const Head h = head();
    if (h.major > 1 || h.argument > static_cast<std::uint64_t>(INT64_MAX)) corrupt("not a 64-bit integer");
    return h.major == 0 ? static_cast<std::int64_t>(h.argument) : ~static_cast<std::int64_t>(h.argument);
}

BytesView CborReader::octets() {
    return take(expect(2, "not octets"));
}

BytesView CborReader::octets(std::size_t exactly) {
    const BytesView bytes = octets();
    if (bytes.size() != exactly) corrupt("octets of a wrong length");
    return bytes;
}

std::string_view CborReader::text() {
    const std::string_view value = take(expect(3, "not text"));
    if (!known_ && !is_utf8(value)) corrupt("text that is not UTF-8");
    return value;
}

std::string_view CborReader::text(std::size_t max) {
    const std::string_view value = text();
    if (value.size() > max) corrupt("text out of bounds");
    return value;
}

bool CborReader::boolean() {
    const Head h = head();
    if (h.major != 7 || (h.info != 20 && h.info != 21)) corrupt("not a boolean");
    return h.info == 21;
}

void CborReader::null() {
    const Head h = head();
    if (h.major != 7 || h.info != 22) corrupt("not null");
}

double CborReader::number() {
    const char* start = at_;
    const Head h = head();
    if (h.major != 7 || h.info < 25) corrupt("not a number");
    double value = 0;
    if (h.info == 25) {
        value = from_half(static_cast<std::uint16_t>(h.argument));
    } else if (h.info == 26) {
        const auto bits = static_cast<std::uint32_t>(h.argument);
        float single = 0;
        std::memcpy(&single, &bits, 4);
        value = static_cast<double>(single);
    } else {
        std::memcpy(&value, &h.argument, 8);
    }
    CborWriter again;
    again.number(value);
    if (again.bytes() != BytesView(start, static_cast<std::size_t>(at_ - start))) corrupt("a number that is not in its shortest form");
    return value;
}

std::size_t CborReader::array() {
    const std::uint64_t count = expect(4, "not an array");
    if (count > static_cast<std::uint64_t>(end_ - at_)) corrupt("an array longer than its bytes");
    return static_cast<std::size_t>(count);
}

std::size_t CborReader::array(std::size_t max) {
    const std::size_t count = array();
    if (count > max) corrupt("an array out of bounds");
    return count;
}

std::size_t CborReader::map() {
    const std::uint64_t count = expect(5, "not a map");
    if (count > static_cast<std::uint64_t>(end_ - at_) / 2) corrupt("a map longer than its bytes");
    return static_cast<std::size_t>(count);
}

BytesView CborReader::item() {
    const char* start = at_;
    check(0);
    return {start, static_cast<std::size_t>(at_ - start)};
}

void CborReader::check(int depth) {
    if (depth > kMaxCborDepth) corrupt("nested too deeply");
    switch (peek()) {
        case CborType::uint: (void)uint(); break;
        case CborType::negative: (void)integer(); break;
        case CborType::octets: (void)octets(); break;
        case CborType::text: (void)text(); break;
        case CborType::boolean: (void)boolean(); break;
        case CborType::null: null(); break;
        case CborType::number: (void)number(); break;
        case CborType::array:
            for (std::size_t n = array(); n > 0; --n) check(depth + 1);
            break;
        case CborType::map: {
            BytesView last;
            for (std::size_t n = map(); n > 0; --n) {
                const char* start = at_;
                check(depth + 1);
                const BytesView key(start, static_cast<std::size_t>(at_ - start));
                if (!last.empty() && !(last < key)) corrupt("map keys out of order");
                last = key;
                check(depth + 1);
            }
            break;
        }
    }
}

}  // namespace kopdarbs
