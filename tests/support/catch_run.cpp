// Catch2's own part, compiled once.
#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include "tests/support/catch_run.h"

namespace kopdarbs::test {

int run_catch(int argc, char** argv) {
    return Catch::Session().run(argc, argv);
}

}  // namespace kopdarbs::test
