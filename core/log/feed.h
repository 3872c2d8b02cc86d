// A feed: the chained changes of one replica in one scope, and the checkpoint that its device signs over them (FORMAT.md).
//
// hash(n) = SHA-256(hash(n-1) ‖ header ‖ SHA-256(salt ‖ content)), hash(0) = 32 zero octets. The salt goes with the content: when both
// are erased, nobody can guess the content from the hash that stays, and the chain still verifies.
#pragma once

#include "core/env/env.h"
#include "core/log/change.h"

namespace kopdarbs {

/// Where a feed stands: the counter of its last change (0: none) and the chain's hash there.
struct FeedHead {
    std::uint64_t counter = 0;
    Hash256 hash;
};

/// SHA-256(salt ‖ content): what an erasure leaves behind.
Hash256 content_hash(Crypto& crypto, BytesView salt, BytesView content);
/// The chain's hash after a change.
Hash256 chain_hash(Crypto& crypto, const Hash256& before, BytesView header, const Hash256& content);

/// The octets that a checkpoint signs: a domain prefix, the server, the feed and its head.
Bytes checkpoint_message(const DeviceId& server, const ReplicaId& replica, const ScopeId& scope, const FeedHead& head);

}  // namespace kopdarbs
