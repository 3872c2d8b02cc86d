#include "core/schema/json_read.h"

#include <cmath>
#include <utility>

#include "core/base/error.h"

namespace kopdarbs {

Json parse_schema(std::string_view text, const std::string& what) {
    if (text.size() > kMaxSchemaBytes) fail(ErrorCode::invalid, what + ": more than " + std::to_string(kMaxSchemaBytes) + " bytes");
    const auto bounded = [&](int depth, Json::parse_event_t, Json&) {
        if (depth > kMaxSchemaDepth) fail(ErrorCode::invalid, what + ": nested too deeply");
        return true;
    };
    try {
        Json root = Json::parse(text.begin(), text.end(), bounded);
        if (!root.is_object()) fail(ErrorCode::invalid, what + ": not a JSON object");
        return root;
    } catch (const Json::exception& error) {
        fail(ErrorCode::invalid, what + ": " + error.what());
    }
}

bool is_name(std::string_view name) {
    if (name.empty() || name.size() > kMaxNameBytes || name.front() < 'a' || name.front() > 'z') return false;
    for (char c : name)
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    return true;
}

Place::Place(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) fail_here("must be an object");
}

void Place::fail_here(const std::string& reason) const {
    fail(ErrorCode::invalid, where_ + ": " + reason);
}

const Json* Place::find(const char* keyword) const {
    const auto found = object_.find(keyword);
    return found == object_.end() ? nullptr : &*found;
}

Place Place::object(const char* keyword, const std::string& inner) const {
    const Json* found = find(keyword);
    if (found == nullptr) fail_here(std::string(keyword) + " is missing");
    return Place(*found, where_ + inner);
}

bool Place::flag(const char* keyword) const {
    const Json* found = find(keyword);
    if (found == nullptr) return false;
    if (!found->is_boolean()) fail_here(std::string(keyword) + " must be true or false");
    return found->get<bool>();
}

std::string Place::text(const char* keyword, std::size_t max_bytes) const {
    const Json* found = find(keyword);
    if (found == nullptr) return {};
    if (!found->is_string()) fail_here(std::string(keyword) + " must be a string");
    const auto& value = found->get_ref<const std::string&>();
    if (value.size() > max_bytes) fail_here(std::string(keyword) + " is too long");
    return value;
}

std::string Place::name(const char* keyword) const {
    std::string value = text(keyword, kMaxNameBytes);
    if (find(keyword) != nullptr && !is_name(value)) fail_here(std::string(keyword) + " must be a name of letters a-z, digits and _");
    return value;
}

std::vector<std::string> Place::names(const char* keyword) const {
    const Json* found = find(keyword);
    return found == nullptr ? std::vector<std::string>() : names_in(*found, keyword);
}

std::vector<std::string> Place::names_in(const Json& list, const std::string& keyword) const {
    if (!list.is_array() || list.size() > kMaxNames) fail_here(keyword + " must be a list of names");
    std::vector<std::string> names;
    for (const Json& one : list) {
        if (!one.is_string() || !is_name(one.get_ref<const std::string&>())) fail_here(keyword + " must be a list of names");
        names.push_back(one.get<std::string>());
    }
    return names;
}

std::vector<Value> Place::values(const char* keyword) const {
    std::vector<Value> values;
    const Json* found = find(keyword);
    if (found == nullptr) return values;
    if (!found->is_array() || found->empty() || found->size() > kMaxNames) fail_here(std::string(keyword) + " must be a list of values");
    for (const Json& one : *found) values.push_back(value(one));
    return values;
}

std::optional<double> Place::number(const char* keyword) const {
    const Json* found = find(keyword);
    if (found == nullptr) return std::nullopt;
    if (!found->is_number()) fail_here(std::string(keyword) + " must be a number");
    return found->get<double>();
}

std::optional<std::uint64_t> Place::count(const char* keyword) const {
    const Json* found = find(keyword);
    if (found == nullptr) return std::nullopt;
    if (!found->is_number_unsigned()) fail_here(std::string(keyword) + " must be a whole number from 0 on");
    return found->get<std::uint64_t>();
}

Label Place::labels(const std::string& fallback) const {
    if (find("labels") == nullptr) return {fallback, fallback};
    const Place labels = object("labels", ", labels");
    Label label{labels.text("lv", kMaxLabelBytes), labels.text("en", kMaxLabelBytes)};
    if (label.lv.empty() || label.en.empty()) labels.fail_here("both lv and en are needed");
    return label;
}

void Place::refuse(std::initializer_list<const char*> keywords, const std::string& reason) const {
    for (const char* keyword : keywords)
        if (find(keyword) != nullptr) fail_here(std::string(keyword) + " " + reason);
}

Value Place::value(const Json& scalar) const {
    CborWriter writer;
    if (scalar.is_null())
        writer.null();
    else if (scalar.is_boolean())
        writer.boolean(scalar.get<bool>());
    else if (scalar.is_number_unsigned())
        writer.uint(scalar.get<std::uint64_t>());
    else if (scalar.is_number_integer())
        writer.integer(scalar.get<std::int64_t>());
    else if (scalar.is_number())
        writer.number(scalar.get<double>());
    else if (scalar.is_string())
        writer.text(scalar.get_ref<const std::string&>());
    else
        fail_here("a value must be a string, a number, true, false or null");
    return writer.take();
}

}  // namespace kopdarbs
