#include "sync/server/directory.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/error.h"
#include "sync/server/server.h"

namespace kopdarbs::sync {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxProvisionBytes = 64 * 1024 * 1024;
constexpr std::size_t kMaxIdBytes = 64;

[[noreturn]] void invalid(const std::string& what) {
    fail(ErrorCode::invalid, "provision file: " + what);
}

/// The sections that a kind of target has: those that some type names for it.
std::set<std::string> sections_of(const SchemaSet& schema, const char* kind) {
    std::set<std::string> sections;
    for (const TypeSchema* type : schema.types())
        if (std::string section = type->section_under(kind); !section.empty()) sections.insert(std::move(section));
    return sections;
}

SchemaSet schema_with(const std::vector<std::string>& types) {
    SchemaSet schema = SchemaSet::built_in();
    for (const std::string& type : types) schema.add(type);
    return schema;
}

class Provisioner {
public:
    Provisioner(Storage& storage, Crypto& crypto, const std::string& today) : storage_(storage), crypto_(crypto), today_(today) {}

    Provisioned run(const Json& file, const std::vector<std::string>& new_types) {
        if (!file.is_object()) invalid("not a JSON object");
        municipality(file);
        types(new_types);
        for (const Json& u : list(file, "units")) {
            const UnitEntry unit{id(u, "units"), text(u, "name", "units"), text(u, "kind", "units")};
            storage_.put_unit(unit);
            for (const std::string& section : sections_of(schema_, "unit")) scope("unit", section, unit.id, unit.name);
            ++done_.units;
        }
        std::set<std::string> units, files, users;
        for (const UnitEntry& u : storage_.units()) units.insert(u.id);
        for (const Json& f : list(file, "files")) {
            const FileEntry entry{id(f, "files"), text(f, "unit", "files"), text(f, "label", "files")};
            if (units.count(entry.unit) == 0) invalid("file " + entry.id + ": no unit '" + entry.unit + "'");
            if (units.count(entry.id) != 0) invalid("file " + entry.id + ": a unit has this id");
            storage_.put_file(entry);
            for (const std::string& section : sections_of(schema_, "file")) scope("file", section, entry.id, entry.label);
            ++done_.files;
        }
        for (const FileEntry& f : storage_.files()) files.insert(f.id);
        for (const Json& p : list(file, "partners")) {
            storage_.put_partner(id(p, "partners"), text(p, "name", "partners"), text(p, "kind", "partners"));
            ++done_.partners;
        }
        for (const Json& u : list(file, "users")) {
            const std::string user = id(u, "users"), name = text(u, "name", "users");
            storage_.put_user(user, name, u.contains("language") ? text(u, "language", "users") : "lv");
            for (const std::string& section : sections_of(schema_, "own")) scope("own", section, user, name);
            ++done_.users;
        }
        for (const std::string& u : storage_.users()) users.insert(u);
        assignments(file, units, files, users);
        return done_;
    }

private:
    void municipality(const Json& file) {
        const Json m = file.value("municipality", Json::object());
        const Bytes known = storage_.setting("municipality");
        if (m.empty()) {
            if (known.empty()) invalid("municipality: missing");
            municipality_ = known;
            return;
        }
        municipality_ = id(m, "municipality");
        if (!known.empty() && known != municipality_) invalid("municipality: this server serves '" + known + "'");
        storage_.set_setting("municipality", municipality_);
        storage_.set_setting("municipality_name", text(m, "name", "municipality"));
    }

    void types(const std::vector<std::string>& new_types) {
        schema_ = schema_with(storage_.types());
        for (const std::string& source : new_types) {
            schema_.add(source);
            const auto all = schema_.types();
            const auto type = std::find_if(all.begin(), all.end(), [&](const TypeSchema* t) { return t->source() == source; });
            if (type == all.end()) continue;  // an older version of what is here
            storage_.put_type((*type)->name(), (*type)->version(), source);
            ++done_.types;
        }
    }

    void assignments(const Json& file, const std::set<std::string>& units, const std::set<std::string>& files,
                     const std::set<std::string>& users) {
        if (!file.contains("assignments")) return;
        std::set<std::vector<std::string>> named;
        for (const Json& a : list(file, "assignments")) {
            AssignmentEntry entry{text(a, "user", "assignments"),
                                  text(a, "role", "assignments"),
                                  text(a, "scope", "assignments"),
                                  text(a, "from", "assignments"),
                                  {}};
            if (a.contains("until") && !a["until"].is_null()) entry.until = date(text(a, "until", "assignments"));
            (void)date(entry.from);
            const std::string who = "assignment of " + entry.user + ": ";
            if (users.count(entry.user) == 0) invalid(who + "no such user");
            if (schema_.role(entry.role) == nullptr) invalid(who + "no role '" + entry.role + "'");
            if (units.count(entry.target) == 0 && files.count(entry.target) == 0) invalid(who + "no unit or file '" + entry.target + "'");
            storage_.put_assignment(entry);
            named.insert({entry.user, entry.role, entry.target, entry.from});
            ++done_.assignments;
        }
        // An assignment that the file does not name any more has ended.
        for (AssignmentEntry a : storage_.assignments({})) {
            if (!a.until.empty() || named.count({a.user, a.role, a.target, a.from}) != 0) continue;
            a.until = day_before();
            storage_.put_assignment(a);
            ++done_.ended;
        }
    }

    /// The last day of what ends today: yesterday, so that it takes effect at once.
    std::string day_before() const { return today_ + "-"; }  // sorts before today, after every earlier day; see is_active

    void scope(const char* kind, const std::string& section, const std::string& target, const std::string& label) {
        ScopeGrant s;
        s.info.name = section + ":" + target;
        s.id = scope_id(crypto_, municipality_, s.info.name);
        s.info.label = label;
        s.info.section = section;
        s.info.target = target;
        s.kind = kind;
        storage_.put_scope(s);
    }

    static const Json& list(const Json& file, const char* name) {
        static const Json none = Json::array();
        if (!file.contains(name)) return none;
        if (!file[name].is_array()) invalid(std::string(name) + ": not an array");
        return file[name];
    }
    static std::string text(const Json& object, const char* name, const char* where) {
        if (!object.is_object() || !object.contains(name) || !object[name].is_string())
            invalid(std::string(where) + ": '" + name + "' is missing or no string");
        const std::string value = object[name].get<std::string>();
        if (value.empty() || value.size() > 500) invalid(std::string(where) + ": '" + name + "' has 1 to 500 bytes");
        return value;
    }
    static std::string id(const Json& object, const char* where) {
        const std::string value = text(object, "id", where);
        const auto good = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        };
        if (value.size() > kMaxIdBytes || !std::all_of(value.begin(), value.end(), good))
            invalid(std::string(where) + ": id '" + value.substr(0, kMaxIdBytes) + "' has other characters than a-z A-Z 0-9 - _ .");
        return value;
    }
    static std::string date(const std::string& value) {
        const bool good = value.size() == 10 && value[4] == '-' && value[7] == '-' &&
                          std::all_of(value.begin(), value.end(), [](char c) { return c == '-' || (c >= '0' && c <= '9'); });
        if (!good) invalid("'" + value.substr(0, 20) + "' is no date (YYYY-MM-DD)");
        return value;
    }

    Storage& storage_;
    Crypto& crypto_;
    std::string today_, municipality_;
    SchemaSet schema_;
    Provisioned done_;
};

bool is_active(const AssignmentEntry& a, const std::string& today) {
    if (today < a.from) return false;
    if (a.until.empty()) return true;
    // "2026-11-21-" ended in the course of that day.
    return a.until.size() == 10 && today <= a.until;
}

}  // namespace

ScopeId scope_id(Crypto& crypto, const std::string& municipality, const std::string& name) {
    std::string input = "kopdarbs scope 1";
    input += '\0';
    input += municipality;
    input += '\0';
    input += name;
    return ScopeId::from_bytes(crypto.sha256(input).bytes().substr(0, ScopeId::size));
}

const ScopeGrant* Grants::find(const ScopeId& id) const {
    const auto it = std::lower_bound(scopes.begin(), scopes.end(), id, [](const ScopeGrant& g, const ScopeId& i) { return g.id < i; });
    return it != scopes.end() && it->id == id ? &*it : nullptr;
}

Directory::Directory(Storage& storage, Crypto& crypto)
    : crypto_(crypto),
      municipality_(storage.setting("municipality")),
      schema_(schema_with(storage.types())),
      types_(storage.types()),
      fingerprint_(fingerprint_of(schema_, crypto)) {
    for (UnitEntry& u : storage.units()) units_.emplace(u.id, u);
    for (FileEntry& f : storage.files()) {
        files_of_unit_[f.unit].push_back(f.id);
        files_.emplace(f.id, f);
    }
    for (AssignmentEntry& a : storage.assignments({})) assignments_[a.user].push_back(a);
    for (ScopeEntry& s : storage.scopes()) {
        scopes_by_name_.emplace(s.grant.info.name, s);
        scopes_.emplace(s.grant.id, s);
    }
}

const ScopeEntry* Directory::scope(const ScopeId& id) const {
    const auto it = scopes_.find(id);
    return it == scopes_.end() ? nullptr : &it->second;
}

void Directory::grant(std::map<ScopeId, ScopeGrant>& into, const std::string& section, const std::string& target,
                      const std::string& role) const {
    const auto scope = scopes_by_name_.find(section + ":" + target);
    if (scope == scopes_by_name_.end()) return;
    ScopeGrant& g = into.try_emplace(scope->second.grant.id, scope->second.grant).first->second;
    if (!role.empty() && std::find(g.info.roles.begin(), g.info.roles.end(), role) == g.info.roles.end()) g.info.roles.push_back(role);
}

Grants Directory::grants(const std::string& user, const std::string& today) const {
    std::map<ScopeId, ScopeGrant> given;
    grant(given, "own", user, {});
    const auto assigned = assignments_.find(user);
    if (assigned != assignments_.end()) {
        for (const AssignmentEntry& a : assigned->second) {
            const RoleSchema* role = schema_.role(a.role);
            if (role == nullptr || !is_active(a, today)) continue;
            grant(given, "own", user, a.role);
            if (const auto file = files_.find(a.target); file != files_.end()) {
                for (const std::string& section : role->of_file) grant(given, section, a.target, a.role);
                for (const std::string& section : role->of_files_unit) grant(given, section, file->second.unit, a.role);
            }
            if (units_.count(a.target) != 0) {
                for (const std::string& section : role->of_unit) grant(given, section, a.target, a.role);
                const auto files = files_of_unit_.find(a.target);
                if (files != files_of_unit_.end())
                    for (const std::string& file : files->second)
                        for (const std::string& section : role->of_units_files) grant(given, section, file, a.role);
            }
        }
    }
    Grants result;
    for (auto& [id, g] : given) {
        std::sort(g.info.roles.begin(), g.info.roles.end());
        result.numbers.emplace(id, scopes_.at(id).no);
        result.scopes.push_back(std::move(g));
    }
    result.digest = digest_of_grants(crypto_, result.scopes, types_);
    return result;
}

Provisioned provision_into(Storage& storage, Crypto& crypto, std::string_view json, const std::vector<std::string>& types,
                           const std::string& today) {
    if (json.size() > kMaxProvisionBytes) invalid("larger than 64 MiB");
    const Json file = Json::parse(json.begin(), json.end(), nullptr, false);
    if (file.is_discarded()) invalid("not JSON");
    return Provisioner(storage, crypto, today).run(file, types);
}

}  // namespace kopdarbs::sync
