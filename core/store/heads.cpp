#include "core/store/heads.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/log/change.h"

namespace kopdarbs {

void Heads::begin() {
    (void)row();
    open_ = true;
    told_ = false;
}

void Heads::end(bool committed) {
    open_ = false;
    if (!committed) version_ = kNoVersion;
}

Heads::Row& Heads::row() {
    if (open_) return row_;
    const std::int64_t version = db_.data_version();
    if (version == version_) return row_;
    version_ = kNoVersion;
    {
        Query q(db_, "SELECT counter, stamp, heard, decided, indexed FROM head WHERE scope = 0");
        q.one();
        row_ = {q.unsigned_integer(0), q.unsigned_integer(3), Stamp{q.unsigned_integer(1)}, Stamp{q.unsigned_integer(2)}, q.integer(4)};
    }
    written_ = row_.counter;
    feeds_.clear();
    Query since(db_, "SELECT counter, scope, hash, header FROM change WHERE counter > ? ORDER BY counter");
    since.bind(written_);
    while (since.next())
        advance_row(since.integer(1), {since.unsigned_integer(0), since.id<Hash256>(2)}, decode_change(since.bytes(3), std::nullopt).stamp);
    version_ = version;
    return row_;
}

void Heads::advance_row(std::int64_t scope, const FeedHead& head, Stamp stamp) {
    row_.counter = head.counter;
    row_.stamp = std::max(row_.stamp, stamp);
    feeds_[scope] = head;
}

FeedHead Heads::feed(std::int64_t scope) {
    (void)row();
    const auto advanced = feeds_.find(scope);
    if (advanced != feeds_.end()) return advanced->second;
    Query q(db_, "SELECT counter, hash FROM head WHERE scope = ?");
    return q.bind(scope).next() ? FeedHead{q.unsigned_integer(0), q.id<Hash256>(1)} : FeedHead{};
}

bool Heads::is_unsent(std::uint64_t counter) {
    if (counter == 0 || counter <= row().decided) return false;
    return !Query(db_, "SELECT 1 FROM early WHERE counter = ?").bind(counter).next();
}

std::uint64_t Heads::unsent_after(std::uint64_t counter) {
    const std::uint64_t from = std::max(counter, row().decided), last = row_.counter;
    if (from >= last) return 0;
    return last - from - Query(db_, "SELECT count(*) FROM early WHERE counter > ?").bind(from).one().unsigned_integer(0);
}

void Heads::set_indexed(std::int64_t record) {
    if (record <= row().indexed) return;
    Query(db_, "UPDATE head SET indexed = max(indexed, ?) WHERE scope = 0").bind(record).run();
    row_.indexed = record;
    version_ = kNoVersion;  // the transaction around this may yet be undone
}

void Heads::advance(std::int64_t scope, const FeedHead& head, Stamp stamp) {
    KOPDARBS_ASSERT(open_);
    advance_row(scope, head, stamp);
}

void Heads::hear(Stamp server) {
    KOPDARBS_ASSERT(open_);
    Row& now = row();
    if (!(now.heard < server)) return;
    now.heard = server;
    told_ = true;
}

void Heads::decide(std::uint64_t first, std::uint64_t last) {
    KOPDARBS_ASSERT(open_);
    Row& now = row();
    first = std::max(first, now.decided + 1);
    last = std::min(last, now.counter);
    if (first > last) return;
    if (first > now.decided + 1) {
        for (std::uint64_t counter = first; counter <= last; ++counter)
            Query(db_, "INSERT OR IGNORE INTO early VALUES (?)").bind(counter).run();
        return;
    }
    now.decided = last;
    told_ = true;
    {
        Query q(db_, "SELECT counter FROM early WHERE counter > ? ORDER BY counter");
        q.bind(last);
        while (q.next() && q.unsigned_integer(0) == now.decided + 1) ++now.decided;
    }
    Query(db_, "DELETE FROM early WHERE counter <= ?").bind(now.decided).run();
}

void Heads::write() {
    if (!told_ && row_.counter - written_ < kMostBehind) return;
    Query(db_, "UPDATE head SET counter = ?, stamp = ?, heard = ?, decided = ? WHERE scope = 0")
        .bind(row_.counter)
        .bind(row_.stamp.packed)
        .bind(row_.heard.packed)
        .bind(row_.decided)
        .run();
    for (const auto& [scope, head] : feeds_)
        Query(db_,
              "INSERT INTO head(scope, counter, hash) VALUES (?, ?, ?) "
              "ON CONFLICT(scope) DO UPDATE SET counter = excluded.counter, hash = excluded.hash")
            .bind(scope)
            .bind(head.counter)
            .id(head.hash)
            .run();
    written_ = row_.counter;
    feeds_.clear();
}

}  // namespace kopdarbs
