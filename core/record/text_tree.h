// The sequence under a text: all characters in the order of the in-order walk of Fugue's tree, tombstones included.
//
// A span is a run of characters with consecutive keys, each the right child of the one before, all shown or all deleted. Spans lie
// in the leaves of a B+ tree whose inner nodes count the characters shown, and a leaf owns the UTF-8 of its shown characters.
//
// Invariants
//  1. The first span is the root alone: it is not shown, and nothing comes before it.
//  2. Only the first character of a span may have left children, and that span says so (has_left); every character but the last has
//     the next as a right child, and the span says whether the last has any (has_right).
//  3. A leaf's content is the UTF-8 of its shown spans, in order. A leaf has at least one span, and never goes.
//  4. The index (character to leaf) is built when lookups by id become frequent, and then kept up to date.
// Positions: `index` counts characters shown, from 0; a Place names any character. Places live until the next change.
// Threading: none.
// Sources: Weidner and Kleppmann, arXiv 2305.00583 (the tree); B+ trees with counts (Knuth, vol. 3, 6.2.3).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/text_ids.h"

namespace kopdarbs::text {

struct Span {
    Ref first;
    Ref parent;  ///< of the first character
    std::uint32_t length = 1;
    bool visible = false;
    bool left = false;  ///< the first character's side
    bool has_left = false;
    bool has_right = false;
    Ref last() const { return first.plus(length - 1); }
    bool holds(const Ref& ref) const { return ref.replica == first.replica && ref.key - first.key < length; }
};

struct Inner;

struct Node {
    Inner* parent = nullptr;
    std::uint32_t slot = 0;  ///< its place among the parent's children
};

struct Leaf : Node {
    static constexpr std::uint32_t kSpans = 32;
    static constexpr std::size_t kBytes = 1536;  ///< of content
    std::uint32_t number = 0;
    std::uint32_t count = 0;    ///< of spans
    std::uint32_t visible = 0;  ///< characters
    Leaf* prev = nullptr;
    Leaf* next = nullptr;
    std::string content;
    std::array<Span, kSpans> spans;
};

struct Inner : Node {
    static constexpr std::uint32_t kChildren = 32;
    bool over_leaves = true;
    std::uint32_t count = 0;
    std::array<std::uint32_t, kChildren> visible{};
    std::array<Node*, kChildren> children{};
};

/// A character: number `offset` of a leaf's span.
struct Place {
    Leaf* leaf = nullptr;
    std::uint32_t span = 0;
    std::uint32_t offset = 0;
    const Span& in() const { return leaf->spans[span]; }
    Ref ref() const { return in().first.plus(offset); }
    bool visible() const { return in().visible; }
};

class Sequence {
public:
    CharIds ids;

    Sequence();
    /// To be built: append() and finish() follow.
    explicit Sequence(CharIds known) : ids(std::move(known)) { start(); }
    Sequence(const Sequence& other);
    Sequence& operator=(const Sequence&) = delete;

    /// Characters shown.
    std::uint32_t visible() const { return visible_; }
    /// Characters shown and deleted, the root not counted.
    std::uint32_t total() const { return static_cast<std::uint32_t>(ids.total()); }
    Leaf* first_leaf() const { return leaves_.front().get(); }
    std::size_t leaves() const { return leaves_.size(); }
    Place root() const { return {first_leaf(), 0, 0}; }

    /// The shown character number `index`, which there is.
    Place at_index(std::uint32_t index) const;
    /// Where that character's bytes begin in its leaf's content; of one not shown, where they would.
    std::size_t byte_of(const Place& place) const;
    /// The character `ref`, which there is.
    Place find(const Ref& ref) const;
    /// The neighbours in the walk; `leaf` is null past either end.
    static Place next(const Place& place);
    static Place previous(const Place& place);
    /// Whether `a` comes before `b` in the walk.
    static bool before(const Place& a, const Place& b);
    /// Where a new child of `parent`, later than those it has but ordered by its id, comes: the character it directly follows.
    Place place_child(const Place& parent, bool left, const Ref& child) const;

    /// Inserts shown characters with keys from `first` on directly after `after` in the walk: the first is a child of `parent`, each
    /// other the right child of the one before. Their ids are known already. The flags of the parent's span are kept.
    void insert(Place after, Ref first, std::uint32_t length, std::string_view content, const Ref& parent, bool left);
    /// Deletes up to `count` shown characters of one span from `from` on; how many.
    std::uint32_t erase(Place from, std::uint32_t count);
    /// Moves the keys of `replica` from `key` on up by `by`: a change that belongs before known ones is about to come.
    void shift_keys(std::uint32_t replica, std::uint32_t key, std::uint32_t by);

    /// Building from nothing: spans in the order of the walk, the root first, then finish().
    void append(const Span& span, std::string_view content);
    void finish();

private:
    void start();
    void append_pieces(Span span, std::string_view content);
    void start_leaf();
    Leaf* new_leaf();
    Inner* new_inner(bool over_leaves);
    void insert_child(Node* after, Node* added, bool leaves);
    void recount(Node* node, std::uint32_t visible);
    std::uint32_t visible_below(const Node* node, bool leaf) const;
    void add_visible(Leaf* leaf, std::uint32_t delta);
    void make_room(Place& place, std::size_t bytes);
    void split_leaf(Place& place);
    static void split_span(Leaf* leaf, std::uint32_t span, std::uint32_t offset);
    static void remove_span(Leaf* leaf, std::uint32_t span);
    static bool merge_with_next(Leaf* leaf, std::uint32_t span);
    Place insert_piece(Place after, Ref first, std::uint32_t length, std::string_view content, const Ref& parent, bool left);
    void index(const Span& span, const Leaf* leaf) const;
    void build_index() const;
    Place find_in(Leaf* leaf, const Ref& ref) const;
    Place place_right(const Place& parent, const Ref& child) const;
    Place place_left(const Place& parent, const Ref& child) const;
    Place top_of_right_chain(Place place) const;

    std::vector<std::unique_ptr<Leaf>> leaves_;
    std::vector<std::unique_ptr<Inner>> inners_;
    Node* top_ = nullptr;
    bool top_is_leaf_ = true;
    std::uint32_t visible_ = 0;
    Leaf* tail_ = nullptr;  ///< while building

    mutable Leaf* cursor_ = nullptr;  ///< the leaf last found by index, and the index of its first shown character
    mutable std::uint32_t cursor_start_ = 0;
    Place hint_;                                               ///< the span last changed, or one near it: typing goes on there
    mutable std::vector<std::vector<std::uint32_t>> leaf_of_;  ///< the index: by replica and key, a leaf's number
    mutable bool indexed_ = false;
    mutable std::uint32_t scans_ = 0;
};

}  // namespace kopdarbs::text
