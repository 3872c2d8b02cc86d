// Text as it enters and as it is shown: normal form C, and columns on a terminal.
//
// Everything that a person types or a file holds becomes NFC before it reaches a vault, so that equal words are equal bytes whatever
// keyboard or system they came from.
// Threading: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kopdarbs::posix {

/// `text` in Unicode's normal form C. Throws Error{invalid} when it is not well-formed UTF-8.
std::string to_nfc(std::string_view text);

/// Columns that well-formed UTF-8 takes on a terminal: combining marks none, wide characters two.
std::size_t display_width(std::string_view text);

}  // namespace kopdarbs::posix
