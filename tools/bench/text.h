// Replaying a recorded editing trace on text fields: a check of the result and a measurement in one.
#pragma once

#include <string>

namespace kopdarbs::bench {

/// Replays `file` (JSON, or JSON in gzip; sequential or concurrent) and prints one line of JSON:
///   edits              patches replayed
///   local_cpu_s        making all changes: splice, altered lines, encoded operations
///   remote_batch_cpu_s decoding and applying all changes on another replica, then reading the text once
///   remote_each_cpu_s  the same, but the text's length and the first line are read after each change
///   ops_bytes, state_bytes   the encoded operations of all changes; structure and text of the final state
///   load_s, load_edit_s      reading that state; the same and one keystroke in its middle, encoded
///   peak_kib           the most memory that the process held
///   length, sha256, matches  of the final text, against the trace's
/// Returns 0 when the text matches and all replicas have equal bytes, else 1. Throws std::runtime_error for a file that is no trace.
int bench_text(const std::string& file);

}  // namespace kopdarbs::bench
