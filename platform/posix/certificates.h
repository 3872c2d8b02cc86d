// The server's own certificates: a private authority, and one server certificate that it signs.
//
// Invariants: EC P-256; the authority signs end entities only (path length 0) and, by this project, nothing but the server that made
// it. Both are valid from 2020 for thirty years beyond the given time. Devices are given the authority at enrolment and check
// against it alone, without the clock and without host names, so that neither a wrong clock nor a moved server locks anybody out;
// the names and dates are there for browsers and command-line tools, which do check them.
// Threading: pure functions, apart from the library's random numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kopdarbs::posix {

struct CertificateAndKey {
    std::string certificate_pem;
    std::string key_pem;  ///< PKCS #8, not encrypted: keep the file at mode 0600
};

/// A self-signed authority called `name` (at most 64 octets of UTF-8). Throws Error{invalid} or Error{io}.
CertificateAndKey make_authority(const std::string& name, std::uint64_t wall_ms);

/// A server certificate for localhost, 127.0.0.1, ::1 and `hosts` (names or addresses), signed by `authority`.
/// Throws Error{invalid} for a host that is neither, or an authority that cannot be read.
CertificateAndKey make_server_certificate(const CertificateAndKey& authority, const std::vector<std::string>& hosts, std::uint64_t wall_ms);

}  // namespace kopdarbs::posix
