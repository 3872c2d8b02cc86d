// The home-visit workload (W1 local writes … W8 many devices) on the real engine: encrypted vaults, signed requests, a server in a process
// of its own, TLS 1.3 over loopback.
#pragma once

#include <string>

namespace kopdarbs::bench {

/// Runs `parts` ("W1,W2,…"; all when empty) on the data in `data` (records.tsv, delta.tsv, conflicts.tsv, edits.tsv, getids.txt,
/// clients.txt, words.txt), with files in `work`, and prints one JSON line a result. Returns 0, or 1 when a check failed.
int bench_sync(const std::string& data, const std::string& work, int run, const std::string& parts);

}  // namespace kopdarbs::bench
