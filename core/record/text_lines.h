// The lines of a text, and which of them a change alters.
//
// A line is opened by a newline that is shown, or by the root, and known by that newline's character. Only the lines around the
// places that a change touches are read.
// Threading: none.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/record/text.h"
#include "core/record/text_tree.h"

namespace kopdarbs::text {

/// Where in the content a line begins.
struct LineStart {
    Ref newline;
    const Leaf* leaf = nullptr;
    std::size_t byte = 0;
    std::size_t distance = 0;  ///< bytes of content between its beginning and the gap asked for
};

/// The line that holds the gap before byte `byte` of the leaf's content.
LineStart line_around(const Leaf* leaf, std::size_t byte);
/// The line that holds the gap before shown character number `index` (at most the length).
LineStart line_at(const Sequence& sequence, std::uint32_t index);
/// The line that `newline` opens, which is shown or the root.
LineStart line_opened_by(const Sequence& sequence, const Place& newline);
/// Its text, without newlines.
std::string line_text(const LineStart& line);
/// Whether it holds a character other than those of `replica` from `key` on.
bool holds_older(const LineStart& line, std::uint32_t replica, std::uint32_t key);

/// The line that was edited last: who types stays on it, and it need not be gathered from the leaves again.
///
/// Every change of the text is either followed here, or makes it forgotten.
class LineCache {
public:
    void forget() { known_ = false; }
    /// Whether [position, position + deleted) lies within the line.
    bool holds(std::uint32_t position, std::uint32_t deleted) const {
        return known_ && position >= start_ && position - start_ <= length_ && deleted <= length_ - (position - start_);
    }
    /// Follows a change within the line; `inserted`, of `added` characters, holds no newline.
    void edit(std::uint32_t position, std::uint32_t deleted, std::string_view inserted, std::uint32_t added);
    /// Takes in the line around `position`.
    void gather(const Sequence& sequence, std::uint32_t position);
    AlteredLine altered() const { return {newline_, false, text_}; }

private:
    bool known_ = false;
    CharId newline_;
    std::uint32_t start_ = 0;   ///< index of its first character
    std::uint32_t length_ = 0;  ///< in characters
    std::string text_;
};

/// Watches one change, whose characters are those of `replica` from `key` on.
class LineWatch {
public:
    LineWatch(const Sequence& sequence, std::uint32_t replica, std::uint32_t key) : sequence_(sequence), replica_(replica), key_(key) {}

    /// Before characters are inserted or deleted at `index`.
    void touch(std::uint32_t index);
    /// A shown newline is about to be deleted.
    void lose(const Ref& newline);
    /// A newline of this change was inserted.
    void gain(const Ref& newline) { gained_.push_back(newline); }
    /// What the change altered, in order of newline id.
    std::vector<AlteredLine> altered() const;

private:
    bool is_new(const Ref& ref) const { return ref.replica == replica_ && ref.key >= key_; }
    const Sequence& sequence_;
    std::uint32_t replica_;
    std::uint32_t key_;
    std::map<Ref, std::string> before_;  ///< the touched lines as they were; of lost ones nothing is kept
    std::vector<Ref> gained_;
};

}  // namespace kopdarbs::text
