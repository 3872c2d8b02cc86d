// What is found out about a device's feeds before the writer's turn: their chain and checkpoint, what each change says, and the row that a
// record will have after it, new or made of the row that stands now. So the one writer mostly compares and stores.
//
// Threading: functions of their arguments; prepare() uses several threads for a large feed, and its Crypto must allow that.
#pragma once

#include "core/store/shape.h"
#include "sync/protocol/sides.h"
#include "sync/server/directory.h"
#include "sync/server/readers.h"

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

/// What an accepted change makes of a record's row, good for as long as that row stands as it was.
struct Edited {
    RecordRow before;
    Shape shape;
    bool is_of(const RecordRow& row) const {
        return row.no == before.no && row.scope == before.scope && row.type == before.type && row.doc == before.doc &&
               row.meta == before.meta;
    }
};

struct PreparedChange {
    Change change;
    SignedChange bytes;
    Hash256 hash;
    std::string malformed;         ///< why its content cannot be read; empty when it can
    std::optional<Shape> creates;  ///< the row of the record that it makes, if it is accepted and nobody made that before
    std::optional<Edited> edits;   ///< the row of the record that it changes, if it is accepted and nobody changes that before
};

struct PreparedFeed {
    ScopeId scope;
    FeedHead before;
    std::vector<PreparedChange> changes;
    FeedHead head;
    Signature checkpoint;
};

/// Recomputes the chain and checks the checkpoint's signature. Throws Error{corrupt} for a feed that its device did not sign.
PreparedFeed prepare(const FeedPart& feed, const Origin& origin, const DeviceId& server, Readers& readers, Crypto& crypto);

/// max(heard, min(wall - offset, received)), with the author's own counter where its milliseconds stand.
Stamp effective(const Change& change, const Origin& origin);

/// Whether a live record that the author may read has two values (Writer::exists).
using Exists = decltype(Writer::exists);

/// What can be said of a change whatever is stored. `grant`: the device's, on the change's scope; null when it has none.
std::optional<Outcome> judge_alone(const PreparedChange& prepared, const Origin& origin, const ScopeGrant* grant);
/// Whether its author may make a new record so.
std::optional<Outcome> judge_new(const Change& change, const Origin& origin, const ScopeGrant& grant, const Exists& exists);
/// Whether its author may change a record, on the state that the author had seen. `now`: what stands; `record`: its number in `storage`,
/// whose changes tell what somebody had seen who has not seen all of it.
std::optional<Outcome> judge_edit(const Change& change, const RecordState& now, std::int64_t record, Storage& storage, const Origin& origin,
                                  const ScopeGrant& grant, const Exists& exists);

}  // namespace kopdarbs::sync
