// Many records put at once are what they would be one by one, whoever works them out.
#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/record/json.h"
#include "platform/posix/background.h"
#include "sync/client/engine.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

/// Never comes to it before it must.
class PutOff : public Background {
public:
    void start(std::function<void()> work) override { waiting_.push_back(std::move(work)); }
    void finish() override {
        for (const auto& work : std::exchange(waiting_, {})) work();
    }

private:
    std::vector<std::function<void()>> waiting_;
};

Vault::Entry entry(std::string type, std::optional<RecordId> id, std::string scope, const std::string& fields) {
    return {std::move(type), id, std::move(scope), document_from_json(fields)};
}

Vault::Entry visit(int number) {
    return entry("home_visit", std::nullopt, "H-17",
                 R"({"place":"Kalna iela )" + std::to_string(number) + R"(","observations":"Čaklā ģimene nr. )" + std::to_string(number) +
                     R"(\nšodien mājās","present":["māte","Jānis"],"risk_level":"low"})");
}

std::vector<Vault::Entry> visits(int count) {
    std::vector<Vault::Entry> all;
    for (int i = 0; i < count; ++i) all.push_back(visit(i));
    return all;
}

/// Notes whether any thread but its maker's drew from it.
class WatchedEntropy : public SeededEntropy {
public:
    WatchedEntropy() : SeededEntropy(4711) {}
    void fill(std::uint8_t* out, std::size_t size) override {
        if (std::this_thread::get_id() != maker_) {
            drawn_beside = true;
            drawn_beside.notify_one();
        }
        SeededEntropy::fill(out, size);
    }
    std::atomic<bool> drawn_beside = false;

private:
    const std::thread::id maker_ = std::this_thread::get_id();
};

/// What put_all gave to `each`, and the error that ended it, if one did.
struct Outcome {
    std::vector<Saved> saved;
    std::optional<ErrorCode> error;
    std::string why;
};

Outcome put_all(Vault& vault, const std::vector<Vault::Entry>& entries, std::size_t per_transaction) {
    Outcome outcome;
    try {
        vault.put_all(entries, per_transaction, [&](const Saved& saved) { outcome.saved.push_back(saved); });
    } catch (const Error& e) {
        outcome.error = e.code();
        outcome.why = e.what();
    }
    return outcome;
}

/// With another thread, with one that comes too late, and with none.
void with_each_helper(const std::function<void(Background*)>& body) {
    posix::BackgroundThread thread;
    PutOff late;
    for (Background* helper : std::array<Background*, 3>{&thread, &late, nullptr}) {
        body(helper);
        late.finish();
    }
}

}  // namespace

TEST_CASE("many records put at once are numbered, shown, warned about, found and sent as if they were put one by one") {
    static constexpr int kVisits = 1500;  // several times what may be worked out ahead
    with_each_helper([](Background* helper) {
        Town town;
        const auto ilze = town.enrol("ilze"), other = town.enrol("ilze");
        const auto vault = ilze->second_process(nullptr, helper);
        std::vector<Vault::Entry> entries = visits(kVisits);
        entries[700] = entry("person", std::nullopt, "H-17", R"({"surname":"Bērziņa","personal_code":"010190-00000"})");
        std::vector<std::vector<RecordId>> told;
        vault->observe([&](const std::vector<RecordId>& ids, Origin) { told.push_back(ids); });
        const Outcome outcome = put_all(*vault, entries, 400);
        REQUIRE_FALSE(outcome.error);
        REQUIRE(outcome.saved.size() == kVisits);
        REQUIRE(told.size() == 4);
        CHECK(told[3].size() == kVisits - 3 * 400);
        for (std::size_t i = 0; i < kVisits; ++i) {
            const Saved alone = other->vault().put(entries[i].type, std::nullopt, "H-17", entries[i].fields);
            const Record here = vault->get(outcome.saved[i].id), there = other->vault().get(alone.id);
            REQUIRE(outcome.saved[i].dot.counter == alone.dot.counter);
            REQUIRE(outcome.saved[i].warnings.size() == alone.warnings.size());
            REQUIRE(outcome.saved[i].version == here.version);
            REQUIRE(here.fields == there.fields);
            REQUIRE(here.scope == there.scope);
        }
        CHECK(outcome.saved[700].warnings.size() == 1);
        CHECK(vault->verify().damage.empty());
        std::uint64_t hits = 0;
        vault->search("caklā", "home_visit", UINT64_MAX, [&](const Shown&) { return ++hits > 0; });
        CHECK(hits == kVisits - 1);
        CHECK(ilze->sync().accepted == kVisits);
        CHECK(other->sync().pulled == kVisits);
        town.require_sound({ilze.get(), other.get()});
    });
}

TEST_CASE("records that are here already, twice in the list, or allowed by another of the list are put in their place") {
    with_each_helper([](Background* helper) {
        Town town;
        const auto ilze = town.enrol("ilze");
        const RecordId here = ilze->create("home_visit", "H-17", R"({"place":"Kalna iela","observations":"Viens."})");
        const RecordId twice = make_record_id(1'790'000'000'000, {1}), closed = make_record_id(1'790'000'000'000, {2});
        const auto vault = ilze->second_process(nullptr, helper);
        std::vector<Vault::Entry> entries = visits(100);
        entries[10] = entry("home_visit", here, "", R"({"observations":"Viens. Divi."})");
        entries[20] = entry("home_visit", twice, "H-17", R"({"place":"A","observations":"Trīs."})");
        entries[21] = entry("home_visit", twice, "H-17", R"({"place":"B"})");
        entries[40] = entry("process_evaluation", std::nullopt, "H-17", R"({"case":")" + to_string(closed) + R"(","decision":"close"})");
        entries[41] = entry("case", closed, "H-17", R"({"status":"closed"})");
        const Outcome outcome = put_all(*vault, entries, 30);
        REQUIRE(outcome.why == "");
        REQUIRE(outcome.saved.size() == 100);
        for (std::size_t i = 0; i < 100; ++i) CHECK(outcome.saved[i].dot.counter == i + 2);
        CHECK(ilze->field(here, "place") == R"("Kalna iela")");
        CHECK(ilze->field(here, "observations") == R"("Viens. Divi.")");
        CHECK(ilze->field(twice, "place") == R"("B")");
        CHECK(ilze->field(twice, "observations") == R"("Trīs.")");
        CHECK(ilze->field(closed, "status") == R"("closed")");
        CHECK(vault->status().records == 99);
        CHECK(ilze->sync().accepted == 101);
        town.require_sound({ilze.get()});
    });
}

TEST_CASE("an entry that may not be saved ends it as it would end its own save, and only its transaction is undone") {
    Town town;
    const auto ilze = town.enrol("ilze");
    const Vault::Entry bad[] = {
        entry("home_visit", std::nullopt, "H-17", R"({"nothing":"x"})"),
        entry("home_visit", std::nullopt, "H-17", R"({"place":17})"),
        entry("home_visit", std::nullopt, "H-99", R"({"place":"A"})"),
        entry("no_such_type", std::nullopt, "H-17", R"({"place":"A"})"),
        entry("decision", std::nullopt, "H-17", R"({})"),
        entry("case", std::nullopt, "H-17", R"({"status":"closed"})"),
        {"home_visit", std::nullopt, "H-17", {{"place", text_value("ab\xff")}}},
        {"home_visit", std::nullopt, "H-17", {{"place", Value("\x82\x01")}}},
    };
    std::uint64_t kept = 0;
    with_each_helper([&](Background* helper) {
        const auto vault = ilze->second_process(nullptr, helper);
        for (const Vault::Entry& wrong : bad) {
            CAPTURE(wrong.type, wrong.scope);
            std::string why;
            ErrorCode code{};
            try {
                (void)vault->put(wrong.type, wrong.id, wrong.scope, wrong.fields);
            } catch (const Error& e) {
                why = e.what();
                code = e.code();
            }
            REQUIRE(why != "");
            std::vector<Vault::Entry> entries = visits(45);
            entries[33] = wrong;
            const Outcome outcome = put_all(*vault, entries, 20);
            CHECK(outcome.error == code);
            CHECK(outcome.why == why);
            CHECK(outcome.saved.size() == 33);
            kept += 20;
            CHECK(vault->status().records == kept);
        }
        // In a batch it is all or nothing.
        CHECK(code_of([&] {
                  vault->batch([&] {
                      const Outcome outcome = put_all(*vault, {visit(1), visit(2), bad[0]}, 1);
                      CHECK(outcome.saved.size() == 2);
                  });
              }) == ErrorCode::invalid);
        CHECK(vault->status().records == kept);
    });
    town.require_sound({ilze.get()});
}

TEST_CASE("a helper does its part of many records") {
    Town town;
    const auto ilze = town.enrol("ilze");
    WatchedEntropy entropy;
    posix::BackgroundThread thread;
    Env env = ilze->env();
    const auto vault = Vault::open(ilze->path(), ilze->slots(), kSecret, {env.clock, entropy, env.crypto, nullptr, &thread});
    // Salts are drawn where a record is worked out; hundreds wait to be while the first is given.
    vault->put_all(visits(100), 100, [&](const Saved&) { entropy.drawn_beside.wait(false); });
    CHECK(vault->status().records == 100);
    town.require_sound({ilze.get()});
}

TEST_CASE("large records among many, and many that are here already, are saved as they would be alone") {
    const std::string large = R"({"observations":")" + std::string(100'000, 'a') + "\"}";
    with_each_helper([&](Background* helper) {
        Town town;
        const auto ilze = town.enrol("ilze");
        const auto vault = ilze->second_process(nullptr, helper);
        std::vector<Vault::Entry> entries = visits(200);
        for (std::size_t i = 0; i < entries.size(); ++i) {
            entries[i].id = make_record_id(1'790'000'000'000 + i, {3});
            if (i % 50 == 7) entries[i].fields = document_from_json(large);
        }
        REQUIRE(put_all(*vault, entries, 64).saved.size() == 200);
        CHECK(vault->get(*entries[57].id).fields == large);
        for (Vault::Entry& entry : entries) entry.fields = document_from_json(R"({"place":"Lejas iela"})");
        entries.insert(entries.begin() + 90, visit(1));
        const Outcome again = put_all(*vault, entries, 64);
        REQUIRE(again.why == "");
        REQUIRE(again.saved.size() == 201);
        for (std::size_t i = 0; i < again.saved.size(); ++i) CHECK(again.saved[i].dot.counter == 201 + i);
        for (const Vault::Entry& entry : entries)
            if (entry.id) CHECK(ilze->field(*entry.id, "place") == R"("Lejas iela")");
        CHECK(vault->status().records == 201);
        town.require_sound({ilze.get()});
    });
}

TEST_CASE("where new records and others take turns, few are worked out for nothing") {
    class Counted : public Background {
    public:
        void start(std::function<void()>) override { ++started; }
        void finish() override {}
        int started = 0;
    };
    Town town;
    const auto ilze = town.enrol("ilze");
    const RecordId here = ilze->create("home_visit", "H-17", R"({"place":"Kalna iela"})");
    Counted helper;
    const auto vault = ilze->second_process(nullptr, &helper);
    std::vector<Vault::Entry> entries = visits(600);
    for (std::size_t i = 0; i < entries.size(); i += 2)
        entries[i] = entry("home_visit", here, "", R"({"place":")" + std::to_string(i) + R"("})");
    REQUIRE(put_all(*vault, entries, 600).saved.size() == 600);
    CHECK(helper.started < 20);
    helper.started = 0;
    REQUIRE(put_all(*vault, visits(600), 600).saved.size() == 600);
    CHECK(helper.started == 1);
}

TEST_CASE("between two transactions of many records observers may save and sync: what comes then has the numbers and rights of then") {
    with_each_helper([](Background* helper) {
        Town town;
        const auto ilze = town.enrol("ilze");
        ilze->close();
        Env env = ilze->env();
        env.helper = helper;
        const auto vault = Vault::open(ilze->path(), ilze->slots(), kSecret, env);
        int heard = 0;
        const std::size_t handle = vault->observe([&](const std::vector<RecordId>& ids, Origin) {
            if (ids.size() > 1 && ++heard == 2) (void)vault->put("home_visit", std::nullopt, "H-17", R"({"place":"A"})");
        });
        const Outcome saved = put_all(*vault, visits(100), 30);
        REQUIRE(saved.why == "");
        CHECK(saved.saved[59].dot.counter == 60);
        CHECK(saved.saved[60].dot.counter == 62);
        CHECK(saved.saved[99].dot.counter == 101);
        vault->unobserve(handle);
        vault->observe([&](const std::vector<RecordId>&, Origin origin) {
            if (origin != Origin::save) return;
            town.provision(R"({"user":"ilze","role":"case_worker","scope":"H-18","from":"2026-01-01","until":null})");
            (void)sync::synchronise(*vault, ilze->line, env, {});
        });
        const Outcome stopped = put_all(*vault, visits(100), 30);
        CHECK(stopped.error == ErrorCode::refused);
        CHECK(stopped.saved.size() == 30);
        CHECK(vault->status().unsent == 0);
    });
}

TEST_CASE("what is saved while many are put does not get their numbers") {
    Town town;
    const auto ilze = town.enrol("ilze");
    posix::BackgroundThread thread;
    const auto vault = ilze->second_process(nullptr, &thread);
    CHECK(message_of([&] {
              vault->put_all(visits(10), 10, [&](const Saved& saved) {
                  if (saved.dot.counter == 3) (void)vault->put("home_visit", std::nullopt, "H-17", R"({"place":"A"})");
              });
          }).find("nothing else is saved") != std::string::npos);
    CHECK(message_of([&] {
              vault->put_all(visits(10), 5, [&](const Saved& saved) {
                  if (saved.dot.counter == 10) (void)vault->put("home_visit", std::nullopt, "H-17", R"({"place":"A"})");
              });
          }).find("nothing else is saved") != std::string::npos);
    CHECK(vault->status().records == 5);
    CHECK(put_all(*vault, visits(10), 4).saved.back().dot.counter == 15);
    CHECK(put_all(*vault, {}, 4).saved.empty());
    CHECK(put_all(*vault, visits(3), 0).saved.back().dot.counter == 18);
    town.require_sound({ilze.get()});
}

TEST_CASE("one helper serves vaults that are filled within each other") {
    Town town;
    const auto ilze = town.enrol("ilze"), other = town.enrol("ilze");
    posix::BackgroundThread thread;
    const auto one = ilze->second_process(nullptr, &thread), two = other->second_process(nullptr, &thread);
    one->put_all(visits(40), 10, [&](const Saved& saved) {
        if (saved.dot.counter % 8 == 0) REQUIRE(put_all(*two, visits(5), 2).saved.size() == 5);
    });
    CHECK(one->status().records == 40);
    CHECK(two->status().records == 25);
    town.require_sound({ilze.get(), other.get()});
}

TEST_CASE("two processes that put many records into one vault at the same time wait for each other, and lose nothing") {
    constexpr int kVisits = 300;
    Town town;
    const auto ilze = town.enrol("ilze");
    std::array<posix::BackgroundThread, 2> helpers;
    const auto one = ilze->second_process(nullptr, &helpers[0]), two = ilze->second_process(nullptr, &helpers[1]);
    std::array<Outcome, 2> outcomes;
    std::thread here([&] { outcomes[0] = put_all(*one, visits(kVisits), 7); });
    std::thread there([&] { outcomes[1] = put_all(*two, visits(kVisits), 5); });
    here.join();
    there.join();
    std::vector<std::uint64_t> counters;
    for (const Outcome& outcome : outcomes) {
        CHECK(outcome.why == "");
        for (const Saved& saved : outcome.saved) counters.push_back(saved.dot.counter);
    }
    std::sort(counters.begin(), counters.end());
    REQUIRE(counters.size() == std::size_t{2} * kVisits);
    for (std::size_t i = 0; i < counters.size(); ++i) REQUIRE(counters[i] == i + 1);
    CHECK(ilze->sync().accepted == std::uint64_t{2} * kVisits);
    town.require_sound({ilze.get()});
}
