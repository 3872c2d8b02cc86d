// Compiles one record type from its JSON (SCHEMA.md).
// Threading: a reader belongs to one call.
#pragma once

#include "core/schema/json_read.h"
#include "core/schema/value_rule.h"

namespace kopdarbs {

/// Reads one field, or with `column` one subfield of rows. Throws Error{invalid}.
FieldSchema read_field(const Place& place, const std::string& name, bool column);

class TypeReader {
public:
    /// Throws Error{invalid} naming the type, the field and the reason.
    static TypeSchema read(std::string_view json);

private:
    explicit TypeReader(const Place& root) : root_(root) {}
    void read_head();
    void read_sections();
    void read_writers();
    void read_fields();
    void find_guests();
    const FieldSchema& scalar_field(const std::string& name, const char* keyword) const;

    const Place& root_;
    TypeSchema type_;
};

}  // namespace kopdarbs
