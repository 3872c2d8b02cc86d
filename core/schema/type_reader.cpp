#include "core/schema/type_reader.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace kopdarbs {
namespace {

constexpr std::string_view kIdPrefix = "urn:kopdarbs:type:";
constexpr std::size_t kMaxIdBytes = 200;
constexpr std::uint64_t kMaxTypeVersion = 1'000'000;
constexpr std::size_t kMaxListBy = 2;

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void join(std::vector<std::string>& names, const std::vector<std::string>& more) {
    for (const std::string& name : more)
        if (!contains(names, name)) names.push_back(name);
}

std::string name_in_id(const Place& root) {
    const std::string id = root.text("$id", kMaxIdBytes);
    if (id.compare(0, kIdPrefix.size(), kIdPrefix) != 0 || !is_name(std::string_view(id).substr(kIdPrefix.size())))
        root.fail_here("$id must be " + std::string(kIdPrefix) + "NAME");
    return id.substr(kIdPrefix.size());
}

}  // namespace

TypeSchema TypeReader::read(std::string_view json) {
    const Json document = parse_schema(json, "a record type");
    const std::string name = name_in_id(Place(document, "a record type"));
    const Place root(document, "type " + name);
    TypeReader reader(root);
    reader.type_.name_ = name;
    reader.type_.source_ = std::string(json);
    reader.read_head();
    reader.read_sections();
    reader.read_fields();
    reader.read_writers();
    reader.find_guests();
    return std::move(reader.type_);
}

void TypeReader::read_head() {
    root_.refuse({"allOf",
                  "anyOf",
                  "oneOf",
                  "not",
                  "if",
                  "then",
                  "else",
                  "$ref",
                  "$dynamicRef",
                  "required",
                  "dependentRequired",
                  "dependentSchemas",
                  "dependencies",
                  "patternProperties",
                  "propertyNames",
                  "minProperties",
                  "maxProperties",
                  "unevaluatedProperties",
                  "const",
                  "enum"},
                 "is not checked here, so it may not be asked for");
    if (root_.text("type", kMaxNameBytes) != "object") root_.fail_here("type must be \"object\"");
    if (root_.find("additionalProperties") != nullptr && !root_.flag("additionalProperties"))
        root_.fail_here("additionalProperties may not be false: unknown fields are kept");
    const std::uint64_t version = root_.count("version").value_or(1);
    if (version == 0 || version > kMaxTypeVersion) root_.fail_here("version is out of bounds");
    type_.version_ = static_cast<std::uint32_t>(version);
    type_.label_ = root_.labels(type_.name_);
    type_.document_ = root_.flag("document");
}

void TypeReader::read_sections() {
    if (root_.find("section") == nullptr) return;
    const Place sections = root_.object("section", ", section");
    if (sections.json().size() > kMaxNames) sections.fail_here("too many");
    for (const auto& [kind, section] : sections.json().items()) {
        if (!is_name(kind) || !section.is_string() || !is_name(section.get<std::string>()))
            sections.fail_here("must give a section's name for a kind of assignment");
        type_.sections_[kind] = section.get<std::string>();
    }
}

void TypeReader::read_fields() {
    const Place properties = root_.object("properties", ", properties");
    if (properties.json().size() > kMaxFields) properties.fail_here("more than " + std::to_string(kMaxFields) + " fields");
    for (const auto& [name, property] : properties.json().items()) {
        if (!is_name(name)) properties.fail_here("a field's name must be of letters a-z, digits and _");
        type_.by_name_.emplace_back(TypeSchema::key_of(name), type_.fields_.size());
        type_.fields_.push_back(read_field(Place(property, root_.where() + ", field " + name), name, false));
    }
    std::sort(type_.by_name_.begin(), type_.by_name_.end());
    type_.list_by_ = root_.names("list_by");
    if (type_.list_by_.size() > kMaxListBy) root_.fail_here("list_by takes at most two fields");
    for (const std::string& name : type_.list_by_) (void)scalar_field(name, "list_by");
    if (root_.find("draft") == nullptr) {
        for (const FieldSchema& field : type_.fields_)
            if (field.draft) root_.fail_here("field " + field.name + " asks for a draft, but the type has no draft");
        return;
    }
    const Place draft = root_.object("draft", ", draft");
    type_.draft_field_ = draft.name("field");
    type_.draft_values_ = draft.values("values");
    (void)scalar_field(type_.draft_field_, "draft");
}

const FieldSchema& TypeReader::scalar_field(const std::string& name, const char* keyword) const {
    const FieldSchema* field = type_.field(name);
    if (field == nullptr || field->kind() != Kind::scalar) root_.fail_here(std::string(keyword) + " must name a scalar field: " + name);
    return *field;
}

void TypeReader::read_writers() {
    type_.writers_ = root_.names("write");
    type_.creators_ = root_.names("create");
    type_.deleters_ = root_.names("delete");
    type_.sealers_ = root_.names("seal");
    type_.amenders_ = root_.names("amend");
    type_.resolvers_ = root_.names("resolve");
    if (type_.document_ && type_.sealers_.empty()) type_.sealers_ = {"author"};
    if (!type_.document_) root_.refuse({"seal", "amend"}, "needs document to be true");
    if (const Json* sections = root_.find("write_in")) {
        const Place by_section(*sections, root_.where() + ", write_in");
        for (const auto& [section, roles] : by_section.json().items()) {
            if (!is_name(section)) by_section.fail_here("a section's name must be of letters a-z, digits and _");
            type_.writers_in_[section] = by_section.names_in(roles, section);
        }
    }
    // A user's own scope has one person in it.
    if (type_.writers_in_.find("own") == type_.writers_in_.end()) type_.writers_in_["own"] = {"author"};
}

/// A role that may write some fields only has to be let in by judge_record, so every field must be judged then.
void TypeReader::find_guests() {
    std::vector<std::string>& guests = type_.guests_;
    join(guests, type_.resolvers_);
    for (const FieldSchema& field : type_.fields_) {
        join(guests, field.writers);
        join(guests, field.resolvers);
    }
    std::vector<std::string> let_in = guests;
    join(let_in, type_.creators_);
    const bool partial = std::any_of(let_in.begin(), let_in.end(), [&](const std::string& role) {
        if (!contains(type_.writers_, role)) return true;
        return std::any_of(type_.writers_in_.begin(), type_.writers_in_.end(),
                           [&](const auto& here) { return here.first != "own" && !contains(here.second, role); });
    });
    for (FieldSchema& field : type_.fields_) field.judged = partial;
}

}  // namespace kopdarbs
