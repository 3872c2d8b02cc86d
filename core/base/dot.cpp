#include "core/base/dot.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "core/base/error.h"

namespace kopdarbs {

std::string to_string(const Dot& dot) {
    return to_string(dot.replica) + ":" + std::to_string(dot.counter);
}

Dot parse_dot(std::string_view text) {
    const auto colon = text.find(':');
    Dot dot;
    if (colon == text.npos) fail(ErrorCode::invalid, "not a dot (REPLICA:COUNTER)");
    dot.replica = parse_replica_id(text.substr(0, colon));
    const auto digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), dot.counter);
    if (error != std::errc() || end != digits.data() + digits.size() || dot.counter == 0 || dot.counter > kMaxCounter)
        fail(ErrorCode::invalid, "not a dot (REPLICA:COUNTER)");
    return dot;
}

namespace {
constexpr std::size_t kFewEntries = 8;  // which are joined where they stand

bool before(const Context::Entry& entry, const ReplicaId& replica) {
    return entry.first < replica;
}
}  // namespace

std::uint64_t Context::at(const ReplicaId& replica) const {
    const auto it = std::lower_bound(entries_.begin(), entries_.end(), replica, before);
    return it != entries_.end() && it->first == replica ? it->second : 0;
}

bool Context::covers(const Context& other) const {
    return std::all_of(other.entries_.begin(), other.entries_.end(), [this](const Entry& e) { return e.second <= at(e.first); });
}

void Context::add(const Dot& dot) {
    if (at(dot.replica) < dot.counter) set(dot.replica, dot.counter);
}

void Context::join(const Context& other) {
    if (other.entries_.size() <= kFewEntries) {
        for (const Entry& e : other.entries_) add({e.first, e.second});
        return;
    }
    std::vector<Entry> joined;
    joined.reserve(entries_.size() + other.entries_.size());
    auto a = entries_.begin();
    auto b = other.entries_.begin();
    while (a != entries_.end() && b != other.entries_.end()) {
        if (a->first == b->first) {
            joined.emplace_back(a->first, std::max(a->second, b->second));
            ++a, ++b;
        } else {
            joined.push_back(a->first < b->first ? *a++ : *b++);
        }
    }
    joined.insert(joined.end(), a, entries_.end());
    joined.insert(joined.end(), b, other.entries_.end());
    entries_ = std::move(joined);
}

void Context::set(const ReplicaId& replica, std::uint64_t counter) {
    const auto it = std::lower_bound(entries_.begin(), entries_.end(), replica, before);
    const bool present = it != entries_.end() && it->first == replica;
    if (present && counter == 0)
        entries_.erase(it);
    else if (present)
        it->second = counter;
    else if (counter != 0)
        entries_.insert(it, {replica, counter});
}

std::string to_rfc3339(std::uint64_t unix_ms) {
    // Civil date from days since 1970-03-01 of year 0 eras (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    const std::uint64_t days = unix_ms / 86'400'000 + 719'468;
    const std::uint64_t era = days / 146'097, day_of_era = days % 146'097;
    const std::uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::uint64_t month_from_march = (5 * day_of_year + 2) / 153;
    const std::uint64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    const std::uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    const std::uint64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    const std::uint64_t ms = unix_ms % 86'400'000;
    char text[64];
    std::snprintf(text, sizeof text, "%04llu-%02llu-%02lluT%02llu:%02llu:%02llu.%03lluZ", static_cast<unsigned long long>(year),
                  static_cast<unsigned long long>(month), static_cast<unsigned long long>(day),
                  static_cast<unsigned long long>(ms / 3'600'000), static_cast<unsigned long long>(ms / 60'000 % 60),
                  static_cast<unsigned long long>(ms / 1000 % 60), static_cast<unsigned long long>(ms % 1000));
    return text;
}

std::string to_string(const Stamp& stamp) {
    return to_rfc3339(stamp.ms()) + "+" + std::to_string(stamp.counter());
}

Stamp HybridClock::tick(std::uint64_t wall_ms) {
    const Stamp wall = Stamp::from_ms(std::min(wall_ms, kMaxStampMs));
    last_ = last_ < wall ? wall : last_.next();
    return last_;
}

}  // namespace kopdarbs
