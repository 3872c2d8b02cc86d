#include "tools/common/outcome.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <new>
#include <system_error>

#include "tools/common/text_out.h"

namespace kopdarbs::tools {

int exit_code_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid:
        case ErrorCode::not_found:
        case ErrorCode::refused:
        case ErrorCode::stale:
        case ErrorCode::wrong_secret:
        case ErrorCode::corrupt:
        case ErrorCode::fork: return kExitRefused;
        case ErrorCode::busy:
        case ErrorCode::io:
        case ErrorCode::network:
        case ErrorCode::protocol: return kExitIo;
    }
    return kExitIo;
}

const char* what_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid:
        case ErrorCode::refused: return "refused";
        case ErrorCode::not_found: return "not found";
        case ErrorCode::stale: return "stale";
        case ErrorCode::wrong_secret: return "wrong secret";
        case ErrorCode::corrupt: return "corrupt";
        case ErrorCode::busy: return "busy";
        case ErrorCode::io: return "input or output";
        case ErrorCode::network: return "network";
        case ErrorCode::protocol: return "protocol";
        case ErrorCode::fork: return "fork";
    }
    return "error";
}

void print_error(std::string_view program, std::string_view what, std::string_view why) {
    std::string line(program);
    line.append(": ").append(what).append(": ").append(one_line(why)).append("\n");
    std::fwrite(line.data(), 1, line.size(), stderr);
}

int run_program(const char* program, const std::function<int()>& work) {
    ::umask(S_IRWXG | S_IRWXO);  // what a program makes is its user's only
    try {
        const int code = work();
        if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
            print_error(program, "input or output", "cannot write the output: " + std::generic_category().message(errno));
            return kExitIo;
        }
        return code;
    } catch (const UsageError& e) {
        std::fflush(stdout);
        print_error(program, "usage", e.what());
        return kExitUsage;
    } catch (const Error& e) {
        std::fflush(stdout);
        print_error(program, what_of(e.code()), e.what());
        return exit_code_of(e.code());
    } catch (const std::bad_alloc&) {
        print_error(program, "input or output", "out of memory");
        return kExitIo;
    } catch (const std::exception& e) {
        print_error(program, "internal error", e.what());
        return kExitIo;
    }
}

}  // namespace kopdarbs::tools
