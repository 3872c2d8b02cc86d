// How a program ends: its exit code, and one line on stderr when something went wrong.
//
//   0 done   1 refused, not found, wrong secret, failed verification   2 usage   3 I/O or network
//
// Threading: for a program's main thread.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "tools/common/language.h"

namespace kopdarbs::tools {

constexpr int kExitDone = 0;
constexpr int kExitRefused = 1;
constexpr int kExitUsage = 2;
constexpr int kExitIo = 3;

/// The command line itself is wrong: unknown words, malformed arguments, a missing secret.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

int exit_code_of(ErrorCode code);
/// "refused", "not found"…: what an error line says before its reason.
const char* what_of(ErrorCode code);

/// `PROGRAM: WHAT: WHY` on stderr, always one line; control characters become spaces.
void print_error(std::string_view program, std::string_view what, std::string_view why);

/// Runs `work`, which returns an exit code; tells what it throws and checks that stdout took everything.
int run_program(const char* program, const std::function<int()>& work);

}  // namespace kopdarbs::tools
