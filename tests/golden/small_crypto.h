// SHA-256 (FIPS 180-4) in a page, so that golden checks run where no cryptographic library is. For tests only: slow, and nothing else.
#pragma once

#include "core/env/env.h"

namespace kopdarbs::golden {

class SmallCrypto : public Crypto {
public:
    Hash256 sha256(BytesView data) override {
        Bytes padded(data);
        padded += '\x80';
        while (padded.size() % 64 != 56) padded += '\0';
        put_u64(padded, std::uint64_t{data.size()} * 8);
        std::uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
        for (std::size_t at = 0; at < padded.size(); at += 64) block(h, BytesView(padded).substr(at, 64));
        Bytes out;
        for (std::uint32_t word : h) put_u32(out, word);
        return Hash256::from_bytes(out);
    }

    KeyPair make_signing_key(Entropy&) override { none(); }
    Signature sign(const KeyPair&, BytesView) override { none(); }
    bool verify(const PublicKey&, BytesView, const Signature&) override { none(); }
    Bytes scrypt(BytesView, BytesView, const ScryptCost&) override { none(); }
    Bytes seal(BytesView, BytesView, BytesView, Entropy&) override { none(); }
    std::optional<Bytes> open(BytesView, BytesView, BytesView) override { none(); }
    KeyPair make_sealing_key(Entropy&) override { none(); }
    Bytes seal_to(const PublicKey&, BytesView, BytesView, Entropy&) override { none(); }
    std::optional<Bytes> open_sealed(const KeyPair&, BytesView, BytesView) override { none(); }

private:
    [[noreturn]] static void none() { fail(ErrorCode::io, "this cryptography only hashes"); }
    static std::uint32_t turn(std::uint32_t x, int n) { return x >> n | x << (32 - n); }

    static void block(std::uint32_t (&h)[8], BytesView bytes) {
        static constexpr std::uint32_t k[64] = {
            0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
            0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
            0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
            0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
            0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
            0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
            0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
        std::uint32_t w[64];
        for (std::size_t i = 0; i < 64; ++i) {
            if (i < 16) {
                w[i] = 0;
                for (std::size_t b = 0; b < 4; ++b) w[i] = w[i] << 8 | static_cast<std::uint8_t>(bytes[4 * i + b]);
            } else {
                const std::uint32_t s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
                const std::uint32_t s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
                w[i] = w[i - 16] + s0 + w[i - 7] + s1;
            }
        }
        std::uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], last = h[7];
        for (std::size_t i = 0; i < 64; ++i) {
            const std::uint32_t t1 = last + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i];
            const std::uint32_t t2 = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            last = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += last;
    }
};

}  // namespace kopdarbs::golden
