// The POSIX host's cryptography against published vectors, and the promises of core/env/env.h: what was altered does not open.
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "platform/posix/openssl_crypto.h"
#include "tests/support/catch.h"

using namespace kopdarbs;
using kopdarbs::posix::OpenSslCrypto;

namespace {

/// Gives out the octets it was made with, then 0, 1, 2…
class ScriptedEntropy : public Entropy {
public:
    explicit ScriptedEntropy(Bytes script = {}) : script_(std::move(script)) {}
    void fill(std::uint8_t* out, std::size_t size) override {
        for (std::size_t i = 0; i < size; ++i, ++at_) {
            out[i] = at_ < script_.size() ? static_cast<std::uint8_t>(script_[at_]) : static_cast<std::uint8_t>(at_ - script_.size());
        }
    }

private:
    Bytes script_;
    std::size_t at_ = 0;
};

/// Every copy of `sealed` with one bit flipped is refused.
template <class Opens>
void check_tampering(const Bytes& sealed, Opens opens) {
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        Bytes altered = sealed;
        altered[i] = static_cast<char>(altered[i] ^ (1 << (i % 7)));
        INFO("octet " << i);
        REQUIRE_FALSE(opens(altered));
    }
    for (std::size_t size = 0; size < sealed.size(); ++size) REQUIRE_FALSE(opens(sealed.substr(0, size)));
    REQUIRE_FALSE(opens(sealed + '\0'));
}

}  // namespace

TEST_CASE("SHA-256 gives the values of FIPS 180-4") {
    OpenSslCrypto crypto;
    CHECK(to_hex(crypto.sha256("").bytes()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(to_hex(crypto.sha256("abc").bytes()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(crypto.sha256(Bytes(1'000'000, 'a')).bytes()) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("Ed25519 keys and signatures are those of RFC 8032 section 7.1") {
    OpenSslCrypto crypto;
    struct Vector {
        const char* secret;
        const char* public_key;
        const char* message;
        const char* signature;
    };
    const Vector vectors[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100"
         "b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c0"
         "0"},
    };
    for (const Vector& v : vectors) {
        ScriptedEntropy entropy(from_hex(v.secret));
        const KeyPair key = crypto.make_signing_key(entropy);
        CHECK(to_hex(key.public_key.bytes()) == v.public_key);
        CHECK(to_hex(key.private_key) == v.secret);
        const Signature signature = crypto.sign(key, from_hex(v.message));
        CHECK(to_hex(signature.bytes()) == v.signature);
        CHECK(crypto.verify(key.public_key, from_hex(v.message), signature));
    }
}

TEST_CASE("a signature holds for one key and one message only") {
    OpenSslCrypto crypto;
    ScriptedEntropy entropy;
    const KeyPair key = crypto.make_signing_key(entropy);
    const KeyPair other = crypto.make_signing_key(entropy);
    const Signature signature = crypto.sign(key, "three bags of firewood");
    CHECK(crypto.verify(key.public_key, "three bags of firewood", signature));
    CHECK_FALSE(crypto.verify(key.public_key, "four bags of firewood", signature));
    CHECK_FALSE(crypto.verify(other.public_key, "three bags of firewood", signature));
    CHECK_FALSE(crypto.verify(PublicKey{}, "three bags of firewood", signature));
    check_tampering(Bytes(signature.bytes()), [&](const Bytes& altered) {
        return altered.size() == Signature::size && crypto.verify(key.public_key, "three bags of firewood", Signature::from_bytes(altered));
    });
}

TEST_CASE("scrypt gives the first 32 octets of RFC 7914 section 12") {
    OpenSslCrypto crypto;
    CHECK(to_hex(crypto.scrypt("", "", {16, 1, 1})) == "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442");
    CHECK(to_hex(crypto.scrypt("password", "NaCl", {1024, 8, 16})) == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162");
    CHECK(to_hex(crypto.scrypt("pleaseletmein", "SodiumChloride", {16384, 8, 1})) ==
          "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

TEST_CASE("scrypt refuses costs out of bounds instead of exhausting memory") {
    OpenSslCrypto crypto;
    const ScryptCost bad[] = {{0, 8, 1},         {1, 8, 1},  {1000, 8, 1}, {1U << 31, 8, 1},
                              {1U << 20, 16, 1}, {16, 0, 1}, {16, 1, 0},   {16, 1, 1000}};
    for (const ScryptCost& cost : bad) {
        INFO(cost.n << ' ' << cost.r << ' ' << cost.p);
        CHECK_THROWS_AS(crypto.scrypt("secret", "salt", cost), Error);
    }
}

TEST_CASE("sealing is ChaCha20-Poly1305 as in RFC 8439 section 2.8.2, nonce in front") {
    OpenSslCrypto crypto;
    ScriptedEntropy entropy(from_hex("070000004041424344454647"));
    const Bytes key = from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    const Bytes associated = from_hex("50515253c0c1c2c3c4c5c6c7");
    const Bytes plain =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    const Bytes sealed = crypto.seal(key, plain, associated, entropy);
    CHECK(to_hex(sealed.substr(0, 12)) == "070000004041424344454647");
    CHECK(to_hex(sealed.substr(12, 16)) == "d31a8d34648e60db7b86afbc53ef7ec2");
    CHECK(to_hex(sealed.substr(sealed.size() - 16)) == "1ae10b594f09e26a7e902ecbd0600691");
    CHECK(crypto.open(key, sealed, associated) == plain);
}

TEST_CASE("what was sealed opens with the same key and associated data, and not when one bit differs") {
    OpenSslCrypto crypto;
    ScriptedEntropy entropy;
    const Bytes key = entropy.bytes(32);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{40}, std::size_t{100'000}}) {
        const Bytes plain = entropy.bytes(size);
        const Bytes sealed = crypto.seal(key, plain, "page 7", entropy);
        CHECK(sealed.size() == size + 28);
        CHECK(crypto.open(key, sealed, "page 7") == plain);
        CHECK_FALSE(crypto.open(key, sealed, "page 8"));
        CHECK_FALSE(crypto.open(key, sealed, ""));
        CHECK_FALSE(crypto.open(entropy.bytes(32), sealed, "page 7"));
    }
    const Bytes sealed = crypto.seal(key, "a few words", "", entropy);
    check_tampering(sealed, [&](const Bytes& altered) { return crypto.open(key, altered, "").has_value(); });
    CHECK(crypto.seal(key, "a few words", "", entropy) != sealed);
    CHECK_THROWS_AS(crypto.seal("short", "x", "", entropy), Error);
}

TEST_CASE("sealing keys are X25519 as in RFC 7748 section 6.1") {
    OpenSslCrypto crypto;
    ScriptedEntropy entropy(
        from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc099"
                 "2ab177fba51db92c2a"));
    CHECK(to_hex(crypto.make_sealing_key(entropy).public_key.bytes()) ==
          "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
}

TEST_CASE("what is sealed to a public key opens with its private key only, and every host writes the same octets") {
    OpenSslCrypto crypto;
    ScriptedEntropy entropy;
    const KeyPair receiver = crypto.make_sealing_key(entropy);
    const KeyPair stranger = crypto.make_sealing_key(entropy);
    const Bytes sealed = crypto.seal_to(receiver.public_key, "bundle", "to the server", entropy);
    CHECK(sealed.size() == 32 + 12 + 6 + 16);
    CHECK(crypto.open_sealed(receiver, sealed, "to the server") == Bytes("bundle"));
    CHECK_FALSE(crypto.open_sealed(receiver, sealed, "to a device"));
    CHECK_FALSE(crypto.open_sealed(stranger, sealed, "to the server"));
    check_tampering(sealed, [&](const Bytes& altered) { return crypto.open_sealed(receiver, altered, "to the server").has_value(); });
    CHECK(to_hex(sealed) ==
          "79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a606162636465666768696a6b28cbc459f4b7e491ac09ffe2feef7e1883a51e67"
          "9148");
}

TEST_CASE("a public key that gives no secret is refused") {
    OpenSslCrypto crypto;
    ScriptedEntropy entropy;
    const KeyPair receiver = crypto.make_sealing_key(entropy);
    CHECK_THROWS_AS(crypto.seal_to(PublicKey{}, "bundle", "", entropy), Error);
    CHECK_FALSE(crypto.open_sealed(receiver, Bytes(80, '\0'), ""));
}

TEST_CASE("one instance serves several threads") {
    OpenSslCrypto crypto;
    ScriptedEntropy entropy;
    const KeyPair key = crypto.make_signing_key(entropy);
    const Hash256 expected = crypto.sha256("the same text");
    std::vector<int> good(4, 0);
    std::vector<std::thread> threads;
    for (int& count : good) {
        threads.emplace_back([&crypto, &key, &expected, &count] {
            for (int i = 0; i < 200; ++i) {
                const bool hashed = crypto.sha256("the same text") == expected;
                const Bytes message = std::to_string(i);
                count += hashed && crypto.verify(key.public_key, message, crypto.sign(key, message)) ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(std::count(good.begin(), good.end(), 200) == 4);
}
