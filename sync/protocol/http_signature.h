// Signed requests: HTTP Message Signatures (RFC 9421) with ed25519 over the method, the path and the body's digest (RFC 9530).
//
//     Content-Digest: sha-256=:BASE64:
//     Signature-Input: sig1=("@method" "@path" "content-digest");keyid="DEVICE";alg="ed25519"
//     Signature: sig1=:BASE64:
//
// Invariants
//  1. A request that verifies was signed, with exactly this method, path and body, by the holder of the key.
//  2. There is no `created`: devices' clocks are not trusted. A signature does not say when: requests travel inside TLS to
//     the pinned server only, and what writes (sync) carries the server's last nonce in its body.
//  3. Reading is strict and bounded. One signature, each of these headers once, no query (it would not be covered), no escapes, no
//     optional white space: the received text is the canonical text, and the signature base is made from it as it came.
// Threading: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/env/env.h"
#include "sync/protocol/http.h"

namespace kopdarbs::sync {

/// Adds the three headers above, replacing those that are there. `keyid` is the printed device id.
/// Throws Error{invalid} for a path with a query, or a key id with other than letters, digits and "-._:".
void sign_request(HttpRequest& request, const std::string& keyid, const KeyPair& key, Crypto& crypto);

/// Who claims to have signed; absent when the request carries no signature of the form above. Nothing is verified yet.
std::optional<std::string> signature_keyid(const HttpRequest& request);

/// Whether `key` signed this request. Covered components beyond the three are allowed when the request holds them once.
bool verify_request(const HttpRequest& request, const PublicKey& key, Crypto& crypto);

/// The text that is signed (RFC 9421 section 2.5) for the value of one member of Signature-Input: `("@method" …);keyid="…"`.
/// Knows "@method", "@path", "@authority" and header fields without parameters; absent for anything else.
std::optional<std::string> signature_base(const HttpRequest& request, std::string_view signature_params);

}  // namespace kopdarbs::sync
