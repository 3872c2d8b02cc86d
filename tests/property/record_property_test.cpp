// The one rule over thousands of random histories: what the engine keeps is what the plain model says, whatever the order.
#include <functional>

#include "core/record/draft.h"
#include "platform/posix/openssl_crypto.h"
#include "tests/support/catch.h"
#include "tests/support/record_claims.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

constexpr std::uint32_t kSteps = 40;
using Check = std::function<void(World&)>;

/// What is wrong with the history of `steps` steps, empty when nothing is.
std::string failure(std::uint64_t seed, std::uint32_t steps, const Check& check) {
    try {
        World world(seed);
        for (std::uint32_t i = 0; i < steps; ++i) world.step();
        check(world);
    } catch (const std::exception& e) {
        return e.what();
    }
    return {};
}

void for_histories(std::uint64_t first_seed, std::uint64_t count, const Check& check) {
    for (std::uint64_t seed = first_seed; seed < first_seed + count; ++seed) {
        if (failure(seed, kSteps, check).empty()) continue;
        std::uint32_t steps = 1;
        while (steps < kSteps && failure(seed, steps, check).empty()) ++steps;
        FAIL("seed " << seed << ", " << steps << " steps: " << failure(seed, steps, check));
    }
}

/// Everything that the world's replicas and server hold and show.
std::vector<Side> all_sides(const World& world) {
    std::vector<Side> sides{world.server};
    for (const auto& r : world.replicas) {
        sides.push_back(r.confirmed);
        sides.push_back(world.shown(r));
    }
    return sides;
}

/// A random order of the server's log that causality allows; `count` of it.
std::vector<std::size_t> shuffled(World& world, std::size_t count) {
    std::vector<std::size_t> left = world.log, order;
    RecordState reached;
    while (order.size() < count && !left.empty()) {
        std::vector<std::size_t> ready;
        for (std::size_t i : left)
            if (world.fits(reached, i)) ready.push_back(i);
        claim(!ready.empty(), "the log is not closed under causality");
        const std::size_t next = world.random.pick(ready);
        claim(reached.apply(world.changes[next], world.stamps[next]) == Applied::applied, "what fits was not applied");
        left.erase(std::find(left.begin(), left.end(), next));
        order.push_back(next);
    }
    return order;
}

/// What has seen some part of the log, closed under causality.
Side some_of(World& world) {
    Side side;
    for (std::size_t i : shuffled(world, world.random.below(static_cast<std::uint32_t>(world.log.size() + 1)))) world.apply(side, i);
    return side;
}

}  // namespace

TEST_CASE("after any history every replica holds what the plain model holds") {
    for_histories(1, 4000, [](World& world) {
        for (const Side& side : all_sides(world)) same(side, "a side");
    });
}

TEST_CASE("the histories of these tests reach what they are about") {
    std::map<std::string, int> met;
    for (std::uint64_t seed = 1; seed <= 600; ++seed) {
        World world(seed);
        for (std::uint32_t i = 0; i < kSteps; ++i) world.step();
        met["refused"] += world.changes.size() > world.log.size() + 6 ? 1 : 0;
        for (const Side& side : all_sides(world)) {
            met["deleted"] += side.state.deleted() ? 1 : 0;
            met["delete that does not hold"] += side.state.has_delete() && !side.state.deleted() ? 1 : 0;
            met["sealed"] += is_sealed(side.state) ? 1 : 0;
            met["amended"] += side.state.find(record_path(PathKind::amendment)) != nullptr ? 1 : 0;
            met["text"] += side.state.text("note").length() > 4 ? 1 : 0;
            for (const Register& r : side.state.registers())
                if (r.differs()) ++met["contested " + std::to_string(r.path.kind)];
        }
    }
    for (const char* what : {"refused", "deleted", "delete that does not hold", "sealed", "amended", "text", "contested 0", "contested 1",
                             "contested 2", "contested 3", "contested 6", "contested 7", "contested 8", "contested 9"}) {
        INFO(what << ": " << met[what]);
        CHECK(met[what] >= 10);
    }
}

TEST_CASE("what is shown and what waits for a person follow the policies") {
    posix::OpenSslCrypto crypto;
    for_histories(10'000, 1920, [&](World& world) {
        for (const Side& side : all_sides(world)) {
            const RecordState::Document document = shown_document(side.state, &world_type());
            claim(PlainDocument(document.begin(), document.end()) == plain_document(side.model, world_type()), "another document is shown");
            claim(std::is_sorted(document.begin(), document.end()), "a document out of order");
            const auto items = review_items(crypto, RecordId{}, side.state, &world_type());
            claim(as_plain(items) == plain_review(side.model, world_type()), "other review items");
        }
    });
}

TEST_CASE("changes applied in any order that causality allows give equal bytes") {
    for_histories(20'000, 2400, [](World& world) {
        for (int n = 0; n < 2; ++n) {
            RecordState state;
            for (std::size_t i : shuffled(world, world.log.size()))
                claim(state.apply(world.changes[i], world.stamps[i]) == Applied::applied, "not applied");
            claim_equal(state, world.server.state, "another order, other bytes");
        }
    });
}

TEST_CASE("join is commutative, associative, idempotent and monotone, and agrees with applying") {
    for_histories(30'000, 2400, [](World& world) {
        const Side a = some_of(world), b = some_of(world), c = some_of(world);
        const RecordState ab = joined(a.state, b.state);
        claim_equal(ab, joined(b.state, a.state), "join does not commute");
        claim_equal(joined(ab, c.state), joined(a.state, joined(b.state, c.state)), "join does not associate");
        claim_equal(joined(a.state, a.state), a.state, "join is not idempotent");
        claim_equal(joined(ab, b.state), ab, "joining again what was joined does something");
        claim(ab.context().covers(a.state.context()) && ab.context().covers(b.state.context()), "join forgets what was seen");
        Side both = a;
        both.state = ab;
        both.model.join(b.model);
        same(both, "two states joined");
        claim_equal(joined(a.state, world.server.state), world.server.state, "the whole joined with a part is not the whole");
    });
}

TEST_CASE("a change is early until all that it has seen is here, and then does nothing") {
    std::uint64_t met = 0;
    for_histories(40'000, 1120, [&](World& world) {
        const Side side = some_of(world);
        const Value before = side.state.encode();
        for (std::size_t i : world.log) {
            const Change& change = world.changes[i];
            if (side.state.context().covers(change.dot)) continue;
            const bool early = !side.state.context().covers(change.seen) || side.state.context().at(change.dot.replica) < change.prev;
            if (!early) continue;
            RecordState state = side.state;
            claim(state.apply(change, world.stamps[i]) == Applied::early, "a change was applied before what it has seen");
            claim(state.encode() == before, "an early change left something behind");
            ++met;
        }
    });
    CHECK(met > 400);
}

TEST_CASE("nothing is lost: what nobody had seen is in its register, and what is not shown is in a review item") {
    posix::OpenSslCrypto crypto;
    for_histories(50'000, 1120, [&](World& world) {
        const RecordState& state = world.server.state;
        for (const auto& [path, live] : world.server.model.unseen_by_all()) {
            const Register* reg = state.find(path);
            claim(reg != nullptr, "an operation that nobody had seen is gone");
            claim(std::any_of(reg->siblings.begin(), reg->siblings.end(),
                              [&l = live](const Sibling& s) { return s.dot == l.dot && s.value == l.value; }),
                  "a value that nobody had seen is gone");
        }
        if (state.deleted() || is_sealed(state)) return;
        const auto items = review_items(crypto, RecordId{}, state, &world_type());
        for (const Register& reg : state.registers()) {
            if (!spares_siblings(reg.path, &world_type())) continue;
            const Sibling& shown = shown_sibling(state, reg, &world_type());
            for (const Sibling& s : reg.siblings) {
                if (s.value == shown.value) continue;
                const bool waits = std::any_of(items.begin(), items.end(), [&](const ReviewItem& item) {
                    return item.path == reg.path && std::any_of(item.values.begin(), item.values.end(),
                                                                [&](const Candidate& c) { return c.dot == s.dot && c.value == s.value; });
                });
                claim(waits, "a losing value is nowhere to be seen");
            }
        }
    });
}

TEST_CASE("a state's bytes, whole or beside its document, give the state back") {
    for_histories(60'000, 1600, [](World& world) {
        for (const Side& side : all_sides(world)) {
            const Value whole = side.state.encode();
            claim_equal(RecordState::decode(whole), side.state, "decode is not encode's inverse");
            const RecordState::Document document = shown_document(side.state, &world_type());
            const Value meta = side.state.encode_beside(document);
            // A row holds the document as JSON.
            const RecordState::Document row = document_from_json(document_to_json(document));
            claim(row == document, "a document is another one after JSON");
            claim(row == document_from_json(" " + document_to_json(document)), "the quick way into a document differs from the library's");
            const RecordState back = RecordState::decode_beside(meta, row);
            claim(back.encode() == whole, "decode_beside is not encode_beside's inverse");
            claim(back.encode_beside(document) == meta, "the bytes beside a document are not canonical");
        }
    });
}

TEST_CASE("review items and versions are functions of the state, however it was reached") {
    posix::OpenSslCrypto crypto;
    for_histories(70'000, 800, [&](World& world) {
        RecordState state;
        for (std::size_t i : shuffled(world, world.log.size())) (void)state.apply(world.changes[i], world.stamps[i]);
        const auto a = review_items(crypto, RecordId{}, world.server.state, &world_type());
        const auto b = review_items(crypto, RecordId{}, RecordState::decode(state.encode()), &world_type());
        claim(a.size() == b.size(), "another number of items");
        std::set<std::string> ids;
        for (std::size_t i = 0; i < a.size(); ++i) {
            claim(a[i].id == b[i].id, "another id for the same question");
            claim(ids.insert(a[i].id).second, "one id for two questions");
        }
        const Version version = version_of(state, &world_type()), back = parse_version(to_string(version));
        claim(back.seen == version.seen && back.contested == version.contested, "a version is another one after printing");
    });
}

TEST_CASE("what someone had seen is found again in a later state while nothing seen was overwritten by something unseen") {
    std::uint64_t met = 0;
    for_histories(80'000, 960, [&](World& world) {
        const Side part = some_of(world);
        const Context seen = part.state.context();
        for (const auto& [path, all] : world.server.model.at(seen).registers()) {
            // Exact only while every live operation of then is live now.
            const Register* now = world.server.state.find(path);
            if (now == nullptr) return;
            for (const Live& l : all)
                if (std::none_of(now->siblings.begin(), now->siblings.end(), [&](const Sibling& s) { return s.dot == l.dot; })) return;
        }
        same_registers(world.server.state.within(seen), part.model.registers(), "within");
        ++met;
    });
    CHECK(met > 50);
}

TEST_CASE("re-authored work dominates nothing that its author had not seen") {
    std::uint64_t met = 0;
    for_histories(90'000, 2400, [&](World& world) {
        for (std::size_t i = 0; i < world.changes.size(); ++i) {
            if (world.origin[i] == i) continue;
            const Change& again = world.changes[i];
            const Change& original = world.changes[world.origin[i]];
            for (std::size_t k : world.log) {
                if (!again.seen.covers(world.changes[k].dot)) continue;
                const bool had = original.seen.covers(world.changes[k].dot) || original.seen.covers(world.changes[world.origin[k]].dot);
                claim(had, "re-authored work covers what its author had not seen");
                ++met;
            }
        }
    });
    CHECK(met > 1000);
}

TEST_CASE("a counter is the sum of what was accepted, whatever was refused between") {
    std::uint64_t met = 0;
    for_histories(100'000, 2400, [&](World& world) {
        if (is_sealed(world.server.state)) return;
        std::int64_t sum = 0;
        for (std::size_t i : world.log) sum += world.steps[i];
        for (const auto& [field, value] : shown_document(world.server.state, &world_type()))
            if (field == "visits") claim(CborReader(value).integer() == sum, "a counter is not the sum of its steps"), ++met;
    });
    CHECK(met > 100);
}
