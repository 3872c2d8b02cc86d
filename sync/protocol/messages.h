// The messages of a sync (PROTOCOL.md): their members, and their bytes as deterministic CBOR arrays by position.
//
// Decoding is strict and bounded; parts that a newer version appends are skipped. Throws Error{corrupt}.
// Threading: values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/store/replica.h"

namespace kopdarbs::sync {

constexpr std::uint64_t kProtocol = 1;
constexpr std::size_t kNonceBytes = 16;
constexpr std::size_t kMaxMessageBytes = 48 * 1024 * 1024;  ///< decompressed

/// Device to server.
struct SyncRequest {
    std::uint64_t min_protocol = kProtocol, max_protocol = kProtocol, features = 0;
    ReplicaId replica;
    std::uint64_t wall_ms = 0;
    Bytes nonce;          ///< the last one heard, empty at first
    GroupId incarnation;  ///< of the server that the cursors belong to
    Hash256 grants;       ///< digest of the scopes and types held
    Hash256 cursors_digest;
    std::optional<std::vector<ScopeCursor>> cursors;  ///< when the server did not know the digest
    std::uint64_t pull_bytes = 0;                     ///< about how much to send; 0: still pushing
    std::vector<FeedPart> feeds;
    std::vector<RecordId> wanted;
    std::uint64_t counter = 0;  ///< the last number that this replica gave a change: a server that knows more talks to a copy
};

/// Server to device.
struct SyncResponse {
    std::uint64_t protocol = kProtocol, features = 0;
    bool cursors_wanted = false;  ///< nothing was pulled: say the cursors
    std::uint64_t remaining = 0;  ///< entries still to be pulled after these pages
    Incoming incoming;
};

Bytes encode(const SyncRequest& request);
SyncRequest decode_request(BytesView bytes);
Bytes encode(const SyncResponse& response);
SyncResponse decode_response(BytesView bytes);

/// The verdicts as the server signs them: [replica, [[code, counter, count, seq, stamp?, reason?]…]].
Bytes encode_decision(const ReplicaId& replica, const std::vector<Verdict>& verdicts);
std::vector<Verdict> decode_decision(BytesView body, ReplicaId& replica);
/// What is signed, and hashed into the chain of decisions.
Bytes decision_message(const Hash256& before, BytesView body);

Hash256 digest_of_cursors(Crypto& crypto, const std::vector<ScopeCursor>& cursors);
void write_cursors(CborWriter& out, const std::vector<ScopeCursor>& cursors);
std::vector<ScopeCursor> read_cursors(CborReader& in);

/// Why a request was not served: an error code of ErrorCode's words and a sentence.
struct ProblemDocument {
    std::string code, message;
};
Bytes encode(const ProblemDocument& problem);
ProblemDocument decode_problem(BytesView bytes);

// Enrolment: the server introduces itself, the device comes with its code and key, then leaves its sealed recovery slot.
struct ServerIntroduction {
    DeviceId server;
    PublicKey server_key, recovery_key;
};
struct EnrolRequest {
    std::string code;
    PublicKey device_key;
};
struct EnrolResponse {
    DeviceId device;
    ReplicaId replica;
    std::string user;
};
Bytes encode(const ServerIntroduction& m);
ServerIntroduction decode_introduction(BytesView bytes);
Bytes encode(const EnrolRequest& m);
EnrolRequest decode_enrol_request(BytesView bytes);
Bytes encode(const EnrolResponse& m);
EnrolResponse decode_enrol_response(BytesView bytes);

}  // namespace kopdarbs::sync
