#include "platform/posix/openssl_crypto.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <limits>
#include <memory>

namespace kopdarbs::posix {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;
constexpr std::string_view kSealToDomain = "kopdarbs seal_to 1";

template <auto release>
struct Releaser {
    template <class T>
    void operator()(T* p) const {
        release(p);
    }
};
template <class T, auto release>
using Owned = std::unique_ptr<T, Releaser<release>>;
using KeyHandle = Owned<EVP_PKEY, EVP_PKEY_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using DeriveContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

/// The library itself failed: never the fault of a key or a message.
[[noreturn]] void library_failed(const char* what) {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    fail(ErrorCode::io, std::string("cryptography: ") + what + ": " + (reason ? reason : "the library gives no reason"));
}

const std::uint8_t* in(BytesView bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
std::uint8_t* out(Bytes& bytes) {
    return reinterpret_cast<std::uint8_t*>(bytes.data());
}

int length(BytesView bytes) {
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max() / 2))
        fail(ErrorCode::invalid, "seal: more than 1 GiB at once");
    return static_cast<int>(bytes.size());
}

KeyHandle private_key(int type, BytesView raw) {
    if (raw.size() != kKeySize) fail(ErrorCode::invalid, "a private key that is not 32 octets long");
    KeyHandle key(EVP_PKEY_new_raw_private_key(type, nullptr, in(raw), raw.size()));
    if (!key) library_failed("cannot take a private key");
    return key;
}

/// Null when the octets are no key.
KeyHandle public_key(int type, const PublicKey& raw) {
    return KeyHandle(EVP_PKEY_new_raw_public_key(type, nullptr, raw.octets.data(), raw.octets.size()));
}

KeyPair make_key(int type, Entropy& entropy) {
    KeyPair pair;
    pair.private_key = entropy.bytes(kKeySize);
    const KeyHandle key = private_key(type, pair.private_key);
    std::size_t size = pair.public_key.octets.size();
    if (EVP_PKEY_get_raw_public_key(key.get(), pair.public_key.octets.data(), &size) != 1) library_failed("cannot make a key");
    return pair;
}

/// X25519; absent when the other key gives no secret (a point of small order).
std::optional<Bytes> shared_secret(const KeyPair& mine, const PublicKey& theirs) {
    const KeyHandle own = private_key(EVP_PKEY_X25519, mine.private_key);
    const KeyHandle peer = public_key(EVP_PKEY_X25519, theirs);
    const DeriveContext context(EVP_PKEY_CTX_new(own.get(), nullptr));
    if (!context || EVP_PKEY_derive_init(context.get()) != 1) library_failed("cannot agree on a key");
    Bytes secret(kKeySize, '\0');
    std::size_t size = secret.size();
    const bool agreed = peer && EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
                        EVP_PKEY_derive(context.get(), out(secret), &size) == 1 && size == kKeySize;
    if (agreed) return secret;
    wipe(secret);
    ERR_clear_error();
    return std::nullopt;
}

Bytes hkdf(BytesView secret, BytesView info) {
    const Owned<EVP_KDF, EVP_KDF_free> algorithm(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    const Owned<EVP_KDF_CTX, EVP_KDF_CTX_free> context(algorithm ? EVP_KDF_CTX_new(algorithm.get()) : nullptr);
    if (!context) library_failed("cannot derive a key");
    // The library takes octets to read as void*, and does not write to them.
    std::string digest = "SHA256";
    Bytes ikm(secret);
    Bytes label(info);
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, ikm.data(), ikm.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, label.data(), label.size()),
        OSSL_PARAM_construct_end(),
    };
    Bytes key(kKeySize, '\0');
    const bool derived = EVP_KDF_derive(context.get(), out(key), key.size(), parameters) == 1;
    wipe(ikm);
    if (!derived) library_failed("cannot derive a key");
    return key;
}

/// The key of one sealed box, from its two public keys and the secret they share.
std::optional<Bytes> box_key(const KeyPair& mine, const PublicKey& theirs, const PublicKey& ephemeral, const PublicKey& receiver) {
    std::optional<Bytes> secret = shared_secret(mine, theirs);
    if (!secret) return std::nullopt;
    Bytes info(kSealToDomain);
    info.append(ephemeral.bytes()).append(receiver.bytes());
    Bytes key = hkdf(*secret, info);
    wipe(*secret);
    return key;
}

}  // namespace

OpenSslCrypto::OpenSslCrypto()
    : sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), cipher_(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr)) {
    if (sha256_ && cipher_) return;
    EVP_MD_free(sha256_);
    EVP_CIPHER_free(cipher_);
    library_failed("SHA-256 and ChaCha20-Poly1305 are needed");
}

OpenSslCrypto::~OpenSslCrypto() {
    EVP_MD_free(sha256_);
    EVP_CIPHER_free(cipher_);
}

Hash256 OpenSslCrypto::sha256(BytesView data) {
    thread_local const DigestContext context(EVP_MD_CTX_new());
    Hash256 hash;
    if (!context || EVP_DigestInit_ex2(context.get(), sha256_, nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), data.data(), data.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), hash.octets.data(), nullptr) != 1) {
        library_failed("cannot hash");
    }
    return hash;
}

KeyPair OpenSslCrypto::make_signing_key(Entropy& entropy) {
    return make_key(EVP_PKEY_ED25519, entropy);
}
KeyPair OpenSslCrypto::make_sealing_key(Entropy& entropy) {
    return make_key(EVP_PKEY_X25519, entropy);
}

Signature OpenSslCrypto::sign(const KeyPair& key, BytesView message) {
    const KeyHandle handle = private_key(EVP_PKEY_ED25519, key.private_key);
    const DigestContext context(EVP_MD_CTX_new());
    Signature signature;
    std::size_t size = signature.octets.size();
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, handle.get()) != 1 ||
        EVP_DigestSign(context.get(), signature.octets.data(), &size, in(message), message.size()) != 1) {
        library_failed("cannot sign");
    }
    return signature;
}

bool OpenSslCrypto::verify(const PublicKey& key, BytesView message, const Signature& signature) {
    const KeyHandle handle = public_key(EVP_PKEY_ED25519, key);
    const DigestContext context(EVP_MD_CTX_new());
    if (!context) library_failed("cannot verify");
    const bool good = handle && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, handle.get()) == 1 &&
                      EVP_DigestVerify(context.get(), signature.octets.data(), signature.octets.size(), in(message), message.size()) == 1;
    if (!good) ERR_clear_error();
    return good;
}

Bytes OpenSslCrypto::scrypt(BytesView secret, BytesView salt, const ScryptCost& cost) {
    const bool power_of_two = cost.n > 1 && (cost.n & (cost.n - 1)) == 0;
    const std::uint64_t memory = std::uint64_t{128} * cost.n * cost.r;
    if (!power_of_two || cost.r == 0 || cost.r > 1024 || memory > kMaxScryptMemory || cost.p == 0 || cost.p > kMaxScryptP) {
        fail(ErrorCode::invalid, "scrypt: costs out of bounds");
    }
    const std::uint64_t limit = memory + std::uint64_t{128} * cost.r * (cost.p + 2) + (1U << 20);
    Bytes key(kKeySize, '\0');
    if (EVP_PBE_scrypt(secret.data(), secret.size(), in(salt), salt.size(), cost.n, cost.r, cost.p, limit, out(key), key.size()) != 1) {
        library_failed("cannot turn the secret into a key");
    }
    return key;
}

Bytes OpenSslCrypto::seal(BytesView key, BytesView plain, BytesView associated, Entropy& entropy) {
    if (key.size() != kKeySize) fail(ErrorCode::invalid, "seal: a key that is not 32 octets long");
    const int plain_size = length(plain);
    const int associated_size = length(associated);
    Bytes sealed(kNonceSize + plain.size() + kTagSize, '\0');
    entropy.fill(out(sealed), kNonceSize);
    std::uint8_t* text = out(sealed) + kNonceSize;
    const CipherContext context(EVP_CIPHER_CTX_new());
    int written = 0;
    if (!context || EVP_EncryptInit_ex2(context.get(), cipher_, in(key), out(sealed), nullptr) != 1 ||
        (associated_size > 0 && EVP_EncryptUpdate(context.get(), nullptr, &written, in(associated), associated_size) != 1) ||
        (plain_size > 0 && EVP_EncryptUpdate(context.get(), text, &written, in(plain), plain_size) != 1) ||
        EVP_EncryptFinal_ex(context.get(), text + plain.size(), &written) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, text + plain.size()) != 1) {
        library_failed("cannot seal");
    }
    return sealed;
}

std::optional<Bytes> OpenSslCrypto::open(BytesView key, BytesView sealed, BytesView associated) {
    if (key.size() != kKeySize) fail(ErrorCode::invalid, "open: a key that is not 32 octets long");
    if (sealed.size() < kNonceSize + kTagSize) return std::nullopt;
    const BytesView text = sealed.substr(kNonceSize, sealed.size() - kNonceSize - kTagSize);
    Bytes tag(sealed.substr(sealed.size() - kTagSize));
    const int text_size = length(text);
    const int associated_size = length(associated);
    Bytes plain(text.size(), '\0');
    const CipherContext context(EVP_CIPHER_CTX_new());
    int written = 0;
    if (!context || EVP_DecryptInit_ex2(context.get(), cipher_, in(key), in(sealed), nullptr) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) != 1 ||
        (associated_size > 0 && EVP_DecryptUpdate(context.get(), nullptr, &written, in(associated), associated_size) != 1) ||
        (text_size > 0 && EVP_DecryptUpdate(context.get(), out(plain), &written, in(text), text_size) != 1)) {
        library_failed("cannot open");
    }
    if (EVP_DecryptFinal_ex(context.get(), out(plain) + plain.size(), &written) == 1) return plain;
    wipe(plain);  // what failed its tag is nobody's to read
    ERR_clear_error();
    return std::nullopt;
}

Bytes OpenSslCrypto::seal_to(const PublicKey& key, BytesView plain, BytesView associated, Entropy& entropy) {
    KeyPair ephemeral = make_sealing_key(entropy);
    std::optional<Bytes> box = box_key(ephemeral, key, ephemeral.public_key, key);
    wipe(ephemeral.private_key);
    if (!box) fail(ErrorCode::invalid, "seal: the receiver's public key is no key");
    Bytes sealed(ephemeral.public_key.bytes());
    sealed += seal(*box, plain, associated, entropy);
    wipe(*box);
    return sealed;
}

std::optional<Bytes> OpenSslCrypto::open_sealed(const KeyPair& key, BytesView sealed, BytesView associated) {
    if (sealed.size() < PublicKey::size) return std::nullopt;
    const PublicKey ephemeral = PublicKey::from_bytes(sealed.substr(0, PublicKey::size));
    std::optional<Bytes> box = box_key(key, ephemeral, ephemeral, key.public_key);
    if (!box) return std::nullopt;
    std::optional<Bytes> plain = open(*box, sealed.substr(PublicKey::size), associated);
    wipe(*box);
    return plain;
}

}  // namespace kopdarbs::posix
