// JSON at the doors: canonical CBOR values from JSON text and back.
//
// JSON's numbers become integers where they were written without fraction and exponent (within ±(2^53 - 1)), else 64-bit floats; text
// must be UTF-8; object keys are sorted and unique. Throws Error{invalid} saying what is wrong, bounded in depth.
#pragma once

#include <string>
#include <string_view>

#include "core/record/state.h"

namespace kopdarbs {

Value value_from_json(std::string_view json);
/// Appends `value` as compact JSON.
void append_json(std::string& out, BytesView value);
std::string to_json(BytesView value);
/// Appends `text` as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

/// A JSON object's members as canonical CBOR, sorted by name; throws Error{corrupt} when it is no object.
RecordState::Document document_from_json(std::string_view json);

/// A JSON array of {path, value}, as history and dead letters print a change's operations.
std::string ops_to_json(const std::vector<Op>& ops);

Value text_value(std::string_view text);
Value bool_value(bool value);
Value int_value(std::int64_t value);
Value null_value();
bool is_null(BytesView value);
/// The text inside a CBOR text item, or an absent view for anything else.
std::string_view text_of(BytesView value);

}  // namespace kopdarbs
