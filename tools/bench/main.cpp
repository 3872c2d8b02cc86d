// kopdarbs-bench: the product's measurements, each against its own checks.
#include <charconv>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "tools/bench/records.h"
#include "tools/bench/sync_bench.h"
#include "tools/bench/text.h"

namespace {

constexpr const char* kUsage =
    "usage: kopdarbs-bench sync DATA WORK RUN [PARTS]\n"
    "       kopdarbs-bench text FILE\n"
    "       kopdarbs-bench records\n"
    "\n"
    "  sync   the home-visit workload on real vaults and a real server over TLS; DATA holds its records.tsv and the rest, WORK is scratch "
    "space,\n"
    "         RUN a number that is printed, PARTS such as W1,W4 (all when absent). One JSON line a result.\n"
    "  text   replays an editing trace (.json, .json.gz) on text fields. One JSON line.\n"
    "  records  records that 5 replicas edit at the same time, merged: 10,000 in memory, 2,000 from row to row. Two JSON lines.\n"
    "\n"
    "Exit status: 0, 1 when a check failed, 2 for wrong usage.\n";

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::string command = argc > 1 ? argv[1] : "";
        if (command == "--help" || command == "help") {
            std::fputs(kUsage, stdout);
            return 0;
        }
        if (command == "sync" && (argc == 5 || argc == 6)) {
            const std::string_view number = argv[4];
            int run = 0;
            const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), run);
            if (error == std::errc() && end == number.data() + number.size())
                return kopdarbs::bench::bench_sync(argv[2], argv[3], run, argc == 6 ? argv[5] : "");
        }
        if (command == "text" && argc == 3) return kopdarbs::bench::bench_text(argv[2]);
        if (command == "records" && argc == 2) return kopdarbs::bench::bench_records();
    } catch (const std::exception& e) {
        std::fprintf(stderr, "kopdarbs-bench: %s\n", e.what());
        return 1;
    }
    std::fputs(kUsage, stderr);
    return 2;
}
