// Group commit and a server under many threads. Results are gathered by the threads and judged after they have ended.
#include "sync/server/committer.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "core/base/error.h"
#include "core/record/json.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

constexpr int kThreads = 8;

void in_threads(const std::function<void(int)>& work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
    for (std::thread& thread : threads) thread.join();
}

Bytes number(int value) {
    Bytes bytes;
    put_u64(bytes, static_cast<std::uint64_t>(value));
    return bytes;
}

}  // namespace

TEST_CASE("what run() has returned for is durable, for every one of many threads") {
    constexpr int kJobs = 40;
    const ScratchDir scratch;
    const std::string path = scratch.path() + "/server.db";
    std::atomic<int> failures{0};
    {
        sync::Committer committer(sync::open_sqlite_storage(path, true));
        in_threads([&](int thread) {
            const auto reader = sync::open_sqlite_storage(path, false);
            for (int job = 0; job < kJobs; ++job) {
                committer.run([&](sync::Storage& storage) { storage.audit(1, std::to_string(thread) + ":" + std::to_string(job)); });
                // Another connection sees it as soon as run() has returned.
                bool seen = false;
                for (const LogLine& line : reader->audit_lines(100'000))
                    seen = seen || line.what == std::to_string(thread) + ":" + std::to_string(job);
                if (!seen) ++failures;
            }
        });
    }
    CHECK(failures == 0);
    const auto storage = sync::open_sqlite_storage(path, false);
    CHECK(storage->audit_lines(100'000).size() == kThreads * kJobs);
}

TEST_CASE("a job that fails is undone alone: its neighbours in the group are kept, and its thread gets its own error") {
    constexpr int kJobs = 60;
    const ScratchDir scratch;
    const std::string path = scratch.path() + "/server.db";
    std::atomic<int> wrong{0};
    {
        sync::Committer committer(sync::open_sqlite_storage(path, true));
        in_threads([&](int thread) {
            for (int job = 0; job < kJobs; ++job) {
                const bool fails = (thread + job) % 3 == 0;
                try {
                    committer.run([&](sync::Storage& storage) {
                        storage.audit(1, fails ? "must go" : "must stay");
                        storage.set_setting("last", number(thread));
                        if (fails) fail(ErrorCode::refused, std::to_string(thread) + ":" + std::to_string(job));
                    });
                    if (fails) ++wrong;
                } catch (const Error& e) {
                    if (!fails || e.code() != ErrorCode::refused || e.what() != std::to_string(thread) + ":" + std::to_string(job)) ++wrong;
                }
            }
        });
        // Whatever a job throws, the writer goes on.
        CHECK_THROWS_AS(committer.run([](sync::Storage&) { throw std::runtime_error("not ours"); }), std::runtime_error);
        committer.run([](sync::Storage& storage) { storage.audit(1, "must stay"); });
    }
    CHECK(wrong == 0);
    std::size_t stayed = 0;
    for (const LogLine& line : sync::open_sqlite_storage(path, false)->audit_lines(100'000)) {
        CHECK(line.what == "must stay");
        ++stayed;
    }
    std::size_t expected = 1;
    for (int thread = 0; thread < kThreads; ++thread)
        for (int job = 0; job < kJobs; ++job) expected += (thread + job) % 3 == 0 ? 0 : 1;
    CHECK(stayed == expected);
}

TEST_CASE(
    "pitfall 1: many devices push into one scope at once while another pulls: every verdict holds, the order has no gap, nothing is "
    "skipped") {
    constexpr int kPushes = 12;
    Town town;
    const auto anna = town.enrol("anna");
    std::vector<std::unique_ptr<Forger>> devices;
    for (int i = 0; i < kThreads; ++i) devices.push_back(std::make_unique<Forger>(town, i % 2 == 0 ? "ilze" : "maris"));
    const RecordId shared = devices[0]->fresh_record();
    const Change birth = devices[0]->birth("home_visit", "visits:H-17", shared);
    REQUIRE(devices[0]->push({birth}).only().code == VerdictCode::accepted);
    std::atomic<int> accepted{0}, other{0}, running{kThreads};
    std::atomic<bool> puller_failed{false};
    std::thread puller([&] {
        try {
            while (running > 0) (void)anna->sync();
        } catch (const Error&) {
            puller_failed = true;
        }
    });
    in_threads([&](int thread) {
        Forger& device = *devices[static_cast<std::size_t>(thread)];
        for (int push = 0; push < kPushes; ++push) {
            std::vector<Change> changes;
            changes.push_back(device.birth("home_visit", "visits:H-17", device.fresh_record()));
            Change on_shared = device.change(
                "home_visit", "visits:H-17", shared,
                {{element_path("present", text_value(std::to_string(thread) + "/" + std::to_string(push))), bool_value(true), {}}});
            on_shared.seen.add(birth.dot);
            changes.push_back(on_shared);
            const auto reply = device.push(std::move(changes));
            for (const Verdict& v : reply.verdicts) v.code == VerdictCode::accepted ? accepted += static_cast<int>(v.count) : ++other;
        }
        --running;
    });
    puller.join();
    CHECK_FALSE(puller_failed);
    CHECK(other == 0);
    CHECK(accepted == 2 * kThreads * kPushes);
    CHECK(town.server().status().changes == 1 + 2 * kThreads * kPushes);
    anna->sync();
    CHECK(anna->vault().status().records == 1 + kThreads * kPushes);
    const auto fresh = town.enrol("anna");
    CHECK(fresh->state(shared) == anna->state(shared));
    const std::string present = anna->field(shared, "present");
    for (int thread = 0; thread < kThreads; ++thread)
        for (int push = 0; push < kPushes; ++push)
            CHECK(present.find("\"" + std::to_string(thread) + "/" + std::to_string(push) + "\"") != std::string::npos);
    town.require_sound({anna.get(), fresh.get()});
}

TEST_CASE("provisioning, enrolling, reading and verifying go on while devices push") {
    Town town;
    std::vector<std::unique_ptr<Forger>> devices;
    for (int i = 0; i < kThreads; ++i) devices.push_back(std::make_unique<Forger>(town, "ilze"));
    std::mutex mutex;
    std::vector<std::string> failures;
    const auto failed = [&](const std::string& what) {
        const std::lock_guard lock(mutex);
        failures.push_back(what);
    };
    in_threads([&](int thread) {
        try {
            Forger& device = *devices[static_cast<std::size_t>(thread)];
            for (int i = 0; i < 8; ++i) {
                const auto reply = device.push({device.birth("home_visit", "visits:H-17", device.fresh_record())});
                if (reply.status != 200 || reply.only().code != VerdictCode::accepted) failed("a push: " + reply.problem.message);
                if (thread == 0) town.provision(Town::usual_assignments());
                if (thread == 1) (void)town.server().enrol_code("maris");
                if (thread == 2) (void)town.server().status();
                if (thread == 3) (void)town.server().devices();
                if (thread >= 4)
                    for (const Damage& damage : town.server().verify().damage) failed("verify: " + damage.where + ": " + damage.what);
            }
        } catch (const Error& e) {
            failed(e.what());
        }
    });
    for (const std::string& failure : failures) FAIL_CHECK(failure);
    CHECK(town.server().status().changes == 8 * kThreads);
    town.require_sound({});
}

TEST_CASE("a vault that another process saves into is never called damaged") {
    Town town;
    const auto ilze = town.enrol("ilze");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    // Enough that a save falls into the time that looking at them takes.
    ilze->vault().batch([&] {
        for (int i = 0; i < 1000; ++i) ilze->put(id, R"({"travel_minutes":)" + std::to_string(i) + "}");
    });
    const auto other = ilze->second_process();
    std::atomic<bool> failed{false};
    std::atomic<int> verified{0};
    std::thread saving([&] {
        try {
            for (int i = 0; verified < 10; ++i)
                (void)other->put("home_visit", id, {}, R"({"travel_minutes":)" + std::to_string(i % 1000) + "}");
        } catch (const Error&) {
            failed = true;
        }
    });
    std::vector<std::string> damage;
    for (; verified < 10 && !failed; ++verified)
        for (const Damage& d : ilze->vault().verify().damage) damage.push_back(d.where + ": " + d.what);
    saving.join();
    for (const std::string& what : damage) FAIL_CHECK(what);
    CHECK_FALSE(failed);
    town.require_sound({ilze.get()});
}
