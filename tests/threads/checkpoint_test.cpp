// A vault whose log is moved by another thread while this one saves and a third reads under a connection of its own.
#include <atomic>
#include <chrono>
#include <thread>

#include "platform/posix/background.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

class CountedThread : public posix::BackgroundThread {
public:
    void start(std::function<void()> work) override {
        ++started;
        BackgroundThread::start(std::move(work));
    }
    int started = 0;
};

}  // namespace

TEST_CASE("saves go on while their log is moved in the background, and a reader beside them sees each whole") {
    constexpr int kSaves = 26;  // some 250 pages each: the log is moved after the sixteenth
    Town town;
    const auto ilze = town.enrol("ilze");
    std::string text;
    while (text.size() < 400'000) text += "vārds ";
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"0","observations":"0"})");
    ilze->close();
    CountedThread background;
    Env env = ilze->env();
    env.background = &background;
    std::atomic<bool> over = false;
    std::string problem;
    {
        const auto vault = Vault::open(ilze->path(), ilze->slots(), kSecret, env);
        const auto other = ilze->second_process();
        std::thread reader([&] {
            try {
                Shown shown;
                while (!over) {
                    if (!other->read(id, shown)) problem = "the record is not there";
                    const bool whole =
                        shown.fields.find(R"("place":"0")") != shown.fields.npos || shown.fields.find(text) != shown.fields.npos;
                    if (!whole) problem = "half a save was read";
                    std::this_thread::sleep_for(std::chrono::milliseconds(5));
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
        CHECK(background.started > 0);
    }
    ilze->reopen();
    CHECK(ilze->field(id, "place") == '"' + std::to_string(kSaves) + '"');
    CHECK(ilze->vault().verify().damage.empty());
    CHECK(ilze->sync().accepted == kSaves + 1);
}
