// What stands behind Text's pointer, for its own sources.
#pragma once

#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/record/text.h"
#include "core/record/text_lines.h"
#include "core/record/text_tree.h"

namespace kopdarbs {

struct Text::Tree {
    Tree() = default;
    explicit Tree(text::CharIds ids) : sequence(std::move(ids)) {}
    text::Sequence sequence;
    text::LineCache line;
};

namespace text {

[[noreturn]] inline void refuse(const char* what) {
    fail(ErrorCode::corrupt, std::string("text: ") + what);
}

inline bool is_change(const Dot& dot) {
    return !dot.replica.is_zero() && dot.counter > 0 && dot.counter <= kMaxCounter;
}

}  // namespace text
}  // namespace kopdarbs
