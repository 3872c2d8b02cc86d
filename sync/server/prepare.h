// What is found out about a device's feeds before the writer's turn: their chain and checkpoint, what each change says, and, for a change
// that makes a record, the row that it will have. So the one writer only compares and stores.
//
// Threading: functions of their arguments; prepare() uses several threads for a large feed, and its Crypto must allow that.
#pragma once

#include "core/store/shape.h"
#include "sync/protocol/sides.h"
#include "sync/server/directory.h"

namespace kopdarbs::sync {

/// Whose request it is, and what the server knows of it.
struct Origin {
    const DeviceRow& device;
    const Grants& grants;
    const Directory& directory;
    std::uint64_t received_ms;
    std::int64_t offset_ms;  ///< device's clock minus server's; 0 when too small to tell
};

/// Why a change is not accepted.
struct Outcome {
    VerdictCode code;
    std::string reason;
};

struct PreparedChange {
    Change change;
    SignedChange bytes;
    Hash256 hash;
    std::string malformed;         ///< why its content cannot be read; empty when it can
    std::optional<Shape> creates;  ///< the row of the record that it makes, if it is accepted and nobody made that before
};

struct PreparedFeed {
    ScopeId scope;
    FeedHead before;
    std::vector<PreparedChange> changes;
    FeedHead head;
    Signature checkpoint;
};

/// Recomputes the chain and checks the checkpoint's signature. Throws Error{corrupt} for a feed that its device did not sign.
PreparedFeed prepare(const FeedPart& feed, const Origin& origin, const DeviceId& server, Crypto& crypto);

/// max(heard, min(wall - offset, received)), with the author's own counter where its milliseconds stand.
Stamp effective(const Change& change, const Origin& origin);

/// Whether a live record that the author may read has two values (Writer::exists).
using Exists = decltype(Writer::exists);

/// What can be said of a change whatever is stored. `grant`: the device's, on the change's scope; null when it has none.
std::optional<Outcome> judge_alone(const PreparedChange& prepared, const Origin& origin, const ScopeGrant* grant);
/// Whether its author may make it on the state that it had seen; empty for a new record.
std::optional<Outcome> judge_on(const Change& change, const RecordState& at_seen, const Origin& origin, const ScopeGrant& grant,
                                const Exists& exists);

}  // namespace kopdarbs::sync
