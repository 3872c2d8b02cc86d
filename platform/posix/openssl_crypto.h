// The core's cryptography on a POSIX host, by OpenSSL 3.0.
//
// Owns the algorithms, fetched once. Invariants: a private key is the 32 raw octets (Ed25519 seed, X25519 scalar); what seal() writes
// is nonce(12) ‖ ciphertext ‖ tag(16); what seal_to() writes is ephemeral public key(32) ‖ seal(k, …) with
// k = HKDF-SHA-256(secret: X25519(ephemeral, receiver), salt: none, info: "kopdarbs seal_to 1" ‖ ephemeral ‖ receiver).
// Other hosts must write the same bytes. A random nonce is good for 2^32 messages under one key.
// Threading: every call may be made from any thread; hashing keeps one context a thread.
#pragma once

#include "core/env/env.h"

struct evp_cipher_st;
struct evp_md_st;

namespace kopdarbs::posix {

/// Upper bounds of what scrypt() accepts: at most kMaxScryptMemory octets, and as much work as p times that.
constexpr std::uint64_t kMaxScryptMemory = std::uint64_t{1} << 30;
constexpr std::uint32_t kMaxScryptP = 16;

class OpenSslCrypto : public Crypto {
public:
    /// Throws Error{io} when the library lacks an algorithm.
    OpenSslCrypto();
    ~OpenSslCrypto() override;
    OpenSslCrypto(const OpenSslCrypto&) = delete;
    OpenSslCrypto& operator=(const OpenSslCrypto&) = delete;

    Hash256 sha256(BytesView data) override;
    KeyPair make_signing_key(Entropy& entropy) override;
    Signature sign(const KeyPair& key, BytesView message) override;
    bool verify(const PublicKey& key, BytesView message, const Signature& signature) override;
    Bytes scrypt(BytesView secret, BytesView salt, const ScryptCost& cost) override;
    Bytes seal(BytesView key, BytesView plain, BytesView associated, Entropy& entropy) override;
    std::optional<Bytes> open(BytesView key, BytesView sealed, BytesView associated) override;
    KeyPair make_sealing_key(Entropy& entropy) override;
    Bytes seal_to(const PublicKey& key, BytesView plain, BytesView associated, Entropy& entropy) override;
    std::optional<Bytes> open_sealed(const KeyPair& key, BytesView sealed, BytesView associated) override;

private:
    evp_md_st* sha256_;
    evp_cipher_st* cipher_;
};

}  // namespace kopdarbs::posix
