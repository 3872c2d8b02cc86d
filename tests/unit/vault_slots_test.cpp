// Secrets and key slots: what opens a vault, what does not, and what is told apart.
#include "core/base/cbor.h"
#include "core/base/error.h"
#include "core/vault/secret.h"
#include "core/vault/slots.h"
#include "platform/posix/openssl_crypto.h"
#include "tests/support/catch.h"

using namespace kopdarbs;

namespace {

constexpr const char* kSecret = "zirgs akmens upe lazda 7431";
constexpr const char* kOther = "kaste mākonis tilts vārna 88";
constexpr ScryptCost kCheap{16, 1, 1};

class StillClock : public Clock {
public:
    std::uint64_t wall_ms() override { return 0; }
    std::uint64_t steady_ms() override { return 0; }
};

class CountingEntropy : public Entropy {
public:
    void fill(std::uint8_t* out, std::size_t size) override {
        for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(++next_ * 37);
    }

private:
    unsigned next_ = 0;
};

struct Place {
    StillClock clock;
    CountingEntropy entropy;
    posix::OpenSslCrypto crypto;
    Env env{clock, entropy, crypto};
    DeviceId device = entropy.id<DeviceId>();
    Bytes key = entropy.bytes(kVaultKeyBytes);
    KeyPair recovery = crypto.make_sealing_key(entropy);
    Bytes slots = make_slots(device, key, kSecret, recovery.public_key, env, kCheap);

    /// The slots with a body that was changed by someone who knows to close them again.
    Bytes closed(const Bytes& body) { return body + Bytes(crypto.sha256(body).bytes()); }
    Bytes body() const { return slots.substr(0, slots.size() - Hash256::size); }
};

template <class Open>
std::optional<ErrorCode> code_of(Open open) {
    try {
        (void)open();
    } catch (const Error& e) {
        return e.code();
    }
    return std::nullopt;
}

}  // namespace

TEST_CASE("the secret opens the slots, and gives the key") {
    Place p;
    CHECK(open_slots(p.slots, kSecret, p.crypto) == p.key);
    CHECK(p.slots.find(p.key) == Bytes::npos);
}

TEST_CASE("a wrong secret and altered slots are told apart, whatever octet was altered") {
    Place p;
    CHECK(code_of([&] { return open_slots(p.slots, kOther, p.crypto); }) == ErrorCode::wrong_secret);
    CHECK(code_of([&] { return open_slots(p.slots, "", p.crypto); }) == ErrorCode::wrong_secret);
    for (std::size_t i = 0; i < p.slots.size(); ++i) {
        Bytes altered = p.slots;
        altered[i] = static_cast<char>(altered[i] ^ 4);
        INFO("octet " << i);
        REQUIRE(code_of([&] { return open_slots(altered, kSecret, p.crypto); }) == ErrorCode::corrupt);
    }
    for (std::size_t size = 0; size < p.slots.size(); ++size)
        REQUIRE(code_of([&] { return open_slots(p.slots.substr(0, size), kSecret, p.crypto); }) == ErrorCode::corrupt);
    CHECK(code_of([&] { return open_slots(Bytes(kMaxSlotsBytes + 1, 'x'), kSecret, p.crypto); }) == ErrorCode::corrupt);
}

TEST_CASE("a cost that was lowered, a slot of another device and a swapped salt do not open, although the file is closed anew") {
    Place p;
    Bytes cheaper = p.body();
    // [1, device, [[1, n, r, p, salt, wrapped], …]: n = 16 stands right after the slot's kind.
    const std::size_t n = cheaper.find(from_hex("860110"));
    REQUIRE(n != Bytes::npos);
    cheaper[n + 2] = '\x02';
    CHECK(code_of([&] { return open_slots(p.closed(cheaper), kSecret, p.crypto); }) == ErrorCode::wrong_secret);
    Bytes moved = p.body();
    const std::size_t device = moved.find(Bytes(p.device.bytes()));
    REQUIRE(device != Bytes::npos);
    moved[device] = static_cast<char>(moved[device] ^ 1);
    CHECK(code_of([&] { return open_slots(p.closed(moved), kSecret, p.crypto); }) == ErrorCode::wrong_secret);
    Bytes salted = p.body();
    salted[n + 10] = static_cast<char>(salted[n + 10] ^ 1);
    CHECK(code_of([&] { return open_slots(p.closed(salted), kSecret, p.crypto); }) == ErrorCode::wrong_secret);
}

TEST_CASE("a cost out of bounds is refused before any work is done") {
    Place p;
    CborWriter w;
    w.array(3);
    w.uint(1);
    w.octets(p.device.bytes());
    w.array(1);
    w.array(6);
    w.uint(1);
    w.uint(std::uint64_t{1} << 31);
    w.uint(8);
    w.uint(1);
    w.octets(Bytes(32, 's'));
    w.octets(Bytes(60, 'w'));
    CHECK(code_of([&] { return open_slots(p.closed(w.bytes()), kSecret, p.crypto); }) == ErrorCode::corrupt);
}

TEST_CASE("the same key under another secret: the old one opens nothing any more, and the recovery slot stays") {
    Place p;
    const Bytes before = recovery_slot(p.slots, p.crypto);
    const Bytes rewrapped = rewrap_slots(p.slots, p.key, kOther, p.env, kCheap);
    CHECK(open_slots(rewrapped, kOther, p.crypto) == p.key);
    CHECK(code_of([&] { return open_slots(rewrapped, kSecret, p.crypto); }) == ErrorCode::wrong_secret);
    CHECK(recovery_slot(rewrapped, p.crypto) == before);
}

TEST_CASE("the municipality's key opens the recovery slot of that device, and nothing else does") {
    Place p;
    const Bytes sealed = recovery_slot(p.slots, p.crypto);
    const auto opened = open_recovery_slot(sealed, p.device, p.recovery, p.crypto);
    REQUIRE(opened);
    CHECK(opened->substr(0, 9) == "recovery:");
    CHECK(open_slots(p.slots, *opened, p.crypto) == p.key);
    CHECK_FALSE(open_recovery_slot(sealed, p.entropy.id<DeviceId>(), p.recovery, p.crypto));
    CHECK_FALSE(open_recovery_slot(sealed, p.device, p.crypto.make_sealing_key(p.entropy), p.crypto));
    Bytes altered = sealed;
    altered.back() = static_cast<char>(altered.back() ^ 1);
    CHECK_FALSE(open_recovery_slot(altered, p.device, p.recovery, p.crypto));
}

TEST_CASE("what only looks like a recovery secret is a wrong secret") {
    Place p;
    for (const char* secret : {"recovery:", "recovery:0000", "recovery:uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"})
        CHECK(code_of([&] { return open_slots(p.slots, secret, p.crypto); }) == ErrorCode::wrong_secret);
}

TEST_CASE("a slot of a kind that this version does not know is kept") {
    Place p;
    // [1, device, [slot, slot]]: the array of slots gets a third, of kind 9.
    Bytes body = p.body();
    const std::size_t count = body.find(from_hex("82860110"));
    REQUIRE(count != Bytes::npos);
    body[count] = '\x83';
    const Bytes hardware = from_hex("8309f64401020304");
    const Bytes three = p.closed(body + hardware);
    CHECK(open_slots(three, kSecret, p.crypto) == p.key);
    const Bytes rewrapped = rewrap_slots(three, p.key, kOther, p.env, kCheap);
    CHECK(rewrapped.find(hardware) != Bytes::npos);
    CHECK(open_slots(rewrapped, kOther, p.crypto) == p.key);
}

TEST_CASE("secrets that are easy to guess are refused, whoever asks") {
    Place p;
    for (const char* weak : {"", "a", "parole", "parole1", "Parole123!", "12345678901234567890", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                             "abcdefghijklmnopqrstuvwxyz", "qwertz", "ābolsābols", "ilze1984", "111111111111111111111111", "abababab"}) {
        INFO(weak);
        CHECK(code_of([&] { return check_secret(weak), 0; }) == ErrorCode::invalid);
        CHECK(code_of([&] { return make_slots(p.device, p.key, weak, p.recovery.public_key, p.env, kCheap); }) == ErrorCode::invalid);
        CHECK(code_of([&] { return rewrap_slots(p.slots, p.key, weak, p.env, kCheap); }) == ErrorCode::invalid);
    }
    for (const char* good : {kSecret, kOther, "Tr0ub4dor&3xyz", "correct horse battery staple"}) {
        INFO(good);
        CHECK_FALSE(code_of([&] { return check_secret(good), 0; }));
    }
}

TEST_CASE("a secret is bounded, UTF-8, and not mistaken for a recovery secret") {
    CHECK(code_of([] { return check_secret(std::string(1'025, 'x')), 0; }) == ErrorCode::invalid);
    CHECK(code_of([] { return check_secret("zirgs akmens upe lazda \xff"), 0; }) == ErrorCode::invalid);
    CHECK(code_of([] { return check_secret("recovery: zirgs akmens upe lazda 7431"), 0; }) == ErrorCode::invalid);
    CHECK(secret_bits("zirgs akmens upe lazda 7431") > secret_bits("zirgs akmens"));
}
