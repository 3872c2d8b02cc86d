// The inside of a server: connections, the directory of the day, and one device's side of a sync.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "sync/protocol/sides.h"
#include "sync/server/committer.h"
#include "sync/server/directory.h"
#include "sync/server/ingest.h"
#include "sync/server/readers.h"
#include "sync/server/server.h"

namespace kopdarbs::sync {

/// One moment of a store that others go on writing to, or its heads would not be its last changes.
class Moment {
public:
    explicit Moment(Storage& storage) : storage_(storage) { storage_.begin_read(); }
    ~Moment() { storage_.rollback(); }
    Moment(const Moment&) = delete;
    Moment& operator=(const Moment&) = delete;

private:
    Storage& storage_;
};

/// What a server is, as its store says.
struct ServerIdentity {
    DeviceId id;
    KeyPair signing;
    PublicKey recovery;
    GroupId incarnation;
};

struct Server::Parts {
    Parts(const std::string& database, Env environment);

    ServerIdentity read_identity();
    /// Today's directory; made anew after provisioning, by whichever process.
    std::shared_ptr<const Directory> directory(Storage& storage);
    std::shared_ptr<const Grants> grants(Storage& storage, const std::string& user);
    std::string today() const { return to_rfc3339(env.clock.wall_ms()).substr(0, 10); }

    HttpResponse introduce();
    HttpResponse enrol(const HttpRequest& request);
    HttpResponse confirm(const DeviceRow& device, const HttpRequest& request);
    HttpResponse sync(const DeviceRow& device, const HttpRequest& request);
    HttpResponse history(const DeviceRow& device, const HttpRequest& request);

    Env env;
    Readers readers;
    Committer committer;
    ServerIdentity identity;

    std::mutex mutex;  ///< guards what follows
    std::shared_ptr<const Directory> directory_;
    Bytes directory_version_;
    std::map<std::string, std::shared_ptr<const Grants>> grants_;
    std::string grants_day_;
    std::map<DeviceId, std::vector<ScopeCursor>> offered_;
    std::uint64_t failed_codes_ = 0, failed_since_ms_ = 0;
};

/// The server's side of one device's sync request.
class DeviceSession : public ServerSide {
public:
    /// `waited_ms`: how long ago the request was sent off, as far as it is known.
    DeviceSession(Server::Parts& server, Storage& reader, const DeviceRow& device, std::uint64_t waited_ms);
    Decided decide(const SyncRequest& request) override;
    const std::vector<ScopeGrant>& scopes() override { return grants_->scopes; }
    const std::vector<std::string>& types() override { return directory_->types(); }
    Hash256 grants_digest() override { return grants_->digest; }
    Hash256 schema() override { return directory_->fingerprint(); }
    ScopePage page(const ScopeCursor& from, std::size_t max_bytes, std::uint64_t& bytes, std::uint64_t& remaining) override;
    bool is_current(const ScopeCursor& cursor) override;
    std::optional<Entry> state_of(const RecordId& record) override;
    void offer(const std::vector<ScopeCursor>& cursors) override;

private:
    std::vector<Verdict> ingest(Storage& storage, const std::vector<PreparedFeed>& feeds, const Origin& origin, Decided& decided);
    const ScopeEntry& entry_of(const ScopeId& id);
    bool is_in_order(const ScopeEntry& scope, const Cursor& cursor);
    Server::Parts& server_;
    Storage& reader_;
    DeviceRow device_;
    const std::uint64_t waited_ms_;
    std::shared_ptr<const Directory> directory_;
    std::shared_ptr<const Grants> grants_;
    std::map<ScopeId, ScopeEntry> heads_;
};

HttpResponse problem(int status, const Error& error);

}  // namespace kopdarbs::sync
