// The vault's sync side: what is unsent, and applying what a server said.
//
// Order inside one receive(): scopes and types, then verdicts, then authoritative states, then pages, then re-authoring. A verdict comes
// before the entries that may have seen the change it is about; what is re-authored is laid over the newest confirmed state.
#include "core/store/replica.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/record/json.h"
#include "core/record/reauthor.h"
#include "core/store/store.h"

namespace kopdarbs {
namespace {

constexpr std::size_t kMaxChangesInBatch = 20'000;
/// Reason of a verdict `again` that this device gave itself: the server has not heard of the change yet, so the feed must still bring it.
constexpr const char* kUnheard = "unheard";

}  // namespace

std::uint64_t ReplicaStore::unsent_after(std::uint64_t counter) const {
    return store_.heads.unsent_after(counter);
}

std::vector<FeedPart> ReplicaStore::outgoing(std::uint64_t after, std::size_t max_bytes, std::uint64_t& last) const {
    // A feed's part must have no gap: between the first unsent change of a scope and the last in this batch, decided ones are sent again,
    // which costs nothing since the server answers with the verdict it has.
    std::map<std::int64_t, FeedPart> parts;
    std::size_t bytes = 0, count = 0;
    Query q(store_.db,
            "SELECT counter, scope, header, salt, content, hash FROM change "
            "WHERE counter >= ? AND NOT EXISTS (SELECT 1 FROM early e WHERE e.counter = change.counter) ORDER BY counter");
    q.bind(std::max(after + 1, store_.heads.first_unsent()));
    last = after;
    while (q.next() && (count == 0 || (bytes < max_bytes && count < kMaxChangesInBatch))) {
        const std::int64_t scope_no = q.integer(1);
        auto [it, fresh] = parts.try_emplace(scope_no);
        FeedPart& part = it->second;
        const std::uint64_t counter = q.unsigned_integer(0);
        if (fresh) {
            part.scope = store_.scope(scope_no).id;
            Query before(store_.db,
                         "SELECT counter, hash FROM change c WHERE scope = ? AND counter < ? AND NOT EXISTS "
                         "(SELECT 1 FROM verdict v WHERE v.counter = c.counter AND v.reason = ?) ORDER BY counter DESC LIMIT 1");
            if (before.bind(scope_no).bind(counter).text(kUnheard).next())
                part.before = {before.unsigned_integer(0), before.id<Hash256>(1)};
            part.head = part.before;
        }
        {
            Query between(
                store_.db,
                "SELECT counter, header, salt, content FROM change WHERE scope = ? AND counter > ? AND counter < ? ORDER BY counter");
            between.bind(scope_no).bind(part.head.counter).bind(counter);
            while (between.next()) part.changes.push_back({Bytes(between.bytes(1)), Bytes(between.bytes(2)), Bytes(between.bytes(3))});
        }
        part.changes.push_back({Bytes(q.bytes(2)), Bytes(q.bytes(3)), Bytes(q.bytes(4))});
        part.head = {counter, q.id<Hash256>(5)};
        bytes += q.bytes(2).size() + q.bytes(4).size() + kSaltBytes;
        ++count;
        last = counter;
    }
    std::vector<FeedPart> result;
    for (auto& [no, part] : parts) result.push_back(std::move(part));
    return result;
}

std::vector<ScopeCursor> ReplicaStore::cursors() const {
    std::vector<ScopeCursor> cursors;
    Query q(store_.db, "SELECT id, seq, hash, resume FROM scope WHERE held = 1 ORDER BY id");
    while (q.next()) cursors.push_back({q.id<ScopeId>(0), {q.unsigned_integer(1), q.id<Hash256>(2)}, Bytes(q.bytes(3))});
    return cursors;
}

GroupId ReplicaStore::incarnation() const {
    const Bytes bytes = store_.setting("incarnation");
    return bytes.empty() ? GroupId() : GroupId::from_bytes(bytes);
}

std::uint64_t ReplicaStore::last_counter() const {
    return store_.heads.counter();
}

Bytes ReplicaStore::nonce() const {
    return store_.setting("nonce");
}

Hash256 ReplicaStore::grants_digest() const {
    const Bytes bytes = store_.setting("grants");
    return bytes.empty() ? Hash256() : Hash256::from_bytes(bytes);
}

std::vector<RecordId> ReplicaStore::wanted() const {
    std::vector<RecordId> ids;
    Query q(store_.db, "SELECT id FROM wanted ORDER BY id LIMIT 1000");
    while (q.next()) ids.push_back(q.id<RecordId>(0));
    return ids;
}

/// One response being applied.
struct ReplicaStore::Receiver {
    Receiver(Store& s, const Incoming& i) : store(s), in(i) {}

    Store& store;
    const Incoming& in;
    std::uint64_t pulled = 0;
    std::uint64_t own_counter = 0;                      ///< of this replica's last change, before re-authoring
    std::optional<bool> same_schema;                    ///< as the server's; found out when it matters
    std::set<std::int64_t> reshown;                     ///< records whose pending changes must be laid anew
    std::map<std::int64_t, std::vector<Change>> lines;  ///< by record: its pending changes as they were, once a verdict cut the line
    std::map<std::int64_t, RecordState> line_bases;     ///< the confirmed state that they lay on
    std::set<std::uint64_t> to_reauthor;
    std::vector<std::int64_t> confirmed_as_shown;  ///< records that need no row of their own in `confirmed` any more
    bool passed_over = false;                      ///< in the page under way
    std::set<std::uint64_t> cuts;                  ///< changes that were not accepted

    void grants() {
        if (in.scopes) {
            Query(store.db, "UPDATE scope SET held = 0").run();
            for (const ScopeGrant& s : *in.scopes) {
                const std::string roles = roles_json(s.info.roles);
                Query(store.db,
                      "INSERT INTO scope(id, name, label, section, target, kind, roles, held, hash) VALUES (?, ?, ?, ?, ?, ?, ?, 1, "
                      "zeroblob(32)) "
                      "ON CONFLICT(id) DO UPDATE SET name = excluded.name, label = excluded.label, section = excluded.section, "
                      "target = excluded.target, kind = excluded.kind, roles = excluded.roles, held = 1")
                    .id(s.id)
                    .text(s.info.name)
                    .text(s.info.label)
                    .text(s.info.section)
                    .text(s.info.target)
                    .text(s.kind)
                    .text(roles)
                    .run();
            }
        }
        if (in.types) {
            for (const std::string& source : *in.types) {
                SchemaSet set = store.schema;
                set.add(source);
                store.schema = set;
                for (const TypeSchema* type : set.types())
                    if (type->source() == source)
                        Query(store.db,
                              "INSERT INTO record_type VALUES (?, ?, ?) ON CONFLICT(name) DO UPDATE SET version = excluded.version, source "
                              "= excluded.source")
                            .text(type->name())
                            .bind(static_cast<std::int64_t>(type->version()))
                            .text(source)
                            .run();
            }
        }
        if (in.scopes && in.types) store.set_setting("grants", digest_of_grants(store.env.crypto, *in.scopes, *in.types).bytes());
        store.reload();
        if (in.types) reshape();
    }

    /// A type's policies may show other values of the same states.
    void reshape() {
        std::vector<std::int64_t> rows;
        {
            Query q(store.db, "SELECT no FROM record ORDER BY no");
            while (q.next()) rows.push_back(q.integer(0));
        }
        for (std::int64_t no : rows) {
            const Stored stored = *store.find(no);
            const RecordState state = stored.state();
            const Shape shape = shape_of(store.env.crypto, stored.id, state, store.schema.type(stored.type));
            if (shape.doc == stored.doc && shape.meta == stored.meta) continue;
            store.update(no, state, shape);
            store.touched(stored.id);
        }
    }

    // Verdicts

    void verdict(const Verdict& v) {
        struct Decided {
            std::uint64_t counter;
            std::int64_t record;
            bool settled;  ///< nothing later of its record is unsent beside what this verdict decides
        };
        if (v.code == VerdictCode::held) return;  // no verdict yet: it stays unsent, and is asked about again
        const std::uint64_t last = std::min(v.counter + v.count - 1, own_counter);
        std::vector<Decided> decided;
        {
            Query q(
                store.db,
                "SELECT c.counter, c.record, r.own FROM change c LEFT JOIN record r ON r.no = c.record "
                "WHERE c.counter BETWEEN ? AND ? AND NOT EXISTS (SELECT 1 FROM early e WHERE e.counter = c.counter) ORDER BY c.counter");
            q.bind(std::max(v.counter, store.heads.first_unsent())).bind(last);
            while (q.next()) decided.push_back({q.unsigned_integer(0), q.integer(1), q.unsigned_integer(2) <= last});
        }
        if (decided.empty() && v.code == VerdictCode::again)
            Query(store.db, "UPDATE verdict SET reason = ? WHERE counter = ? AND reason = ?")
                .text(v.reason)
                .bind(v.counter)
                .text(kUnheard)
                .run();
        for (const Decided& d : decided) {
            if (v.code == VerdictCode::accepted)
                accept(d.counter, d.record, d.settled, v.stamp);
            else
                cut(d.counter, d.record, v);
        }
        store.heads.decide(v.counter, last);
        if (v.code == VerdictCode::accepted && v.stamp.packed == 0) return;  // decided as its author said: nothing to remember
        for (const Decided& d : decided)
            Query(store.db, "INSERT INTO verdict VALUES (?, ?, ?, ?, ?)")
                .bind(d.counter)
                .bind(static_cast<int>(v.code))
                .bind(v.seq)
                .bind(v.stamp.packed)
                .text(v.reason)
                .run();
    }

    void cut(std::uint64_t counter, std::int64_t no, const Verdict& v) {
        drop_confirmed();
        remember_line(no);
        reshown.insert(no);
        cuts.insert(counter);
        if (v.code == VerdictCode::again) to_reauthor.insert(counter);
        if (v.code == VerdictCode::refused) store.log("refused " + to_string(Dot{store.enrolment.replica, counter}) + ": " + v.reason);
    }

    void accept(std::uint64_t counter, std::int64_t no, bool settled, Stamp stamp) {
        if (settled && reshown.count(no) == 0) {
            // shown = confirmed ⊕ what was unsent, so what is shown is confirmed now.
            confirmed_as_shown.push_back(no);
        } else {
            drop_confirmed();
            Query q(store.db, "SELECT header, content FROM change WHERE counter = ?");
            q.bind(counter).one();
            const Change change = decode_change(q.bytes(0), q.bytes(1));
            RecordState state = store.confirmed(no).value_or(RecordState());
            if (state.apply(change, stamp.packed == 0 ? change.stamp : stamp) == Applied::early) {
                want(no);
                return;
            }
            keep_confirmed(no, state);
        }
        if (stamp.packed == 0) return;
        const Stored stored = *store.find(no);
        RecordState state = stored.state();
        state.restamp({store.enrolment.replica, counter}, stamp);
        store.update(no, state, shape_of(store.env.crypto, stored.id, state, store.schema.type(stored.type)));
        store.touched(stored.id);
    }

    /// Drops those rows. It is put off until all verdicts are known, or one needs the table as it is: where nothing at all is unsent the
    /// table is emptied whole, and SQLite frees its pages without writing them.
    void drop_confirmed() {
        if (!confirmed_as_shown.empty() && reshown.empty() && store.heads.unsent_after(0) == 0) {
            Query(store.db, "DELETE FROM confirmed").run();
        } else {
            for (std::int64_t no : confirmed_as_shown) Query(store.db, "DELETE FROM confirmed WHERE no = ?").bind(no).run();
        }
        confirmed_as_shown.clear();
    }

    void keep_confirmed(std::int64_t no, const RecordState& state) {
        const Stored stored = *store.find(no);
        const Shape shape = shape_of(store.env.crypto, stored.id, state, store.schema.type(stored.type));
        Query(store.db, "INSERT INTO confirmed VALUES (?, ?, ?) ON CONFLICT(no) DO UPDATE SET doc = excluded.doc, meta = excluded.meta")
            .bind(no)
            .text(shape.doc)
            .blob(shape.meta)
            .run();
    }

    void remember_line(std::int64_t no) {
        if (lines.count(no) != 0) return;
        const Stored stored = *store.find(no);
        lines.emplace(no, store.pending(stored));
        line_bases.emplace(no, confirmed_now(stored));
    }

    void want(std::int64_t no) {
        const Stored stored = *store.find(no);
        Query(store.db, "INSERT OR IGNORE INTO wanted VALUES (?)").id(stored.id).run();
    }

    // Entries

    /// The confirmed state of a record that is there.
    RecordState confirmed_now(const Stored& stored) {
        if (!is_overlaid(stored)) return stored.state();
        return store.confirmed(stored.no).value_or(RecordState());
    }

    /// Whether what is shown is more than what is confirmed, or will be laid anew.
    bool is_overlaid(const Stored& stored) { return store.has_pending(stored) || reshown.count(stored.no) != 0; }

    /// What is confirmed of a record has become `state`.
    void confirm(const Stored& stored, const RecordState& was, const RecordState& state) {
        if (is_overlaid(stored)) {
            keep_confirmed(stored.no, state);
            reshown.insert(stored.no);
        } else {
            store.show(stored, was, state);
        }
    }

    static Stamp stamp_of(const Entry& entry, const Change& change) { return entry.stamp.packed == 0 ? change.stamp : entry.stamp; }

    void change_entry(const ScopeRow& scope, const Entry& entry) {
        const Change change = decode_change(entry.header, entry.content);
        if (change.dot.replica == store.enrolment.replica) return;
        const auto stored = store.find(change.record);
        if (!stored) {
            RecordState state;
            if (state.apply(change, stamp_of(entry, change)) != Applied::applied) {
                passed_over = true;
                return;
            }
            store.insert(change.record, scope.no, change.type, state,
                         shape_of(store.env.crypto, change.record, state, store.schema.type(change.type)));
            ++pulled;
            return;
        }
        const RecordState was = confirmed_now(*stored);
        RecordState state = was;
        const Applied applied = state.apply(change, stamp_of(entry, change));
        if (applied == Applied::early) Query(store.db, "INSERT OR IGNORE INTO wanted VALUES (?)").id(change.record).run();
        if (applied != Applied::applied) return;
        ++pulled;
        confirm(*stored, was, state);
    }

    void state_entry(const ScopeRow* scope, const Entry& entry) {
        const RecordState::Document document = document_from_json(entry.doc);
        const RecordState theirs = RecordState::decode_beside(entry.meta, document);
        if (theirs.context().at(store.enrolment.replica) > own_counter)
            fail(ErrorCode::fork,
                 "the server knows changes of this device that are not in this vault: it was copied, or set back to an older file");
        Query(store.db, "DELETE FROM wanted WHERE id = ?").id(entry.record).run();
        const auto stored = store.find(entry.record);
        if (!stored) {
            if (scope == nullptr || theirs.empty()) return;
            store.insert(entry.record, scope->no, entry.type, theirs, shape_of_entry(entry, document, theirs));
            ++pulled;
            return;
        }
        const RecordState was = confirmed_now(*stored);
        if (was.context().covers(theirs.context())) return;
        RecordState state = was;
        state.join(theirs);
        ++pulled;
        confirm(*stored, was, state);
    }

    /// Where both sides have one schema, the row is what the server sent; it was read above, so it is sound.
    Shape shape_of_entry(const Entry& entry, const RecordState::Document& document, const RecordState& state) {
        const TypeSchema* type = store.schema.type(entry.type);
        if (!same_schema) same_schema = in.schema == fingerprint_of(store.schema, store.env.crypto);
        if (!*same_schema) return shape_of(store.env.crypto, entry.record, state, type);
        return shape_as_sent(store.env.crypto, entry.record, state, type, document, entry.doc, entry.meta);
    }

    void page(const ScopePage& p) {
        const auto& scopes = store.scopes();
        const auto scope = std::find_if(scopes.begin(), scopes.end(), [&](const ScopeRow& s) { return s.id == p.scope; });
        if (scope == scopes.end()) fail(ErrorCode::corrupt, "a page of a scope that is not held");
        passed_over = false;
        for (const Entry& e : p.entries) e.kind == Entry::Kind::change ? change_entry(*scope, e) : state_entry(&*scope, e);
        // A change to a record of which nothing is here: what made it was passed over, so the scope starts again from a snapshot.
        const Cursor cursor = passed_over ? Cursor() : p.cursor;
        Query q(store.db, "UPDATE scope SET seq = ?, hash = ?, resume = ? WHERE no = ?");
        q.bind(cursor.seq).id(cursor.hash);
        p.resume.empty() || passed_over ? q.null() : q.blob(p.resume);
        q.bind(scope->no).run();
    }

    // Afterwards

    /// Lays what is still unsent over the confirmed state, after re-authoring what the server asked for again.
    void relay(std::int64_t no) {
        const Stored stored = *store.find(no);
        const RecordState shown_before = stored.state();
        RecordState state = store.confirmed(no).value_or(RecordState());
        const auto line = lines.find(no);
        if (line == lines.end()) {
            for (const Change& change : store.pending(stored)) lay(state, change);
        } else {
            RecordState old = line_bases.at(no);
            bool dead = false;
            for (const Change& original : line->second) {
                const RecordState old_before = old;
                (void)old.apply(original, original.stamp);
                dead = dead || cuts.count(original.dot.counter) != 0;
                if (store.heads.is_unsent(original.dot.counter)) {
                    if (!dead) {
                        lay(state, original);
                        continue;
                    }
                    // Saved on what was being refused: the server can only say `again` to it, and by then nobody would know what it hung
                    // on.
                    supersede(original.dot.counter);
                }
                if (to_reauthor.count(original.dot.counter) != 0) reauthor(stored, original, old_before, old, state);
            }
        }
        if (state.empty()) {
            // Everything that made the record was refused: the letters keep it.
            Query(store.db, "DELETE FROM record WHERE no = ?").bind(no).run();
            Query(store.db, "DELETE FROM past_text WHERE record = ?").bind(no).run();
            store.words_changed(no);
            store.touched(stored.id);
        } else {
            store.show(stored, shown_before, state);
        }
        if (!store.heads.is_unsent(state.context().at(store.enrolment.replica)))
            Query(store.db, "DELETE FROM confirmed WHERE no = ?").bind(no).run();
    }

    void supersede(std::uint64_t counter) {
        store.heads.decide(counter, counter);
        Query(store.db, "INSERT INTO verdict VALUES (?, ?, 0, 0, ?)")
            .bind(counter)
            .bind(static_cast<int>(VerdictCode::again))
            .text(kUnheard)
            .run();
        to_reauthor.insert(counter);
    }

    void lay(RecordState& state, const Change& change) {
        if (state.apply(change, change.stamp) == Applied::early)
            Query(store.db, "INSERT OR IGNORE INTO wanted VALUES (?)").id(change.record).run();
    }

    void reauthor(const Stored& stored, const Change& original, const RecordState& old_before, const RecordState& old_after,
                  RecordState& state) {
        const std::uint64_t counter = store.heads.counter() + 1;
        Change change =
            reauthored(original, {store.enrolment.replica, counter}, old_before, old_after, state, store.schema.type(stored.type));
        if (change.ops.empty()) return;
        const Salted salted = encode_salted(change, store.env);
        store.append(change, salted, stored.no, stored.scope);
        lay(state, change);
        store.log("authored again: " + to_string(original.dot) + " as " + to_string(change.dot));
    }

    std::uint64_t run() {
        Turn turn(store);
        own_counter = store.heads.counter();
        const Bytes known = store.setting("incarnation");
        // Cursors into another server's order mean nothing in this one's: everything starts again from snapshots, which join.
        if (!known.empty() && known != in.incarnation.bytes())
            Query(store.db, "UPDATE scope SET seq = 0, hash = zeroblob(32), resume = NULL").run();
        store.set_setting("incarnation", in.incarnation.bytes());
        store.set_setting("nonce", in.nonce);
        Bytes now;
        put_u64(now, store.env.clock.wall_ms());
        store.set_setting("last_sync_ms", now);
        if (in.scopes || in.types) grants();
        store.heads.hear(Stamp::from_ms(std::min(in.server_ms, kMaxStampMs)));
        for (const Verdict& v : in.verdicts) verdict(v);
        drop_confirmed();
        if (in.decision)
            Query(store.db, "INSERT INTO decision(before, body, signature) VALUES (?, ?, ?)")
                .id(in.decision->before)
                .blob(in.decision->body)
                .id(in.decision->signature)
                .run();
        for (const Entry& e : in.states) state_entry(nullptr, e);
        for (const ScopePage& p : in.pages) page(p);
        for (std::int64_t no : std::set<std::int64_t>(reshown)) relay(no);
        turn.commit();
        return pulled;
    }
};

std::uint64_t ReplicaStore::receive(const Incoming& incoming) {
    const std::uint64_t pulled = Receiver(store_, incoming).run();
    store_.notify(Origin::sync);
    return pulled;
}

}  // namespace kopdarbs
