// What enters from the command line, standard input, files and the keyboard: bounded, UTF-8, in normal form C.
// Threading: for a program's main thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace kopdarbs::tools {

/// The most that is read from standard input.
constexpr std::size_t kMaxStdin = std::size_t{64} << 20;

/// The argument itself, or standard input for "-". Throws UsageError when it is not UTF-8, Error{invalid} when it is too long.
std::string text_argument(const std::string& argument);

/// A JSON argument ("-" is standard input) as compact JSON in normal form C, whatever escapes it was written with.
/// Throws UsageError, naming `what`, when it is malformed.
std::string json_argument(const std::string& argument, const char* what);
/// The same; it must be an object.
std::string json_object_argument(const std::string& argument, const char* what);

/// JSON text as it goes to a vault: parsed, canonical, in normal form C. Throws Error{invalid}.
std::string normal_json(std::string_view json);

/// A file that the command line names. Throws Error{io} when it cannot be read, is missing or has more than `max_size` octets.
Bytes input_file(const std::string& path, std::size_t max_size);

/// Throws UsageError unless every argument is UTF-8.
void require_utf8(int argc, const char* const* argv);

/// A secret from the environment variable `variable`, or typed at the terminal without echo after `prompt`, twice if `again`.
/// Throws UsageError when there is neither, or when the two differ.
Bytes read_secret(const char* variable, const std::string& prompt, bool again = false);

}  // namespace kopdarbs::tools
