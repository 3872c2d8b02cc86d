// Flat batteries: programs killed at any moment lose nothing that they acknowledged, and nothing arrives twice.
//
// One seed decides what is done and when each program is killed; the moments are real time, so that a kill may land anywhere: while a
// key is derived, inside a transaction, between a push and its answer.
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>

#include "tests/support/catch.h"
#include "tests/support/municipality.h"

using namespace kopdarbs::test;

namespace {

constexpr unsigned kSeed = 20261121;
constexpr int kSaves = 60;
constexpr int kUsualMs = 300;  // until a command's time is known

/// Waits for a while that nobody cuts short.
void pass(int ms) {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock<std::mutex> lock(mutex);
    never.wait_for(lock, std::chrono::milliseconds(ms), [] { return false; });
}

class Storm {
public:
    Storm() : random_(kSeed), home_(KOPDARBS_BIN), ilze_(home_.enrol("ilze")), maris_(home_.enrol("maris")), anna_(home_.enrol("anna")) {}

    void save(int number) {
        const Device& device = chance(2) ? ilze_ : maris_;
        const std::string place = "vieta " + std::to_string(number);
        const Run result = perhaps_killed(device, {"put", "home_visit", "--scope", "H-17", Json({{"place", place}}).dump()}, 3);
        if (!result.out.empty() && result.out.back() == '\n') acknowledged_[place] = result.json().at("id");
    }

    void sync_in_a_storm() {
        const Device& device = chance(2) ? ilze_ : maris_;
        if (!chance(3)) {
            (void)perhaps_killed(device, {"sync"}, 2);
            return;
        }
        Process syncing = device.start({"sync"});
        pass(moment("sync"));
        home_.kill_server();
        syncing.kill();
        (void)syncing.wait();
        home_.serve();
    }

    void settle_and_check() {
        for (int round = 0; round < 2; ++round) {
            for (const Device* device : {&ilze_, &maris_, &anna_}) REQUIRE(device->sync().at("refused") == 0);
        }
        std::map<std::string, std::vector<std::string>> arrived;
        for (const Json& record : anna_.must_list({"list", "home_visit"}))
            arrived[record.at("fields").at("place")].push_back(record.at("id"));
        INFO("seed " << kSeed << ", " << acknowledged_.size() << " acknowledged, " << arrived.size() << " arrived");
        REQUIRE(acknowledged_.size() > kSaves / 3);
        for (const auto& [place, ids] : arrived) {
            INFO(place);
            REQUIRE(ids.size() == 1);
        }
        for (const auto& [place, id] : acknowledged_) {
            INFO(place);
            REQUIRE(arrived.count(place) == 1);
            REQUIRE(arrived.at(place).front() == id);
        }
        for (const Device* device : {&ilze_, &maris_, &anna_}) REQUIRE(device->must({"verify"}).at("damage").empty());
        REQUIRE(home_.admin({"verify", home_.server_dir(), "--json"}).json().at("damage").empty());
    }

private:
    bool chance(int one_in) { return std::uniform_int_distribution<int>(1, one_in)(random_) == 1; }
    /// Milliseconds after which to kill: anywhere, or near the end, where a transaction is written after the key's long derivation.
    int moment(const std::string& command) {
        const auto known = usual_ms_.find(command);
        const int usual = known == usual_ms_.end() ? kUsualMs : known->second;
        return std::uniform_int_distribution<int>(chance(3) ? 0 : usual * 8 / 10, usual * 11 / 10)(random_);
    }

    Run perhaps_killed(const Device& device, const std::vector<std::string>& arguments, int one_in) {
        const auto started = std::chrono::steady_clock::now();
        Process process = device.start(arguments);
        if (chance(one_in)) {
            pass(moment(arguments.front()));
            process.kill();
            return process.wait();
        }
        Run result = process.wait();
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
        usual_ms_[arguments.front()] = static_cast<int>(took.count());
        return result;
    }

    std::mt19937 random_;
    Municipality home_;
    Device ilze_, maris_, anna_;
    std::map<std::string, std::string> acknowledged_;  // place -> record
    std::map<std::string, int> usual_ms_;
};

}  // namespace

TEST_CASE("every acknowledged save arrives exactly once although devices and the server are killed at any moment") {
    Storm storm;
    for (int number = 0; number < kSaves; ++number) {
        storm.save(number);
        if (number % 4 == 3) storm.sync_in_a_storm();
    }
    storm.settle_and_check();
}
