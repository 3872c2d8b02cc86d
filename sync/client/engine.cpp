#include "sync/client/engine.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/record/json.h"
#include "core/store/replica.h"
#include "core/vault/slots.h"
#include "sync/frame/compression.h"
#include "sync/protocol/http_signature.h"
#include "sync/protocol/paths.h"
#include "sync/protocol/sides.h"

namespace kopdarbs::sync {
namespace {

constexpr std::uint64_t kFirstRetryMs = 500, kLongestRetryMs = 30'000;
constexpr std::size_t kSmallestBatch = 64 * 1024, kLargestBatch = 8 * 1024 * 1024;
constexpr std::uint64_t kQuickRoundMs = 2'000, kSlowRoundMs = 10'000;

/// The server's reason, as an error of ours.
[[noreturn]] void refused(const HttpResponse& response) {
    ProblemDocument problem;
    try {
        problem = decode_problem(response.body);
    } catch (const Error&) {
        fail(ErrorCode::protocol, "the server answered with status " + std::to_string(response.status));
    }
    for (ErrorCode code : {ErrorCode::invalid, ErrorCode::not_found, ErrorCode::refused, ErrorCode::stale, ErrorCode::corrupt,
                           ErrorCode::busy, ErrorCode::protocol, ErrorCode::fork})
        if (problem.code == to_string(code)) fail(code, "server: " + problem.message);
    fail(ErrorCode::network, "server: " + problem.message);
}

bool worth_retrying(int status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

class VaultSide : public ReplicaSide {
public:
    VaultSide(Vault& vault, Env env) : vault_(vault), store_(vault.replica()), env_(env) {}
    ReplicaId replica() const override { return vault_.enrolment().replica; }
    DeviceId server() const override { return vault_.enrolment().server; }
    PublicKey server_key() const override { return vault_.enrolment().server_key; }
    Signature sign(BytesView message) override { return env_.crypto.sign(vault_.enrolment().device_key, message); }
    std::uint64_t wall_ms() override { return std::min(env_.clock.wall_ms(), kMaxStampMs); }
    std::uint64_t unsent_after(std::uint64_t counter) override { return store_.unsent_after(counter); }
    std::vector<FeedPart> outgoing(std::uint64_t after, std::size_t max_bytes, std::uint64_t& last) override {
        return store_.outgoing(after, max_bytes, last);
    }
    std::vector<ScopeCursor> cursors() override { return store_.cursors(); }
    GroupId incarnation() override { return store_.incarnation(); }
    Bytes nonce() override { return store_.nonce(); }
    std::uint64_t last_counter() override { return store_.last_counter(); }
    Hash256 grants_digest() override { return store_.grants_digest(); }
    std::vector<RecordId> wanted() override { return store_.wanted(); }
    std::uint64_t receive(const Incoming& incoming) override { return store_.receive(incoming); }

private:
    Vault& vault_;
    ReplicaStore& store_;
    Env env_;
};

HttpResponse send_signed(const Vault& vault, Transport& transport, Env env, const char* path, Bytes body) {
    HttpRequest request;
    request.path = path;
    request.body = std::move(body);
    sign_request(request, to_string(vault.enrolment().device), vault.enrolment().device_key, env.crypto);
    return transport.send(request);
}

/// Sends the session's next request until an answer comes: backs off with jitter, honours Retry-After, gives up after `max_retries`. Each
/// attempt is a request made anew, since it says what time it is.
HttpResponse send_patiently(const Vault& vault, Transport& transport, Env env, const SyncOptions& options, ClientSession& session) {
    std::uint64_t delay = kFirstRetryMs;
    for (std::uint32_t attempt = 0;; ++attempt) {
        const bool last = !options.wait || attempt >= options.max_retries;
        std::uint64_t at_least = 0;
        try {
            transport.open();
            HttpResponse response = send_signed(vault, transport, env, kPathSync, compress(session.next_request()));
            if (!worth_retrying(response.status) || last) return response;
            if (const auto* seconds = find_header(response.headers, "Retry-After"))
                at_least = 1000 * std::strtoull(seconds->c_str(), nullptr, 10);
        } catch (const Error& e) {
            if (e.code() != ErrorCode::network || last) throw;
        }
        const std::uint64_t jitter = get_u64(view(env.entropy.octets<8>())) % (delay / 2 + 1);
        options.wait(std::min(std::max(at_least, delay / 2 + jitter), kLongestRetryMs));
        delay = std::min(delay * 2, kLongestRetryMs);
    }
}

}  // namespace

SyncReport synchronise(Vault& vault, Transport& transport, Env env, const SyncOptions& options) {
    const std::uint64_t started = env.clock.steady_ms(), sent = transport.bytes_sent(), received = transport.bytes_received();
    VaultSide side(vault, env);
    ClientSession session(side, env.crypto);
    std::size_t batch = 4 * 1024 * 1024;
    while (!session.is_done()) {
        const std::uint64_t round_started = env.clock.steady_ms();
        const HttpResponse response = send_patiently(vault, transport, env, options, session);
        if (response.status != 200) refused(response);
        session.on_response(decompress(response.body, kMaxMessageBytes));
        // Batches adapt to the line: a round should take a few seconds.
        const std::uint64_t took = env.clock.steady_ms() - round_started;
        if (took < kQuickRoundMs) batch = std::min(batch * 2, kLargestBatch);
        if (took > kSlowRoundMs) batch = std::max(batch / 2, kSmallestBatch);
        session.set_batch_bytes(batch);
        const SessionCounts& c = session.counts();
        if (options.progress) options.progress({c.pushed, std::max(c.to_push, c.pushed), c.pulled, std::max(c.to_pull, c.pulled)});
    }
    const SessionCounts& c = session.counts();
    return {c.pushed,
            c.accepted,
            c.refused,
            c.quarantined,
            c.again,
            c.pulled,
            c.round_trips,
            transport.bytes_sent() - sent,
            transport.bytes_received() - received,
            env.clock.steady_ms() - started};
}

Enrolment enrol(Transport& transport, std::string_view url, std::string_view ca_pem, std::string_view code, Env env) {
    HttpRequest request;
    request.path = kPathServer;
    const HttpResponse introduced = transport.send(request);
    if (introduced.status != 200) refused(introduced);
    const ServerIntroduction server = decode_introduction(introduced.body);
    Enrolment e;
    e.server = server.server;
    e.server_key = server.server_key;
    e.recovery_key = server.recovery_key;
    e.server_url = url;
    e.ca_pem = ca_pem;
    e.device_key = env.crypto.make_signing_key(env.entropy);
    request.path = kPathEnrol;
    request.body = encode(EnrolRequest{std::string(code), e.device_key.public_key});
    const HttpResponse response = transport.send(request);
    if (response.status != 200) refused(response);
    const EnrolResponse enrolled = decode_enrol_response(response.body);
    e.device = enrolled.device;
    e.replica = enrolled.replica;
    e.user = enrolled.user;
    return e;
}

void confirm_enrolment(const Vault& vault, BytesView slots, Transport& transport, Env env) {
    const HttpResponse response = send_signed(vault, transport, env, kPathRecovery, recovery_slot(slots, env.crypto));
    if (response.status != 200) refused(response);
}

std::vector<Event> fetch_history(const Vault& vault, const RecordId& record, Transport& transport, Env env) {
    const HttpResponse response = send_signed(vault, transport, env, kPathHistory, Bytes(record.bytes()));
    if (response.status != 200) refused(response);
    const SyncResponse message = decode_response(decompress(response.body, kMaxMessageBytes));
    std::vector<Event> events;
    for (const Entry& e : message.incoming.states) {
        if (e.kind != Entry::Kind::change) continue;
        const Change change = decode_change(e.header, BytesView(e.content));
        events.push_back({change.dot, change.author, e.stamp, ops_to_json(change.ops)});
    }
    return events;
}

}  // namespace kopdarbs::sync
