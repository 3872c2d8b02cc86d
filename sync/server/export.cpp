// The log for an outside witness, as core/log/FORMAT.md has it: feeds, scopes, decisions, and an end by which a torn file is known.
#include "core/record/json.h"
#include "sync/server/server_parts.h"

namespace kopdarbs::sync {
namespace {

class Exporter {
public:
    Exporter(Storage& storage, const ServerIdentity& identity, const std::function<void(std::string_view)>& each)
        : storage_(storage), identity_(identity), each_(each) {}

    void run() {
        line("{\"kopdarbs_export\":1,\"server\":\"" + to_hex(identity_.id.bytes()) +
             "\",\"key\":" + octets(identity_.signing.public_key.bytes()) + "}");
        const std::vector<ScopeEntry> scopes = storage_.scopes();
        feeds(scopes);
        for (const ScopeEntry& s : scopes) scope(s);
        storage_.decisions([&](const SignedDecision& d) {
            ++decisions_;
            line("{\"decision\":{\"before\":" + octets(d.before.bytes()) + ",\"body\":" + octets(d.body) +
                 ",\"signature\":" + octets(d.signature.bytes()) + "}}");
        });
        line("{\"end\":{\"feeds\":" + std::to_string(feeds_) + ",\"changes\":" + std::to_string(changes_) +
             ",\"scopes\":" + std::to_string(scopes.size()) + ",\"entries\":" + std::to_string(entries_) +
             ",\"decisions\":" + std::to_string(decisions_) + "}}");
    }

private:
    void line(std::string text) {
        text += '\n';
        each_(text);
    }
    static std::string octets(BytesView bytes) { return '"' + to_base64(bytes) + '"'; }

    void feeds(const std::vector<ScopeEntry>& scopes) {
        std::map<std::int64_t, ScopeId> ids;
        for (const ScopeEntry& s : scopes) ids.emplace(s.no, s.grant.id);
        std::map<std::int64_t, PublicKey> keys;
        for (const DeviceRow& d : storage_.devices()) keys.emplace(d.replica_no, d.key);
        for (const Storage::FeedRow& feed : storage_.feeds()) {
            const auto replica = storage_.replica_id(feed.replica);
            const auto scope = ids.find(feed.scope);
            const auto key = keys.find(feed.replica);
            if (!replica || scope == ids.end()) fail(ErrorCode::corrupt, "a feed of nobody: see kopdarbsd verify");
            ++feeds_;
            line("{\"feed\":{\"replica\":\"" + to_hex(replica->bytes()) + "\",\"scope\":\"" + to_hex(scope->second.bytes()) +
                 "\",\"key\":" + (key == keys.end() ? "null" : octets(key->second.bytes())) +
                 ",\"counter\":" + std::to_string(feed.head.counter) + ",\"hash\":" + octets(feed.head.hash.bytes()) +
                 ",\"checkpoint\":" + octets(feed.checkpoint.bytes()) + "}}");
            storage_.feed_changes(feed.replica, feed.scope, [&](std::uint64_t, const SignedChange& c, const Hash256& hash) {
                ++changes_;
                line("{\"change\":{\"header\":" + octets(c.header) + ",\"salt\":" + octets(c.salt) + ",\"content\":" + octets(c.content) +
                     ",\"hash\":" + octets(hash.bytes()) + "}}");
            });
        }
    }

    void scope(const ScopeEntry& scope) {
        std::string name;
        append_json_string(name, scope.grant.info.name);
        line("{\"scope\":{\"id\":\"" + to_hex(scope.grant.id.bytes()) + "\",\"name\":" + name +
             ",\"seq\":" + std::to_string(scope.head.seq) + ",\"hash\":" + octets(scope.head.hash.bytes()) + "}}");
        storage_.entries(scope.no, 0, scope.head.seq, -1, [&](const AcceptedRow& row) {
            ++entries_;
            line("{\"entry\":{\"seq\":" + std::to_string(row.seq) + ",\"replica\":\"" + to_hex(row.replica.bytes()) +
                 "\",\"counter\":" + std::to_string(decode_change(row.change.header, std::nullopt).dot.counter) + ",\"stamp\":\"" +
                 std::to_string(row.stamp.packed) + "\",\"change\":" + octets(row.hash.bytes()) +
                 ",\"hash\":" + octets(row.rolling.bytes()) + "}}");
            return true;
        });
    }

    Storage& storage_;
    const ServerIdentity& identity_;
    const std::function<void(std::string_view)>& each_;
    std::uint64_t feeds_ = 0, changes_ = 0, entries_ = 0, decisions_ = 0;
};

}  // namespace

void Server::export_log(const std::function<void(std::string_view line)>& each) {
    const auto reader = parts_->readers.lend();
    const Moment moment(*reader);
    Exporter(*reader, parts_->identity, each).run();
}

}  // namespace kopdarbs::sync
