// The formats that a string field may claim. Most refuse; what people know better than a formula only warns (personal codes).
#include "core/schema/value_rule.h"

namespace kopdarbs {
namespace {

constexpr std::size_t kMaxUserId = 128;
constexpr std::size_t kMaxPhone = 64;
constexpr std::size_t kMinPhoneDigits = 3;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// The number that `count` digits at the start of `text` spell, taken off it; -1 when they are not there.
int take_digits(std::string_view& text, std::size_t count) {
    if (text.size() < count) return -1;
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (!is_digit(text[i])) return -1;
        number = number * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return number;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == any_of.npos) return false;
    text.remove_prefix(1);
    return true;
}

bool take_date(std::string_view& text) {
    const int year = take_digits(text, 4);
    if (year < 0 || !take(text, "-")) return false;
    const int month = take_digits(text, 2);
    if (month < 0 || !take(text, "-")) return false;
    const int day = take_digits(text, 2);
    return day >= 0 && is_calendar_day(year, month, day);
}

/// "hh:mm", both within a day.
bool take_hour_and_minute(std::string_view& text) {
    const int hour = take_digits(text, 2);
    if (hour < 0 || hour > 23 || !take(text, ":")) return false;
    const int minute = take_digits(text, 2);
    return minute >= 0 && minute <= 59;
}

bool is_date(std::string_view text) {
    return take_date(text) && text.empty();
}

/// RFC 3339 date-time: the offset is not optional, a leap second is possible.
bool is_date_time(std::string_view text) {
    if (!take_date(text) || !take(text, "Tt ") || !take_hour_and_minute(text) || !take(text, ":")) return false;
    const int second = take_digits(text, 2);
    if (second < 0 || second > 60) return false;
    if (take(text, ".")) {
        if (take_digits(text, 1) < 0) return false;
        while (!text.empty() && is_digit(text.front())) text.remove_prefix(1);
    }
    if (take(text, "Zz")) return text.empty();
    return take(text, "+-") && take_hour_and_minute(text) && text.empty();
}

bool is_record_id(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? text[i] != '-' : !is_hex(text[i])) return false;
    }
    return true;
}

bool is_user_id(std::string_view text) {
    if (text.empty() || text.size() > kMaxUserId) return false;
    for (char c : text)
        if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) return false;
    return true;
}

/// "2026-08/2026-10": the first and the last whole month.
bool is_month_span(std::string_view text) {
    const std::string_view whole = text;
    for (int i = 0; i < 2; ++i) {
        if (take_digits(text, 4) < 0 || !take(text, "-")) return false;
        const int month = take_digits(text, 2);
        if (month < 1 || month > 12) return false;
        if (i == 0 && !take(text, "/")) return false;
    }
    return text.empty() && whole.substr(0, 7) <= whole.substr(8);
}

std::optional<Finding> check_phone(std::string_view text) {
    std::size_t digits = 0;
    bool plain = true;
    for (char c : text) {
        if (is_digit(c))
            ++digits;
        else if (std::string_view("+-() ./").find(c) == std::string_view::npos)
            plain = false;
    }
    if (digits < kMinPhoneDigits || text.size() > kMaxPhone) return Finding{{"nav tālruņa numurs", "is not a phone number"}, false};
    if (plain) return std::nullopt;
    // "26123456 (sister's)" is worth more than no number.
    return Finding{{"numurā ir arī citas zīmes", "holds more than a number"}, true};
}

std::optional<Finding> check_personal_code(std::string_view text) {
    const std::optional<bool> agrees = personal_code_agrees(text);
    if (!agrees) return Finding{{"nav personas koda pieraksts", "does not look like a personal code"}, true};
    if (*agrees) return std::nullopt;
    return Finding{{"datums vai kontrolcipars neatbilst, pārbaudiet", "date or check digit does not agree, please check"}, true};
}

}  // namespace

bool is_calendar_day(int year, int month, int day) {
    if (month < 1 || month > 12 || day < 1) return false;
    constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= kDays[month - 1] + (leap && month == 2 ? 1 : 0);
}

std::optional<Format> format_of(std::string_view name) {
    if (name == "date") return Format::date;
    if (name == "date-time") return Format::date_time;
    if (name == "personal_code") return Format::personal_code;
    if (name == "phone") return Format::phone;
    if (name == "record-id") return Format::record_id;
    if (name == "user-id") return Format::user_id;
    if (name == "month-span") return Format::month_span;
    return std::nullopt;
}

std::optional<Finding> check_format(Format format, std::string_view text) {
    switch (format) {
        case Format::none: break;
        case Format::date:
            if (!is_date(text)) return Finding{{"jābūt datumam GGGG-MM-DD", "must be a date YYYY-MM-DD"}, false};
            break;
        case Format::date_time:
            if (!is_date_time(text))
                return Finding{{"jābūt datumam un laikam ar joslu (RFC 3339)", "must be a date and time with offset (RFC 3339)"}, false};
            break;
        case Format::personal_code: return check_personal_code(text);
        case Format::phone: return check_phone(text);
        case Format::record_id:
            if (!is_record_id(text)) return Finding{{"jābūt ieraksta identifikatoram", "must be the id of a record"}, false};
            break;
        case Format::user_id:
            if (!is_user_id(text)) return Finding{{"jābūt lietotāja identifikatoram", "must be the id of a user"}, false};
            break;
        case Format::month_span:
            if (!is_month_span(text))
                return Finding{{"gaidīts pirmais un pēdējais mēnesis, piemēram, 2026-08/2026-10",
                                "expected are the first and the last month, such as 2026-08/2026-10"},
                               true};
            break;
    }
    return std::nullopt;
}

}  // namespace kopdarbs
