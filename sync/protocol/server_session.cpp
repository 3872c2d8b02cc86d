#include "core/base/error.h"
#include "sync/protocol/sides.h"

namespace kopdarbs::sync {

SyncResponse serve(ServerSide& side, const SyncRequest& request) {
    const ServerSide::Decided decided = side.decide(request);
    SyncResponse response;
    Incoming& out = response.incoming;
    out.server_ms = decided.server_ms;
    out.incarnation = decided.incarnation;
    out.nonce = decided.nonce;
    out.decision = decided.decision;
    out.schema = side.schema();
    if (request.grants != side.grants_digest()) {
        out.scopes = side.scopes();
        out.types = side.types();
    }
    for (const std::vector<RecordId>* ids : {&decided.to_restate, &request.wanted})
        for (const RecordId& id : *ids)
            if (auto entry = side.state_of(id)) out.states.push_back(std::move(*entry));
    if (!decided.cursors) {
        response.cursors_wanted = true;
        return response;
    }
    // A cursor of another incarnation means nothing here: the scope starts again from a snapshot, which joins with what is there.
    const bool known = request.incarnation == decided.incarnation;
    std::vector<ScopeCursor> after;
    std::uint64_t budget = request.pull_bytes;
    for (const ScopeGrant& grant : side.scopes()) {
        ScopeCursor cursor{grant.id, {}, {}};
        if (known)
            for (const ScopeCursor& c : *decided.cursors)
                if (c.scope == grant.id) cursor = c;
        // A device that stood at the head before its own changes stands at the head after them.
        std::optional<ScopePage> page;
        for (const ServerSide::Advanced& a : decided.advanced)
            if (a.scope == grant.id && cursor.resume.empty() && cursor.cursor == a.before) {
                cursor.cursor = a.after;
                page = ScopePage{grant.id, {}, a.after, {}};
            }
        if (!side.is_current(cursor)) {
            std::uint64_t bytes = 0, remaining = 0;
            ScopePage next = side.page(cursor, static_cast<std::size_t>(budget), bytes, remaining);
            budget -= std::min(budget, bytes);
            response.remaining += remaining;
            const bool moved = !next.entries.empty() || !(next.cursor == cursor.cursor) || next.resume != cursor.resume;
            if (request.pull_bytes > 0 && moved) {
                cursor = {grant.id, next.cursor, next.resume};
                page = std::move(next);
            }
        }
        if (page) out.pages.push_back(std::move(*page));
        after.push_back(std::move(cursor));
    }
    side.offer(after);
    return response;
}

}  // namespace kopdarbs::sync
