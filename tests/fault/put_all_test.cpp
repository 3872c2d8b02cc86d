// Many records, and a disk that fills up as a transaction of them ends.
#include "core/base/error.h"
#include "core/record/json.h"
#include "tests/support/catch.h"
#include "tests/support/disk.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

TEST_CASE("of many records those are kept whose transactions ended, though each was told of") {
    Disk& disk = Disk::install();
    {
        Town town;
        const auto ilze = town.enrol("ilze");
        const std::vector<Vault::Entry> entries(90, {"home_visit", std::nullopt, "H-17", document_from_json(R"({"place":"A"})")});
        std::size_t told = 0;
        const auto put_all = [&] {
            ilze->vault().put_all(entries, 30, [&](const Saved&) {
                if (++told == 60) disk.set_full(ilze->path(), true);
            });
        };
        CHECK(message_of(put_all).find("the disk is full") != std::string::npos);
        CHECK(told == 60);
        disk.set_full(ilze->path(), false);
        CHECK(ilze->vault().status().records == 30);
        put_all();
        CHECK(ilze->vault().status().records == 120);
        CHECK(ilze->sync().accepted == 120);
        town.require_sound({ilze.get()});
    }
}
