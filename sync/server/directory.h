// Who may read and write where: scopes derived from units, files and users, and the grants that a user's assignments give on a day.
//
// A scope's id is derived from the municipality and the scope's name, so that provisioning twice, or on two servers, gives one id.
// Threading: a Directory is immutable; a new one is made after provisioning.
#pragma once

#include <map>
#include <memory>

#include "core/schema/schema.h"
#include "sync/server/storage/storage.h"

namespace kopdarbs::sync {

ScopeId scope_id(Crypto& crypto, const std::string& municipality, const std::string& name);

/// Everything that one user holds today.
struct Grants {
    std::vector<ScopeGrant> scopes;  ///< sorted by id
    std::map<ScopeId, std::int64_t> numbers;
    Hash256 digest;  ///< with the types
    const ScopeGrant* find(const ScopeId& id) const;
};

class Directory {
public:
    Directory(Storage& storage, Crypto& crypto);
    const SchemaSet& schema() const { return schema_; }
    const std::vector<std::string>& types() const { return types_; }
    /// `today`: YYYY-MM-DD.
    Grants grants(const std::string& user, const std::string& today) const;
    const ScopeEntry* scope(const ScopeId& id) const;
    const Hash256& fingerprint() const { return fingerprint_; }
    const std::string& municipality() const { return municipality_; }

private:
    /// The scope "section:target", where there is one, in `role`; an empty role adds none.
    void grant(std::map<ScopeId, ScopeGrant>& into, const std::string& section, const std::string& target, const std::string& role) const;
    Crypto& crypto_;
    std::string municipality_;
    SchemaSet schema_;
    std::vector<std::string> types_;
    Hash256 fingerprint_;
    std::map<std::string, FileEntry> files_;
    std::map<std::string, std::vector<std::string>> files_of_unit_;
    std::map<std::string, UnitEntry> units_;
    std::map<std::string, std::vector<AssignmentEntry>> assignments_;
    std::map<std::string, ScopeEntry> scopes_by_name_;
    std::map<ScopeId, ScopeEntry> scopes_;
};

struct Provisioned;

/// Reads a provision file into the storage, inside the caller's transaction. Throws Error{invalid} naming what is wrong.
Provisioned provision_into(Storage& storage, Crypto& crypto, std::string_view json, const std::vector<std::string>& types,
                           const std::string& today);

}  // namespace kopdarbs::sync
