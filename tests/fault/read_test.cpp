// A disk that stops reading in the middle of things: what could not be read is never taken for something that was.
#include "core/base/error.h"
#include "core/store/database.h"
#include "tests/support/catch.h"
#include "tests/support/disk.h"
#include "tests/support/process.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

TEST_CASE("after a commit that failed, nothing shows what it would have written, in plain and in encrypted files") {
    Disk& disk = Disk::install();
    const ScratchDir scratch;
    const std::string path = scratch.path() + "/some.db";
    const Bytes key = GENERATE(Bytes(), Bytes(32, 'k'));
    INFO((key.empty() ? "plain" : "encrypted"));
    {
        Database db(path, Database::Mode::create, key);
        db.execute("CREATE TABLE t(v TEXT NOT NULL) STRICT");
        db.execute("INSERT INTO t VALUES ('old')");
        disk.die_after(path, 1);
        CHECK(code_of([&] {
                  Transaction transaction(db);
                  db.execute("UPDATE t SET v = 'new'");
                  transaction.commit();
              }) == ErrorCode::io);
        CHECK(code_of([&] { (void)Query(db, "SELECT v FROM t").one(); }) == ErrorCode::io);
        disk.restart(path);
        CHECK(Query(db, "SELECT v FROM t").one().string(0) == "old");
    }
    disk.forget(path);
}
