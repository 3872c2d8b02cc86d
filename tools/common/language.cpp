#include "tools/common/language.h"

#include <cstdlib>
#include <optional>
#include <vector>

#include "tools/common/outcome.h"

namespace kopdarbs::tools {
namespace {

constexpr std::string_view kSeparator = " / ";

/// The separator between two texts that hold as many of it each.
std::optional<std::size_t> middle_separator(std::string_view message) {
    std::vector<std::size_t> found;
    for (std::size_t at = message.find(kSeparator); at != message.npos; at = message.find(kSeparator, at + 1)) found.push_back(at);
    if (found.size() % 2 == 0) return std::nullopt;
    return found[found.size() / 2];
}

/// Length of "field.column: " before the reason, 0 when there is none: labels have capitals or spaces, fields have not.
std::size_t field_prefix(std::string_view message) {
    const std::size_t end = message.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.");
    return end != message.npos && end > 0 && message.substr(end, 2) == ": " ? end + 2 : 0;
}

}  // namespace

Language choose_language(const std::string& option) {
    if (option == "lv") return Language::lv;
    if (option == "en") return Language::en;
    if (!option.empty()) throw UsageError("--lang: '" + option + "' is neither lv nor en");
    for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0') return std::string_view(value).substr(0, 2) == "lv" ? Language::lv : Language::en;
    }
    return Language::en;
}

std::string in_language(std::string_view message, Language language) {
    const auto middle = middle_separator(message);
    if (!middle) return std::string(message);
    const std::string_view latvian = message.substr(*middle + kSeparator.size());
    if (language == Language::en) return std::string(message.substr(0, *middle));
    return std::string(message.substr(0, field_prefix(message))).append(latvian);
}

const std::string& pick(const Label& label, Language language) {
    return language == Language::lv ? label.lv : label.en;
}

}  // namespace kopdarbs::tools
