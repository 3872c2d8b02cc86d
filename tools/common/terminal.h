// Asking a person for a secret: on the terminal that controls the process, whatever stdin and stdout are.
//
// Invariant: the terminal echoes again when read_hidden_line ends, be it by Ctrl-C.
// Threading: for a program's main thread; it takes over four signals while it waits.
#pragma once

#include <optional>
#include <string>

#include "core/base/bytes.h"

namespace kopdarbs::tools {

bool has_terminal();

/// One line, typed without echo; absent when there is no terminal. Throws Error{io}.
std::optional<Bytes> read_hidden_line(const std::string& prompt);

}  // namespace kopdarbs::tools
