#include "core/vault/slots.h"

#include "core/base/cbor.h"
#include "core/base/error.h"
#include "core/vault/secret.h"

namespace kopdarbs {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kSecretSlot = 1, kRecoverySlot = 2;
constexpr std::uint32_t kMaxScryptN = 1U << 20, kMaxScryptR = 32, kMaxScryptP = 16;
constexpr std::size_t kScryptSaltBytes = 32;
constexpr std::string_view kRecoveryPrefix = "recovery:";

struct Slot {
    std::uint64_t kind = 0;
    BytesView whole;  // the slot's CBOR
    ScryptCost cost;
    BytesView salt;
    BytesView wrapped;
};

struct Slots {
    DeviceId device;
    std::vector<Slot> slots;
};

[[noreturn]] void damaged() {
    fail(ErrorCode::corrupt, "the key slots are damaged or were altered");
}

Slots read(BytesView bytes, Crypto& crypto) {
    if (bytes.size() > kMaxSlotsBytes || bytes.size() < Hash256::size) damaged();
    const BytesView body = bytes.substr(0, bytes.size() - Hash256::size);
    if (!equal_constant_time(crypto.sha256(body).bytes(), bytes.substr(body.size()))) damaged();
    Slots result;
    CborReader in(body);
    if (in.array() != 3 || in.uint() != kVersion) fail(ErrorCode::corrupt, "key slots of another version");
    result.device = DeviceId::from_bytes(in.octets());
    for (std::size_t n = in.array(16); n > 0; --n) {
        Slot slot;
        const std::size_t begin = in.position();
        CborReader parts(in.item());
        slot.whole = body.substr(begin, in.position() - begin);
        const std::size_t count = parts.array();
        slot.kind = parts.uint();
        if (slot.kind == kSecretSlot && count == 6) {
            slot.cost.n = static_cast<std::uint32_t>(parts.uint(kMaxScryptN));
            slot.cost.r = static_cast<std::uint32_t>(parts.uint(kMaxScryptR));
            slot.cost.p = static_cast<std::uint32_t>(parts.uint(kMaxScryptP));
            slot.salt = parts.octets();
            slot.wrapped = parts.octets();
        } else if (slot.kind == kRecoverySlot && count == 2) {
            slot.wrapped = parts.octets();
        }
        result.slots.push_back(slot);
    }
    in.finish();
    return result;
}

/// What a wrapping is bound to: the purpose, the device and the cost, so that no slot can be moved or weakened.
Bytes bound_to(std::string_view purpose, const DeviceId& device, const ScryptCost& cost, BytesView salt) {
    CborWriter w;
    w.array(6);
    w.text(purpose);
    w.octets(device.bytes());
    w.uint(cost.n);
    w.uint(cost.r);
    w.uint(cost.p);
    w.octets(salt);
    return w.take();
}

Bytes secret_slot(const DeviceId& device, BytesView vault_key, std::string_view secret, Env env, const ScryptCost& cost) {
    check_secret(secret);
    const Bytes salt = env.entropy.bytes(kScryptSaltBytes);
    Bytes key = env.crypto.scrypt(secret, salt, cost);
    CborWriter w;
    w.array(6);
    w.uint(kSecretSlot);
    w.uint(cost.n);
    w.uint(cost.r);
    w.uint(cost.p);
    w.octets(salt);
    w.octets(env.crypto.seal(key, vault_key, bound_to("secret slot", device, cost, salt), env.entropy));
    wipe(key);
    return w.take();
}

Bytes close(const DeviceId& device, const std::vector<Bytes>& slots, Crypto& crypto) {
    CborWriter w;
    w.array(3);
    w.uint(kVersion);
    w.octets(device.bytes());
    w.array(slots.size());
    for (const Bytes& slot : slots) w.raw(slot);
    Bytes bytes = w.take();
    const Hash256 hash = crypto.sha256(bytes);
    return bytes.append(hash.bytes());
}

}  // namespace

Bytes make_slots(const DeviceId& device, BytesView vault_key, std::string_view secret, const PublicKey& recovery, Env env,
                 const ScryptCost& cost) {
    KOPDARBS_ASSERT(vault_key.size() == kVaultKeyBytes);
    CborWriter sealed;
    sealed.array(2);
    sealed.uint(kRecoverySlot);
    sealed.octets(env.crypto.seal_to(recovery, vault_key, bound_to("recovery slot", device, {0, 0, 0}, {}), env.entropy));
    return close(device, {secret_slot(device, vault_key, secret, env, cost), sealed.take()}, env.crypto);
}

Bytes open_slots(BytesView slots, std::string_view secret, Crypto& crypto) {
    const Slots all = read(slots, crypto);
    if (secret.substr(0, kRecoveryPrefix.size()) == kRecoveryPrefix) {
        try {
            return from_base32(secret.substr(kRecoveryPrefix.size()), kVaultKeyBytes);
        } catch (const Error&) {
            fail(ErrorCode::wrong_secret, "not a recovery secret as `kopdarbsd recover` prints it");
        }
    }
    for (const Slot& slot : all.slots) {
        if (slot.kind != kSecretSlot) continue;
        Bytes key = crypto.scrypt(secret, slot.salt, slot.cost);
        auto opened = crypto.open(key, slot.wrapped, bound_to("secret slot", all.device, slot.cost, slot.salt));
        wipe(key);
        if (opened && opened->size() == kVaultKeyBytes) return std::move(*opened);
    }
    fail(ErrorCode::wrong_secret, "the secret does not open this vault");
}

Bytes rewrap_slots(BytesView slots, BytesView vault_key, std::string_view secret, Env env, const ScryptCost& cost) {
    const Slots all = read(slots, env.crypto);
    std::vector<Bytes> kept{secret_slot(all.device, vault_key, secret, env, cost)};
    for (const Slot& slot : all.slots)
        if (slot.kind != kSecretSlot) kept.emplace_back(slot.whole);
    return close(all.device, kept, env.crypto);
}

Bytes recovery_slot(BytesView slots, Crypto& crypto) {
    for (const Slot& slot : read(slots, crypto).slots)
        if (slot.kind == kRecoverySlot) return Bytes(slot.wrapped);
    fail(ErrorCode::corrupt, "the key slots hold no recovery slot");
}

std::optional<Bytes> open_recovery_slot(BytesView sealed, const DeviceId& device, const KeyPair& recovery, Crypto& crypto) {
    auto key = crypto.open_sealed(recovery, sealed, bound_to("recovery slot", device, {0, 0, 0}, {}));
    if (!key || key->size() != kVaultKeyBytes) return std::nullopt;
    Bytes secret = std::string(kRecoveryPrefix) + to_base32(*key);
    wipe(*key);
    return secret;
}

}  // namespace kopdarbs
