// The one main of every test program.
#include "tests/support/catch_run.h"

int main(int argc, char** argv) {
    return kopdarbs::test::run_catch(argc, argv);
}
