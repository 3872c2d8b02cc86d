// What every fuzz target here asks of a parser: hostile bytes give a kopdarbs::Error or something that round-trips, and nothing else.
//
// A target that finds otherwise aborts, and libFuzzer keeps the input. Seeds lie in corpus/NAME/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/base/bytes.h"
#include "core/base/error.h"

namespace kopdarbs::fuzz {

inline BytesView input_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Assertions that stay on whatever the build.
inline void must(bool claim) {
    if (!claim) std::abort();
}

/// Runs `work`; an Error is an answer, any other exception ends the program.
template <class Work>
int only_errors(Work work) {
    try {
        work();
    } catch (const Error&) {
        return 0;
    }
    return 0;
}

/// The first part's length stands in two octets before it: for formats that come in two pieces.
inline BytesView first_part(BytesView& rest) {
    if (rest.size() < 2) return rest;
    const std::size_t length = static_cast<std::size_t>(static_cast<unsigned char>(rest[0])) << 8 | static_cast<unsigned char>(rest[1]);
    rest.remove_prefix(2);
    const BytesView part = rest.substr(0, length);
    rest.remove_prefix(part.size());
    return part;
}

/// For formats to which newer versions may append parts that are skipped: what was read is written, read and written to the same bytes; and
/// where nothing was skipped, these are the bytes that came.
template <class Decode, class Encode>
void must_settle(BytesView bytes, Decode decode, Encode encode) {
    const Bytes once = encode(decode(bytes));
    must(encode(decode(once)) == once);
    must(once.size() <= bytes.size());
    if (once.size() == bytes.size()) must(once == bytes);
}

}  // namespace kopdarbs::fuzz
