#include "core/store/identity.h"

#include "core/base/error.h"

namespace kopdarbs {
namespace {
constexpr const char* kEnrolment = "enrolment";
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kParts = 11;
}  // namespace

void write_identity(Store& store, const Enrolment& e) {
    CborWriter w;
    w.array(kParts);
    w.uint(kVersion);
    w.octets(e.device.bytes());
    w.octets(e.replica.bytes());
    w.octets(e.server.bytes());
    w.octets(e.server_key.bytes());
    w.octets(e.recovery_key.bytes());
    w.text(e.server_url);
    w.text(e.ca_pem);
    w.text(e.user);
    w.octets(e.device_key.public_key.bytes());
    w.octets(e.device_key.private_key);
    Bytes bytes = w.take();
    store.set_setting(kEnrolment, bytes);
    wipe(bytes);
}

Enrolment read_identity(Store& store) {
    Bytes bytes = store.setting(kEnrolment);
    CborReader in(bytes);
    if (bytes.empty() || in.array() != kParts || in.uint() != kVersion) fail(ErrorCode::corrupt, "vault: its enrolment is missing");
    Enrolment e;
    e.device = DeviceId::from_bytes(in.octets());
    e.replica = ReplicaId::from_bytes(in.octets());
    e.server = DeviceId::from_bytes(in.octets());
    e.server_key = PublicKey::from_bytes(in.octets());
    e.recovery_key = PublicKey::from_bytes(in.octets());
    e.server_url = in.text();
    e.ca_pem = in.text();
    e.user = in.text();
    e.device_key.public_key = PublicKey::from_bytes(in.octets());
    e.device_key.private_key = in.octets();
    wipe(bytes);
    return e;
}

}  // namespace kopdarbs
