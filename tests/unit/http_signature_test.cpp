// Signed requests: the example of RFC 9421, and everything that must not verify.
#include "sync/protocol/http_signature.h"

#include <string>

#include "platform/posix/openssl_crypto.h"
#include "tests/support/catch.h"

using namespace kopdarbs;
using namespace kopdarbs::sync;

namespace {

/// The key pair test-key-ed25519 of RFC 9421 appendix B.1.4.
KeyPair rfc_key() {
    return {PublicKey::from_bytes(from_base64("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")),
            from_base64("n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU=")};
}

/// The request test-request of RFC 9421 appendix B.2.
HttpRequest rfc_request() {
    HttpRequest request;
    request.path = "/foo?param=Value&Pet=dog";
    request.headers = {
        {"Host", "example.com"}, {"Date", "Tue, 20 Apr 2021 02:07:55 GMT"}, {"Content-Type", "application/json"}, {"Content-Length", "18"}};
    request.body = R"({"hello": "world"})";
    return request;
}

struct Signed {
    posix::OpenSslCrypto crypto;
    KeyPair key = rfc_key();
    HttpRequest request;

    Signed() {
        request.path = "/sync";
        request.headers = {{"Content-Type", "application/cbor"}};
        request.body = "three changes";
        sign_request(request, "device-7", key, crypto);
    }
    bool verifies() { return verify_request(request, key.public_key, crypto); }
    std::string& header(const char* name) {
        for (auto& h : request.headers) {
            if (same_header_name(h.first, name)) return h.second;
        }
        FAIL("no header " << name);
        return request.headers[0].second;
    }
    /// A correct signature by the right key over whatever Signature-Input says.
    void sign_again(const std::string& params) {
        header("signature-input") = "sig1=" + params;
        const auto base = signature_base(request, params);
        const Signature s = base ? crypto.sign(key, *base) : Signature{};
        header("signature") = "sig1=:" + to_base64(s.bytes()) + ":";
    }
};

}  // namespace

TEST_CASE("the signature base and signature of RFC 9421 appendix B.2.6 are reproduced") {
    posix::OpenSslCrypto crypto;
    const auto base = signature_base(rfc_request(),
                                     "(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")"
                                     ";created=1618884473;keyid=\"test-key-ed25519\"");
    REQUIRE(base);
    CHECK(*base ==
          "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
          "\"@method\": POST\n"
          "\"@path\": /foo\n"
          "\"@authority\": example.com\n"
          "\"content-type\": application/json\n"
          "\"content-length\": 18\n"
          "\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")"
          ";created=1618884473;keyid=\"test-key-ed25519\"");
    const Bytes expected = from_base64("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==");
    CHECK(crypto.verify(rfc_key().public_key, *base, Signature::from_bytes(expected)));
    CHECK(crypto.sign(rfc_key(), *base).bytes() == expected);
}

TEST_CASE("a signed request names its key and verifies") {
    Signed s;
    CHECK(signature_keyid(s.request) == std::string("device-7"));
    CHECK(s.verifies());
    CHECK(s.header("content-digest") == "sha-256=:" + to_base64(s.crypto.sha256("three changes").bytes()) + ":");
    CHECK(s.header("signature-input") == R"(sig1=("@method" "@path" "content-digest");keyid="device-7";alg="ed25519")");
}

TEST_CASE("signing again replaces the earlier signature") {
    Signed s;
    const std::size_t count = s.request.headers.size();
    s.request.body = "four changes";
    CHECK_FALSE(s.verifies());
    sign_request(s.request, "device-7", s.key, s.crypto);
    CHECK(s.request.headers.size() == count);
    CHECK(s.verifies());
}

TEST_CASE("a change to the method, path, body, digest, input or signature is seen") {
    Signed s;
    const HttpRequest good = s.request;
    const auto altered = [&](auto change) {
        s.request = good;
        change();
        return s.verifies();
    };
    REQUIRE(altered([] {}));
    CHECK_FALSE(altered([&] { s.request.method = "PUT"; }));
    CHECK_FALSE(altered([&] { s.request.path = "/sync/"; }));
    CHECK_FALSE(altered([&] { s.request.path = "/sync?x=1"; }));
    CHECK_FALSE(altered([&] { s.request.path = "/sync#x"; }));
    CHECK_FALSE(altered([&] { s.request.body += "!"; }));
    CHECK_FALSE(altered([&] { s.header("content-digest") = "sha-256=:" + to_base64(s.crypto.sha256("x").bytes()) + ":"; }));
    CHECK_FALSE(altered([&] { s.header("signature-input").replace(46, 1, "X"); }));
    CHECK_FALSE(altered([&] { s.header("signature")[10] ^= 1; }));
    CHECK_FALSE(altered([&] {
        s.request.body = "x";
        s.header("content-digest") = "sha-256=:" + to_base64(s.crypto.sha256("x").bytes()) + ":";
    }));
    CHECK(altered([&] { s.request.headers.emplace_back("X-Proxy", "added on the way"); }));
}

TEST_CASE("another key does not verify") {
    Signed s;
    posix::OpenSslCrypto crypto;
    PublicKey other = s.key.public_key;
    other.octets[3] ^= 1;
    CHECK_FALSE(verify_request(s.request, other, crypto));
}

TEST_CASE("a missing or doubled header never verifies") {
    for (const char* name : {"content-digest", "signature-input", "signature"}) {
        INFO(name);
        Signed doubled;
        doubled.request.headers.emplace_back(name, doubled.header(name));
        CHECK_FALSE(doubled.verifies());
        Signed missing;
        auto& headers = missing.request.headers;
        for (auto it = headers.begin(); it != headers.end(); ++it) {
            if (same_header_name(it->first, name)) {
                headers.erase(it);
                break;
            }
        }
        CHECK_FALSE(missing.verifies());
    }
}

TEST_CASE("a signature that does not cover all three components is refused, however correct") {
    Signed s;
    for (const char* params :
         {R"(();keyid="d";alg="ed25519")", R"(("@method" "@path");keyid="d";alg="ed25519")",
          R"(("@path" "content-digest");keyid="d";alg="ed25519")", R"(("@method" "content-digest");keyid="d";alg="ed25519")"}) {
        INFO(params);
        s.sign_again(params);
        CHECK_FALSE(s.verifies());
        CHECK_FALSE(signature_keyid(s.request));
    }
    s.sign_again(R"(("content-digest" "content-type" "@path" "@method");alg="ed25519";keyid="d")");
    CHECK(s.verifies());
}

TEST_CASE("unusual signature inputs are refused, however correct") {
    Signed s;
    const std::string all = R"(("@method" "@path" "content-digest"))";
    for (const std::string& params :
         {all, all + R"(;keyid="d")", all + R"(;alg="ed25519")", all + R"(;keyid="d";alg="rsa-pss-sha512")",
          all + R"(;keyid="d";alg="ed25519";created=1618884473)", all + R"(;keyid="d";keyid="d";alg="ed25519")",
          all + R"(;keyid="";alg="ed25519")", all + R"(;keyid="a b";alg="ed25519")", all + R"(;keyid=d;alg="ed25519")",
          all + R"(; keyid="d";alg="ed25519")", all + R"(;keyid="d";alg="ed25519" )", all + R"(;keyid="\"";alg="ed25519")",
          all + ";keyid=\"" + std::string(65, 'd') + R"(";alg="ed25519")",
          std::string(R"(("@method"  "@path" "content-digest");keyid="d";alg="ed25519")"),
          std::string(R"(("@method" "@path" "content-digest";keyid="d";alg="ed25519")"),
          std::string(R"(("@method" "@path" "content-digest" "@path");keyid="d";alg="ed25519")"),
          std::string(R"(("@method";req "@path" "content-digest");keyid="d";alg="ed25519")"),
          R"(("@method" "@path" "content-digest" "a" "b" "c" "d" "e" "f");keyid="d";alg="ed25519")" + std::string(2000, ' ')}) {
        INFO(params);
        s.sign_again(params);
        CHECK_FALSE(s.verifies());
        CHECK_FALSE(signature_keyid(s.request));
    }
    for (const char* uncoverable : {"@query", "@status", "x-absent", "Content-Type"}) {
        s.sign_again(R"(("@method" "@path" "content-digest" ")" + std::string(uncoverable) + R"(");keyid="d";alg="ed25519")");
        CHECK_FALSE(s.verifies());
    }
    s.sign_again(all + R"(;keyid="d";alg="ed25519")");
    REQUIRE(s.verifies());
    const std::string input = s.header("signature-input");
    for (const char* bad : {", sig2=()", ",", " ", "\n"}) {
        s.header("signature-input") = input + bad;
        CHECK_FALSE(s.verifies());
    }
}

TEST_CASE("a signature must be one member, in strict base 64, with the label of the input") {
    Signed s;
    const std::string good = s.header("signature");
    REQUIRE(s.verifies());
    for (const std::string& bad :
         {std::string(), std::string("sig1="), std::string("sig1=:"), std::string("sig1=::"), good.substr(0, good.size() - 1),
          "sig2" + good.substr(4), good + ", sig2=:AAAA:", " " + good, good.substr(0, 20) + "\n" + good.substr(20),
          std::string("sig1=:AAAA:"), good.substr(0, 6) + "!" + good.substr(7)}) {
        INFO(bad);
        s.header("signature") = bad;
        CHECK_FALSE(s.verifies());
    }
}

TEST_CASE("a request that a signature cannot cover is not signed") {
    Signed s;
    for (const char* path : {"", "sync", "/sync?x=1", "/a b", "/a\n\"@method\": GET"}) {
        s.request.path = path;
        CHECK_THROWS_AS(sign_request(s.request, "d", s.key, s.crypto), Error);
    }
    s.request.path = "/sync";
    for (const char* method : {"", "post", "SEVENTEENLETTERSX"}) {
        s.request.method = method;
        CHECK_THROWS_AS(sign_request(s.request, "d", s.key, s.crypto), Error);
    }
    s.request.method = "SIXTEENLETTERSXX";
    CHECK_NOTHROW(sign_request(s.request, "d", s.key, s.crypto));
    CHECK_THROWS_AS(sign_request(s.request, "a\"b", s.key, s.crypto), Error);
    CHECK_NOTHROW(sign_request(s.request, std::string(64, 'k'), s.key, s.crypto));
    CHECK_THROWS_AS(sign_request(s.request, std::string(65, 'k'), s.key, s.crypto), Error);
    s.request.path = "/" + std::string(4095, 'p');
    CHECK_NOTHROW(sign_request(s.request, "d", s.key, s.crypto));
    s.request.path += 'p';
    CHECK_THROWS_AS(sign_request(s.request, "d", s.key, s.crypto), Error);
    s.request.path = "/sync";
    CHECK_THROWS_AS(sign_request(s.request, "", s.key, s.crypto), Error);
}
