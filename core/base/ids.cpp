#include "core/base/ids.h"

#include <algorithm>

namespace kopdarbs {

namespace {
constexpr std::array<std::size_t, 4> kHyphens{8, 13, 18, 23};
}

std::string to_string(const RecordId& id) {
    std::string text = to_hex(id.bytes());
    for (std::size_t at : kHyphens) text.insert(at, 1, '-');
    return text;
}

RecordId parse_record_id(std::string_view text) {
    const std::string shown(text.substr(0, 40));
    if (text.size() != 36) fail(ErrorCode::invalid, "not a record id: '" + shown + "'");
    std::string hex;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool hyphen = std::find(kHyphens.begin(), kHyphens.end(), i) != kHyphens.end();
        if (hyphen != (text[i] == '-')) fail(ErrorCode::invalid, "not a record id: '" + shown + "'");
        if (!hyphen) hex += text[i];
    }
    return RecordId::from_bytes(from_hex(hex));
}

RecordId make_record_id(std::uint64_t unix_ms, const std::array<std::uint8_t, 10>& random) {
    RecordId id;
    for (std::size_t i = 0; i < 6; ++i) id.octets[i] = static_cast<std::uint8_t>(unix_ms >> (8 * (5 - i)));
    std::copy(random.begin(), random.end(), id.octets.begin() + 6);
    id.octets[6] = static_cast<std::uint8_t>(0x70 | (id.octets[6] & 0x0f));
    id.octets[8] = static_cast<std::uint8_t>(0x80 | (id.octets[8] & 0x3f));
    return id;
}

std::string to_string(const ReplicaId& id) {
    return to_base32(id.bytes());
}
ReplicaId parse_replica_id(std::string_view text) {
    return ReplicaId::from_bytes(from_base32(text, ReplicaId::size));
}
std::string to_string(const DeviceId& id) {
    return to_base32(id.bytes());
}
DeviceId parse_device_id(std::string_view text) {
    return DeviceId::from_bytes(from_base32(text, DeviceId::size));
}

}  // namespace kopdarbs
