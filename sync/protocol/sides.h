// What the two sides of a sync must be able to answer: all that the session state machines know of a replica and of a server.
//
// The real device and server, a simulator and WebAssembly implement these; the sessions have no socket, file, thread or clock.
#pragma once

#include <functional>

#include "sync/protocol/messages.h"

namespace kopdarbs::sync {

/// A device's replica.
class ReplicaSide {
public:
    virtual ~ReplicaSide() = default;
    virtual ReplicaId replica() const = 0;
    virtual DeviceId server() const = 0;
    virtual PublicKey server_key() const = 0;
    virtual Signature sign(BytesView message) = 0;
    virtual std::uint64_t wall_ms() = 0;
    virtual std::uint64_t unsent_after(std::uint64_t counter) = 0;
    virtual std::vector<FeedPart> outgoing(std::uint64_t after, std::size_t max_bytes, std::uint64_t& last) = 0;
    virtual std::vector<ScopeCursor> cursors() = 0;
    virtual GroupId incarnation() = 0;
    virtual Bytes nonce() = 0;
    virtual std::uint64_t last_counter() = 0;
    virtual Hash256 grants_digest() = 0;
    virtual std::vector<RecordId> wanted() = 0;
    /// One transaction: data, verdicts and cursors. Returns how many entries of others were new.
    virtual std::uint64_t receive(const Incoming& incoming) = 0;
};

/// A server, towards one device that has proved who it is.
class ServerSide {
public:
    virtual ~ServerSide() = default;
    /// Everything of a request that writes, committed when it returns: the nonce, the verdicts on what was pushed, the cursors that the
    /// device confirmed. Throws Error{fork} for a nonce that only a copied device can have. A scope whose order grew by this device's own
    /// changes only, from one cursor to another.
    struct Advanced {
        ScopeId scope;
        Cursor before, after;
    };
    struct Decided {
        std::uint64_t server_ms = 0;
        GroupId incarnation;
        Bytes nonce;
        std::optional<SignedDecision> decision;
        std::vector<RecordId> to_restate;  ///< records whose changes were not accepted
        std::vector<Advanced> advanced;
        std::optional<std::vector<ScopeCursor>> cursors;  ///< where the device stands; absent: it must say
    };
    virtual Decided decide(const SyncRequest& request) = 0;
    virtual const std::vector<ScopeGrant>& scopes() = 0;
    virtual const std::vector<std::string>& types() = 0;
    virtual Hash256 grants_digest() = 0;
    virtual Hash256 schema() = 0;
    /// What is new in a scope for this device, at most about `max_bytes`; `remaining` receives the entries that are left after it.
    virtual ScopePage page(const ScopeCursor& from, std::size_t max_bytes, std::uint64_t& bytes, std::uint64_t& remaining) = 0;
    virtual bool is_current(const ScopeCursor& cursor) = 0;
    /// Absent when the device may not read the record.
    virtual std::optional<Entry> state_of(const RecordId& record) = 0;
    /// Where the device will stand once it has saved this response.
    virtual void offer(const std::vector<ScopeCursor>& cursors) = 0;
};

/// One request answered.
SyncResponse serve(ServerSide& side, const SyncRequest& request);

struct SessionCounts {
    std::uint64_t pushed = 0, accepted = 0, refused = 0, quarantined = 0, again = 0, pulled = 0, round_trips = 0;
    std::uint64_t to_push = 0, to_pull = 0;  ///< known after the first response
};

/// A device's side of one sync: requests and responses until both sides are drained.
class ClientSession {
public:
    ClientSession(ReplicaSide& side, Crypto& crypto);
    /// Whether both sides are drained: there is no next request.
    bool is_done() const { return done_; }
    /// The next request, as of now: asked again before its response, it is made anew.
    Bytes next_request();
    /// Throws Error{corrupt} or Error{protocol}; nothing was saved then, and the same request may be sent again.
    void on_response(BytesView bytes);
    /// About how many bytes a batch may have: hosts adapt it to the line.
    void set_batch_bytes(std::size_t bytes) { batch_bytes_ = bytes; }
    const SessionCounts& counts() const { return counts_; }

private:
    void tally(const std::vector<Verdict>& verdicts);
    ReplicaSide& side_;
    Crypto& crypto_;
    std::size_t batch_bytes_;
    std::uint64_t after_ = 0;  ///< counter up to which this session has pushed
    std::uint64_t last_ = 0;   ///< …and of the batch under way
    std::uint64_t in_flight_ = 0;
    bool say_cursors_ = false;
    bool done_ = false;
    std::uint32_t idle_rounds_ = 0;
    SessionCounts counts_;
};

}  // namespace kopdarbs::sync
