// Deterministic CBOR (RFC 8949 section 4.2): a streaming writer and a bounded, strict reader.
//
// The subset: integers within ±(2^64 - 1)'s CBOR range as far as they fit int64/uint64, octets, UTF-8 text, arrays and maps of
// definite length, false, true, null and floating-point numbers in their shortest exact form. No tags, no indefinite lengths.
//
// Invariants
//  1. What the reader accepts is what the writer writes: shortest lengths, shortest floats, map keys in bytewise order, no
//     duplicates. So equal values have equal bytes, and a value may be compared, hashed and stored as its bytes.
//  2. The reader never reads outside its view, never allocates more than the view's size, and nests at most kMaxCborDepth.
// Threading: none; a reader borrows its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace kopdarbs {

constexpr int kMaxCborDepth = 32;

/// Canonical CBOR of one data item, owned: how field values are held, compared and stored.
using Value = Bytes;

class CborWriter {
public:
    void uint(std::uint64_t value) { head(0, value); }
    void integer(std::int64_t value) {
        value < 0 ? head(1, ~static_cast<std::uint64_t>(value)) : head(0, static_cast<std::uint64_t>(value));
    }
    void octets(BytesView value) { head(2, value.size()), out_.append(value); }
    /// The caller guarantees UTF-8.
    void text(std::string_view value) { head(3, value.size()), out_.append(value); }
    /// `count` items follow.
    void array(std::uint64_t count) { head(4, count); }
    /// `count` pairs follow; the caller writes keys in the bytewise order of their encodings.
    void map(std::uint64_t count) { head(5, count); }
    void boolean(bool value) { out_ += value ? '\xf5' : '\xf4'; }
    void null() { out_ += '\xf6'; }
    /// Shortest exact form of 16, 32 or 64 bits; NaN is 7e00.
    void number(double value);
    /// Bytes that are canonical CBOR already.
    void raw(BytesView encoded) { out_.append(encoded); }

    void reserve(std::size_t bytes) { out_.reserve(bytes); }
    const Bytes& bytes() const { return out_; }
    Bytes take() { return std::move(out_); }
    void clear() { out_.clear(); }
    std::size_t size() const { return out_.size(); }

private:
    void head(unsigned major, std::uint64_t argument) {
        if (argument < 24)
            out_ += static_cast<char>(major << 5 | argument);
        else
            long_head(major, argument);
    }
    /// For an argument that the first octet does not hold.
    void long_head(unsigned major, std::uint64_t argument);
    Bytes out_;
};

enum class CborType { uint, negative, octets, text, array, map, boolean, null, number };

/// Reads items one after another; every call throws Error{corrupt} when the next item is not what was asked for.
class CborReader {
public:
    /// For bytes that were read or written by us before, as held values are: text is not checked to be UTF-8 once more.
    struct Known {};
    CborReader(BytesView bytes, Known) : CborReader(bytes) { known_ = true; }
    explicit CborReader(BytesView bytes) : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    bool done() const { return at_ == end_; }
    /// Throws Error{corrupt} when bytes are left over.
    void finish() const;
    std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }
    CborType peek() const;

    std::uint64_t uint();
    /// At most `max`.
    std::uint64_t uint(std::uint64_t max);
    std::int64_t integer();
    BytesView octets();
    BytesView octets(std::size_t exactly);
    /// Well-formed UTF-8, checked.
    std::string_view text();
    /// At most `max` octets.
    std::string_view text(std::size_t max);
    bool boolean();
    void null();
    double number();
    /// Number of items that follow (at most the number of bytes left). The caller reads them all.
    std::size_t array();
    std::size_t array(std::size_t max);
    std::size_t map();
    /// The next whole item, checked to be canonical throughout, as borrowed bytes.
    BytesView item();
    void skip() { (void)item(); }

private:
    struct Head {
        unsigned major;
        unsigned info;
        std::uint64_t argument;
    };
    Head head();
    std::uint64_t expect(unsigned major, const char* what);
    BytesView take(std::uint64_t size);
    void check(int depth);
    const char* begin_;
    const char* at_;
    const char* end_;
    bool known_ = false;
};

}  // namespace kopdarbs
