// Byte strings and their printed forms.
//
// A `Bytes` owns octets, a `BytesView` borrows them; neither says anything of an encoding.
// Threading: everything here is a pure function.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kopdarbs {

using Bytes = std::string;
using BytesView = std::string_view;

/// The octets of a fixed-size array, borrowed.
template <std::size_t N>
BytesView view(const std::array<std::uint8_t, N>& a) {
    return {reinterpret_cast<const char*>(a.data()), N};
}

/// Lower-case hexadecimal.
std::string to_hex(BytesView bytes);
/// Throws Error{invalid} for an odd length or a character that is no hexadecimal digit.
Bytes from_hex(std::string_view text);

/// Crockford's base 32 in lower case, most significant bit first, no padding (0 1 … 9 a b … z without i l o u).
std::string to_base32(BytesView bytes);
/// Reads what to_base32 writes; upper case too. Throws Error{invalid} for other characters, a wrong `size` or set padding bits.
Bytes from_base32(std::string_view text, std::size_t size);

/// RFC 4648 section 4, with padding; decoding is strict and throws Error{invalid}.
std::string to_base64(BytesView bytes);
Bytes from_base64(std::string_view text);

/// Big-endian integers at the end of `out`.
void put_u64(Bytes& out, std::uint64_t value);
void put_u32(Bytes& out, std::uint32_t value);
/// Reads the first 8 octets; the caller guarantees that they are there.
std::uint64_t get_u64(BytesView bytes);

/// Whether `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
bool is_utf8(std::string_view text);
/// Number of Unicode scalar values in well-formed UTF-8.
std::size_t utf8_length(std::string_view text);
/// Byte offset of scalar value number `index` (at most the length) in well-formed UTF-8.
std::size_t utf8_offset(std::string_view text, std::size_t index);

/// Equality in time that depends on the lengths only.
bool equal_constant_time(BytesView a, BytesView b);
/// Overwrites with zeros in a way that the compiler may not drop.
void wipe(Bytes& secret);

/// Wipes what it refers to as it ends, by an exception too.
class WipeAtEnd {
public:
    explicit WipeAtEnd(Bytes& secret) : secret_(secret) {}
    ~WipeAtEnd() { wipe(secret_); }
    WipeAtEnd(const WipeAtEnd&) = delete;
    WipeAtEnd& operator=(const WipeAtEnd&) = delete;

private:
    Bytes& secret_;
};

}  // namespace kopdarbs
