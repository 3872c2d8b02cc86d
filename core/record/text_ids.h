// The names of a text's characters: between (dot, offset), as the world knows them, and (replica number, key), as this text does.
//
// A replica's characters in one text, ordered by (counter, offset), are numbered 0, 1, 2…: that number is a character's key. So a
// run of keystrokes (one change each) and a paste (one change) are both a range of keys, and only the table here knows the dots.
//
// Invariants
//  1. Replica number 0 is the zero replica: one character, the root, of no change. Others are numbered as they are met.
//  2. Keys are dense, and in the order of (counter, offset) within their replica.
//  3. Runs are maximal: two neighbours never have consecutive counters and one size.
// Threading: none.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "core/base/dot.h"
#include "core/record/text.h"

namespace kopdarbs::text {

/// A character, as this text names it.
struct Ref {
    std::uint32_t replica = 0;
    std::uint32_t key = 0;
    bool is_root() const { return replica == 0; }
    Ref plus(std::uint32_t n) const { return {replica, key + n}; }
    friend bool operator==(const Ref& a, const Ref& b) { return a.key == b.key && a.replica == b.replica; }
    friend bool operator!=(const Ref& a, const Ref& b) { return !(a == b); }
    friend bool operator<(const Ref& a, const Ref& b) { return a.replica != b.replica ? a.replica < b.replica : a.key < b.key; }
};

/// `count` changes with consecutive counters from `counter` on, each of which inserted `size` characters; the first has key `key`.
struct ChangeRun {
    std::uint64_t counter = 0;
    std::uint32_t key = 0;
    std::uint32_t size = 0;
    std::uint32_t count = 0;
    std::uint32_t end() const { return key + size * count; }
};

/// One replica's characters.
class ReplicaChars {
public:
    explicit ReplicaChars(const ReplicaId& id, std::uint32_t chars = 0) : id_(id), chars_(chars) {}

    const ReplicaId& id() const { return id_; }
    bool is(const ReplicaId& id) const { return std::memcmp(id_.octets.data(), id.octets.data(), ReplicaId::size) == 0; }
    std::uint32_t chars() const { return chars_; }
    std::uint64_t last_counter() const { return runs_.empty() ? 0 : runs_.back().counter + runs_.back().count - 1; }
    const std::vector<ChangeRun>& runs() const { return runs_; }
    /// Adds `count` changes of `size` characters each, all later than those known.
    void append(std::uint64_t counter, std::uint32_t size, std::uint32_t count = 1);
    /// Adds a change that is unknown so far, wherever it belongs; the key of its first character. Later keys move up by `size`.
    std::uint32_t insert(std::uint64_t counter, std::uint32_t size);
    /// The run that holds change `counter`, or null.
    const ChangeRun* run_of_change(std::uint64_t counter) const;
    /// The run that holds `key`, which there is.
    const ChangeRun& run_of_key(std::uint32_t key) const;
    CharId id_of(std::uint32_t key) const;
    /// How many characters belong to changes up to `counter`.
    std::uint32_t chars_up_to(std::uint64_t counter) const;

private:
    ReplicaId id_;
    std::uint32_t chars_;
    std::vector<ChangeRun> runs_;
};

/// All replicas' characters.
class CharIds {
public:
    CharIds() {
        replicas_.reserve(2);
        replicas_.emplace_back(ReplicaId{}, 1);
    }

    std::uint32_t replicas() const { return static_cast<std::uint32_t>(replicas_.size()); }
    ReplicaChars& operator[](std::uint32_t number) { return replicas_[number]; }
    const ReplicaChars& operator[](std::uint32_t number) const { return replicas_[number]; }
    /// The number of `id`, or 0 when it has no character here.
    std::uint32_t number_of(const ReplicaId& id) const;
    std::uint32_t number_or_add(const ReplicaId& id);
    /// `id` gets the next number; it must not have one.
    void add(const ReplicaId& id) { replicas_.emplace_back(id); }
    /// Whether there is such a character; then it is `ref`.
    bool find(const CharId& id, Ref& ref) const;
    CharId id_of(const Ref& ref) const { return ref.is_root() ? CharId{} : replicas_[ref.replica].id_of(ref.key); }
    /// The order of siblings: (replica, counter, offset).
    bool precedes(const Ref& a, const Ref& b) const {
        return a.replica == b.replica ? a.key < b.key : replicas_[a.replica].id() < replicas_[b.replica].id();
    }
    /// Replica numbers but 0, in the order of their ids.
    std::vector<std::uint32_t> in_order() const;
    /// All characters, the root not counted.
    std::uint64_t total() const;

private:
    std::vector<ReplicaChars> replicas_;
};

}  // namespace kopdarbs::text
