// The test runner as a function, so that a program with a main of its own can stand on the same support.
#pragma once

namespace kopdarbs::test {

int run_catch(int argc, char** argv);

}  // namespace kopdarbs::test
