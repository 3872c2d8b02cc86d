// Bounded reading of the JSON that schemas are written in. Errors are Error{invalid} and begin with where they are.
// Threading: none; a Place borrows its text.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/schema/schema.h"

namespace kopdarbs {

constexpr std::size_t kMaxSchemaBytes = 1'000'000;
constexpr int kMaxSchemaDepth = 12;
constexpr std::size_t kMaxFields = 500;
constexpr std::size_t kMaxNames = 500;  ///< roles, values, transitions or sections in one list
constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kMaxLabelBytes = 500;

/// Fields keep the order in which they were written: forms show them so.
using Json = nlohmann::ordered_json;

/// Parses a bounded document whose root is an object; `what` names it in errors.
Json parse_schema(std::string_view text, const std::string& what);

/// Whether `name` is a lower-case word of letters, digits and underscores that begins with a letter.
bool is_name(std::string_view name);

/// An object of a schema, and what to call it in errors ("type home_visit, field heating").
class Place {
public:
    Place(const Json& object, std::string where);

    [[noreturn]] void fail_here(const std::string& reason) const;
    const std::string& where() const { return where_; }
    const Json& json() const { return object_; }

    /// Null when the keyword is absent.
    const Json* find(const char* keyword) const;
    /// The keyword's object, checked to be one.
    Place object(const char* keyword, const std::string& inner) const;

    bool flag(const char* keyword) const;
    std::string text(const char* keyword, std::size_t max_bytes) const;  ///< empty when absent
    std::string name(const char* keyword) const;                         ///< empty when absent, else is_name
    std::vector<std::string> names(const char* keyword) const;           ///< empty when absent
    std::vector<Value> values(const char* keyword) const;                ///< scalars and null; empty when absent
    std::optional<double> number(const char* keyword) const;
    std::optional<std::uint64_t> count(const char* keyword) const;
    /// `labels`, or `fallback` in both languages.
    Label labels(const std::string& fallback) const;
    void refuse(std::initializer_list<const char*> keywords, const std::string& reason) const;

    /// Canonical CBOR of a scalar or null.
    Value value(const Json& scalar) const;
    std::vector<std::string> names_in(const Json& list, const std::string& keyword) const;

private:
    const Json& object_;
    std::string where_;
};

}  // namespace kopdarbs
