#include "core/log/feed.h"

namespace kopdarbs {
namespace {
constexpr std::string_view kCheckpointPrefix = "kopdarbs checkpoint 1";
}

Hash256 content_hash(Crypto& crypto, BytesView salt, BytesView content) {
    Bytes input;
    input.reserve(salt.size() + content.size());
    input.append(salt).append(content);
    return crypto.sha256(input);
}

Hash256 chain_hash(Crypto& crypto, const Hash256& before, BytesView header, const Hash256& content) {
    Bytes input;
    input.reserve(2 * Hash256::size + header.size());
    input.append(before.bytes()).append(header).append(content.bytes());
    return crypto.sha256(input);
}

Bytes checkpoint_message(const DeviceId& server, const ReplicaId& replica, const ScopeId& scope, const FeedHead& head) {
    Bytes message(kCheckpointPrefix);
    message += '\0';
    message.append(server.bytes()).append(replica.bytes()).append(scope.bytes());
    put_u64(message, head.counter);
    message.append(head.hash.bytes());
    return message;
}

}  // namespace kopdarbs
