// What a server grants a device: scopes and types, and the digests by which both sides see that they agree on them.
//
// Threading: values and pure functions.
#pragma once

#include <string>
#include <vector>

#include "core/kopdarbs.h"

namespace kopdarbs {

/// One scope that the user's assignments give.
struct ScopeGrant {
    ScopeId id;
    ScopeInfo info;
    std::string kind;
};

/// A JSON array of a scope's roles, as a vault keeps them.
std::string roles_json(const std::vector<std::string>& roles);
/// One hash for all types and their versions: equal schemas show equal documents of equal states.
Hash256 fingerprint_of(const SchemaSet& schema, Crypto& crypto);
/// The digest that grants_digest() gives for these.
Hash256 digest_of_grants(Crypto& crypto, const std::vector<ScopeGrant>& scopes, const std::vector<std::string>& types);

}  // namespace kopdarbs
