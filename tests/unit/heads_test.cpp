// What comes next in a vault's log, where the table of heads stands behind the changes: every save is numbered, dated and chained after the
// last one, whoever made that and however it ended.
#include <algorithm>

#include "core/base/error.h"
#include "core/log/feed.h"
#include "core/store/replica.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

/// A vault's unsent changes by their numbers; each feed's chain is followed to the head that the vault says it has.
std::vector<Change> unsent(Town& town, Vault& vault) {
    std::uint64_t last = 0;
    std::vector<Change> changes;
    for (const FeedPart& part : vault.replica().outgoing(0, std::size_t{1} << 30, last)) {
        Hash256 hash = part.before.hash;
        for (const SignedChange& c : part.changes) {
            changes.push_back(decode_change(c.header, c.content));
            hash = chain_hash(town.crypto, hash, c.header, content_hash(town.crypto, c.salt, c.content));
        }
        CHECK(hash == part.head.hash);
        CHECK(changes.back().dot.counter == part.head.counter);
    }
    std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.dot.counter < b.dot.counter; });
    return changes;
}

void require_in_order(const std::vector<Change>& changes, std::uint64_t first) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
        REQUIRE(changes[i].dot.counter == first + i);
        if (i > 0) REQUIRE(changes[i - 1].stamp < changes[i].stamp);
    }
}

}  // namespace

TEST_CASE("a save's number, hour and place in its chain come after the last save's, whoever made that and however it ended") {
    Town town;
    const auto ilze = town.enrol("ilze");
    auto other = ilze->second_process();
    const RecordId visit = ilze->create("home_visit", "H-17", R"({"travel_minutes":0})");
    const RecordId task = ilze->create("task", "own", R"({"text":"0"})");
    std::uint64_t saves = 2;
    const std::uint64_t rounds = 150;
    for (std::uint64_t i = 1; i <= rounds; ++i) {
        ilze->clock.offset_ms -= 3'600'000;  // each save's clock says less than the one before it
        const std::string minutes = R"({"travel_minutes":)" + std::to_string(i) + "}";
        switch (i * i % 7) {  // 0, 1, 2 and 4, in a mixed order
            case 0: ilze->reopen(); break;
            case 1: CHECK(other->put("home_visit", visit, {}, minutes).dot.counter == ++saves); break;
            case 2:
                CHECK(code_of([&] {
                          ilze->vault().batch([&] {
                              ilze->put(visit, minutes);
                              ilze->put(task, R"({"status":"purple"})");
                          });
                      }) == ErrorCode::refused);
                break;
            default: CHECK(ilze->put(task, R"({"text":")" + std::to_string(i) + R"("})").dot.counter == ++saves); break;
        }
        CHECK(ilze->put(visit, R"({"place":"Kalna iela )" + std::to_string(i) + R"("})").dot.counter == ++saves);
        CHECK(other->status().unsent == saves);
    }
    require_in_order(unsent(town, ilze->vault()), 1);
    CHECK(unsent(town, *other).size() == saves);
    CHECK(ilze->vault().verify().damage.empty());

    // A sync writes the heads as they are; what is saved after it stands behind them again.
    ilze->sync();
    for (int i = 0; i < 5; ++i)
        CHECK(other->put("task", task, {}, R"({"text":"pēc )" + std::to_string(i) + R"("})").dot.counter == ++saves);
    ilze->reopen();
    require_in_order(unsent(town, ilze->vault()), saves - 4);
    CHECK(ilze->put(task, R"({"text":"beigas"})").dot.counter == ++saves);
    ilze->sync();
    CHECK(ilze->vault().status().unsent == 0);
    town.require_sound({ilze.get()});
}

TEST_CASE("the server's time that a sync heard is in what is saved after it, also after a new start") {
    Town town;
    const auto ilze = town.enrol("ilze");
    const auto heard = [&] {
        ilze->create("task", "own", R"({"text":"x"})");
        return unsent(town, ilze->vault()).back().heard;
    };
    town.pass(3'600'000);
    ilze->sync();  // with nothing to do
    ilze->reopen();
    CHECK(heard() == Stamp::from_ms(town.clock.wall_ms()));
}

TEST_CASE("what was indexed in a transaction that is undone is indexed again") {
    Town town;
    const auto ilze = town.enrol("ilze");
    const auto finds = [&](std::string_view word) {
        std::size_t count = 0;
        ilze->vault().search(word, {}, 10, [&](const Shown&) {
            ++count;
            return true;
        });
        return count;
    };
    CHECK(code_of([&] {
              ilze->vault().batch([&] {
                  ilze->create("home_visit", "H-17", R"({"place":"Kalna iela"})");
                  CHECK(finds("kalna") == 1);
                  ilze->create("home_visit", "H-17", R"({"risk_level":"purple"})");
              });
          }) == ErrorCode::refused);
    CHECK(finds("kalna") == 0);
    ilze->create("home_visit", "H-17", R"({"place":"Lejas iela"})");  // under the number of the one that went
    CHECK(finds("lejas") == 1);
}
