#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/base/embedded.h"
#include "core/base/error.h"
#include "core/schema/type_reader.h"

namespace kopdarbs {
namespace {

constexpr std::size_t kMaxTypes = 500;

const char* kind_name(Kind kind) {
    switch (kind) {
        case Kind::scalar: return "scalar";
        case Kind::set: return "set";
        case Kind::rows: return "rows";
        case Kind::counter: return "counter";
        case Kind::text: break;
    }
    return "text";
}

[[noreturn]] void refuse(const std::string& type, const std::string& field, const std::string& reason) {
    fail(ErrorCode::invalid, "type " + type + ", field " + field + ": " + reason);
}

/// What was published stays: records of it are on devices that will not hear of the new version for days.
void refuse_lost_fields(const TypeSchema& before, const TypeSchema& after) {
    for (const FieldSchema& old : before.fields()) {
        const FieldSchema* now = after.field(old.name);
        if (now == nullptr) refuse(before.name(), old.name, "a published field may not disappear");
        if (now->kind() != old.kind())
            refuse(
                before.name(), old.name,
                std::string("a published field may not change its kind from ") + kind_name(old.kind()) + " to " + kind_name(now->kind()));
        for (const auto& column : old.columns)
            if (now->columns.find(column.first) == now->columns.end())
                refuse(before.name(), old.name + "." + column.first, "a published column may not disappear");
    }
}

RoleSchema read_role(const Place& place, const std::string& name) {
    RoleSchema role;
    role.name = name;
    role.label = place.labels(name);
    role.of_file = place.names("of_file");
    role.of_files_unit = place.names("of_files_unit");
    role.of_unit = place.names("of_unit");
    role.of_units_files = place.names("of_units_files");
    role.of_units_users = place.names("of_units_users");
    if (place.find("own") != nullptr) role.own = place.flag("own");
    return role;
}

}  // namespace

std::uint64_t TypeSchema::key_of(std::string_view name) {
    std::array<char, 8> beginning{};
    (void)name.copy(beginning.data(), beginning.size());
    std::uint64_t key = 0;
    std::memcpy(&key, beginning.data(), sizeof key);
    return key ^ name.size();
}

const FieldSchema* TypeSchema::field(std::string_view name) const {
    const std::uint64_t key = key_of(name);
    auto at = std::lower_bound(by_name_.begin(), by_name_.end(), key, [](const auto& entry, std::uint64_t k) { return entry.first < k; });
    for (; at != by_name_.end() && at->first == key; ++at)
        if (fields_[at->second].name == name) return &fields_[at->second];
    return nullptr;
}

std::string TypeSchema::section_under(std::string_view kind) const {
    const auto found = sections_.find(kind);
    return found == sections_.end() ? std::string() : found->second;
}

void SchemaSet::add(std::string_view json) {
    // What is here to the letter is not read again: a server sends all its types, a vault keeps them.
    if (std::any_of(types_.begin(), types_.end(), [&](const auto& entry) { return entry.second->source() == json; })) return;
    auto next = std::make_shared<const TypeSchema>(TypeReader::read(json));
    const auto present = types_.find(next->name());
    if (present == types_.end()) {
        if (types_.size() >= kMaxTypes) fail(ErrorCode::invalid, "type " + next->name() + ": too many types");
        types_.emplace(next->name(), std::move(next));
        return;
    }
    const TypeSchema& before = *present->second;
    if (next->version() < before.version()) return;
    if (next->version() == before.version())
        fail(ErrorCode::invalid,
             "type " + next->name() + ": version " + std::to_string(next->version()) + " is published already and differs");
    refuse_lost_fields(before, *next);
    present->second = std::move(next);
}

void SchemaSet::set_roles(std::string_view json) {
    const Json document = parse_schema(json, "roles");
    const Place roles = Place(document, "roles").object("roles", "");
    if (roles.json().size() > kMaxNames) roles.fail_here("too many");
    std::map<std::string, RoleSchema, std::less<>> read;
    for (const auto& [name, role] : roles.json().items()) {
        if (!is_name(name)) roles.fail_here("a role's name must be of letters a-z, digits and _");
        read[name] = read_role(Place(role, "role " + name), name);
    }
    roles_ = std::move(read);
}

const TypeSchema* SchemaSet::type(std::string_view name) const {
    const auto found = types_.find(name);
    return found == types_.end() ? nullptr : found->second.get();
}

std::vector<const TypeSchema*> SchemaSet::types() const {
    std::vector<const TypeSchema*> all;
    for (const auto& entry : types_) all.push_back(entry.second.get());
    return all;
}

const RoleSchema* SchemaSet::role(std::string_view name) const {
    const auto found = roles_.find(name);
    return found == roles_.end() ? nullptr : &found->second;
}

SchemaSet SchemaSet::built_in() {
    // Read once a process; a copy shares the types.
    static const SchemaSet all = [] {
        SchemaSet set;
        for (std::size_t i = 0; i < embedded::types_count; ++i) set.add(embedded::types[i].content);
        for (std::size_t i = 0; i < embedded::schema_data_count; ++i)
            if (embedded::schema_data[i].name == "roles.json") set.set_roles(embedded::schema_data[i].content);
        return set;
    }();
    return all;
}

}  // namespace kopdarbs
