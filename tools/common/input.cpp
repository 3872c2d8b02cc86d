#include "tools/common/input.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "core/record/json.h"
#include "platform/posix/system.h"
#include "platform/posix/unicode.h"
#include "tools/common/outcome.h"
#include "tools/common/terminal.h"

namespace kopdarbs::tools {
namespace {

constexpr std::size_t kReadChunk = 64 * 1024;

Bytes read_stdin() {
    Bytes bytes;
    for (;;) {
        const std::size_t before = bytes.size();
        bytes.resize(before + kReadChunk);
        const ssize_t n = ::read(STDIN_FILENO, bytes.data() + before, kReadChunk);
        const int error = errno;
        bytes.resize(before + (n > 0 ? static_cast<std::size_t>(n) : 0));
        if (n < 0 && error == EINTR) continue;
        if (n < 0) fail(ErrorCode::io, "cannot read standard input: " + std::generic_category().message(error));
        if (n == 0) return bytes;
        if (bytes.size() > kMaxStdin) fail(ErrorCode::invalid, "standard input: more than 64 MiB");
    }
}

Bytes typed_secret(const std::string& prompt) {
    auto typed = read_hidden_line(prompt);
    if (!typed) throw UsageError("no terminal to ask on");
    return std::move(*typed);
}

}  // namespace

std::string text_argument(const std::string& argument) {
    const Bytes text = argument == "-" ? read_stdin() : argument;
    if (!is_utf8(text)) throw UsageError(argument == "-" ? "standard input is not UTF-8" : "an argument is not UTF-8");
    return posix::to_nfc(text);
}

std::string normal_json(std::string_view json) {
    if (!is_utf8(json)) fail(ErrorCode::invalid, "not UTF-8");
    // Written out again, escapes are characters, and composing them can touch no punctuation of JSON's.
    return posix::to_nfc(to_json(value_from_json(json)));
}

std::string json_argument(const std::string& argument, const char* what) {
    const Bytes text = argument == "-" ? read_stdin() : argument;
    try {
        return normal_json(text);
    } catch (const Error& e) {
        throw UsageError(std::string(what) + ": " + e.what());
    }
}

std::string json_object_argument(const std::string& argument, const char* what) {
    std::string json = json_argument(argument, what);
    if (json.front() != '{') throw UsageError(std::string(what) + ": not a JSON object");
    return json;
}

Bytes input_file(const std::string& path, std::size_t max_size) {
    try {
        return posix::read_file(path, max_size);
    } catch (const Error& e) {
        fail(ErrorCode::io, std::string("cannot ") + e.what());
    }
}

void require_utf8(int argc, const char* const* argv) {
    for (int i = 1; i < argc; ++i) {
        if (!is_utf8(argv[i])) throw UsageError("argument " + std::to_string(i) + " is not UTF-8");
    }
}

Bytes read_secret(const char* variable, const std::string& prompt, bool again) {
    Bytes secret;
    if (const char* value = std::getenv(variable); value != nullptr) {
        secret = value;
    } else {
        if (!has_terminal()) throw UsageError(std::string("no secret: set ") + variable + ", or run this on a terminal");
        secret = typed_secret(prompt);
        if (again) {
            Bytes second = typed_secret("Once more: ");
            const bool same = equal_constant_time(secret, second);
            wipe(second);
            if (!same) throw UsageError("the two secrets differ");
        }
    }
    if (secret.empty()) throw UsageError(std::string("an empty secret (") + variable + ")");
    if (!is_utf8(secret)) throw UsageError("the secret is not UTF-8");
    return posix::to_nfc(secret);
}

}  // namespace kopdarbs::tools
