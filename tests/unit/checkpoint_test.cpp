// The write-ahead log is moved into the vault's file, beside the saves where there is a background, and is kept from growing without end.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "platform/posix/background.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

constexpr std::size_t kPage = 4096, kLog = 4000 * kPage;
constexpr std::size_t kTextBytes = 400'000;  // some 600 pages a save, with the change and what was shown before
constexpr int kSaves = 90;

/// Does nothing before it must.
class PutOff : public Background {
public:
    void start(std::function<void()> work) override { waiting_.push_back(std::move(work)); }
    void finish() override {
        for (const auto& work : std::exchange(waiting_, {})) {
            work();
            ++done;
        }
    }
    int done = 0;

private:
    std::vector<std::function<void()>> waiting_;
};

std::size_t log_size(const Phone& phone) {
    return static_cast<std::size_t>(std::filesystem::file_size(phone.path() + "-wal"));
}

/// Saves that fill the log several times over. The longest that it was.
std::size_t save_much(Vault& vault, const Phone& phone, std::vector<RecordId>& made) {
    std::size_t longest = 0;
    for (int i = 0; i < kSaves; ++i) {
        const std::string text(kTextBytes, static_cast<char>('a' + i % 26));
        made.push_back(vault.put("home_visit", std::nullopt, "H-17", R"({"place":"A","observations":")" + text + "\"}").id);
        longest = std::max(longest, log_size(phone));
    }
    return longest;
}

void require_all(Phone& phone, const std::vector<RecordId>& made) {
    REQUIRE(made.size() == kSaves);
    for (int i = 0; i < kSaves; ++i)
        CHECK(phone.field(made[static_cast<std::size_t>(i)], "observations") ==
              '"' + std::string(kTextBytes, static_cast<char>('a' + i % 26)) + '"');
    CHECK(phone->verify().damage.empty());
}

}  // namespace

TEST_CASE("without a background the log is moved within the saves") {
    Town town;
    const auto ilze = town.enrol("ilze");
    std::vector<RecordId> made;
    CHECK(save_much(ilze->vault(), *ilze, made) < kLog + kLog / 2);
    ilze->reopen();
    require_all(*ilze, made);
}

TEST_CASE("a background that does nothing for long is waited for once the log is four times as long, and nothing is lost") {
    Town town;
    const auto ilze = town.enrol("ilze");
    PutOff later;
    ilze->close();
    std::vector<RecordId> made;
    {
        const auto vault = ilze->second_process(&later);
        const std::size_t longest = save_much(*vault, *ilze, made);
        CHECK(longest > 3 * kLog);
        CHECK(longest < 5 * kLog);
        CHECK(later.done > 0);
    }
    ilze->reopen();
    require_all(*ilze, made);
}

TEST_CASE("a vault that is closed waits for its background") {
    Town town;
    const auto ilze = town.enrol("ilze");
    PutOff later;
    ilze->close();
    {
        const auto vault = ilze->second_process(&later);
        std::vector<RecordId> made;
        while (log_size(*ilze) < kLog + kPage * 1000)
            (void)vault->put("home_visit", std::nullopt, "H-17", R"({"place":"A","observations":")" + std::string(10'000, 'x') + "\"}");
        CHECK(later.done == 0);
    }
    CHECK(later.done == 1);
    CHECK_FALSE(std::filesystem::exists(ilze->path() + "-wal"));
}

TEST_CASE("a log is lengthened ahead where small saves follow one another, and not for what may come after a large one") {
    Town town;
    const auto ilze = town.enrol("ilze");
    const auto grown_by = [&](const std::string& text) {
        const std::size_t before = log_size(*ilze);
        (void)ilze->create("home_visit", "H-17", R"({"place":"A","observations":")" + text + "\"}");
        return (log_size(*ilze) - before) / kPage;
    };
    CHECK(grown_by(std::string(kTextBytes, 'x')) > 200);
    CHECK(grown_by("x") < 64);
    CHECK(grown_by("x") > 100);
    CHECK(grown_by("x") == 0);
}

TEST_CASE("a log that grows is lengthened ahead of its pages, and gives all that was saved wherever the rest is cut") {
    constexpr std::size_t kSmallSaves = 150;
    Town town;
    const auto ilze = town.enrol("ilze");
    const std::string copy = ilze->path() + "-copy";
    std::vector<RecordId> made;
    std::size_t lengthened = 0, before = 0;
    for (std::size_t i = 0; i < kSmallSaves; ++i) {
        made.push_back(ilze->create("home_visit", "H-17", R"({"place":"A"})"));
        const std::size_t length = log_size(*ilze);
        const bool grew = std::exchange(before, length) != length;
        if (i < kSmallSaves / 2) continue;
        lengthened += grew ? 1 : 0;
        if (!grew && i % 5 != 0) continue;
        std::filesystem::copy_file(ilze->path(), copy, std::filesystem::copy_options::overwrite_existing);
        std::filesystem::copy_file(ilze->path() + "-wal", copy + "-wal", std::filesystem::copy_options::overwrite_existing);
        std::ifstream log(copy + "-wal", std::ios::binary);
        const std::string content(std::istreambuf_iterator<char>(log), {});
        const std::size_t written = content.find_last_not_of('\0') + 1;
        REQUIRE(written < content.size());
        std::filesystem::resize_file(copy + "-wal", written + (content.size() - written) * (i % 3) / 2);
        const auto cut = Vault::open(copy, ilze->slots(), kSecret, ilze->env());
        for (const RecordId& id : made) CHECK(cut->get(id).id == id);
        CHECK(cut->verify().damage.empty());
    }
    CHECK(lengthened > 0);
    CHECK(lengthened < kSmallSaves / 8);
}

TEST_CASE("background work is done in order, and waiting for it waits for all that was started before") {
    std::vector<int> done;
    {
        posix::BackgroundThread background;
        background.finish();
        for (int i = 0; i < 100; ++i) background.start([&done, i] { done.push_back(i); });
        background.finish();
        REQUIRE(done.size() == 100);
        for (int i = 0; i < 100; ++i) CHECK(done[static_cast<std::size_t>(i)] == i);
        for (int i = 0; i < 100; ++i) background.start([&done, i] { done.push_back(i); });
    }
    CHECK(done.size() == 200);
}
