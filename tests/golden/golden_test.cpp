// The golden bytes with the POSIX host's cryptography, and the example of FORMAT.md byte by byte.
#include <fstream>
#include <sstream>

#include "platform/posix/openssl_crypto.h"
#include "tests/golden/checks.h"
#include "tests/golden/small_crypto.h"
#include "tests/support/catch.h"

using namespace kopdarbs;

namespace {

/// Gives out one seed again and again.
class FixedEntropy : public Entropy {
public:
    explicit FixedEntropy(Bytes seed) : seed_(std::move(seed)) {}
    void fill(std::uint8_t* out, std::size_t size) override {
        for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(seed_[i % seed_.size()]);
    }

private:
    Bytes seed_;
};

/// The bytes of the `number`-th block of FORMAT.md that is marked as hexadecimal: what stands before a # on each line.
std::string example(std::size_t number) {
    std::ifstream file(KOPDARBS_ROOT "/core/log/FORMAT.md");
    REQUIRE(file.is_open());
    std::string line, hex;
    bool inside = false;
    for (std::size_t block = 0; std::getline(file, line);) {
        if (line == "```hex" && ++block == number) {
            inside = true;
        } else if (line == "```") {
            inside = false;
        } else if (inside) {
            for (char c : line.substr(0, line.find('#')))
                if (c != ' ') hex += c;
        }
    }
    return hex;
}

}  // namespace

TEST_CASE("the bytes of every format are the golden ones") {
    posix::OpenSslCrypto crypto;
    for (const golden::Check& check : golden::kChecks) {
        INFO(check.name);
        CHECK(golden::passes(check, crypto));
    }
}

TEST_CASE("the small SHA-256 of the canary is SHA-256") {
    posix::OpenSslCrypto crypto;
    golden::SmallCrypto small;
    for (std::size_t size : {0U, 1U, 3U, 55U, 56U, 63U, 64U, 65U, 119U, 120U, 128U, 1000U}) {
        const Bytes data(size, 'k');
        INFO(size);
        CHECK(small.sha256(data) == crypto.sha256(data));
    }
}

TEST_CASE("a checkpoint and a decision have these signatures under the key of RFC 8032, test 1") {
    posix::OpenSslCrypto crypto;
    FixedEntropy entropy(from_hex(golden::kSigningSeed));
    const KeyPair key = crypto.make_signing_key(entropy);
    REQUIRE(to_hex(key.public_key.bytes()) == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    CHECK(to_hex(crypto.sign(key, from_hex(golden::kCheckpoint)).bytes()) == golden::kCheckpointSignature);
    CHECK(to_hex(crypto.sign(key, from_hex(golden::kDecisionMessage)).bytes()) == golden::kDecisionSignature);
    CHECK(crypto.verify(key.public_key, from_hex(golden::kCheckpoint), golden::id_of<Signature>(golden::kCheckpointSignature)));
    Bytes altered = from_hex(golden::kCheckpoint);
    altered.back() = static_cast<char>(altered.back() ^ 1);
    CHECK_FALSE(crypto.verify(key.public_key, altered, golden::id_of<Signature>(golden::kCheckpointSignature)));
}

TEST_CASE("the example of FORMAT.md is a change that is written and read so") {
    CHECK(example(1) == golden::kHeader4);
    CHECK(example(2) == golden::kContent4);
    CHECK(example(3) == golden::kCheckpoint);
}

TEST_CASE("FORMAT.md names the hashes of its example") {
    std::ifstream file(KOPDARBS_ROOT "/core/log/FORMAT.md");
    std::ostringstream page;
    page << file.rdbuf();
    for (std::string_view value : {golden::kSalt4, golden::kContentHash4, golden::kChain3, golden::kChain4, golden::kCheckpointSignature}) {
        INFO(value);
        CHECK(page.str().find(value) != std::string::npos);
    }
}
