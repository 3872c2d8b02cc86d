// A JSON object on one line, written member by member in the order that the command line promises.
// Threading: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/record/json.h"

namespace kopdarbs::tools {

class JsonObject {
public:
    JsonObject& text(std::string_view key, std::string_view value) {
        name(key);
        append_json_string(out_, value);
        return *this;
    }
    /// `json` is JSON already.
    JsonObject& raw(std::string_view key, std::string_view json) {
        name(key);
        out_ += json;
        return *this;
    }
    JsonObject& number(std::string_view key, std::uint64_t value) { return raw(key, std::to_string(value)); }
    JsonObject& integer(std::string_view key, std::int64_t value) { return raw(key, std::to_string(value)); }
    JsonObject& boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
    /// null for an empty text.
    JsonObject& text_or_null(std::string_view key, std::string_view value) { return value.empty() ? raw(key, "null") : text(key, value); }
    std::string str() const { return out_ + "}"; }

private:
    void name(std::string_view key) {
        if (out_.size() > 1) out_ += ',';
        append_json_string(out_, key);
        out_ += ':';
    }
    std::string out_ = "{";
};

/// `[…]` of what `json` makes of each item.
template <class Items, class Json>
std::string json_array(const Items& items, Json json) {
    std::string out = "[";
    for (const auto& item : items) {
        if (out.size() > 1) out += ',';
        out += json(item);
    }
    return out + "]";
}

inline std::string json_string(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

}  // namespace kopdarbs::tools
