#include "core/base/bytes.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/error.h"

namespace kopdarbs {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase32 = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::uint32_t octet(char c) {
    return static_cast<std::uint8_t>(c);
}
bool continues(char c) {
    return (octet(c) & 0xc0) == 0x80;
}

/// RFC 3629 as an automaton whose whole transition on an octet is one shift: each octet has a word, in which the next state stands at the
/// current state's bit position. Source: Per Vognsen, "Shift-based DFAs" (2021); the states are those of Bjoern Hoehrmann's decoder (2008).
struct Utf8Automaton {
    // States are bit positions, six apart; 0 is the state that nothing leaves.
    static constexpr std::uint64_t kAccept = 6, kOneMore = 12, kTwoMore = 18, kThreeMore = 24, kAfterE0 = 30, kAfterEd = 36, kAfterF0 = 42,
                                   kAfterF4 = 48;
    std::array<std::uint64_t, 256> step{};

    constexpr Utf8Automaton() {
        const auto on = [this](unsigned from, unsigned to, std::uint64_t state, std::uint64_t next) {
            for (unsigned c = from; c <= to; ++c) step[c] |= next << state;
        };
        on(0x00, 0x7f, kAccept, kAccept);
        on(0xc2, 0xdf, kAccept, kOneMore);
        on(0xe0, 0xe0, kAccept, kAfterE0);
        on(0xe1, 0xec, kAccept, kTwoMore);
        on(0xed, 0xed, kAccept, kAfterEd);
        on(0xee, 0xef, kAccept, kTwoMore);
        on(0xf0, 0xf0, kAccept, kAfterF0);
        on(0xf1, 0xf3, kAccept, kThreeMore);
        on(0xf4, 0xf4, kAccept, kAfterF4);
        on(0x80, 0xbf, kOneMore, kAccept);
        on(0x80, 0xbf, kTwoMore, kOneMore);
        on(0x80, 0xbf, kThreeMore, kTwoMore);
        on(0xa0, 0xbf, kAfterE0, kOneMore);
        on(0x80, 0x9f, kAfterEd, kOneMore);
        on(0x90, 0xbf, kAfterF0, kTwoMore);
        on(0x80, 0x8f, kAfterF4, kTwoMore);
    }
};
constexpr Utf8Automaton kUtf8;

/// How many octets at the beginning of `text` are whole well-formed characters of one or two octets: as far as eight at a time tell, so
/// less than there are. Latvian has no others.
std::size_t short_characters(std::string_view text) {
    if constexpr (std::endian::native != std::endian::little) return 0;
    constexpr std::uint64_t tops = 0x8080808080808080U;
    std::size_t at = 0;
    std::uint64_t begun = 0;  // the last octet begins a character of two
    for (; text.size() - at >= 8; at += 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, text.data() + at, 8);
        const std::uint64_t high = eight & tops, two = high & eight << 1, follows = high & ~(eight << 1);
        if ((two & eight << 2) != 0) break;                                            // three octets or more
        if ((two & ~(eight << 3 | eight << 4 | eight << 5 | eight << 6)) != 0) break;  // C0, C1: overlong
        if (follows != (two << 8 | begun)) break;
        begun = two >> 56;
    }
    return at - (begun != 0 ? 1U : 0U);
}

}  // namespace

std::string to_hex(BytesView bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (char c : bytes) {
        text += kHex[octet(c) >> 4];
        text += kHex[octet(c) & 15];
    }
    return text;
}

Bytes from_hex(std::string_view text) {
    if (text.size() % 2 != 0) fail(ErrorCode::invalid, "hexadecimal of odd length");
    Bytes out;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const auto high = kHex.find(lower(text[i])), low = kHex.find(lower(text[i + 1]));
        if (high == kHex.npos || low == kHex.npos) fail(ErrorCode::invalid, "a character that is no hexadecimal digit");
        out += static_cast<char>(high << 4 | low);
    }
    return out;
}

std::string to_base32(BytesView bytes) {
    std::string text;
    std::uint32_t buffer = 0;
    int bits = 0;
    for (char c : bytes) {
        buffer = (buffer << 8) | octet(c);
        for (bits += 8; bits >= 5; bits -= 5) text += kBase32[(buffer >> (bits - 5)) & 31];
    }
    if (bits > 0) text += kBase32[(buffer << (5 - bits)) & 31];
    return text;
}

Bytes from_base32(std::string_view text, std::size_t size) {
    if (text.size() != (size * 8 + 4) / 5) fail(ErrorCode::invalid, "a code of the wrong length");
    Bytes out;
    std::uint32_t buffer = 0;
    int bits = 0;
    for (char c : text) {
        const auto digit = kBase32.find(lower(c));
        if (digit == kBase32.npos) fail(ErrorCode::invalid, "a character that no code has");
        buffer = (buffer << 5) | static_cast<std::uint32_t>(digit);
        bits += 5;
        if (bits >= 8) {
            out += static_cast<char>(buffer >> (bits - 8));
            bits -= 8;
        }
    }
    if ((buffer & ((1U << bits) - 1)) != 0) fail(ErrorCode::invalid, "a code with stray bits at its end");
    return out;
}

std::string to_base64(BytesView bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = octet(bytes[i]) << 16;
        if (n > 1) group |= octet(bytes[i + 1]) << 8;
        if (n > 2) group |= octet(bytes[i + 2]);
        for (std::size_t k = 0; k < 4; ++k) text += k <= n ? kBase64[(group >> (18 - 6 * k)) & 63] : '=';
    }
    return text;
}

Bytes from_base64(std::string_view text) {
    if (text.size() % 4 != 0) fail(ErrorCode::invalid, "base 64 of a wrong length");
    Bytes out;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::size_t n = 4;
        if (i + 4 == text.size()) n = text[i + 2] == '=' ? 2 : text[i + 3] == '=' ? 3 : 4;
        if (n == 2 && text[i + 3] != '=') fail(ErrorCode::invalid, "base 64 with wrong padding");
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const auto digit = k < n ? kBase64.find(text[i + k]) : 0;
            if (digit == kBase64.npos) fail(ErrorCode::invalid, "a character that base 64 does not have");
            group = group << 6 | static_cast<std::uint32_t>(digit);
        }
        for (std::size_t k = 0; k + 1 < n; ++k) out += static_cast<char>(group >> (16 - 8 * k));
        if ((group & ((1U << (8 * (4 - n))) - 1)) != 0) fail(ErrorCode::invalid, "base 64 with stray bits at its end");
    }
    return out;
}

void put_u64(Bytes& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

void put_u32(Bytes& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

std::uint64_t get_u64(BytesView bytes) {
    KOPDARBS_ASSERT(bytes.size() >= 8);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value = value << 8 | octet(bytes[i]);
    return value;
}

bool is_utf8(std::string_view text) {
    std::uint64_t state = Utf8Automaton::kAccept;
    std::size_t i = 0;
    while (i < text.size()) {
        if ((state & 63) == Utf8Automaton::kAccept) i += short_characters(text.substr(i));
        for (std::size_t end = std::min(i + 8, text.size()); i < end; ++i) state = kUtf8.step[octet(text[i])] >> (state & 63);
    }
    return (state & 63) == Utf8Automaton::kAccept;
}

std::size_t utf8_length(std::string_view text) {
    std::size_t count = 0;
    for (char c : text) count += continues(c) ? 0U : 1U;
    return count;
}

std::size_t utf8_offset(std::string_view text, std::size_t index) {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        if (continues(text[at])) continue;
        if (index == 0) return at;
        --index;
    }
    KOPDARBS_ASSERT(index == 0);
    return at;
}

bool equal_constant_time(BytesView a, BytesView b) {
    if (a.size() != b.size()) return false;
    std::uint32_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) difference |= octet(a[i]) ^ octet(b[i]);
    return difference == 0;
}

void wipe(Bytes& secret) {
    volatile char* p = secret.data();
    for (std::size_t i = 0; i < secret.size(); ++i) p[i] = 0;
    secret.clear();
}

}  // namespace kopdarbs
