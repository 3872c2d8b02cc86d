// What the sync engine needs of a vault: what is unsent, and a place for what a server says.
//
// Threading: as the Vault's. Errors: kopdarbs::Error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/kopdarbs.h"
#include "core/log/feed.h"
#include "core/store/grants.h"

namespace kopdarbs {

struct Store;

/// A change's bytes as they travel from its author's device.
struct SignedChange {
    Bytes header, salt, content;
};

/// Consecutive changes of one feed. `head` is where the feed stands after them.
struct FeedPart {
    ScopeId scope;
    FeedHead before;
    std::vector<SignedChange> changes;
    FeedHead head;
    Signature checkpoint;
};

enum class VerdictCode : std::uint8_t { accepted = 1, refused = 2, quarantined = 3, again = 4, held = 5 };

/// The server's word on `count` consecutive changes of one replica. Runs longer than one are accepted, in one scope, with consecutive
/// sequence numbers, each at its author's own stamp.
struct Verdict {
    std::uint64_t counter = 0;  ///< of the first
    std::uint64_t count = 1;
    VerdictCode code = VerdictCode::accepted;
    std::uint64_t seq = 0;  ///< in the scope's order, of the first, when accepted
    Stamp stamp;            ///< the effective one, when accepted; zero: the author's own
    std::string reason;
};

/// Something that happened in a scope, as a device pulls it.
struct Entry {
    enum class Kind : std::uint8_t { change = 1, state = 2 } kind = Kind::change;
    Stamp stamp;            ///< change: the effective one; zero: the author's own
    Bytes header, content;  ///< change (no salt: devices trust the server for others' states)
    RecordId record;        ///< state
    std::string type;       ///< state
    std::string doc;        ///< state
    Bytes meta;             ///< state
};

/// How far a device has a scope: `seq` entries of the server's incarnation, with the scope's rolling hash there.
struct Cursor {
    std::uint64_t seq = 0;
    Hash256 hash;
    friend bool operator==(const Cursor& a, const Cursor& b) { return a.seq == b.seq && a.hash == b.hash; }
};

struct ScopePage {
    ScopeId scope;
    std::vector<Entry> entries;
    Cursor cursor;  ///< after the entries
    Bytes resume;   ///< not empty while a snapshot is under way: where it goes on
};

/// What the server signed: SHA-256 over prefix ‖ before ‖ body is signed by its key.
struct SignedDecision {
    Hash256 before;
    Bytes body;
    Signature signature;
};

/// All that one response brings; applied in one transaction.
struct Incoming {
    std::uint64_t server_ms = 0;
    GroupId incarnation;
    Bytes nonce;
    std::vector<Verdict> verdicts;  ///< as `decision` carries them
    std::optional<SignedDecision> decision;
    std::vector<Entry> states;  ///< authoritative states of records whose changes were not accepted, or that were asked for
    std::vector<ScopePage> pages;
    std::optional<std::vector<ScopeGrant>> scopes;  ///< absent: as before
    std::optional<std::vector<std::string>> types;  ///< likewise
    Hash256 schema;                                 ///< fingerprint of the schema that the documents of state entries were shown with
};

struct ScopeCursor {
    ScopeId scope;
    Cursor cursor;
    Bytes resume;
};

class ReplicaStore {
public:
    explicit ReplicaStore(Store& store) : store_(store) {}

    /// Number of unsent changes numbered above `counter`.
    std::uint64_t unsent_after(std::uint64_t counter) const;
    /// The oldest unsent changes after counter `after`, whole feeds' parts of at most about `max_bytes`, unsigned. `last` receives the
    /// counter of the last.
    std::vector<FeedPart> outgoing(std::uint64_t after, std::size_t max_bytes, std::uint64_t& last) const;
    std::vector<ScopeCursor> cursors() const;
    GroupId incarnation() const;
    Bytes nonce() const;
    /// The last number that this replica gave a change.
    std::uint64_t last_counter() const;
    /// SHA-256 over the scopes and types that are held, as the server gave them; and over the cursors.
    Hash256 grants_digest() const;
    std::vector<RecordId> wanted() const;
    /// Throws Error{corrupt}, having changed nothing, when it cannot be what a server of ours says.
    /// Returns how many entries of others were new.
    std::uint64_t receive(const Incoming& incoming);

private:
    struct Receiver;
    Store& store_;
};

}  // namespace kopdarbs
