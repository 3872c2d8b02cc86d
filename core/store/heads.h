// What comes next in this replica's log, and which of its changes have a verdict.
//
// Invariants
//  1. Counters run from 1 without a gap. Those up to `decided` have a verdict, and a few later ones do, in table `early`.
//  2. Table `head` is as of one change, its row 0 says which; fewer than kMostBehind changes after it speak for themselves. It is written
//     when a verdict or a server time came, and else after so many changes only: each save would write its page once more.
//  3. What was read or written here holds until another process writes, which the database's version tells, or a transaction is undone.
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
    void end(bool committed);

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
    /// The last change that table `head` knows of.
    std::uint64_t written() {
        (void)row();
        return written_;
    }

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
    static constexpr std::uint64_t kMostBehind = 32;
    static constexpr std::int64_t kNoVersion = -1;
    Row& row();
    void advance_row(std::int64_t scope, const FeedHead& head, Stamp stamp);
    Database& db_;
    Row row_;
    std::map<std::int64_t, FeedHead> feeds_;  ///< those that were advanced after `written_`
    std::uint64_t written_ = 0;
    std::int64_t version_ = kNoVersion;  ///< of the database, when all this was so
    bool open_ = false, told_ = false;   ///< `told_`: this transaction heard what no change says
};

}  // namespace kopdarbs
