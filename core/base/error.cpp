#include "core/base/error.h"

#include <cstdio>
#include <cstdlib>

namespace kopdarbs {

const char* to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid: return "invalid";
        case ErrorCode::not_found: return "not_found";
        case ErrorCode::refused: return "refused";
        case ErrorCode::stale: return "stale";
        case ErrorCode::wrong_secret: return "wrong_secret";
        case ErrorCode::corrupt: return "corrupt";
        case ErrorCode::busy: return "busy";
        case ErrorCode::io: return "io";
        case ErrorCode::network: return "network";
        case ErrorCode::protocol: return "protocol";
        case ErrorCode::fork: return "fork";
    }
    return "unknown";
}

void fail(ErrorCode code, const std::string& message) {
    throw Error(code, message);
}

void assertion_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "kopdarbs: internal error: %s (%s:%d)\n", expression, file, line);
    std::abort();
}

}  // namespace kopdarbs
