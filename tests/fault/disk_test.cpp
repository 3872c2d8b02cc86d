// A disk that takes no more: what a save, a sync and the server say, and that nothing is lost or half done.
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/store/database.h"
#include "sync/protocol/paths.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

/// As long as it lives, no file of this process grows past `bytes`.
class FullDisk {
public:
    explicit FullDisk(std::uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        rlimit now = before_;
        now.rlim_cur = bytes;
        REQUIRE(setrlimit(RLIMIT_FSIZE, &now) == 0);
    }
    ~FullDisk() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;

private:
    rlimit before_{};
    void (*handler_)(int);
};

/// What the largest file of this store has, its log included.
std::uint64_t size_of(const std::string& database) {
    std::uint64_t size = 0;
    for (const char* suffix : {"", "-wal"}) {
        std::error_code none;
        const auto bytes = std::filesystem::file_size(database + suffix, none);
        if (!none) size = std::max<std::uint64_t>(size, bytes);
    }
    return size;
}

}  // namespace

TEST_CASE("a full database says that the disk is full, keeps what it had, and goes on when there is room") {
    const ScratchDir scratch;
    Database db(scratch.path() + "/x.db", Database::Mode::create, {});
    db.execute("CREATE TABLE t(x BLOB)");
    db.execute("PRAGMA max_page_count=20");
    const Bytes big(4000, 'x');
    std::int64_t saved = 0;
    std::string message;
    try {
        for (; saved < 1000; ++saved) {
            Transaction transaction(db);
            Query(db, "INSERT INTO t VALUES (?)").blob(big).run();
            transaction.commit();
        }
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::io);
        message = e.what();
    }
    CHECK(message.find("disk is full") != std::string::npos);
    CHECK_FALSE(db.in_transaction());
    CHECK(Query(db, "SELECT count(*) FROM t").one().integer(0) == saved);
    db.execute("PRAGMA max_page_count=1000");
    Query(db, "INSERT INTO t VALUES (?)").blob(big).run();
    CHECK(Query(db, "SELECT count(*) FROM t").one().integer(0) == saved + 1);
}

TEST_CASE("a save on a full disk gives an io error in a plain sentence; nothing is lost, and the next save with room is saved") {
    Town town;
    const auto ilze = town.enrol("ilze");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    const std::string before = ilze->state(id);
    const std::uint64_t unsent = ilze->vault().status().unsent;
    int told = 0;
    ilze->vault().observe([&](const std::vector<RecordId>&, Origin) { ++told; });
    const std::string large(300'000, 'x');
    {
        const FullDisk full(size_of(ilze->path()) + 20'000);
        for (int attempt = 0; attempt < 3; ++attempt) {
            const auto save = [&] { ilze->put(id, R"({"observations":")" + large + "\"}"); };
            CHECK(code_of(save) == ErrorCode::io);
            CHECK(message_of(save).find("nothing of this was saved") != std::string::npos);
            CHECK(code_of([&] { ilze->vault().batch([&] { ilze->create("task", "H-17", R"({"text":")" + large + "\"}"); }); }) ==
                  ErrorCode::io);
        }
        CHECK(ilze->state(id) == before);
    }
    CHECK(told == 0);
    CHECK(ilze->vault().status().unsent == unsent);
    CHECK(ilze->vault().status().records == 1);
    ilze->put(id, R"({"place":"B"})");
    CHECK(told == 1);
    ilze->reopen();
    CHECK(ilze->field(id, "place") == R"("B")");
    CHECK(ilze->sync().accepted == 2);
    town.require_sound({ilze.get()});
}

TEST_CASE("a log that a full disk keeps from being lengthened takes saves as long as there is room for their pages") {
    constexpr std::uint64_t kPage = 4096, kPagesAhead = 128;
    Town town;
    const auto ilze = town.enrol("ilze");
    std::vector<RecordId> made;
    const auto save = [&] { made.push_back(ilze->create("home_visit", "H-17", R"({"place":"A"})")); };
    const auto log_size = [&] { return static_cast<std::uint64_t>(std::filesystem::file_size(ilze->path() + "-wal")); };
    const std::uint64_t at_first = log_size();
    std::uint64_t length = at_first;
    for (std::uint64_t grown = 0; grown < kPagesAhead; grown = (log_size() - length) / kPage) {
        length = log_size();
        save();
    }
    const std::uint64_t before = made.size(), pages_before = (length - at_first) / kPage;
    {
        const FullDisk full(log_size());
        CHECK(message_of([&] {
                  for (int i = 0; i < 1000; ++i) save();
              }).find("nothing of this was saved") != std::string::npos);
    }
    CHECK((made.size() - before) * pages_before / before > kPagesAhead + kPagesAhead / 4);
    save();
    ilze->reopen();
    for (const RecordId& id : made) CHECK(ilze->field(id, "place") == R"("A")");
    CHECK(ilze->sync().accepted == made.size());
    town.require_sound({ilze.get()});
}

TEST_CASE("a batch that met a full disk saves nothing, even where its caller goes on with less") {
    Town town;
    const auto ilze = town.enrol("ilze");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    const std::string before = ilze->state(id);
    // More pages than the cache takes: some are written before the commit.
    const std::string large(300'000, 'x');
    {
        const FullDisk full(size_of(ilze->path()) + 20'000'000);
        const auto careless = [&] {
            ilze->vault().batch([&] {
                CHECK(code_of([&] {
                          for (int i = 0; i < 300; ++i) ilze->create("home_visit", "H-17", R"({"observations":")" + large + "\"}");
                      }) == ErrorCode::io);
                ilze->put(id, R"({"place":"B"})");
            });
        };
        CHECK(code_of(careless) == ErrorCode::invalid);
    }
    CHECK(ilze->state(id) == before);
    CHECK(ilze->vault().status().unsent == 1);
    CHECK(ilze->put(id, R"({"place":"C"})").dot.counter == 2);
    CHECK(ilze->sync().accepted == 2);
    town.require_sound({ilze.get()});
}

TEST_CASE("a record that a full disk kept from being indexed is found as soon as there is room") {
    Town town;
    const auto ilze = town.enrol("ilze");
    ilze->create("home_visit", "H-17", R"({"observations":"Kalna iela )" + std::string(30'000, 'x') + "\"}");
    const auto count = [&] {
        int found = 0;
        ilze->vault().search("kalna", {}, 10, [&](const Shown&) { return ++found < 10; });
        return found;
    };
    {
        const FullDisk full(size_of(ilze->path()));
        CHECK(code_of([&] { (void)count(); }) == ErrorCode::io);
    }
    CHECK(count() == 1);
    ilze->create("home_visit", "H-17", R"({"place":"Kalna iela"})");
    CHECK(count() == 2);
}

TEST_CASE("a sync that the disk has no room for leaves records and cursors as they were, and the next one brings everything") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"observations":")" + std::string(300'000, 'x') + "\"}");
    ilze->sync();
    const RecordId mine = maris->create("home_visit", "H-17", R"({"place":"A"})");
    const auto cursors = sync::digest_of_cursors(town.crypto, maris->vault().replica().cursors());
    std::optional<FullDisk> full;
    maris->line.rewrite = [&](sync::HttpResponse&) {
        full.emplace(size_of(maris->path()) + 20'000);
    };  // the server has room, the device none
    CHECK(code_of([&] { maris->sync(); }) == ErrorCode::io);
    full.reset();
    maris->line.rewrite = nullptr;
    CHECK_FALSE(maris->holds(id));
    CHECK(maris->vault().status().unsent == 1);
    CHECK(sync::digest_of_cursors(town.crypto, maris->vault().replica().cursors()) == cursors);
    maris->sync();
    CHECK(maris->holds(id));
    CHECK(maris->vault().status().unsent == 0);
    ilze->sync();
    CHECK(ilze->holds(mine));
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("a server whose disk is full answers 503 with a time to come back, and has saved nothing of the request") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId small = maris->create("home_visit", "H-17", R"({"place":"A"})");
    maris->sync();
    std::vector<RecordId> all{small};
    for (int i = 0; i < 4; ++i)
        all.push_back(ilze->create("home_visit", "H-17", R"({"observations":")" + std::string(200'000, 'x') + "\"}"));
    const auto before = town.server().status();
    int status = 0;
    bool retry_after = false;
    std::string said;
    ilze->line.rewrite = [&](sync::HttpResponse& response) {
        status = response.status;
        retry_after = sync::find_header(response.headers, "Retry-After") != nullptr;
        if (status != 200) said = sync::decode_problem(response.body).message;
    };
    {
        const FullDisk full(size_of(town.database()) + 50'000);
        for (int attempt = 0; attempt < 3; ++attempt) {
            CHECK(code_of([&] { ilze->sync(); }) == ErrorCode::network);
            CHECK(status == 503);
            CHECK(retry_after);
            CHECK(said.find("/") == std::string::npos);  // no path of the server's
        }
        CHECK(town.server().status().changes == before.changes);
    }
    ilze->line.rewrite = nullptr;
    CHECK(ilze->vault().status().unsent == 4);
    CHECK(ilze->vault().letters().empty());
    CHECK(ilze->sync().accepted == 4);
    maris->sync();
    for (const RecordId& id : all) CHECK(maris->state(id) == ilze->state(id));
    town.require_sound({ilze.get(), maris.get()});
}
