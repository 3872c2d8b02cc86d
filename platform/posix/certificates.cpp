#include "platform/posix/certificates.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

#include "core/base/error.h"

namespace kopdarbs::posix {
namespace {

constexpr std::time_t kNotBefore = 1'577'836'800;  // 2020-01-01T00:00:00Z
constexpr int kValidDays = 30 * 365 + 8;
constexpr std::size_t kMaxName = 64;  // ub-common-name
constexpr std::size_t kMaxHosts = 64;
constexpr std::size_t kMaxHost = 253;

template <auto release>
struct Releaser {
    template <class T>
    void operator()(T* p) const {
        release(p);
    }
};
template <class T, auto release>
using Owned = std::unique_ptr<T, Releaser<release>>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Owned<X509, X509_free>;
using Memory = Owned<BIO, BIO_free_all>;

void require(bool good, const char* what) {
    if (good) return;
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    fail(ErrorCode::io, std::string("certificate: ") + what + ": " + (reason ? reason : "the library gives no reason"));
}

Key make_key() {
    Key key(EVP_EC_gen("P-256"));
    require(key != nullptr, "cannot make a key");
    return key;
}

/// Subject, issuer, serial number, dates and public key: all but the extensions and the signature.
Certificate draft(const std::string& name, const X509_NAME* issuer, EVP_PKEY* key, std::uint64_t wall_ms) {
    Certificate certificate(X509_new());
    require(certificate != nullptr, "out of memory");
    X509* x = certificate.get();
    std::array<unsigned char, 16> serial{};
    require(RAND_bytes(serial.data(), static_cast<int>(serial.size())) == 1, "no random numbers");
    serial[0] = static_cast<unsigned char>((serial[0] & 0x7f) | 0x40);  // positive, and always of the same length
    const Owned<BIGNUM, BN_free> number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
    require(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x)), "cannot set the serial number");
    auto now = static_cast<std::time_t>(wall_ms / 1000);
    now = std::max(now, kNotBefore);
    require(X509_set_version(x, X509_VERSION_3) == 1, "cannot set the version");
    require(ASN1_TIME_set(X509_getm_notBefore(x), kNotBefore) && X509_time_adj_ex(X509_getm_notAfter(x), kValidDays, 0, &now),
            "cannot set the dates");
    X509_NAME* subject = X509_get_subject_name(x);
    const auto* text = reinterpret_cast<const unsigned char*>(name.data());
    require(X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, text, static_cast<int>(name.size()), -1, 0) == 1,
            "cannot set the name");
    require(X509_set_issuer_name(x, issuer ? issuer : subject) == 1 && X509_set_pubkey(x, key) == 1, "cannot set the key");
    return certificate;
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "cannot set an extension");
}

std::string text_of(const Memory& memory) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &data);
    require(size > 0, "cannot write PEM");
    return {data, static_cast<std::size_t>(size)};
}

CertificateAndKey printed(X509* certificate, EVP_PKEY* key) {
    const Memory first(BIO_new(BIO_s_mem()));
    const Memory second(BIO_new(BIO_s_secmem()));
    require(first && second, "out of memory");
    require(PEM_write_bio_X509(first.get(), certificate) == 1, "cannot write PEM");
    require(PEM_write_bio_PKCS8PrivateKey(second.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "cannot write PEM");
    return {text_of(first), text_of(second)};
}

bool is_address(const std::string& host) {
    in6_addr any{};
    return inet_pton(AF_INET, host.c_str(), &any) == 1 || inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

bool is_name(const std::string& host) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    return !host.empty() && host.size() <= kMaxHost && std::all_of(host.begin(), host.end(), allowed);
}

std::string alternative_names(const std::vector<std::string>& hosts) {
    if (hosts.size() > kMaxHosts) fail(ErrorCode::invalid, "certificate: too many host names");
    std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
    for (const std::string& host : hosts) {
        if (host == "localhost" || host == "127.0.0.1" || host == "::1") continue;
        if (!is_address(host) && !is_name(host)) fail(ErrorCode::invalid, "certificate: neither a host name nor an address: " + host);
        names += (is_address(host) ? ",IP:" : ",DNS:") + host;
    }
    return names;
}

/// Never asks on the terminal for a pass phrase.
int no_pass_phrase(char*, int, int, void*) {
    return -1;
}

Memory reader(const std::string& pem) {
    Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    require(memory != nullptr, "out of memory");
    return memory;
}

}  // namespace

CertificateAndKey make_authority(const std::string& name, std::uint64_t wall_ms) {
    if (name.empty() || name.size() > kMaxName) fail(ErrorCode::invalid, "certificate: an authority's name has 1 to 64 octets");
    const Key key = make_key();
    const Certificate certificate = draft(name, nullptr, key.get(), wall_ms);
    X509* x = certificate.get();
    extend(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
    extend(x, x, NID_subject_key_identifier, "hash");
    require(X509_sign(x, key.get(), EVP_sha256()) > 0, "cannot sign");
    return printed(x, key.get());
}

CertificateAndKey make_server_certificate(const CertificateAndKey& authority, const std::vector<std::string>& hosts,
                                          std::uint64_t wall_ms) {
    const std::string names = alternative_names(hosts);
    const Certificate issuer(PEM_read_bio_X509(reader(authority.certificate_pem).get(), nullptr, no_pass_phrase, nullptr));
    const Key issuer_key(PEM_read_bio_PrivateKey(reader(authority.key_pem).get(), nullptr, no_pass_phrase, nullptr));
    if (!issuer || !issuer_key || X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
        ERR_clear_error();
        fail(ErrorCode::invalid, "certificate: the authority's certificate and key do not read or do not match");
    }
    const Key key = make_key();
    const Certificate certificate = draft("Kopdarbs server", X509_get_subject_name(issuer.get()), key.get(), wall_ms);
    X509* x = certificate.get();
    extend(x, issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
    extend(x, issuer.get(), NID_key_usage, "critical,digitalSignature");
    extend(x, issuer.get(), NID_ext_key_usage, "serverAuth");
    extend(x, issuer.get(), NID_subject_alt_name, names);
    extend(x, issuer.get(), NID_subject_key_identifier, "hash");
    extend(x, issuer.get(), NID_authority_key_identifier, "keyid");
    require(X509_sign(x, issuer_key.get(), EVP_sha256()) > 0, "cannot sign");
    return printed(x, key.get());
}

}  // namespace kopdarbs::posix
