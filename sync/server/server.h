// A municipality's server: keeps every change, decides, and hands each device what its user's assignments say.
//
// Ingest is one way: verify the chain and its checkpoint -> check the invariant -> authorise -> sequence -> store and join. One writer
// thread commits many devices' pushes together (group commit); requests are answered only after their commit.
//
// Threading: handle() may be called from many threads at once; the administrator's calls too, from any process that opened the same file.
// Errors: administrator's calls throw kopdarbs::Error; handle() answers with a status and a CBOR problem instead.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/env/env.h"
#include "core/kopdarbs.h"
#include "sync/protocol/http.h"

namespace kopdarbs::sync {

struct DeviceInfo {
    DeviceId device;
    ReplicaId replica;
    std::string user;
    std::uint64_t enrolled_ms = 0;
    std::uint64_t last_seen_ms = 0;  ///< 0: never
    std::uint64_t changes = 0;
    std::int64_t clock_offset_ms = 0;
};

struct ServerStatus {
    DeviceId server;
    std::string municipality;
    std::uint64_t users = 0, devices = 0, scopes = 0, records = 0, changes = 0, refused = 0, held = 0, review = 0;
};

struct Provisioned {
    std::uint64_t units = 0, files = 0, users = 0, partners = 0, types = 0, assignments = 0, ended = 0;
};

/// The two halves of the recovery key, printed once and kept by two people; neither opens anything alone.
struct RecoveryShares {
    std::string first, second;
};

class Server {
public:
    /// Makes a new store at `database`. Throws Error{io} when there is one.
    static RecoveryShares create(const std::string& database, Env env);
    Server(const std::string& database, Env env);
    ~Server();

    /// The provision file (DESIGN); `types` are the texts of the files that it names, in its order. Idempotent; all or nothing.
    Provisioned provision(std::string_view json, const std::vector<std::string>& types);
    /// A one-time code of 16 base-32 characters (80 bits) in groups of four, good for 14 days.
    std::string enrol_code(std::string_view user);
    std::vector<DeviceInfo> devices();
    ServerStatus status();
    Verified verify();
    /// All feeds, scopes and decisions as of one moment, for outside witnesses (core/log/FORMAT.md, Export): lines with their ends, one a
    /// call.
    void export_log(const std::function<void(std::string_view line)>& each);
    /// The secret that opens a device's vault ("recovery:…"), from both shares; the opening is written to the audit log.
    std::string recover(const DeviceId& device, std::string_view first_share, std::string_view second_share);
    std::vector<LogLine> audit(std::uint64_t limit);

    HttpResponse handle(const HttpRequest& request);

    struct Parts;

private:
    std::unique_ptr<Parts> parts_;
};

}  // namespace kopdarbs::sync
