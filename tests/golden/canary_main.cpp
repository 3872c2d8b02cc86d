// The golden checks without a test framework, for other processors and WebAssembly, and SQLite: that it links, encrypts and searches.
//
// Prints the names of what failed, then, as a line of its own, "N passed, 0 failed".
#include <cstdio>

#include "core/store/database.h"
#include "tests/golden/checks.h"
#include "tests/golden/small_crypto.h"

namespace {

using namespace kopdarbs;

constexpr const char* kFile = "kopdarbs-canary.db";

void forget_file() {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) std::remove((std::string(kFile) + suffix).c_str());
}

std::string found(Database& db, std::string_view words) {
    Query q(db, "SELECT note FROM notes WHERE notes MATCH ? ORDER BY rowid");
    q.text(words);
    return q.next() ? q.string(0) : std::string();
}

bool database_searches(Crypto&) {
    const Bytes key(32, 'k');
    forget_file();
    {
        Database db(kFile, Database::Mode::create, key, Database::Durability::none);
        db.execute("CREATE VIRTUAL TABLE notes USING fts5(note)");
        Transaction transaction(db);
        Query(db, "INSERT INTO notes VALUES (?)").text("apkure nedarbojas").run();
        transaction.commit();
        if (found(db, "apkure") != "apkure nedarbojas") return false;
    }
    Database again(kFile, Database::Mode::open, key, Database::Durability::none);
    return found(again, "nedarbojas") == "apkure nedarbojas" && found(again, "malka").empty();
}

bool database_is_encrypted(Crypto&) {
    bool refused = false;
    try {
        Database other(kFile, Database::Mode::open, Bytes(32, 'x'), Database::Durability::none);
    } catch (const Error& e) {
        refused = e.code() == ErrorCode::corrupt;
    }
    std::FILE* file = std::fopen(kFile, "rb");
    if (file == nullptr) return false;
    Bytes bytes(std::size_t{1} << 20, '\0');
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
    std::fclose(file);
    return refused && !bytes.empty() && bytes.find("apkure") == Bytes::npos && bytes.find("SQLite format") == Bytes::npos;
}

constexpr golden::Check kStoreChecks[] = {{"an encrypted database is written, opened again and searched", database_searches},
                                          {"its file tells nothing, and another key does not open it", database_is_encrypted}};

int run(int& passed, const golden::Check* first, const golden::Check* last, Crypto& crypto) {
    int failed = 0;
    for (const golden::Check* check = first; check != last; ++check) {
        if (golden::passes(*check, crypto)) {
            ++passed;
        } else {
            ++failed;
            std::printf("failed: %s\n", check->name);
        }
    }
    return failed;
}

}  // namespace

int main() {
    golden::SmallCrypto crypto;
    int passed = 0;
    int failed = run(passed, std::begin(golden::kChecks), std::end(golden::kChecks), crypto);
    failed += run(passed, std::begin(kStoreChecks), std::end(kStoreChecks), crypto);
    forget_file();
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
