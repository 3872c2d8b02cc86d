// One vault under two connections at once. Results are gathered by the threads and judged after they have ended.
#include <array>
#include <thread>

#include "core/base/error.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

TEST_CASE("two connections that save to one vault at the same moment wait for each other, and lose nothing") {
    constexpr int kSaves = 150;
    Town town;
    const auto ilze = town.enrol("ilze");
    const RecordId id = ilze->create("community_activity", "own", R"({"kind":"event"})");
    const auto other = ilze->second_process();
    std::array<std::string, 2> problems;
    const auto save = [&](Vault& vault, std::string& problem) {
        try {
            for (int i = 0; i < kSaves; ++i) vault.count(id, "door_tally", 1);
        } catch (const std::exception& e) {
            problem = e.what();
        }
    };
    std::thread here([&] { save(ilze->vault(), problems[0]); }), there([&] { save(*other, problems[1]); });
    here.join();
    there.join();
    CHECK(problems[0].empty());
    CHECK(problems[1].empty());
    CHECK(ilze->field(id, "door_tally") == std::to_string(2 * kSaves));
    CHECK(ilze->vault().status().unsent == 2 * kSaves + 1);
    CHECK(ilze->vault().verify().damage.empty());
    CHECK(ilze->sync().accepted == 2 * kSaves + 1);
}
