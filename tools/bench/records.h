// Whole-record work without texts: many records, replicas that edit them at the same time, one that merges all of it.
#pragma once

namespace kopdarbs::bench {

/// 10,000 records of 10 fields; 5 replicas make 10,000 field edits each from the same base, every edit a change of its own; one replica
/// that had made none merges the 50,000. Prints one line of JSON:
///   create_ms, edit_ms, merge_ms, read_ms, load_ms   CPU time: making the records; drafting, applying and encoding all edits; decoding and
///                      applying them; every document as JSON; every record read from its row
///   update_bytes, frame_bytes   the encoded changes; the pages that bring them to a device, as compressed frames
///   base_bytes, final_bytes     rows (document and what stands behind it) before and after
///   fields_conflicting          fields that end with different values by different replicas
///   conflicts                   those that the merged records show as open; the two must be equal
///   converged                   whether the opposite order gives equal bytes
/// Returns 0 when both hold, else 1.
int bench_records();

}  // namespace kopdarbs::bench
