// What comes next in this replica's log, and which of its changes have a verdict.
//
// Invariants
//  1. Counters run from 1 without a gap. Those up to `decided` have a verdict, and a few later ones do, in table `early`.
//  2. During a write transaction the numbers are held here and written once, at its end; outside, every question reads them anew, since
//     another process may have written.
// Threading: as the Vault's.
#pragma once

#include <cstdint>
#include <map>

#include "core/base/dot.h"
#include "core/log/feed.h"
#include "core/store/database.h"

namespace kopdarbs {

class Heads {
public:
    explicit Heads(Database& db) : db_(db) {}

    /// A write transaction begins; write() before it is committed, end() after it, however it ended.
    void begin();
    void write();
    void end();

    /// Of the replica's last change.
    std::uint64_t counter() { return row().counter; }
    Stamp stamp() { return row().stamp; }
    /// The last server time heard.
    Stamp heard() { return row().heard; }
    /// The last record that was ever indexed for search. Setting it is written at once: indexing has transactions of its own.
    std::int64_t indexed() { return row().indexed; }
    void set_indexed(std::int64_t record);
    /// Where the feed in a scope stands; zero when there is none.
    FeedHead feed(std::int64_t scope);

    bool is_unsent(std::uint64_t counter);
    std::uint64_t unsent_after(std::uint64_t counter);
    /// The smallest counter that may be unsent.
    std::uint64_t first_unsent() { return row().decided + 1; }

    // In a write transaction only.
    /// A change was appended to a scope's feed.
    void advance(std::int64_t scope, const FeedHead& head, Stamp stamp);
    void hear(Stamp server);
    /// The changes from `first` to `last` have a verdict; numbers that were never given are passed over.
    void decide(std::uint64_t first, std::uint64_t last);

private:
    struct Row {
        std::uint64_t counter = 0, decided = 0;
        Stamp stamp, heard;
        std::int64_t indexed = 0;
    };
    Row& row();
    Database& db_;
    Row row_;
    bool open_ = false, read_ = false, changed_ = false;
    std::map<std::int64_t, FeedHead> feeds_;  ///< those that were advanced in this transaction
};

}  // namespace kopdarbs
