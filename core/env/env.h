// What the core is given from outside: time, chance, cryptography and, where there is one, another thread.
//
// The core has no clock, random device, thread or cryptographic library of its own; a host passes these in, a simulator makes them up.
// Threading: one instance may be used by several threads at once unless it says otherwise; every call is synchronous.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/base/bytes.h"
#include "core/base/ids.h"

namespace kopdarbs {

/// A wall clock, which may be wrong, jump or stand still.
class Clock {
public:
    virtual ~Clock() = default;
    /// Milliseconds since 1970-01-01T00:00Z as this machine believes.
    virtual std::uint64_t wall_ms() = 0;
    /// Milliseconds since some fixed moment; never goes back. For durations only.
    virtual std::uint64_t steady_ms() = 0;
};

/// Unpredictable octets. Throws Error{io} when the system has none to give.
class Entropy {
public:
    virtual ~Entropy() = default;
    virtual void fill(std::uint8_t* out, std::size_t size) = 0;

    template <std::size_t N>
    std::array<std::uint8_t, N> octets() {
        std::array<std::uint8_t, N> a{};
        fill(a.data(), N);
        return a;
    }
    template <class AnyId>
    AnyId id() {
        AnyId value;
        value.octets = octets<AnyId::size>();
        return value;
    }
    Bytes bytes(std::size_t size) {
        Bytes b(size, '\0');
        fill(reinterpret_cast<std::uint8_t*>(b.data()), size);
        return b;
    }
};

using PublicKey = Id<struct PublicKeyTag, 32>;  ///< Ed25519 (RFC 8032) or X25519 (RFC 7748)
using Signature = Id<struct SignatureTag, 64>;  ///< Ed25519

/// A pair of keys; the private part is the 32-octet seed or scalar and is wiped by its owner.
struct KeyPair {
    PublicKey public_key;
    Bytes private_key;
};

/// Cost of turning a secret into a key (scrypt, RFC 7914): memory is 128·n·r octets.
struct ScryptCost {
    std::uint32_t n = 1U << 16;
    std::uint32_t r = 8;
    std::uint32_t p = 1;
};

/// Cryptography, behind an interface so that WebAssembly, tests and other hosts bring their own.
/// Failures of the library itself throw Error{io}; a wrong key or tag is an absent result, never an exception.
class Crypto {
public:
    virtual ~Crypto() = default;
    virtual Hash256 sha256(BytesView data) = 0;
    virtual KeyPair make_signing_key(Entropy& entropy) = 0;
    virtual Signature sign(const KeyPair& key, BytesView message) = 0;
    virtual bool verify(const PublicKey& key, BytesView message, const Signature& signature) = 0;
    /// 32 octets. Throws Error{invalid} for costs out of bounds.
    virtual Bytes scrypt(BytesView secret, BytesView salt, const ScryptCost& cost) = 0;
    /// ChaCha20-Poly1305 (RFC 8439) with a random nonce in front of the result; `key` is 32 octets.
    virtual Bytes seal(BytesView key, BytesView plain, BytesView associated, Entropy& entropy) = 0;
    virtual std::optional<Bytes> open(BytesView key, BytesView sealed, BytesView associated) = 0;
    /// To a public key: ephemeral X25519, HKDF-SHA-256 over both public keys, then seal(). For recovery slots and bundles.
    virtual KeyPair make_sealing_key(Entropy& entropy) = 0;
    virtual Bytes seal_to(const PublicKey& key, BytesView plain, BytesView associated, Entropy& entropy) = 0;
    virtual std::optional<Bytes> open_sealed(const KeyPair& key, BytesView sealed, BytesView associated) = 0;
};

/// Another thread.
class Background {
public:
    virtual ~Background() = default;
    /// Does `work` on another thread, or later; one after another, in order. `work` does not throw.
    virtual void start(std::function<void()> work) = 0;
    /// Returns once everything started before this call has ended.
    virtual void finish() = 0;
};

/// What a vault or a server is given; all of it outlives them.
struct Env {
    Clock& clock;
    Entropy& entropy;
    Crypto& crypto;
    Background* background = nullptr;  ///< has work that no call waits for; none: it is done within the calls that cause it
    Background* helper =
        nullptr;  ///< shares the work of a call that has much of it; never the same: that call may wait for the log to be moved
};

}  // namespace kopdarbs
