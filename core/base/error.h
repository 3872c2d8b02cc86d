// What can go wrong at run time, as one exception type with a closed list of codes.
//
// Bytes from disk or a peer are never asserted on: they give `corrupt`. Our own mistakes are caught by KOPDARBS_ASSERT,
// which stays on in release builds. Messages name what and why; they never hold a secret or a client's data.
#pragma once

#include <stdexcept>
#include <string>

namespace kopdarbs {

enum class ErrorCode {
    invalid,       ///< the caller's input breaks a rule of form or of the schema
    not_found,     ///< no such record, field, item, user…
    refused,       ///< understood, and not allowed
    stale,         ///< decided on something that has changed since: look again
    wrong_secret,  ///< the secret does not open the vault
    corrupt,       ///< bytes that were altered, cut or never ours
    busy,          ///< somebody else holds it now; trying again may help
    io,            ///< the disk or a file said no (full, read-only, missing)
    network,       ///< the line or the peer's TLS said no
    protocol,      ///< the peer speaks, but not what we agreed
    fork,          ///< two devices went on from one vault: a new replica id is needed
};

/// A short stable word for `code`, as `--json` and the protocol print it.
const char* to_string(ErrorCode code);

class Error : public std::runtime_error {
public:
    Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
    ErrorCode code() const { return code_; }

private:
    ErrorCode code_;
};

[[noreturn]] void fail(ErrorCode code, const std::string& message);
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace kopdarbs

#define KOPDARBS_ASSERT(expression) \
    (static_cast<bool>(expression) ? void(0) : ::kopdarbs::assertion_failed(#expression, __FILE__, __LINE__))
