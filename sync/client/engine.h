// The engine that drives a device's session with its server: rounds until both sides are drained, retries, progress, cursors.
//
// Each round trip is one `sync` request (protocol/PROTOCOL.md): it pushes a batch, hears a verdict for each change, pulls a page. What a
// response brings is saved in one transaction with the cursor that covers it, before the next request says so.
//
// Threading: one sync of one vault at a time; the host holds the lock that says so.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/kopdarbs.h"
#include "sync/client/transport.h"

namespace kopdarbs::sync {

struct SyncReport {
    std::uint64_t pushed = 0, accepted = 0, refused = 0, quarantined = 0, again = 0, pulled = 0;
    std::uint64_t round_trips = 0, bytes_sent = 0, bytes_received = 0, duration_ms = 0;
};

/// Counts that are known from the first response on, so that a bar never lies.
struct Progress {
    std::uint64_t pushed = 0, to_push = 0, pulled = 0, to_pull = 0;
};

struct SyncOptions {
    std::function<void(const Progress&)> progress;  ///< after each round trip
    std::function<void(std::uint64_t ms)> wait;     ///< between retries; absent: no retries
    std::uint32_t max_retries = 5;
};

/// Throws Error{network} when the line stays cut, Error{refused} when the server does not know this device any more, Error{protocol}.
/// Whatever was confirmed before stays done.
SyncReport synchronise(Vault& vault, Transport& transport, Env env, const SyncOptions& options);

/// Enrols with a one-time code. The caller makes the vault from the result (Vault::create) and then calls confirm_enrolment, which gives
/// the server the recovery slot. Throws Error{refused} for a code that is wrong, used or expired.
Enrolment enrol(Transport& transport, std::string_view url, std::string_view ca_pem, std::string_view code, Env env);
void confirm_enrolment(const Vault& vault, BytesView slots, Transport& transport, Env env);

/// A record's whole history as the server has it; throws Error{network} when it does not answer.
std::vector<Event> fetch_history(const Vault& vault, const RecordId& record, Transport& transport, Env env);

}  // namespace kopdarbs::sync
