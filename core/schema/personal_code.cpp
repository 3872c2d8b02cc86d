#include "core/schema/value_rule.h"

namespace kopdarbs {
namespace {

constexpr std::size_t kDigits = 11;
constexpr std::size_t kHyphenAt = 6;
constexpr int kWeights[kDigits - 1] = {1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
constexpr int kFirstNew = 32, kLastNew = 39;

}  // namespace

std::optional<bool> personal_code_agrees(std::string_view code) {
    int digits[kDigits] = {};
    std::size_t count = 0;
    for (std::size_t i = 0; i < code.size(); ++i) {
        const char c = code[i];
        if (c == '-' && i == kHyphenAt) continue;
        if (c < '0' || c > '9' || count == kDigits) return std::nullopt;
        digits[count++] = c - '0';
    }
    if (count != kDigits) return std::nullopt;

    const int first = digits[0] * 10 + digits[1];
    if (first > kLastNew) return std::nullopt;
    // The new form is random after its first two digits: there is nothing that could disagree.
    if (first >= kFirstNew) return true;

    const int century = digits[6];
    if (century > 2) return false;
    const int year = 1800 + century * 100 + digits[4] * 10 + digits[5];
    if (!is_calendar_day(year, digits[2] * 10 + digits[3], first)) return false;
    int sum = 0;
    for (std::size_t i = 0; i + 1 < kDigits; ++i) sum += kWeights[i] * digits[i];
    return (1101 - sum) % 11 % 10 == digits[kDigits - 1];
}

}  // namespace kopdarbs
