// Causality: which change, after which others, and at what hybrid time.
//
// Invariants
//  1. A counter is between 1 and kMaxCounter; a Context never holds a zero or an entry twice.
//  2. A Context is sorted by replica, so that equal contexts have equal bytes.
// Sources: dotted version vectors (Preguiça, Baquero et al., 2010); hybrid logical clocks (Kulkarni et al., 2014).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/ids.h"

namespace kopdarbs {

/// The largest counter or wall reading that is believed (2^53 - 1: exact in every host's numbers).
constexpr std::uint64_t kMaxCounter = (std::uint64_t{1} << 53) - 1;

/// One change: number `counter` of `replica`.
struct Dot {
    ReplicaId replica;
    std::uint64_t counter = 0;

    bool is_zero() const { return counter == 0 && replica.is_zero(); }
    friend bool operator==(const Dot& a, const Dot& b) { return a.counter == b.counter && a.replica == b.replica; }
    friend bool operator!=(const Dot& a, const Dot& b) { return !(a == b); }
    friend bool operator<(const Dot& a, const Dot& b) { return a.replica != b.replica ? a.replica < b.replica : a.counter < b.counter; }
};

/// "REPLICA:COUNTER".
std::string to_string(const Dot& dot);
/// Throws Error{invalid}.
Dot parse_dot(std::string_view text);

/// A causal context: for each replica the highest counter that has been seen.
class Context {
public:
    using Entry = std::pair<ReplicaId, std::uint64_t>;

    bool covers(const Dot& dot) const { return dot.counter <= at(dot.replica); }
    bool covers(const Context& other) const;
    /// The highest counter of `replica`, 0 when none.
    std::uint64_t at(const ReplicaId& replica) const;
    void add(const Dot& dot);
    void join(const Context& other);
    /// Sets (or, with 0, removes) one replica's counter, lowering it if need be: dead own dots leave a context.
    void set(const ReplicaId& replica, std::uint64_t counter);
    bool empty() const { return entries_.empty(); }
    const std::vector<Entry>& entries() const { return entries_; }
    friend bool operator==(const Context& a, const Context& b) { return a.entries_ == b.entries_; }
    friend bool operator!=(const Context& a, const Context& b) { return !(a == b); }

private:
    std::vector<Entry> entries_;
};

/// A hybrid logical time: milliseconds since 1970 in the upper 48 bits, a counter in the lower 16.
struct Stamp {
    std::uint64_t packed = 0;

    static Stamp from_ms(std::uint64_t ms) { return {ms << 16}; }
    std::uint64_t ms() const { return packed >> 16; }
    std::uint32_t counter() const { return static_cast<std::uint32_t>(packed & 0xffff); }
    /// The next stamp; a full counter carries over into the milliseconds.
    Stamp next() const { return {packed + 1}; }
    friend bool operator==(const Stamp& a, const Stamp& b) { return a.packed == b.packed; }
    friend bool operator!=(const Stamp& a, const Stamp& b) { return a.packed != b.packed; }
    friend bool operator<(const Stamp& a, const Stamp& b) { return a.packed < b.packed; }
};

/// The largest stamp that is believed (the year 6429, and 2^53 in its milliseconds' bound).
constexpr std::uint64_t kMaxStampMs = (std::uint64_t{1} << 47) - 1;

/// RFC 3339 with milliseconds and "+counter", in UTC: 2026-11-21T10:02:03.004Z+0.
std::string to_string(const Stamp& stamp);
/// RFC 3339 with milliseconds, in UTC.
std::string to_rfc3339(std::uint64_t unix_ms);

/// A replica's own hybrid clock: never runs backwards, learns only from the server.
class HybridClock {
public:
    explicit HybridClock(Stamp last = {}) : last_(last) {}
    /// The stamp of a change made when the wall says `wall_ms`.
    Stamp tick(std::uint64_t wall_ms);
    /// A server's stamp was heard.
    void hear(Stamp server) { last_ = last_ < server ? server : last_; }
    Stamp last() const { return last_; }

private:
    Stamp last_;
};

}  // namespace kopdarbs
