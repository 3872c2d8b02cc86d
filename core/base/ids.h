// Strong identifiers: none converts to another, each has one printed form.
//
// A RecordId is a UUID of version 7 (RFC 9562): ordered by time of creation, so that a store's index grows at its end.
// A ReplicaId is 64 random bits that the server keeps unique; a ScopeId is derived from a municipality's and a scope's name.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/error.h"

namespace kopdarbs {

/// N octets that identify something; `Tag` keeps kinds apart. Ordered as octets.
template <class Tag, std::size_t N>
struct Id {
    std::array<std::uint8_t, N> octets{};

    static constexpr std::size_t size = N;
    /// Throws Error{corrupt} when `bytes` is not exactly N octets.
    static Id from_bytes(BytesView bytes) {
        if (bytes.size() != N) fail(ErrorCode::corrupt, "an identifier of the wrong length");
        Id id;
        std::copy(bytes.begin(), bytes.end(), id.octets.begin());
        return id;
    }
    BytesView bytes() const { return view(octets); }
    bool is_zero() const { return *this == Id{}; }
    // Of a fixed size, so that it is a compare or two and no call.
    friend bool operator==(const Id& a, const Id& b) { return std::memcmp(a.octets.data(), b.octets.data(), N) == 0; }
    friend bool operator!=(const Id& a, const Id& b) { return !(a == b); }
    friend bool operator<(const Id& a, const Id& b) { return std::memcmp(a.octets.data(), b.octets.data(), N) < 0; }
};

using ReplicaId = Id<struct ReplicaTag, 8>;
using RecordId = Id<struct RecordTag, 16>;
using ScopeId = Id<struct ScopeTag, 16>;
using DeviceId = Id<struct DeviceTag, 16>;
using GroupId = Id<struct GroupTag, 16>;
using Hash256 = Id<struct HashTag, 32>;

/// The canonical 8-4-4-4-12 form.
std::string to_string(const RecordId& id);
/// Throws Error{invalid} unless `text` is a UUID in that form.
RecordId parse_record_id(std::string_view text);
/// A version 7 UUID from a time in milliseconds since 1970 and 10 random octets.
RecordId make_record_id(std::uint64_t unix_ms, const std::array<std::uint8_t, 10>& random);

/// 13 characters of base 32.
std::string to_string(const ReplicaId& id);
ReplicaId parse_replica_id(std::string_view text);
/// 26 characters of base 32.
std::string to_string(const DeviceId& id);
DeviceId parse_device_id(std::string_view text);

}  // namespace kopdarbs
