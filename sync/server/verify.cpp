// The server's own audit: every chain and checkpoint, every record against its changes, every scope's order, the chain of decisions.
#include "core/base/error.h"
#include "core/record/json.h"
#include "core/store/shape.h"
#include "sync/server/server_parts.h"

namespace kopdarbs::sync {
namespace {

class Auditor {
public:
    Auditor(Storage& storage, const Directory& directory, const ServerIdentity& identity, Crypto& crypto)
        : storage_(storage), directory_(directory), identity_(identity), crypto_(crypto) {}

    Verified run() {
        guarded("server.db", [&] {
            for (const std::string& line : storage_.integrity()) damage("server.db", line);
        });
        guarded("feeds", [&] { feeds(); });
        guarded("scopes", [&] { scopes(); });
        guarded("decisions", [&] { decisions(); });
        return std::move(found_);
    }

private:
    template <class Work>
    void guarded(const std::string& where, Work work) {
        try {
            work();
        } catch (const Error& e) {
            damage(where, e.what());
        }
    }
    void damage(const std::string& where, const std::string& what) { found_.damage.push_back({where, what}); }

    void feeds() {
        std::map<std::int64_t, DeviceRow> by_replica;
        for (DeviceRow& d : storage_.devices()) by_replica.emplace(d.replica_no, d);
        for (const Storage::FeedRow& feed : storage_.feeds()) {
            ++found_.feeds;
            const auto replica = storage_.replica_id(feed.replica);
            if (!replica) {
                damage("feed " + std::to_string(feed.replica), "its replica is not known");
                continue;
            }
            FeedHead head;
            ScopeId scope;
            storage_.feed_changes(feed.replica, feed.scope, [&](std::uint64_t counter, const SignedChange& c, const Hash256& hash) {
                const std::string name = "change " + to_string(Dot{*replica, counter});
                ++found_.changes;
                const Hash256 computed = chain_hash(crypto_, head.hash, c.header, content_hash(crypto_, c.salt, c.content));
                if (computed != hash) damage(name, "its bytes do not give the hash that its device signed");
                head = {counter, hash};
                try {
                    const Change change = decode_change(c.header, std::nullopt);
                    scope = change.scope;
                    if (change.dot != Dot{*replica, counter}) damage(name, "it is numbered otherwise inside");
                } catch (const Error& e) {
                    damage(name, e.what());
                }
            });
            const std::string name = "feed of " + to_string(*replica);
            if (head.counter != feed.head.counter || head.hash != feed.head.hash) damage(name, "its head is not its last change");
            const auto device = by_replica.find(feed.replica);
            if (device != by_replica.end() &&
                !crypto_.verify(device->second.key, checkpoint_message(identity_.id, *replica, scope, feed.head), feed.checkpoint))
                damage(name, "its checkpoint is not signed by its device");
        }
    }

    void scopes() {
        for (const ScopeEntry& scope : storage_.scopes()) {
            Cursor head;
            storage_.entries(scope.no, 0, scope.head.seq, -1, [&](const AcceptedRow& row) {
                Bytes link(head.hash.bytes());
                link.append(row.hash.bytes());
                head = {head.seq + 1, crypto_.sha256(link)};
                if (row.seq != head.seq || row.rolling != head.hash)
                    damage("scope " + scope.grant.info.name, "its order breaks at " + std::to_string(row.seq));
                return true;
            });
            if (!(head == scope.head)) damage("scope " + scope.grant.info.name, "its head is not its last entry");
            storage_.records(scope.no, 0, [&](const RecordRow& row) {
                record(row);
                return true;
            });
        }
    }

    void record(const RecordRow& row) {
        const std::string name = "record " + to_string(row.id);
        ++found_.records;
        try {
            RecordState state;
            for (const AcceptedRow& accepted : storage_.changes_of(row.no))
                if (state.apply(decode_change(accepted.change.header, BytesView(accepted.change.content)), accepted.stamp) !=
                    Applied::applied)
                    damage(name, "one of its changes does not apply");
            const Shape shape = shape_of(crypto_, row.id, state, directory_.schema().type(row.type));
            if (shape.doc != row.doc || shape.meta != row.meta) damage(name, "it is not what its changes give");
        } catch (const Error& e) {
            damage(name, e.what());
        }
    }

    void decisions() {
        Hash256 before;
        std::size_t n = 0;
        storage_.decisions([&](const SignedDecision& d) {
            const std::string name = "decision " + std::to_string(++n);
            if (d.before != before) damage(name, "it does not follow the one before");
            if (!crypto_.verify(identity_.signing.public_key, decision_message(d.before, d.body), d.signature))
                damage(name, "it is not signed by this server");
            before = crypto_.sha256(decision_message(d.before, d.body));
        });
    }

    Storage& storage_;
    const Directory& directory_;
    const ServerIdentity& identity_;
    Crypto& crypto_;
    Verified found_;
};

}  // namespace

Verified Server::verify() {
    const auto reader = parts_->readers.lend();
    const Moment moment(*reader);
    return Auditor(*reader, *parts_->directory(*reader), parts_->identity, parts_->env.crypto).run();
}

}  // namespace kopdarbs::sync
