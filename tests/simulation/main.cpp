// kopdarbs-simulate: many municipalities, one a seed.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "tests/simulation/simulation.h"

namespace {

constexpr const char* kUsage =
    "usage: kopdarbs-simulate [--seeds A..B] [--steps N] [--minutes M] [--json] [--tell]\n"
    "\n"
    "  Plays a municipality for some days from each seed: five devices and a server, all real code, while lines are cut, messages lost,\n"
    "  doubled and damaged, machines killed and cut from power at any write, disks filled, clocks set wrong by decades, vaults copied and\n"
    "  set back, assignments and schemas changed. Then everything heals, and all promises are checked. The same seed is the same play.\n"
    "\n"
    "  --seeds A..B   (1..20)\n"
    "  --steps N      steps a seed (400)\n"
    "  --minutes M    stop after that time, however many seeds are left\n"
    "  --json         one JSON line a seed\n"
    "  --tell         print each step; for one seed\n"
    "\n"
    "Exit status: 0, 1 when a seed failed, 2 for wrong usage.\n";

struct Options {
    std::uint64_t first = 1, last = 20;
    std::size_t steps = 400;
    double minutes = 0;
    bool json = false, tell = false, help = false;
};

bool read(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
        if (word == "--json") {
            options.json = true;
        } else if (word == "--tell") {
            options.tell = true;
        } else if (word == "--help") {
            options.help = true;
        } else if (value != nullptr && word == "--seeds") {
            char* end = nullptr;
            options.first = options.last = std::strtoull(value, &end, 10);
            if (std::strncmp(end, "..", 2) == 0) options.last = std::strtoull(end + 2, &end, 10);
            if (*end != '\0' || options.first > options.last) return false;
            ++i;
        } else if (value != nullptr && word == "--steps") {
            options.steps = std::strtoull(value, nullptr, 10);
            ++i;
        } else if (value != nullptr && word == "--minutes") {
            options.minutes = std::strtod(value, nullptr);
            ++i;
        } else {
            return false;
        }
    }
    return true;
}

/// The fewest steps after which the seed fails still: halves, then single steps.
std::size_t shrink(std::uint64_t seed, std::size_t steps) {
    const auto fails = [&](std::size_t n) { return !kopdarbs::test::Simulation(seed, n, false).run().failure.empty(); };
    std::size_t good = 0, bad = steps;
    while (bad - good > 1) {
        const std::size_t middle = good + (bad - good) / 2;
        (fails(middle) ? bad : good) = middle;
    }
    return bad;
}

}  // namespace

int main(int argc, char** argv) {
    using kopdarbs::test::Outcome;
    using kopdarbs::test::Simulation;
    Options options;
    if (!read(argc, argv, options)) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    if (options.help) {
        std::fputs(kUsage, stdout);
        return 0;
    }
    // Files in memory: what a sync costs is not what is asked here.
    if (std::getenv("TMPDIR") == nullptr && std::filesystem::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
    const auto start = std::chrono::steady_clock::now();
    const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    std::uint64_t played = 0, failed = 0;
    double days = 0;
    for (std::uint64_t seed = options.first; seed <= options.last; ++seed) {
        if (options.minutes > 0 && seconds() > options.minutes * 60) break;
        const Outcome o = Simulation(seed, options.steps, options.tell).run();
        ++played;
        days += o.device_days();
        if (options.json)
            std::printf(
                "{\"seed\":%llu,\"ok\":%s,\"hash\":\"%s\",\"devices\":%zu,\"saves\":%llu,\"syncs\":%llu,\"device_days\":%.1f,\"faults\":%"
                "llu,\"steps\":%zu}\n",
                static_cast<unsigned long long>(seed), o.failure.empty() ? "true" : "false", o.hash.c_str(), o.devices,
                static_cast<unsigned long long>(o.saves), static_cast<unsigned long long>(o.syncs), o.device_days(),
                static_cast<unsigned long long>(o.faults), o.steps);
        if (!o.failure.empty()) {
            ++failed;
            const std::size_t steps = shrink(seed, options.steps);
            std::fprintf(stderr, "seed %llu failed: %s\n  again: kopdarbs-simulate --seeds %llu --steps %zu --tell\n",
                         static_cast<unsigned long long>(seed), o.failure.c_str(), static_cast<unsigned long long>(seed), steps);
        }
        std::fflush(stdout);
    }
    if (!options.json)
        std::printf("%llu seeds, %llu failed, %.0f device-days in %.1f s (%.1f a second)\n", static_cast<unsigned long long>(played),
                    static_cast<unsigned long long>(failed), days, seconds(), days / seconds());
    return failed == 0 ? 0 : 1;
}
