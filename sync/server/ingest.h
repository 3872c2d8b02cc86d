// Ingest: from a device's signed feeds to verdicts. Verify -> invariant -> authorise -> sequence -> store and join, one change at a time.
//
// Invariants
//  1. A dot gets one verdict for ever; asking again gives the same one.
//  2. A change is accepted only onto a state that holds everything it has seen, and only if its author may, judged on the state at `seen`.
//  3. After a refusal the replica's line for that record is cut: its later changes there get `again`, until one is authored on what lives.
// Threading: on the writer's thread, inside its transaction.
#pragma once

#include <set>

#include "sync/server/prepare.h"

namespace kopdarbs::sync {

class Ingest {
public:
    Ingest(Storage& storage, Env env, const Origin& origin) : storage_(storage), env_(env), origin_(origin) {}

    /// Throws Error{fork} when the feed is another than the one the server has, Error{protocol} when earlier changes are missing.
    void take(const PreparedFeed& feed);
    std::vector<Verdict> verdicts() { return std::move(verdicts_); }
    /// Records with changes that were not accepted: the device needs their authoritative states.
    const std::set<RecordId>& to_restate() const { return to_restate_; }
    const std::vector<ServerSide::Advanced>& advanced() const { return advanced_; }

private:
    void take(const PreparedChange& prepared, std::int64_t scope_no, const ScopeGrant* grant);
    std::optional<Outcome> judge(const PreparedChange& prepared, std::int64_t scope_no, const ScopeGrant* grant,
                                 const std::optional<RecordRow>& row, const RecordState& state);
    std::optional<Outcome> check_line(const Change& change, const RecordState& state);
    void accept(const PreparedChange& prepared, std::int64_t scope_no, const std::optional<RecordRow>& row, RecordState state);
    void store(const PreparedChange& prepared, std::int64_t scope_no, std::int64_t record_no, const Shape& shape);
    void keep(const PreparedChange& prepared, std::int64_t scope_no, const Outcome& outcome);
    void release_held(const RecordId& record);
    void repeat(const PreparedChange& prepared);
    void say(Verdict verdict);
    Storage& storage_;
    Env env_;
    const Origin& origin_;
    std::vector<Verdict> verdicts_;
    std::set<RecordId> to_restate_;
    std::set<RecordId> touched_;
    std::vector<ServerSide::Advanced> advanced_;
    std::map<std::int64_t, Cursor> heads_;  ///< scopes locked in this feed: written back once
};

}  // namespace kopdarbs::sync
