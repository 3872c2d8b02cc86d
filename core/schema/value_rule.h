// What one value must look like: the part of JSON Schema that we check, compiled from a property and run on canonical CBOR.
//
// Invariants
//  1. A rule allocates nothing while it finds a value good, so that a save may check every field.
//  2. A finding names limits and never the value: it may be logged.
// Threading: immutable once built.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/schema/schema.h"

namespace kopdarbs {

/// The longest string that a field may hold, in octets, unless it is a `text` field.
constexpr std::size_t kMaxStringBytes = 65'536;
/// The longest piece of text that one change may give a `text` field, in octets.
constexpr std::size_t kMaxTextBytes = 4'000'000;
/// The longest code of a code list, in scalar values, unless the schema says otherwise.
constexpr std::uint64_t kMaxCodeLength = 64;
/// Integers are exact in every host's numbers: within ±(2^53 - 1).
constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;
/// The longest array and the largest free-form object that a scalar field may hold.
constexpr std::uint64_t kMaxListItems = 1'000;
constexpr std::size_t kMaxObjectBytes = 65'536;
/// How deep such an object nests.
constexpr int kMaxObjectDepth = 16;

enum class Format { none, date, date_time, personal_code, phone, record_id, user_id, month_span };

/// Why a value is wrong, or only doubtful; the field's name is added by who knows it.
struct Finding {
    Label reason;
    bool warning = false;
};

class ValueRule {
public:
    enum class Form { string, integer, number, boolean, list, object };

    /// `value` is not null; its text is UTF-8, as read or written by us. Throws Error{corrupt} when it is not one item of canonical CBOR.
    std::optional<Finding> check(BytesView value) const;

    Form form = Form::string;
    Format format = Format::none;
    std::vector<Value> allowed;  ///< `enum`; empty: any
    std::optional<double> minimum, maximum;
    std::uint64_t min_length = 0, max_length = UINT64_MAX;  ///< in Unicode scalar values
    std::size_t max_bytes = kMaxStringBytes;
    std::uint64_t min_items = 0, max_items = kMaxListItems;
    std::shared_ptr<const ValueRule> items;  ///< `list`: what each element must be

private:
    std::optional<Finding> check_string(std::string_view text) const;
    std::optional<Finding> check_list(CborReader& reader) const;
    std::optional<Finding> check_range(double number) const;
};

/// The format's finding on `text`, in schema/formats.cpp.
std::optional<Finding> check_format(Format format, std::string_view text);
/// Absent for a name that is not known: a format is a remark then, as JSON Schema has it.
std::optional<Format> format_of(std::string_view name);
/// Whether the proleptic Gregorian calendar has the day.
bool is_calendar_day(int year, int month, int day);

}  // namespace kopdarbs
