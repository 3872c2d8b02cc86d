// Storage in one SQLite file: directory, devices, changes. WAL with synchronous=FULL; one writer at a time, readers never wait.
#include "core/base/embedded.h"
#include "core/base/error.h"
#include "core/store/database.h"
#include "sync/server/storage/storage.h"

namespace kopdarbs::sync {
namespace {

constexpr int kSeqBits = 40;

std::int64_t place_of(std::int64_t scope, std::uint64_t seq) {
    return scope << kSeqBits | static_cast<std::int64_t>(seq);
}
std::uint64_t seq_of(std::int64_t place) {
    return static_cast<std::uint64_t>(place) & ((std::uint64_t{1} << kSeqBits) - 1);
}

class SqliteStorage : public Storage {
public:
    SqliteStorage(const std::string& path, bool create, Background* background)
        : db_(path, create ? Database::Mode::create : Database::Mode::open, {}, Database::Durability::full, background) {
        db_.migrate(embedded::server_migrations, embedded::server_migrations_count);
    }

    void begin() override { Query(db_, "BEGIN IMMEDIATE").run(); }
    void commit() override { Query(db_, "COMMIT").run(); }
    void rollback() noexcept override { db_.roll_back(); }
    void begin_read() override { Query(db_, "BEGIN").run(); }
    void savepoint() override { db_.execute("SAVEPOINT part"); }
    void release() override { db_.execute("RELEASE part"); }
    void undo_to_savepoint() override { db_.execute("ROLLBACK TO part; RELEASE part"); }

    Bytes setting(const char* name) override {
        Query q(db_, "SELECT value FROM setting WHERE name = ?");
        q.text(name);
        return q.next() ? Bytes(q.bytes(0)) : Bytes();
    }
    void set_setting(const char* name, BytesView value) override {
        Query(db_, "INSERT INTO setting VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value").text(name).blob(value).run();
    }
    void audit(std::uint64_t at_ms, const std::string& what) override {
        Query(db_, "INSERT INTO audit(at_ms, what) VALUES (?, ?)").bind(at_ms).text(what).run();
    }
    std::vector<LogLine> audit_lines(std::uint64_t limit) override {
        std::vector<LogLine> lines;
        Query q(db_, "SELECT at_ms, what FROM (SELECT * FROM audit ORDER BY no DESC LIMIT ?) ORDER BY no");
        q.bind(limit);
        while (q.next()) lines.push_back({q.unsigned_integer(0), q.string(1)});
        return lines;
    }

    void put_unit(const UnitEntry& u) override {
        Query(db_, "INSERT INTO unit VALUES (?, ?, ?) ON CONFLICT(id) DO UPDATE SET name = excluded.name, kind = excluded.kind")
            .text(u.id)
            .text(u.name)
            .text(u.kind)
            .run();
    }
    void put_file(const FileEntry& f) override {
        Query(db_, "INSERT INTO file VALUES (?, ?, ?) ON CONFLICT(id) DO UPDATE SET unit = excluded.unit, label = excluded.label")
            .text(f.id)
            .text(f.unit)
            .text(f.label)
            .run();
    }
    void put_partner(const std::string& id, const std::string& name, const std::string& kind) override {
        Query(db_, "INSERT INTO partner VALUES (?, ?, ?) ON CONFLICT(id) DO UPDATE SET name = excluded.name, kind = excluded.kind")
            .text(id)
            .text(name)
            .text(kind)
            .run();
    }
    void put_user(const std::string& id, const std::string& name, const std::string& language) override {
        Query(db_, "INSERT INTO user VALUES (?, ?, ?) ON CONFLICT(id) DO UPDATE SET name = excluded.name, language = excluded.language")
            .text(id)
            .text(name)
            .text(language)
            .run();
    }
    void put_assignment(const AssignmentEntry& a) override {
        Query q(db_,
                "INSERT INTO assignment VALUES (?, ?, ?, ?, ?) ON CONFLICT(user, role, target, from_day) DO UPDATE SET until_day = "
                "excluded.until_day");
        q.text(a.user).text(a.role).text(a.target).text(a.from);
        a.until.empty() ? q.null() : q.text(a.until);
        q.run();
    }
    void put_type(const std::string& name, std::uint32_t version, const std::string& source) override {
        Query(
            db_,
            "INSERT INTO record_type VALUES (?, ?, ?) ON CONFLICT(name) DO UPDATE SET version = excluded.version, source = excluded.source")
            .text(name)
            .bind(static_cast<std::int64_t>(version))
            .text(source)
            .run();
    }
    void put_scope(const ScopeGrant& s) override {
        Query(db_,
              "INSERT INTO scope(id, name, label, section, target, kind, rolling) VALUES (?, ?, ?, ?, ?, ?, zeroblob(32)) "
              "ON CONFLICT(id) DO UPDATE SET label = excluded.label")
            .id(s.id)
            .text(s.info.name)
            .text(s.info.label)
            .text(s.info.section)
            .text(s.info.target)
            .text(s.kind)
            .run();
    }
    std::vector<UnitEntry> units() override {
        return all<UnitEntry>("SELECT id, name, kind FROM unit ORDER BY id",
                              [](Query& q) { return UnitEntry{q.string(0), q.string(1), q.string(2)}; });
    }
    std::vector<FileEntry> files() override {
        return all<FileEntry>("SELECT id, unit, label FROM file ORDER BY id",
                              [](Query& q) { return FileEntry{q.string(0), q.string(1), q.string(2)}; });
    }
    std::vector<std::string> users() override {
        return all<std::string>("SELECT id FROM user ORDER BY id", [](Query& q) { return q.string(0); });
    }
    std::vector<AssignmentEntry> assignments(const std::string& user) override {
        std::vector<AssignmentEntry> all;
        Query q(db_,
                "SELECT user, role, target, from_day, coalesce(until_day, '') FROM assignment WHERE ?1 = '' OR user = ?1 ORDER BY user, "
                "role, target, from_day");
        q.text(user);
        while (q.next()) all.push_back({q.string(0), q.string(1), q.string(2), q.string(3), q.string(4)});
        return all;
    }
    std::vector<std::string> types() override {
        return all<std::string>("SELECT source FROM record_type ORDER BY name", [](Query& q) { return q.string(0); });
    }
    std::vector<ScopeEntry> scopes() override {
        return all<ScopeEntry>("SELECT no, id, name, label, section, target, kind, seq, rolling FROM scope ORDER BY no", read_scope);
    }
    std::optional<ScopeEntry> scope(const ScopeId& id) override {
        Query q(db_, "SELECT no, id, name, label, section, target, kind, seq, rolling FROM scope WHERE id = ?");
        q.id(id);
        if (!q.next()) return std::nullopt;
        return read_scope(q);
    }

    void put_code(const Hash256& hash, const std::string& user, std::uint64_t expires_ms) override {
        Query(db_, "INSERT INTO enrol_code(hash, user, expires_ms) VALUES (?, ?, ?)").id(hash).text(user).bind(expires_ms).run();
    }
    std::optional<std::string> use_code(const Hash256& hash, std::uint64_t now_ms) override {
        std::string user;
        {
            Query q(db_, "SELECT user FROM enrol_code WHERE hash = ? AND used_ms = 0 AND expires_ms > ?");
            if (!q.id(hash).bind(now_ms).next()) return std::nullopt;
            user = q.string(0);
        }
        Query(db_, "UPDATE enrol_code SET used_ms = ? WHERE hash = ?").bind(now_ms).id(hash).run();
        return user;
    }
    void add_device(const DeviceRow& d) override {
        Query(db_, "INSERT INTO device(id, key, user, enrolled_ms) VALUES (?, ?, ?, ?)")
            .id(d.id)
            .id(d.key)
            .text(d.user)
            .bind(d.enrolled_ms)
            .run();
        Query(db_, "INSERT INTO replica(id, device) VALUES (?, ?)").id(d.replica).bind(db_.last_insert_row()).run();
    }
    std::optional<DeviceRow> device(const DeviceId& id) override {
        Query q(db_,
                "SELECT d.no, d.id, d.key, d.user, d.enrolled_ms, d.seen_ms, d.offset_ms, d.nonce, d.nonce_before, d.cursors, d.recovery, "
                "r.no, r.id "
                "FROM device d JOIN replica r ON r.device = d.no WHERE d.id = ? ORDER BY r.no DESC LIMIT 1");
        q.id(id);
        if (!q.next()) return std::nullopt;
        return read_device(q);
    }
    std::vector<DeviceRow> devices() override {
        std::vector<DeviceRow> all;
        Query q(db_,
                "SELECT d.no, d.id, d.key, d.user, d.enrolled_ms, d.seen_ms, d.offset_ms, d.nonce, d.nonce_before, d.cursors, d.recovery, "
                "r.no, r.id "
                "FROM device d JOIN replica r ON r.no = (SELECT max(no) FROM replica WHERE device = d.no) ORDER BY d.no");
        while (q.next()) all.push_back(read_device(q));
        return all;
    }
    void update_device(const DeviceRow& d) override {
        Query(db_, "UPDATE device SET seen_ms = ?, offset_ms = ?, nonce = ?, nonce_before = ?, cursors = ?, recovery = ? WHERE no = ?")
            .bind(d.seen_ms)
            .bind(d.offset_ms)
            .blob(d.nonce)
            .blob(d.nonce_before)
            .blob(d.cursors)
            .blob(d.recovery)
            .bind(d.no)
            .run();
    }
    bool replica_exists(const ReplicaId& id) override { return Query(db_, "SELECT 1 FROM replica WHERE id = ?").id(id).next(); }

    std::uint64_t accepted_of(std::int64_t device) override {
        return Query(db_, "SELECT count(*) FROM dot d JOIN replica r ON r.no = d.replica WHERE r.device = ? AND d.verdict = 1")
            .bind(device)
            .one()
            .unsigned_integer(0);
    }

    std::optional<FeedHead> feed(std::int64_t replica, std::int64_t scope) override {
        Query q(db_, "SELECT counter, hash FROM feed WHERE replica = ? AND scope = ?");
        if (!q.bind(replica).bind(scope).next()) return std::nullopt;
        return FeedHead{q.unsigned_integer(0), q.id<Hash256>(1)};
    }
    void set_feed(std::int64_t replica, std::int64_t scope, const FeedHead& head, const Signature& checkpoint) override {
        Query(db_,
              "INSERT INTO feed VALUES (?, ?, ?, ?) ON CONFLICT(replica, scope) DO UPDATE SET counter = excluded.counter, hash = "
              "excluded.hash")
            .bind(replica)
            .bind(scope)
            .bind(head.counter)
            .id(head.hash)
            .run();
        Query(db_, "INSERT OR IGNORE INTO checkpoint VALUES (?, ?, ?, ?, ?)")
            .bind(replica)
            .bind(scope)
            .bind(head.counter)
            .id(head.hash)
            .id(checkpoint)
            .run();
    }
    std::optional<DotRow> dot(std::int64_t replica, std::uint64_t counter) override {
        Query q(db_, "SELECT verdict, place FROM dot WHERE replica = ? AND counter = ?");
        if (!q.bind(replica).bind(counter).next()) return std::nullopt;
        return DotRow{static_cast<VerdictCode>(q.integer(0)), q.integer(1)};
    }
    void set_dot(std::int64_t replica, std::uint64_t counter, const DotRow& row) override {
        Query(db_,
              "INSERT INTO dot VALUES (?, ?, ?, ?) ON CONFLICT(replica, counter) DO UPDATE SET verdict = excluded.verdict, place = "
              "excluded.place WHERE verdict = 5")
            .bind(replica)
            .bind(counter)
            .bind(static_cast<int>(row.code))
            .bind(row.place)
            .run();
    }
    std::optional<RecordRow> record(const RecordId& id) override {
        Query q(db_, "SELECT no, id, scope, type, doc, meta FROM record WHERE id = ?");
        q.id(id);
        if (!q.next()) return std::nullopt;
        return read_record(q);
    }
    std::int64_t insert_record(const RecordId& id, std::int64_t scope, std::string_view type, const Shape& shape) override {
        Query(db_, "INSERT INTO record(id, scope, type, flags, review, doc, meta) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .id(id)
            .bind(scope)
            .text(type)
            .bind(shape.flags)
            .bind(shape.review)
            .text(shape.doc)
            .blob(shape.meta)
            .run();
        return db_.last_insert_row();
    }
    void update_record(std::int64_t no, const Shape& shape) override {
        Query(db_, "UPDATE record SET flags = ?, review = ?, doc = ?, meta = ? WHERE no = ?")
            .bind(shape.flags)
            .bind(shape.review)
            .text(shape.doc)
            .blob(shape.meta)
            .bind(no)
            .run();
    }
    std::int64_t append(std::int64_t scope, std::uint64_t seq, std::int64_t replica, std::int64_t record, Stamp stamp,
                        const SignedChange& c, const Hash256& hash, const Hash256& rolling) override {
        const std::int64_t place = place_of(scope, seq);
        Query(db_, "INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(place)
            .bind(replica)
            .bind(record)
            .bind(stamp.packed)
            .blob(c.header)
            .blob(c.salt)
            .blob(c.content)
            .id(hash)
            .id(rolling)
            .run();
        return place;
    }
    Cursor lock_scope(std::int64_t scope) override {
        // BEGIN IMMEDIATE has locked the whole file already.
        Query q(db_, "SELECT seq, rolling FROM scope WHERE no = ?");
        q.bind(scope).one();
        return {q.unsigned_integer(0), q.id<Hash256>(1)};
    }
    void set_scope_head(std::int64_t scope, const Cursor& head) override {
        Query(db_, "UPDATE scope SET seq = ?, rolling = ? WHERE no = ?").bind(head.seq).id(head.hash).bind(scope).run();
    }
    std::int64_t reject(const RejectedRow& r, const RecordId& record, std::uint64_t since_ms) override {
        Query(db_,
              "INSERT INTO rejected(replica, scope, record, reason, since_ms, header, salt, content, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, "
              "?)")
            .bind(r.replica)
            .bind(r.scope)
            .id(record)
            .text(r.reason)
            .bind(since_ms)
            .blob(r.change.header)
            .blob(r.change.salt)
            .blob(r.change.content)
            .id(r.hash)
            .run();
        return db_.last_insert_row();
    }
    void drop_rejected(std::int64_t no) override { Query(db_, "DELETE FROM rejected WHERE no = ?").bind(no).run(); }
    std::vector<RejectedRow> held(const RecordId& record) override {
        std::vector<RejectedRow> rows;
        Query q(
            db_,
            "SELECT r.no, r.replica, r.scope, r.reason, r.header, r.salt, r.content, r.hash FROM dot d JOIN rejected r ON r.no = d.place "
            "WHERE d.verdict = 5 AND r.record = ? ORDER BY r.no");
        q.id(record);
        while (q.next()) rows.push_back(read_rejected(q));
        return rows;
    }
    std::uint64_t held_of(std::int64_t replica) override {
        return Query(db_, "SELECT count(*) FROM dot WHERE replica = ? AND verdict = 5").bind(replica).one().unsigned_integer(0);
    }
    std::uint64_t last_counter_of(std::int64_t replica) override {
        return Query(db_, "SELECT coalesce(max(counter), 0) FROM dot WHERE replica = ?").bind(replica).one().unsigned_integer(0);
    }
    AcceptedRow accepted_at(std::int64_t place) override {
        Query q(db_,
                "SELECT c.place, c.stamp, c.header, c.salt, c.content, c.hash, c.rolling, r.id FROM change c JOIN replica r ON r.no = "
                "c.replica WHERE c.place = ?");
        q.bind(place).one();
        return read_accepted(q);
    }
    RejectedRow rejected_at(std::int64_t no) override {
        Query q(db_, "SELECT no, replica, scope, reason, header, salt, content, hash FROM rejected WHERE no = ?");
        q.bind(no).one();
        return read_rejected(q);
    }
    std::vector<AcceptedRow> changes_of(std::int64_t record) override {
        std::vector<AcceptedRow> rows;
        Query q(db_,
                "SELECT c.place, c.stamp, c.header, c.salt, c.content, c.hash, c.rolling, r.id FROM change c JOIN replica r ON r.no = "
                "c.replica "
                "WHERE c.record = ? ORDER BY c.place");
        q.bind(record);
        while (q.next()) rows.push_back(read_accepted(q));
        return rows;
    }
    std::optional<ReplicaId> replica_id(std::int64_t no) override {
        Query q(db_, "SELECT id FROM replica WHERE no = ?");
        if (!q.bind(no).next()) return std::nullopt;
        return q.id<ReplicaId>(0);
    }
    SignedDecision last_decision() override {
        Query q(db_, "SELECT before, body, signature FROM decision ORDER BY no DESC LIMIT 1");
        if (!q.next()) return {};
        return {q.id<Hash256>(0), Bytes(q.bytes(1)), q.id<Signature>(2)};
    }
    void add_decision(const SignedDecision& d) override {
        Query(db_, "INSERT INTO decision(before, body, signature) VALUES (?, ?, ?)").id(d.before).blob(d.body).id(d.signature).run();
    }

    bool entries(std::int64_t scope, std::uint64_t after, std::uint64_t upto, std::int64_t but_replica,
                 const std::function<bool(const AcceptedRow&)>& each) override {
        Query q(db_,
                "SELECT c.place, c.stamp, c.header, c.salt, c.content, c.hash, c.rolling, r.id FROM change c JOIN replica r ON r.no = "
                "c.replica "
                "WHERE c.place > ? AND c.place <= ? AND c.replica <> ? ORDER BY c.place");
        q.bind(place_of(scope, after)).bind(place_of(scope, upto)).bind(but_replica);
        while (q.next())
            if (!each(read_accepted(q))) return false;
        return true;
    }
    void records(std::int64_t scope, std::int64_t after, const std::function<bool(const RecordRow&)>& each) override {
        Query q(db_, "SELECT no, id, scope, type, doc, meta FROM record WHERE scope = ? AND no > ? ORDER BY no");
        q.bind(scope).bind(after);
        while (q.next())
            if (!each(read_record(q))) return;
    }
    std::uint64_t records_after(std::int64_t scope, std::int64_t after) override {
        return Query(db_, "SELECT count(*) FROM record WHERE scope = ? AND no > ?").bind(scope).bind(after).one().unsigned_integer(0);
    }
    bool record_where(std::string_view type, const std::function<bool(const RecordRow&)>& each) override {
        Query q(db_, "SELECT no, id, scope, type, doc, meta FROM record WHERE type = ? AND flags & 2 = 0");
        q.text(type);
        while (q.next())
            if (each(read_record(q))) return true;
        return false;
    }

    void counts(std::uint64_t& records, std::uint64_t& changes, std::uint64_t& refused, std::uint64_t& held,
                std::uint64_t& review) override {
        const auto count = [&](const char* sql) { return Query(db_, sql).one().unsigned_integer(0); };
        records = count("SELECT count(*) FROM record WHERE flags & 2 = 0");
        changes = count("SELECT count(*) FROM change");
        refused = count("SELECT count(*) FROM dot WHERE verdict = 2");
        held = count("SELECT count(*) FROM dot WHERE verdict = 5");
        review = count("SELECT coalesce(sum(review), 0) FROM record WHERE review > 0");
    }
    void feed_changes(std::int64_t replica, std::int64_t scope,
                      const std::function<void(std::uint64_t, const SignedChange&, const Hash256&)>& each) override {
        Query q(db_,
                "SELECT d.counter, coalesce(c.header, r.header), coalesce(c.salt, r.salt), coalesce(c.content, r.content), "
                "coalesce(c.hash, r.hash), "
                "coalesce(c.place >> 40, r.scope) AS scope_no FROM dot d LEFT JOIN change c ON d.verdict = 1 AND c.place = d.place "
                "LEFT JOIN rejected r ON d.verdict <> 1 AND r.no = d.place WHERE d.replica = ?1 AND scope_no = ?2 ORDER BY d.counter");
        q.bind(replica).bind(scope);
        while (q.next()) each(q.unsigned_integer(0), {Bytes(q.bytes(1)), Bytes(q.bytes(2)), Bytes(q.bytes(3))}, q.id<Hash256>(4));
    }
    std::vector<FeedRow> feeds() override {
        std::vector<FeedRow> all;
        Query q(db_,
                "SELECT f.replica, f.scope, f.counter, f.hash, c.signature FROM feed f LEFT JOIN checkpoint c USING (replica, scope, "
                "counter) ORDER BY f.replica, f.scope");
        while (q.next()) {
            FeedRow row{q.integer(0), q.integer(1), {q.unsigned_integer(2), q.id<Hash256>(3)}, {}};
            if (!q.is_null(4)) row.checkpoint = q.id<Signature>(4);
            all.push_back(row);
        }
        return all;
    }
    void decisions(const std::function<void(const SignedDecision&)>& each) override {
        Query q(db_, "SELECT before, body, signature FROM decision ORDER BY no");
        while (q.next()) each({q.id<Hash256>(0), Bytes(q.bytes(1)), q.id<Signature>(2)});
    }
    std::vector<std::string> integrity() override {
        std::vector<std::string> found;
        Query q(db_, "PRAGMA integrity_check(20)");
        while (q.next())
            if (q.bytes(0) != "ok") found.push_back(q.string(0));
        return found;
    }

private:
    template <class Row, class Read>
    std::vector<Row> all(const char* sql, Read read) {
        std::vector<Row> rows;
        Query q(db_, sql);
        while (q.next()) rows.push_back(read(q));
        return rows;
    }
    static ScopeEntry read_scope(Query& q) {
        ScopeEntry e;
        e.no = q.integer(0);
        e.grant.id = q.id<ScopeId>(1);
        e.grant.info.name = q.bytes(2);
        e.grant.info.label = q.bytes(3);
        e.grant.info.section = q.bytes(4);
        e.grant.info.target = q.bytes(5);
        e.grant.kind = q.bytes(6);
        e.head = {q.unsigned_integer(7), q.id<Hash256>(8)};
        return e;
    }
    static RecordRow read_record(Query& q) {
        return {q.integer(0), q.id<RecordId>(1), q.integer(2), q.string(3), q.string(4), Bytes(q.bytes(5))};
    }
    static AcceptedRow read_accepted(Query& q) {
        return {seq_of(q.integer(0)),
                Stamp{q.unsigned_integer(1)},
                {Bytes(q.bytes(2)), Bytes(q.bytes(3)), Bytes(q.bytes(4))},
                q.id<Hash256>(5),
                q.id<Hash256>(6),
                q.id<ReplicaId>(7)};
    }
    static RejectedRow read_rejected(Query& q) {
        return {q.integer(0),    q.integer(1), q.integer(2), q.string(3), {Bytes(q.bytes(4)), Bytes(q.bytes(5)), Bytes(q.bytes(6))},
                q.id<Hash256>(7)};
    }
    static DeviceRow read_device(Query& q) {
        DeviceRow d;
        d.no = q.integer(0);
        d.id = q.id<DeviceId>(1);
        d.key = q.id<PublicKey>(2);
        d.user = q.string(3);
        d.enrolled_ms = q.unsigned_integer(4);
        d.seen_ms = q.unsigned_integer(5);
        d.offset_ms = q.integer(6);
        d.nonce = q.bytes(7);
        d.nonce_before = q.bytes(8);
        d.cursors = q.bytes(9);
        d.recovery = q.bytes(10);
        d.replica_no = q.integer(11);
        d.replica = q.id<ReplicaId>(12);
        return d;
    }

    Database db_;
};

}  // namespace

std::unique_ptr<Storage> open_sqlite_storage(const std::string& path, bool create, Background* background) {
    return std::make_unique<SqliteStorage>(path, create, background);
}

}  // namespace kopdarbs::sync
