// Counting scalar values in UTF-8 eight octets at a time: what every position in a text is made of.
//
// The functions here trust that their input is well-formed, but for valid_utf8, which decides it.
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/base/bytes.h"

namespace kopdarbs::text {

inline std::uint64_t eight_octets(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    return word;
}

inline bool continues_scalar(char c) {
    return (static_cast<std::uint8_t>(c) & 0xc0) == 0x80;
}

inline bool is_ascii(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    std::uint64_t high = 0;
    for (; end - at >= 8; at += 8) high |= eight_octets(at);
    for (; at != end; ++at) high |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(*at));
    return (high & 0x8080808080808080U) == 0;
}

inline bool valid_utf8(std::string_view text) {
    return is_ascii(text) || is_utf8(text);
}

/// Octets of the eight at `at` that continue a scalar value.
inline std::uint32_t continuations(const char* at) {
    const std::uint64_t word = eight_octets(at);
    const std::uint64_t marks = (word >> 7) & ~(word >> 6) & 0x0101010101010101U;
    return static_cast<std::uint32_t>((marks * 0x0101010101010101U) >> 56);
}

inline std::size_t count_scalars(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    std::size_t count = text.size();
    for (; end - at >= 8; at += 8) count -= continuations(at);
    for (; at != end; ++at) count -= continues_scalar(*at) ? 1U : 0U;
    return count;
}

/// The byte offset of scalar value number `index`, at most the number of scalar values in `text`.
inline std::size_t byte_of_scalar(std::string_view text, std::size_t index) {
    std::size_t at = 0;
    while (index >= 8 && text.size() - at >= 8) {
        index -= 8 - continuations(text.data() + at);
        at += 8;
    }
    // `at` may stand inside a scalar value that is counted already.
    while (at < text.size() && continues_scalar(text[at])) ++at;
    for (; index > 0 && at < text.size(); --index) {
        ++at;
        while (at < text.size() && continues_scalar(text[at])) ++at;
    }
    return at;
}

/// The byte offset of the last newline in `text`, or npos.
inline std::size_t last_newline(std::string_view text) {
    std::size_t size = text.size();
    for (; size >= 8; size -= 8) {
        const std::uint64_t rest = eight_octets(text.data() + size - 8) ^ 0x0a0a0a0a0a0a0a0aU;
        if (((rest - 0x0101010101010101U) & ~rest & 0x8080808080808080U) != 0) break;
    }
    while (size > 0 && text[size - 1] != '\n') --size;
    return size == 0 ? std::string_view::npos : size - 1;
}

}  // namespace kopdarbs::text
