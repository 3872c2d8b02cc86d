// Whole-record work without texts: many records, replicas that edit them at the same time, one that merges all of it.
#pragma once

namespace kopdarbs::bench {

/// Replicas make field edits from the same base, as many each as there are records; one that had made none merges them. Two lines of JSON:
/// mode `each`: 10,000 records of 10 fields, 5 replicas, every edit a change of its own, all in memory; mode `docs`: 2,000 records, a
/// change for all that a replica does to a record, each record read from its row and written again.
///   create_ms, edit_ms, merge_ms, read_ms, load_ms   CPU time: making the records; drafting, applying and encoding all edits; decoding and
///                      applying them (docs: from row to row); every document as JSON; every record read from its row
///   update_bytes, frame_bytes   the encoded changes; the pages that bring them to a device, as compressed frames
///   base_bytes, final_bytes     rows (document and what stands behind it) before and after
///   fields_conflicting          fields that end with different values by different replicas
///   conflicts                   those that the merged records show as open; the two must be equal
///   converged                   whether another order gives equal bytes
/// No rules, chains, signatures and disks are in it.
/// Returns 0 when both hold in both modes, else 1.
int bench_records();

}  // namespace kopdarbs::bench
