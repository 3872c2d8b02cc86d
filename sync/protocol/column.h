// One column of numbers: unsigned ones as LEB128 (DWARF 5, section 7.6), signed ones zigzagged before.
//
// Differences are taken and given back modulo 2^64, so every pair of numbers has one. The reader is strict: each number in its shortest
// form, none left over.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/error.h"

namespace kopdarbs::sync {

class ColumnWriter {
public:
    void put(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) octets_ += static_cast<char>(0x80 | (value & 0x7f));
        octets_ += static_cast<char>(value);
    }
    /// `value` as its difference to `base`.
    void put_from(std::uint64_t base, std::uint64_t value) {
        const std::uint64_t difference = value - base;
        put(difference << 1 ^ (0 - (difference >> 63)));
    }
    const Bytes& octets() const { return octets_; }

private:
    Bytes octets_;
};

/// Borrows its octets; throws Error{corrupt}.
class ColumnReader {
public:
    ColumnReader() = default;
    explicit ColumnReader(BytesView octets) : rest_(octets) {}

    std::uint64_t next() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; !rest_.empty() && shift < 64; shift += 7) {
            const auto octet = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            if ((shift == 63 && octet > 1) || (shift > 0 && octet == 0)) break;
            value |= static_cast<std::uint64_t>(octet & 0x7f) << shift;
            if (octet < 0x80) return value;
        }
        fail(ErrorCode::corrupt, "message: a column that ends in a number");
    }
    /// Below `bound`.
    std::size_t next_below(std::size_t bound) {
        const std::uint64_t value = next();
        if (value >= bound) fail(ErrorCode::corrupt, "message: a column that points at nothing");
        return static_cast<std::size_t>(value);
    }
    std::uint64_t next_from(std::uint64_t base) {
        const std::uint64_t zigzag = next();
        return base + (zigzag >> 1 ^ (0 - (zigzag & 1)));
    }
    void finish() const {
        if (!rest_.empty()) fail(ErrorCode::corrupt, "message: a column with more than its rows");
    }

private:
    BytesView rest_;
};

}  // namespace kopdarbs::sync
