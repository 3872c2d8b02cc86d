// kopdarbs-simulate: many municipalities, one a seed.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/simulation/simulation.h"

namespace {

constexpr const char* kUsage =
    "usage: kopdarbs-simulate [--seeds A..B] [--steps N] [--minutes M] [--jobs N] [--json] [--tell]\n"
    "\n"
    "  Plays a municipality for some days from each seed: five devices and a server, all real code, while lines are cut, messages lost,\n"
    "  doubled, damaged, cut short and late, machines killed and cut from power at any write, disks filled, clocks wrong by decades or\n"
    "  standing, vaults copied and set back, assignments and schemas changed. Then everything heals, and all promises are checked. The "
    "same seed is the same play.\n"
    "\n"
    "  --seeds A..B   (1..20)\n"
    "  --steps N      steps a seed (400)\n"
    "  --minutes M    stop after that time, however many seeds are left\n"
    "  --jobs N       so many processes, which share the seeds (one a core)\n"
    "  --json         one JSON line a seed\n"
    "  --tell         print each step; for one seed\n"
    "\n"
    "Exit status: 0, 1 when a seed failed, 2 for wrong usage.\n";

struct Options {
    std::uint64_t first = 1, last = 20;
    std::size_t steps = 400;
    double minutes = 0;
    std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
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
        } else if (value != nullptr && word == "--jobs") {
            options.jobs = std::strtoull(value, nullptr, 10);
            if (options.jobs == 0 || options.jobs > 1000) return false;
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

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Totals {
    std::uint64_t played = 0, failed = 0;
    double days = 0;
};

/// Every `jobs`-th seed, from the one numbered `job`. A line is one write, so that those of several processes do not mix.
Totals play(const Options& options, std::size_t job, std::chrono::steady_clock::time_point start) {
    Totals totals;
    for (std::uint64_t seed = options.first + job; seed <= options.last; seed += options.jobs) {
        if (options.minutes > 0 && seconds_since(start) > options.minutes * 60) break;
        const kopdarbs::test::Outcome o = kopdarbs::test::Simulation(seed, options.steps, options.tell).run();
        ++totals.played;
        totals.days += o.device_days();
        if (options.json)
            std::printf(
                "{\"seed\":%llu,\"ok\":%s,\"hash\":\"%s\",\"devices\":%zu,\"saves\":%llu,\"syncs\":%llu,\"device_days\":%.1f,\"faults\":%"
                "llu,\"steps\":%zu}\n",
                static_cast<unsigned long long>(seed), o.failure.empty() ? "true" : "false", o.hash.c_str(), o.devices,
                static_cast<unsigned long long>(o.saves), static_cast<unsigned long long>(o.syncs), o.device_days(),
                static_cast<unsigned long long>(o.faults), o.steps);
        if (!o.failure.empty()) {
            ++totals.failed;
            const std::size_t steps = shrink(seed, options.steps);
            std::fprintf(stderr, "seed %llu failed: %s\n  again: kopdarbs-simulate --seeds %llu --steps %zu --tell\n",
                         static_cast<unsigned long long>(seed), o.failure.c_str(), static_cast<unsigned long long>(seed), steps);
        }
        std::fflush(stdout);
    }
    return totals;
}

/// In so many processes: the fault disk is one a process. One that dies counts as a failed seed.
Totals play_in_processes(const Options& options, std::chrono::steady_clock::time_point start) {
    std::vector<std::pair<pid_t, int>> children;
    for (std::size_t job = 0; job < options.jobs; ++job) {
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
        const pid_t child = ::fork();
        if (child < 0) throw std::runtime_error("no process");
        if (child == 0) {
            ::close(ends[0]);
            const Totals totals = play(options, job, start);
            std::exit(::write(ends[1], &totals, sizeof totals) == sizeof totals ? 0 : 1);
        }
        ::close(ends[1]);
        children.emplace_back(child, ends[0]);
    }
    Totals all;
    for (const auto& [child, end] : children) {
        Totals totals;
        int status = 0;
        const bool told = ::read(end, &totals, sizeof totals) == sizeof totals;
        ::close(end);
        ::waitpid(child, &status, 0);
        if (!told || status != 0) {
            std::fprintf(stderr,
                         "a process of the simulation died (status %d), with the seeds that it had left: see with --jobs 1 --json which\n",
                         status);
            ++all.failed;
            continue;
        }
        all.played += totals.played;
        all.failed += totals.failed;
        all.days += totals.days;
    }
    return all;
}

}  // namespace

int main(int argc, char** argv) {
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
    options.jobs = options.tell ? 1 : std::min<std::size_t>(options.jobs, options.last - options.first + 1);
    const Totals all = options.jobs == 1 ? play(options, 0, start) : play_in_processes(options, start);
    if (!options.json)
        std::printf("%llu seeds, %llu failed, %.0f device-days in %.1f s (%.1f a second)\n", static_cast<unsigned long long>(all.played),
                    static_cast<unsigned long long>(all.failed), all.days, seconds_since(start), all.days / seconds_since(start));
    return all.failed == 0 ? 0 : 1;
}
