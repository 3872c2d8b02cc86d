// A vault whose log is moved by another thread while this one saves and a third reads under a connection of its own.
#include <atomic>
#include <filesystem>
#include <thread>

#include "platform/posix/background.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

TEST_CASE("saves go on while their log is moved in the background, and a reader beside them sees each whole") {
    constexpr int kSaves = 80;
    Town town;
    const auto ilze = town.enrol("ilze");
    std::string text;
    while (text.size() < 400'000) text += "vārds ";
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"0","observations":"0"})");
    ilze->close();
    posix::BackgroundThread background;
    Env env = ilze->env();
    env.background = &background;
    std::atomic<bool> over = false;
    std::string problem;
    {
        const auto vault = Vault::open(ilze->path(), ilze->slots(), kSecret, env);
        const auto other = ilze->second_process();
        std::thread reader([&] {
            try {
                while (!over) {
                    const std::string fields = other->get(id).fields;
                    const bool whole = fields.find(R"("place":"0")") != fields.npos || fields.find(text) != fields.npos;
                    if (!whole && problem.empty()) problem = "half a save was read";
                }
            } catch (const std::exception& e) {
                problem = e.what();
            }
        });
        std::string of_saving;
        try {
            for (int i = 1; i <= kSaves; ++i) {
                const std::string number = std::to_string(i);
                (void)vault->put("home_visit", id, "", R"({"place":")" + number + R"(","observations":")" + text + number + "\"}");
            }
        } catch (const std::exception& e) {
            of_saving = e.what();
        }
        over = true;
        reader.join();
        CHECK(of_saving == "");
        CHECK(problem == "");
        CHECK(std::filesystem::file_size(ilze->path() + "-wal") < std::size_t{5} * 4000 * 4096);
    }
    ilze->reopen();
    CHECK(ilze->field(id, "place") == '"' + std::to_string(kSaves) + '"');
    CHECK(ilze->vault().verify().damage.empty());
    CHECK(ilze->sync().accepted == kSaves + 1);
}
