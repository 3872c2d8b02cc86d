// Verification: the device's own chain, its records against their states, and what the file itself says of damage.
#include "core/base/error.h"
#include "core/record/json.h"
#include "core/store/store.h"

namespace kopdarbs {
namespace {

class Verifier {
public:
    explicit Verifier(Store& store) : store_(store) {}

    Verified run() {
        guarded("vault.db", [&] { pages(); });
        guarded("table change", [&] { chains(); });
        guarded("table record", [&] { records(); });
        guarded("table head", [&] { counters(); });
        return std::move(found_);
    }

private:
    template <class Work>
    void guarded(const std::string& where, Work work) {
        try {
            work();
        } catch (const Error& e) {
            damage(last_.empty() ? where : where + " after " + last_, e.what());
        }
        last_.clear();
    }

    void damage(const std::string& where, const std::string& what) { found_.damage.push_back({where, what}); }

    /// Every page is read and its authentication tag checked, those that hold nothing now as well; then SQLite checks their order.
    void pages() {
        const std::int64_t count = Query(store_.db, "PRAGMA page_count").one().integer(0);
        for (std::int64_t page = 1; page <= count; ++page) {
            try {
                (void)Query(store_.db, "SELECT data FROM sqlite_dbpage WHERE pgno = ?").bind(page).next();
            } catch (const Error&) {
                damage("vault.db page " + std::to_string(page), "it was altered or is damaged");
            }
        }
        if (!found_.damage.empty()) return;
        Query q(store_.db, "PRAGMA integrity_check(20)");
        while (q.next())
            if (q.bytes(0) != "ok") damage("vault.db", q.string(0));
    }

    void chains() {
        const std::uint64_t written_to = store_.heads.written();
        for (const ScopeRow& scope : store_.scopes()) {
            Query q(store_.db, "SELECT counter, header, salt, content, hash, prev FROM change WHERE scope = ? ORDER BY counter");
            q.bind(scope.no);
            Hash256 before;
            std::uint64_t counter = 0;
            FeedHead known;  // what table head has to say: it may stand behind
            while (q.next()) {
                counter = q.unsigned_integer(0);
                const std::string name = "change " + to_string(Dot{store_.enrolment.replica, counter});
                ++found_.changes;
                const Hash256 hash =
                    chain_hash(store_.env.crypto, before, q.bytes(1), content_hash(store_.env.crypto, q.bytes(2), q.bytes(3)));
                if (hash.bytes() != q.bytes(4)) damage(name, "its bytes do not give the hash that the chain holds");
                before = q.id<Hash256>(4);
                if (counter <= written_to) known = {counter, before};
                try {
                    const Change change = decode_change(q.bytes(1), q.bytes(3));
                    if (change.dot.counter != counter || change.prev != q.unsigned_integer(5))
                        damage(name, "it is numbered otherwise inside");
                } catch (const Error& e) {
                    damage(name, e.what());
                }
                last_ = name;
            }
            Query head(store_.db, "SELECT counter, hash FROM head WHERE scope = ?");
            const bool has_head = head.bind(scope.no).next();
            if (counter != 0) ++found_.feeds;
            if (has_head != (known.counter != 0) ||
                (has_head && (head.unsigned_integer(0) != known.counter || head.bytes(1) != known.hash.bytes())))
                damage("feed " + scope.info.name, "its head is not its last change at the time");
        }
    }

    void records() {
        Query q(store_.db, "SELECT no, id, type, doc, meta, flags, review, own FROM record ORDER BY no");
        while (q.next()) {
            const RecordId id = q.id<RecordId>(1);
            const std::string name = "record " + to_string(id);
            ++found_.records;
            try {
                const RecordState state = RecordState::decode_beside(q.bytes(4), document_from_json(q.bytes(3)));
                const Shape shape = shape_of(store_.env.crypto, id, state, store_.schema.type(q.bytes(2)));
                if (shape.doc != q.bytes(3) || shape.meta != q.bytes(4)) damage(name, "what it shows is not what its state says");
                const bool marked = shape.flags == q.integer(5) && shape.review == q.integer(6) &&
                                    state.context().at(store_.enrolment.replica) == q.unsigned_integer(7);
                if (!marked) damage(name, "its marks are not what its state says");
                unsent(*store_.find(q.integer(0)), name, state);
            } catch (const Error& e) {
                damage(name, e.what());
            }
            last_ = name;
        }
    }

    /// shown = confirmed ⊕ unsent.
    void unsent(const Stored& stored, const std::string& name, const RecordState& shown) {
        if (!store_.has_pending(stored)) return;
        RecordState state = store_.confirmed(stored.no).value_or(RecordState());
        for (const Change& change : store_.pending(stored)) (void)state.apply(change, change.stamp);
        if (state.context() != shown.context() || state.encode() != shown.encode())
            damage(name, "what it shows is not the confirmed state with the unsent changes");
    }

    /// Counters have no gap, and verdicts are about changes that are there.
    void counters() {
        Query q(store_.db, "SELECT count(*), coalesce(max(counter), 0) FROM change");
        const std::uint64_t last = store_.heads.counter();
        if (q.one().unsigned_integer(0) != last || q.unsigned_integer(1) != last) damage("table change", "a change is missing");
        Query decided(store_.db, "SELECT counter FROM early UNION ALL SELECT decided FROM head ORDER BY 1 DESC LIMIT 1");
        if (decided.one().unsigned_integer(0) > last) damage("table head", "a verdict on a change that is not there");
    }

    Store& store_;
    Verified found_;
    std::string last_;
};

}  // namespace

Verified Vault::verify() const {
    const Moment moment(parts_->store.db);  // another process may be saving
    return Verifier(parts_->store).run();
}

}  // namespace kopdarbs
