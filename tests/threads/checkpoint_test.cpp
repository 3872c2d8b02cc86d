// A vault whose log is moved by another thread while this one saves and a third reads under a connection of its own.
#include <atomic>
#include <string>
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

/// What stands between the quotes of a text field.
std::string json_field(const std::string& fields, const std::string& name) {
    const std::string key = '"' + name + "\":\"";
    const std::size_t at = fields.find(key);
    if (at == fields.npos) return "";
    return fields.substr(at + key.size(), fields.find('"', at + key.size()) - at - key.size());
}

}  // namespace

TEST_CASE("saves go on while their log is moved in the background, and a reader beside them sees each whole") {
    constexpr int kSaves = 26;  // some 250 pages each: the log is moved after the sixteenth
    constexpr int kOver = -1;
    Town town;
    const auto ilze = town.enrol("ilze");
    std::string text;
    while (text.size() < 400'000) text += "vārds ";
    const auto fields_of = [&](const std::string& number) {
        return R"({"observations":")" + text + number + R"(","place":")" + number + "\"}";
    };
    const RecordId id = ilze->create("home_visit", "H-17", fields_of("0"));
    ilze->close();
    CountedThread background;
    std::atomic<int> saved = 0;
    std::string of_reading, of_saving;
    {
        const auto vault = ilze->second_process(&background);
        const auto other = ilze->second_process();
        std::thread reader([&] {
            try {
                Shown shown;
                for (int heard = 0; heard != kOver; heard = saved) {
                    saved.wait(heard);
                    if (!other->read(id, shown)) of_reading = "the record is not there";
                    const std::string place = json_field(shown.fields, "place");
                    if (shown.fields != fields_of(place)) of_reading = "half a save was read";
                }
            } catch (const std::exception& e) {
                of_reading = e.what();
            }
        });
        try {
            for (int i = 1; i <= kSaves; ++i) {
                (void)vault->put("home_visit", id, "", fields_of(std::to_string(i)));
                saved = i;
                saved.notify_one();
            }
        } catch (const std::exception& e) {
            of_saving = e.what();
        }
        saved = kOver;
        saved.notify_one();
        reader.join();
        CHECK(of_saving == "");
        CHECK(of_reading == "");
        CHECK(background.started > 0);
    }
    ilze->reopen();
    CHECK(ilze->field(id, "place") == '"' + std::to_string(kSaves) + '"');
    CHECK(ilze->vault().verify().damage.empty());
    CHECK(ilze->sync().accepted == kSaves + 1);
}
