#include "core/record/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/record/json_document.h"

namespace kopdarbs {
namespace {

using Json = nlohmann::json;

[[noreturn]] void invalid(const std::string& what) {
    fail(ErrorCode::invalid, what);
}

void write(CborWriter& out, const Json& json, int depth) {
    if (depth > kMaxJsonDepth) invalid("JSON nested too deeply");
    switch (json.type()) {
        case Json::value_t::null: out.null(); break;
        case Json::value_t::boolean: out.boolean(json.get<bool>()); break;
        case Json::value_t::number_unsigned:
            if (json.get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxJsonInteger)) invalid("an integer beyond ±9007199254740991");
            out.uint(json.get<std::uint64_t>());
            break;
        case Json::value_t::number_integer:
            if (json.get<std::int64_t>() < -kMaxJsonInteger) invalid("an integer beyond ±9007199254740991");
            out.integer(json.get<std::int64_t>());
            break;
        case Json::value_t::number_float: {
            const double value = json.get<double>();
            if (!std::isfinite(value)) invalid("a number that is not finite");
            out.number(value);
            break;
        }
        case Json::value_t::string: out.text(json.get_ref<const std::string&>()); break;
        case Json::value_t::array:
            out.array(json.size());
            for (const Json& item : json) write(out, item, depth + 1);
            break;
        case Json::value_t::object: {
            // Canonical order is that of the encoded keys: shorter keys first.
            std::vector<Json::const_iterator> members;
            for (auto it = json.begin(); it != json.end(); ++it) members.push_back(it);
            std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
                return a.key().size() != b.key().size() ? a.key().size() < b.key().size() : a.key() < b.key();
            });
            out.map(members.size());
            for (const auto& it : members) {
                out.text(it.key());
                write(out, it.value(), depth + 1);
            }
            break;
        }
        default: invalid("JSON of a kind that is not used here");
    }
}

Json parse(std::string_view json) {
    try {
        return Json::parse(json.begin(), json.end());
    } catch (const Json::parse_error& e) {
        // Only the place is told: the input may be a client's.
        invalid("not JSON: at byte " + std::to_string(e.byte));
    } catch (const Json::exception&) {
        invalid("not JSON: a number out of range");
    }
}

void append_number(std::string& out, double value) {
    // The shortest of the precisions that reads back as the same number.
    char text[40];
    for (int precision = 15; precision <= 17; ++precision) {
        std::snprintf(text, sizeof text, "%.*g", precision, value);
        if (std::strtod(text, nullptr) == value) break;
    }
    out += text;
    if (std::string_view(text).find_first_of(".eE") == std::string_view::npos) out += ".0";
}

void append(std::string& out, CborReader& in) {
    switch (in.peek()) {
        case CborType::uint:
        case CborType::negative: {
            char digits[24];
            const auto end = std::to_chars(digits, digits + sizeof digits, in.integer()).ptr;
            out.append(digits, end);
            break;
        }
        case CborType::octets: append_json_string(out, to_base64(in.octets())); break;
        case CborType::text: append_json_string(out, in.text()); break;
        case CborType::array:
            out += '[';
            for (std::size_t i = 0, n = in.array(); i < n; ++i) {
                if (i > 0) out += ',';
                append(out, in);
            }
            out += ']';
            break;
        case CborType::map:
            out += '{';
            for (std::size_t i = 0, n = in.map(); i < n; ++i) {
                if (i > 0) out += ',';
                if (in.peek() == CborType::text)
                    append_json_string(out, in.text());
                else
                    append_json_string(out, to_base64(in.item()));
                out += ':';
                append(out, in);
            }
            out += '}';
            break;
        case CborType::boolean: out += in.boolean() ? "true" : "false"; break;
        case CborType::null:
            in.null();
            out += "null";
            break;
        case CborType::number: append_number(out, in.number()); break;
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t start = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        // Eight characters at a time that need no escape: none below 0x20, no quote, no backslash (the usual bit tricks for "has a zero
        // octet").
        for (std::uint64_t eight = 0; text.size() - i >= 8; i += 8) {
            std::memcpy(&eight, text.data() + i, 8);
            constexpr std::uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
            const std::uint64_t quote = eight ^ (ones * '"'), backslash = eight ^ (ones * '\\');
            const std::uint64_t special = ((eight - ones * 0x20) | (quote - ones) | (backslash - ones)) & ~eight & tops;
            if (special != 0) break;
        }
        if (i == text.size()) break;
        const char c = text[i];
        if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text.substr(start, i - start));
        start = i + 1;
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default: {
                char escape[8];
                std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
                out += escape;
            }
        }
    }
    out.append(text.substr(start));
    out += '"';
}

Value value_from_json(std::string_view json) {
    CborWriter out;
    write(out, parse(json), 0);
    return out.take();
}

void append_json(std::string& out, BytesView value) {
    CborReader in(value, CborReader::Known{});
    append(out, in);
}

std::string to_json(BytesView value) {
    std::string out;
    append_json(out, value);
    return out;
}

RecordState::Document document_from_json(std::string_view json) {
    RecordState::Document printed;
    if (read_printed_document(json, printed)) return printed;
    const Json object = Json::parse(json.begin(), json.end(), nullptr, false);
    if (!object.is_object()) fail(ErrorCode::corrupt, "a record's document is not a JSON object");
    RecordState::Document document;
    document.reserve(object.size());
    for (auto it = object.begin(); it != object.end(); ++it) {
        CborWriter out;
        write(out, it.value(), 0);
        document.emplace_back(it.key(), out.take());
    }
    return document;
}

std::string ops_to_json(const std::vector<Op>& ops) {
    std::string out = "[";
    for (const Op& op : ops) {
        CborWriter path;
        write_path(path, op.path);
        out += out.size() > 1 ? ",{\"path\":" : "{\"path\":";
        append_json(out, path.bytes());
        out += ",\"value\":";
        append_json(out, op.value);
        out += '}';
    }
    return out + "]";
}

Value text_value(std::string_view text) {
    CborWriter w;
    w.text(text);
    return w.take();
}
Value bool_value(bool value) {
    return value ? "\xf5" : "\xf4";
}
Value int_value(std::int64_t value) {
    CborWriter w;
    w.integer(value);
    return w.take();
}
Value null_value() {
    return "\xf6";
}
bool is_null(BytesView value) {
    return value == "\xf6";
}

std::string_view text_of(BytesView value) {
    if (value.empty() || static_cast<std::uint8_t>(value.front()) >> 5 != 3) return {};
    CborReader in(value, CborReader::Known{});
    return in.text();
}

}  // namespace kopdarbs
