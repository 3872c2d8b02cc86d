// A text's tree as records, whatever the history behind it: what encode() writes, decode() reads and join() unites.
//
// A record is a run of one replica's characters, each the right child of the one before: of changes with consecutive counters that
// inserted one character each (typed), or of one change that inserted several (the change's first record, and more of them).
//
// Invariants
//  1. Records are maximal, so that they are a function of the set of operations.
//  2. They are ordered by (replica number, key); replica numbers are in the order of replica ids; record 0 is the root.
// Threading: none.
#pragma once

#include <cstdint>
#include <vector>

#include "core/record/text_tree.h"

namespace kopdarbs::text {

enum class RecordKind : std::uint8_t { typed, change, more };

struct Record {
    Ref first;
    Ref parent;
    std::uint32_t length = 1;
    RecordKind kind = RecordKind::typed;
    bool left = false;
    std::uint64_t counter = 0;  ///< of the first character's change
    std::uint64_t last_counter() const { return kind == RecordKind::typed ? counter + length - 1 : counter; }
};

/// The records of a text. `renumber` gives the replica numbers to use for its own, in the order of replica ids.
std::vector<Record> records_of(const Sequence& sequence, const std::vector<std::uint32_t>& renumber);

/// The ids of `records`, given the replicas' ids (number 1 first). Throws Error{corrupt} when there are too many characters.
CharIds ids_of(const std::vector<Record>& records, const std::vector<ReplicaId>& replicas);

/// The in-order walk over the tree that `records` describe.
class Walk {
public:
    /// Throws Error{corrupt} when a parent does not exist.
    explicit Walk(const std::vector<Record>& records);
    /// The next span, not longer than what its children cut; false at the end. Whether it is shown is for the caller to say.
    bool next(Span& span);

private:
    struct Frame {
        std::uint32_t record = 0;
        std::uint32_t at = 0;     ///< the next character of the record
        std::uint32_t child = 0;  ///< the next of the record's children
        std::uint32_t later = 0;  ///< children on later_ that belong to other frames
        bool has_left = false;    ///< character `at` has left children
    };
    std::uint32_t holder_of(const Ref& ref) const;
    void enter(std::uint32_t record);
    void cut(Frame& frame, std::uint32_t end, bool has_right, Span& span);

    const std::vector<Record>& records_;
    std::vector<std::vector<std::uint32_t>> pages_;  ///< by replica: for every kPage keys, the record that holds the first
    std::vector<std::uint32_t> begin_;               ///< by record: its children's place in children_
    std::vector<std::uint64_t> children_;            ///< place in the record, side and number of the child, ordered
    std::vector<Frame> frames_;
    std::vector<std::uint32_t> later_;  ///< children greater than their parent's next character: after the rest of its record
};

}  // namespace kopdarbs::text
