// A text field: a sequence CRDT over Unicode scalar values (plain Fugue; Weidner and Kleppmann, arXiv 2305.00583).
//
// Every inserted character has an id, (dot, offset): the change that inserted it and its place among that change's characters of
// this field. Characters form Fugue's tree: each is the left or right child of another; siblings are ordered by (replica, counter,
// offset); the text is the tree's in-order walk, so concurrent runs never interleave. The root is a virtual newline before the
// first character. A deleted character keeps its id and place (a tombstone) and loses its content.
//
// Invariants
//  1. The state is a function of the set of operations applied: any causal order, batching, duplication or join gives equal bytes.
//  2. A parent is always present: an operation that names an unknown character throws Error{corrupt} and changes nothing.
//  3. Positions and lengths count Unicode scalar values, and never split one.
// Threading: none; a Text belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cbor.h"
#include "core/base/dot.h"

namespace kopdarbs {

/// The longest text that a field may hold, in scalar values, tombstones included.
constexpr std::uint32_t kMaxTextLength = 16'000'000;

/// A character. The zero dot names the virtual newline that opens the text.
struct CharId {
    Dot dot;
    std::uint32_t offset = 0;
    friend bool operator==(const CharId& a, const CharId& b) { return a.dot == b.dot && a.offset == b.offset; }
    friend bool operator!=(const CharId& a, const CharId& b) { return !(a == b); }
    friend bool operator<(const CharId& a, const CharId& b) { return a.dot != b.dot ? a.dot < b.dot : a.offset < b.offset; }
};

/// What a caller asks: at scalar value `position`, delete `deleted` scalar values, then insert `inserted` (UTF-8, NFC).
/// Several apply one after another, each to the result of those before.
struct Splice {
    std::uint32_t position = 0;
    std::uint32_t deleted = 0;
    std::string inserted;
};

/// What a change carries: either `text` inserted as a chain (the first character is a child of `at` on side `right`, each other the
/// right child of the one before; offsets run on from those of the change's earlier inserts into this field), or `deleted` > 0
/// characters: with ids from `at` on (consecutive offsets of one dot), or, `by_change`, the first characters of that many consecutive
/// changes of one replica, from `at` (of offset 0) on: what was typed key by key.
struct TextOp {
    CharId at;
    bool right = true;
    std::string text;
    std::uint32_t deleted = 0;
    bool by_change = false;
};

/// A line that a change altered: the id of the newline that opens it and its text afterwards; `gone` when that newline was deleted.
struct AlteredLine {
    CharId newline;
    bool gone = false;
    std::string text;
};

struct TextEdit {
    std::vector<TextOp> ops;
    /// In order of newline id, each at most once. Lines inserted whole are not among them.
    std::vector<AlteredLine> lines;
    bool empty() const { return ops.empty(); }
};

class Text {
public:
    Text();
    ~Text();
    Text(const Text& other);
    Text(Text&& other) noexcept;
    Text& operator=(const Text& other);
    Text& operator=(Text&& other) noexcept;

    /// Applies a caller's splices as change `dot` (which nothing here carries yet) and returns what the change must say.
    /// Lines inserted whole are placed before the newline that opens the next line, so that they alter no line.
    /// Throws Error{invalid}, changing nothing, for a splice outside the text, text that is not UTF-8 or a result too long.
    TextEdit splice(const Dot& dot, const std::vector<Splice>& splices);
    /// Applies a change's operations. Idempotent by dot. Throws Error{corrupt}, changing nothing, for what cannot be.
    void apply(const Dot& dot, const std::vector<TextOp>& ops);
    /// Joins another replica's whole state. Throws Error{corrupt} when the two contradict each other.
    void join(const Text& other);

    /// The text shown, in UTF-8.
    std::string text() const;
    /// In scalar values.
    std::uint32_t length() const;
    /// No operation was ever applied.
    bool untouched() const;
    /// The text of the line opened by `newline`, without it; absent when that newline is deleted or unknown.
    bool line(const CharId& newline, std::string& out) const;
    /// Position of that line's first scalar value; absent likewise.
    bool line_start(const CharId& newline, std::uint32_t& position) const;
    /// Whether every character shown was inserted by a change in `seen`.
    bool shown_is_within(const Context& seen) const;

    /// The structure without the characters shown: canonical CBOR, one item. With text() it is the whole state.
    Value encode() const;
    /// What encode() gives, without its work where nothing changed since decode().
    Value structure() const;
    /// Throws Error{corrupt} when the two do not fit together or were not made by encode() and text().
    static Text decode(BytesView structure, std::string_view shown);

private:
    struct Tree;
    Text(std::unique_ptr<Tree> tree, BytesView structure);
    std::unique_ptr<Tree> tree_;
    Value structure_;  ///< what it was decoded from; empty once it may have changed
};

/// One canonical CBOR item: how a change carries the operations. With the change's own dot as `self`, ids of the same replica are
/// written relative to it (most are, and 8 octets are saved); the reader must then give the same. Throws Error{corrupt}.
Value encode_text_ops(const std::vector<TextOp>& ops, const Dot& self = {});
std::vector<TextOp> decode_text_ops(BytesView bytes, const Dot& self = {});

/// The splices that turn `before` into `after`: word-wise (Myers, 1986), never splitting a scalar value. Both UTF-8.
std::vector<Splice> diff_words(std::string_view before, std::string_view after);
/// The same without the letters that a word keeps at its ends: who adds an ending has not written the word anew.
std::vector<Splice> diff_letters(std::string_view before, std::string_view after);
/// Whether all of `text` is of one word, as diff_words cuts it.
bool is_one_word(std::string_view text);
/// Where the word begins that `position`, in scalar values, lies within; `position` itself between words.
std::uint32_t word_start(std::string_view text, std::uint32_t position);

}  // namespace kopdarbs
