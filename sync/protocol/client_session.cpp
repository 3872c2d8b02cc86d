#include "core/base/error.h"
#include "sync/protocol/sides.h"

namespace kopdarbs::sync {
namespace {

constexpr std::size_t kFirstBatchBytes = 4 * 1024 * 1024;
constexpr std::uint32_t kMaxIdleRounds = 4;

}  // namespace

ClientSession::ClientSession(ReplicaSide& side, Crypto& crypto) : side_(side), crypto_(crypto), batch_bytes_(kFirstBatchBytes) {
    counts_.to_push = side.unsent_after(0);
}

Bytes ClientSession::next_request() {
    KOPDARBS_ASSERT(!done_);
    SyncRequest request;
    request.replica = side_.replica();
    request.wall_ms = side_.wall_ms();
    request.nonce = side_.nonce();
    request.counter = side_.last_counter();
    request.incarnation = side_.incarnation();
    request.grants = side_.grants_digest();
    const std::vector<ScopeCursor> cursors = side_.cursors();
    request.cursors_digest = digest_of_cursors(crypto_, cursors);
    if (say_cursors_) request.cursors = cursors;
    request.feeds = side_.outgoing(after_, batch_bytes_, last_);
    in_flight_ = 0;
    for (FeedPart& feed : request.feeds) {
        feed.checkpoint = side_.sign(checkpoint_message(side_.server(), request.replica, feed.scope, feed.head));
        in_flight_ += feed.changes.size();
    }
    // Others' changes may have seen ours: nothing is pulled before the verdicts on all of ours are here.
    request.pull_bytes = side_.unsent_after(last_) > 0 ? 0 : batch_bytes_;
    if (request.pull_bytes > 0) request.wanted = side_.wanted();
    return encode(request);
}

void ClientSession::tally(const std::vector<Verdict>& verdicts) {
    for (const Verdict& v : verdicts) {
        switch (v.code) {
            case VerdictCode::accepted: counts_.accepted += v.count; break;
            case VerdictCode::refused: counts_.refused += v.count; break;
            case VerdictCode::quarantined: counts_.quarantined += v.count; break;
            case VerdictCode::again: counts_.again += v.count; break;
            case VerdictCode::held: break;
        }
    }
}

void ClientSession::on_response(BytesView bytes) {
    SyncResponse response = decode_response(bytes);
    if (response.protocol != kProtocol) fail(ErrorCode::protocol, "the server answered in another protocol");
    Incoming& incoming = response.incoming;
    if (incoming.decision) {
        const SignedDecision& d = *incoming.decision;
        if (!crypto_.verify(side_.server_key(), decision_message(d.before, d.body), d.signature))
            fail(ErrorCode::corrupt, "the server's decision is not signed by its key");
        ReplicaId about;
        incoming.verdicts = decode_decision(d.body, about);
        if (about != side_.replica()) fail(ErrorCode::corrupt, "a decision about another replica");
    }
    const std::uint64_t pulled = side_.receive(incoming);
    ++counts_.round_trips;
    counts_.pushed += in_flight_;
    counts_.pulled += pulled;
    tally(incoming.verdicts);
    after_ = last_;
    say_cursors_ = response.cursors_wanted;
    counts_.to_pull = counts_.pulled + response.remaining;
    const bool more = side_.unsent_after(after_) > 0 || response.remaining > 0 || response.cursors_wanted || !side_.wanted().empty();
    // A server that promises more and sends nothing must not keep us for ever.
    const bool idle = in_flight_ == 0 && incoming.pages.empty() && incoming.states.empty();
    idle_rounds_ = idle ? idle_rounds_ + 1 : 0;
    done_ = !more || idle_rounds_ >= kMaxIdleRounds;
}

}  // namespace kopdarbs::sync
