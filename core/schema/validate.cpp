#include <cmath>

#include "core/base/error.h"
#include "core/schema/value_rule.h"

namespace kopdarbs {
namespace {

Finding wrong(std::string lv, std::string en) {
    return Finding{{std::move(lv), std::move(en)}, false};
}

/// A limit as people write it: 40, not 40.000000.
std::string printed(double limit) {
    if (limit == std::floor(limit) && std::fabs(limit) <= static_cast<double>(kMaxInteger))
        return std::to_string(static_cast<std::int64_t>(limit));
    std::string text = std::to_string(limit);
    while (text.back() == '0') text.pop_back();
    return text;
}

std::string printed(BytesView allowed) {
    CborReader reader(allowed);
    switch (reader.peek()) {
        case CborType::text: return std::string(reader.text());
        case CborType::uint:
        case CborType::negative: return std::to_string(reader.integer());
        case CborType::boolean: return reader.boolean() ? "true" : "false";
        case CborType::number: return printed(reader.number());
        default: return "null";
    }
}

std::string listed(const std::vector<Value>& values) {
    std::string text;
    for (const Value& value : values) text += (text.empty() ? "" : ", ") + printed(BytesView(value));
    return text;
}

Finding wrong_form(ValueRule::Form form) {
    switch (form) {
        case ValueRule::Form::string: return wrong("jābūt tekstam", "must be a string");
        case ValueRule::Form::integer: return wrong("jābūt veselam skaitlim", "must be a whole number");
        case ValueRule::Form::number: return wrong("jābūt skaitlim", "must be a number");
        case ValueRule::Form::boolean: return wrong("jābūt jā vai nē", "must be true or false");
        case ValueRule::Form::list: return wrong("jābūt sarakstam", "must be a list");
        case ValueRule::Form::object: break;
    }
    return wrong("jābūt objektam", "must be an object");
}

bool has_form(ValueRule::Form form, CborType type) {
    const bool whole = type == CborType::uint || type == CborType::negative;
    switch (form) {
        case ValueRule::Form::string: return type == CborType::text;
        case ValueRule::Form::integer: return whole;
        case ValueRule::Form::number: return whole || type == CborType::number;
        case ValueRule::Form::boolean: return type == CborType::boolean;
        case ValueRule::Form::list: return type == CborType::array;
        case ValueRule::Form::object: break;
    }
    return type == CborType::map;
}

/// Whether the next item of a free-form object is one that JSON can say: a record's document is kept and printed as JSON.
bool is_json(CborReader& reader, int depth) {
    switch (reader.peek()) {
        case CborType::uint: return reader.uint() <= static_cast<std::uint64_t>(kMaxInteger);
        case CborType::negative: return reader.integer() >= -kMaxInteger;
        case CborType::number: return std::isfinite(reader.number());
        case CborType::octets: return false;
        case CborType::array:
            for (std::size_t n = reader.array(); n > 0; --n)
                if (depth == kMaxObjectDepth || !is_json(reader, depth + 1)) return false;
            return true;
        case CborType::map:
            for (std::size_t n = reader.map(); n > 0; --n) {
                if (depth == kMaxObjectDepth || reader.peek() != CborType::text) return false;
                reader.skip();
                if (!is_json(reader, depth + 1)) return false;
            }
            return true;
        default: reader.skip(); return true;
    }
}

bool is_null(BytesView value) {
    return value.empty() || value == "\xf6";
}

}  // namespace

std::optional<Finding> ValueRule::check(BytesView value) const {
    for (const Value& one : allowed)
        if (value == one) return std::nullopt;
    CborReader reader(value, CborReader::Known{});
    const CborType type = reader.peek();
    std::optional<Finding> found;
    if (!has_form(form, type)) {
        reader.skip();
        found = wrong_form(form);
    } else if (form == Form::string) {
        found = check_string(reader.text());
    } else if (form == Form::boolean) {
        (void)reader.boolean();
    } else if (form == Form::list) {
        found = check_list(reader);
    } else if (form == Form::object) {
        const BytesView object = reader.item();
        CborReader members(object);
        if (object.size() > kMaxObjectBytes)
            found = wrong("par lielu", "is too large");
        else if (!is_json(members, 0))
            found = wrong("jābūt JSON objektam", "must be an object that JSON can hold");
    } else if (type == CborType::number) {
        const double number = reader.number();
        found = std::isfinite(number) ? check_range(number) : wrong("jābūt skaitlim", "must be a number");
    } else if (type == CborType::uint) {
        const std::uint64_t whole = reader.uint();
        found = whole > static_cast<std::uint64_t>(kMaxInteger) ? wrong("skaitlis par lielu", "is too large a number")
                                                                : check_range(static_cast<double>(whole));
    } else {
        const std::int64_t whole = reader.integer();
        found = whole < -kMaxInteger ? wrong("skaitlis par mazu", "is too small a number") : check_range(static_cast<double>(whole));
    }
    reader.finish();
    if (!allowed.empty() && (!found || found->warning)) {
        const std::string choices = listed(allowed);
        return wrong("jābūt vienam no: " + choices, "must be one of: " + choices);
    }
    return found;
}

std::optional<Finding> ValueRule::check_string(std::string_view text) const {
    if (text.size() > max_bytes) return wrong("teksts par garu", "is too long a text");
    // Characters are counted only where the number of octets leaves it open.
    if (min_length > 0 || text.size() > max_length) {
        const std::uint64_t length = utf8_length(text);
        if (length < min_length)
            return wrong("jābūt vismaz " + std::to_string(min_length) + " zīmes garam",
                         "must have at least " + std::to_string(min_length) + " characters");
        if (length > max_length)
            return wrong("drīkst būt ne garāks par " + std::to_string(max_length) + " zīmēm",
                         "must have at most " + std::to_string(max_length) + " characters");
    }
    return format == Format::none ? std::nullopt : check_format(format, text);
}

std::optional<Finding> ValueRule::check_list(CborReader& reader) const {
    const std::size_t count = reader.array();
    std::optional<Finding> found;
    if (count < min_items) found = wrong("saraksts par īsu", "is too short a list");
    if (count > max_items) found = wrong("saraksts par garu", "is too long a list");
    for (std::size_t i = 0; i < count; ++i) {
        const BytesView element = reader.item();
        if (found && !found->warning) continue;
        if (auto finding = element == "\xf6" ? wrong_form(items->form) : items->check(element)) found = std::move(finding);
    }
    return found;
}

std::optional<Finding> ValueRule::check_range(double number) const {
    if (minimum && number < *minimum) return wrong("jābūt vismaz " + printed(*minimum), "must be at least " + printed(*minimum));
    if (maximum && number > *maximum) return wrong("jābūt ne vairāk par " + printed(*maximum), "must be at most " + printed(*maximum));
    return std::nullopt;
}

std::optional<Problem> TypeSchema::check(std::string_view field_name, std::string_view column_name, BytesView value) const {
    const FieldSchema* field = this->field(field_name);
    if (field != nullptr && !column_name.empty()) {
        const auto column = field->columns.find(column_name);
        field = column == field->columns.end() ? nullptr : &column->second;
    }
    if (field == nullptr) {
        const std::string name = std::string(field_name) + (column_name.empty() ? "" : ".") + std::string(column_name);
        return Problem{name, {name + ": šāda lauka nav", name + ": there is no such field"}, false};
    }
    return field->check(value);
}

std::optional<Problem> FieldSchema::check(BytesView value) const {
    if (is_null(value)) return std::nullopt;
    std::optional<Finding> found;
    if (rule) {
        found = rule->check(value);
    } else {
        // A row's presence, without a column, is yes or no.
        CborReader reader(value);
        if (reader.peek() != CborType::boolean) found = wrong("jānorāda rindas lauks", "needs a column of the row");
        reader.skip();
        reader.finish();
    }
    if (!found) return std::nullopt;
    return Problem{name, {label.lv + ": " + found->reason.lv, label.en + ": " + found->reason.en}, found->warning};
}

}  // namespace kopdarbs
