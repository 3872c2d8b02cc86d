// What the server works out before the writer's turn holds only while nothing else was written meanwhile.
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

/// Does `other` just before the server looks at the checkpoint of the next push: the push is worked out then, and not yet stored.
void between(Town& town, const std::function<void()>& other) {
    // The first signature is the request's, the second the checkpoint's.
    town.crypto.before_verify = [&town, other, calls = 0]() mutable {
        if (++calls < 2) return;
        const std::function<void()> once = other;
        town.crypto.before_verify = nullptr;
        once();
    };
}

}  // namespace

TEST_CASE("an edit that was worked out on a row which another device then changed is worked out again on what is there") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"Zaube, 4","observations":"Auksti.","risk_level":"low"})");
    ilze->sync();
    maris->sync();
    ilze->put(id, R"({"risk_level":"high","observations":"Auksti. Nav malkas."})");
    maris->put(id, R"({"risk_level":"medium","observations":"Ļoti auksti."})");
    bool came_between = false;
    between(town, [&] {
        CHECK(maris->sync().accepted == 1);
        came_between = true;
    });
    CHECK(ilze->sync().accepted == 1);
    REQUIRE(came_between);
    maris->sync();
    ilze->sync();
    CHECK(ilze->state(id) == maris->state(id));
    CHECK(ilze->field(id, "risk_level") == R"("high")");
    CHECK(ilze->field(id, "observations") == R"("Ļoti auksti. Nav malkas.")");
    const std::vector<Decision> open = ilze->vault().review();
    CHECK(std::count_if(open.begin(), open.end(), [](const Decision& d) { return d.item.field == "risk_level"; }) == 1);
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("a record whose making was worked out, and which was made by another push meanwhile, is made once") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    maris->vault().put("home_visit", id, "H-17", R"({"place":"B"})");
    between(town, [&] { CHECK(maris->sync().pushed == 1); });
    ilze->sync();
    REQUIRE(town.crypto.before_verify == nullptr);
    maris->sync();
    ilze->sync();
    CHECK(ilze->state(id) == maris->state(id));
    town.require_sound({ilze.get(), maris.get()});
}

TEST_CASE("what is worked out is judged as the writer judges: line, rights and rules, whatever came in between") {
    Town town;
    const auto ilze = town.enrol("ilze"), maris = town.enrol("maris");
    const RecordId id = ilze->create("home_visit", "H-17", R"({"place":"A"})");
    ilze->sync();
    maris->sync();
    ilze->put(id, R"({"outcome":"done"})");
    ilze->vault().seal(id);
    maris->put(id, R"({"place":"B"})");
    between(town, [&] { CHECK(ilze->sync().accepted == 2); });
    const sync::SyncReport report = maris->sync();
    REQUIRE(town.crypto.before_verify == nullptr);
    // Māris had not seen the seal: his edit stands, beside what was signed.
    CHECK(report.accepted == 1);
    ilze->sync();
    maris->sync();
    CHECK(ilze->state(id) == maris->state(id));
    CHECK(ilze->field(id, "place") == R"("A")");
    CHECK(ilze->vault().review().size() == 1);
    town.require_sound({ilze.get(), maris.get()});
}
