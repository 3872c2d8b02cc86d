// The commands that talk to the server, and the one that changes the secret.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/vault/secret.h"
#include "platform/posix/https_transport.h"
#include "platform/posix/vault_dir.h"
#include "sync/client/engine.h"
#include "tools/common/input.h"
#include "tools/common/json_object.h"
#include "tools/common/outcome.h"
#include "tools/common/shapes.h"
#include "tools/common/text_out.h"
#include "tools/kopdarbs/commands.h"
#include "tools/kopdarbs/show.h"

namespace kopdarbs::tools {
namespace {

constexpr std::uint64_t kLockWaitMs = 10'000;
constexpr std::size_t kMaxCaBytes = 64 * 1024;
constexpr posix::HttpsTimeouts kHistoryTimeouts = {3'000, 10'000};

std::unique_ptr<posix::HttpsTransport> line_to_server(const Vault& vault, posix::HttpsTimeouts timeouts = {}) {
    return std::make_unique<posix::HttpsTransport>(vault.enrolment().server_url, vault.enrolment().ca_pem, timeouts);
}

void sleep_ms(std::uint64_t ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

/// Removes a directory that was made for a vault which did not come to be.
class UnusedDir {
public:
    UnusedDir(std::string dir, bool made) : dir_(std::move(dir)), remove_(made) {}
    ~UnusedDir() {
        if (remove_) ::rmdir(dir_.c_str());  // an empty one only
    }
    UnusedDir(const UnusedDir&) = delete;
    UnusedDir& operator=(const UnusedDir&) = delete;
    void keep() { remove_ = false; }

private:
    std::string dir_;
    bool remove_;
};

sync::SyncReport synchronise_here(const Session& session, const Request& request) {
    const posix::SyncLock lock(request.vault, kLockWaitMs);
    const auto transport = line_to_server(*session.vault);
    const Env env = session.host->env();
    if (!posix::is_confirmed(request.vault)) {
        sync::confirm_enrolment(*session.vault, posix::read_slots(request.vault), *transport, env);
        posix::mark_confirmed(request.vault);
    }
    ProgressLine progress;
    sync::SyncOptions options;
    options.wait = sleep_ms;
    if (progress.shown()) {
        options.progress = [&progress](const sync::Progress& p) {
            progress.show("sent " + std::to_string(p.pushed) + " of " + std::to_string(p.to_push) + ", received " +
                          std::to_string(p.pulled) + " of " + std::to_string(p.to_pull));
        };
    }
    return sync::synchronise(*session.vault, *transport, env, options);
}

/// What the server has of a record, if it answers; what only this device holds comes after.
std::vector<Event> whole_history(const Session& session, const RecordId& id, bool& complete) {
    std::vector<Event> local = session.vault->history(id, complete);
    try {
        const auto transport = line_to_server(*session.vault, kHistoryTimeouts);
        std::vector<Event> events = sync::fetch_history(*session.vault, id, *transport, session.host->env());
        for (Event& event : local) {
            const auto same_dot = [&event](const Event& other) { return other.dot == event.dot; };
            if (std::none_of(events.begin(), events.end(), same_dot)) events.push_back(std::move(event));
        }
        complete = true;
        return events;
    } catch (const Error&) {
        return local;  // offline, or a server that says no: what is held here is still true
    }
}

}  // namespace

int enrol_command(const Request& request) {
    const Bytes ca = input_file(request.ca, kMaxCaBytes);
    Bytes secret = read_secret("KOPDARBS_SECRET", "New secret of " + request.vault + ": ", true);
    check_secret(secret);
    // The code is good once: everything that can fail before it is used is tried before.
    UnusedDir unused(request.vault, posix::prepare_vault_dir(request.vault));
    Host host;
    posix::HttpsTransport transport(request.server, ca);
    const Enrolment enrolment = sync::enrol(transport, request.server, ca, request.code, host.env());
    const auto vault = posix::create_vault(request.vault, secret, enrolment, host.env());
    unused.keep();
    wipe(secret);
    try {
        sync::confirm_enrolment(*vault, posix::read_slots(request.vault), transport, host.env());
        posix::mark_confirmed(request.vault);
    } catch (const Error& e) {
        print_error("kopdarbs", "warning", std::string("the vault is made, its recovery slot goes with the next sync: ") + e.what());
    }
    if (request.json) {
        print_line(JsonObject()
                       .text("vault", request.vault)
                       .text("user", enrolment.user)
                       .text("device", to_string(enrolment.device))
                       .text("replica", to_string(enrolment.replica))
                       .str());
    } else {
        print_line("enrolled " + one_line(enrolment.user) + " as device " + to_string(enrolment.device) + " in " + request.vault +
                   "; kopdarbs sync brings what is assigned");
    }
    return kExitDone;
}

int sync_command(const Request& request) {
    const Session session = open_session(request);
    const sync::SyncReport report = synchronise_here(session, request);
    if (request.json) {
        print_line(to_json(report));
    } else {
        print_line("sent " + std::to_string(report.pushed) + " (" + std::to_string(report.accepted) + " accepted, " +
                   std::to_string(report.refused) + " refused, " + std::to_string(report.quarantined) + " quarantined, " +
                   std::to_string(report.again) + " again), received " + std::to_string(report.pulled) + "; " +
                   std::to_string(report.round_trips) + " round trips, " + std::to_string(report.bytes_sent) + " + " +
                   std::to_string(report.bytes_received) + " bytes, " + std::to_string(report.duration_ms) + " ms");
    }
    if (report.refused == 0) return kExitDone;
    print_error("kopdarbs", "refused", std::to_string(report.refused) + " changes were refused and kept: see kopdarbs letters");
    return kExitRefused;
}

int history_command(const Request& request) {
    const RecordId id = record_argument(request.id);
    const Session session = open_session(request);
    bool complete = false;
    const std::vector<Event> events = whole_history(session, id, complete);
    if (request.json) {
        for (const Event& event : events) print_line(to_json(event));
        print_line(JsonObject().boolean("complete", complete).str());
        return kExitDone;
    }
    Table table({"STAMP", "AUTHOR", "DOT", "CHANGE"});
    for (const Event& event : events) table.add({to_string(event.stamp), event.author, to_string(event.dot), ops_line(event.ops)});
    table.print();
    if (!complete) print_line("(only what this device still holds)");
    return kExitDone;
}

int secret_command(const Request& request) {
    const Session session = open_session(request);
    Bytes secret = read_secret("KOPDARBS_NEW_SECRET", "New secret of " + request.vault + ": ", true);
    check_secret(secret);
    const Bytes slots = session.vault->change_secret(posix::read_slots(request.vault), secret);
    wipe(secret);
    posix::write_slots(request.vault, slots);
    print_line(request.json ? JsonObject().text("vault", request.vault).boolean("changed", true).str()
                            : "the secret of " + request.vault + " is changed");
    return kExitDone;
}

}  // namespace kopdarbs::tools
