#include "core/store/database.h"

#include <sqlite3.h>

#include <exception>

#include "core/base/error.h"

namespace kopdarbs {
namespace {

constexpr int kBusyTimeoutMs = 15'000;
constexpr const char* kCipher = "PRAGMA cipher='aegis'";

ErrorCode code_of(int sqlite) {
    switch (sqlite & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return ErrorCode::busy;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_CONSTRAINT:
        case SQLITE_MISMATCH: return ErrorCode::corrupt;
        default: return ErrorCode::io;
    }
}

std::string message_of(sqlite3* db, int code) {
    switch (code & 0xff) {
        case SQLITE_FULL: return "the disk is full; nothing of this was saved";
        case SQLITE_IOERR: return "the disk could not be read or written; nothing of this was saved";
        case SQLITE_READONLY: return "the file is read-only";
        case SQLITE_BUSY: return "another process is writing; try again";
        case SQLITE_NOTADB: return "not a database of ours, or altered at its beginning";
        case SQLITE_CORRUPT: return "the file is damaged or was altered";
        default: return db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    }
}

}  // namespace

void Database::fail_now(int code) const {
    fail(code_of(code), path_ + ": " + message_of(db_, code));
}

Database::Database(const std::string& path, Mode mode, BytesView key, Durability durability) : path_(path) {
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE | (mode == Mode::create ? SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE : 0);
    const int code = sqlite3_open_v2(path.c_str(), &db_, flags, nullptr);
    try {
        if (code != SQLITE_OK) fail(ErrorCode::io, path + ": " + (mode == Mode::open ? "cannot be opened" : "cannot be made"));
        sqlite3_busy_timeout(db_, kBusyTimeoutMs);
        if (!key.empty()) {
            KOPDARBS_ASSERT(key.size() == 32);
            execute(kCipher);
            std::string hex = to_hex(key), pragma = "PRAGMA key='raw:";
            pragma.reserve(128);
            pragma.append(hex).append("'");
            execute(pragma.c_str());
            wipe(hex);
            wipe(pragma);
        }
        execute("PRAGMA journal_mode=WAL");
        execute(durability == Durability::full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
        execute("PRAGMA cache_size=-65536");
        execute("PRAGMA wal_autocheckpoint=4000");
        execute("PRAGMA foreign_keys=ON");
        execute("PRAGMA trusted_schema=OFF");
        execute("SELECT count(*) FROM sqlite_schema");
    } catch (...) {
        sqlite3_close(db_);
        throw;
    }
}

Database::~Database() {
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(db_);
}

void Database::execute(const char* sql) {
    const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail_now(code);
}

void Database::migrate(const embedded::EmbeddedFile* files, std::size_t count) {
    const auto version = [&] { return static_cast<std::size_t>(Query(*this, "PRAGMA user_version").one().integer(0)); };
    if (version() > count) fail(ErrorCode::io, path_ + ": made by a newer version of Kopdarbs");
    if (version() == count) return;
    Transaction transaction(*this);
    for (std::size_t i = version(); i < count; ++i) {
        execute(std::string(files[i].content).c_str());
        execute(("PRAGMA user_version=" + std::to_string(i + 1)).c_str());
    }
    transaction.commit();
}

std::int64_t Database::last_insert_row() const {
    return sqlite3_last_insert_rowid(db_);
}
std::int64_t Database::changed_rows() const {
    return sqlite3_changes64(db_);
}
bool Database::in_transaction() const {
    return sqlite3_get_autocommit(db_) == 0;
}
std::int64_t Database::data_version() {
    return Query(*this, "PRAGMA data_version").one().integer(0);
}

sqlite3_stmt* Database::prepared(const char* sql) {
    const auto found = statements_.find(sql);
    if (found != statements_.end()) return found->second;
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail_now(code);
    statements_.emplace(sql, statement);
    return statement;
}

Query::Query(Database& db, const char* sql) : db_(db), statement_(db.prepared(sql)) {
    // A statement is used by one Query at a time: nesting the same one is our mistake.
    KOPDARBS_ASSERT(sqlite3_stmt_busy(statement_) == 0);
}

Query::~Query() {
    reset();
}

void Query::check(int code) {
    if (code != SQLITE_OK) db_.fail_now(code);
}

Query& Query::bind(std::int64_t value) {
    check(sqlite3_bind_int64(statement_, ++parameter_, value));
    return *this;
}

Query& Query::text(std::string_view value) {
    // An empty view may have no address, which SQLite would take for NULL.
    check(sqlite3_bind_text64(statement_, ++parameter_, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_STATIC,
                              SQLITE_UTF8));
    return *this;
}

Query& Query::blob(BytesView value) {
    check(sqlite3_bind_blob64(statement_, ++parameter_, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_STATIC));
    return *this;
}

Query& Query::null() {
    check(sqlite3_bind_null(statement_, ++parameter_));
    return *this;
}

bool Query::next() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    db_.fail_now(code);
}

void Query::run() {
    while (next()) {
    }
    reset();
}

Query& Query::one() {
    if (!next()) fail(ErrorCode::corrupt, db_.path_ + ": a row that must be there is missing");
    return *this;
}

void Query::reset() {
    sqlite3_reset(statement_);
    parameter_ = 0;
}

std::int64_t Query::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

BytesView Query::bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    return {static_cast<const char*>(data), data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Query::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Moment::Moment(Database& db) : db_(db), outermost_(!db.in_transaction()) {
    if (outermost_) Query(db, "BEGIN").run();
}

Moment::~Moment() {
    if (!outermost_) return;
    try {
        if (db_.in_transaction()) db_.execute("ROLLBACK");
    } catch (const std::exception&) {
        // Nothing was written; the connection ends it.
    }
}

Transaction::Transaction(Database& db) : db_(db), outermost_(!db.in_transaction()) {
    if (outermost_) Query(db, "BEGIN IMMEDIATE").run();
}

Transaction::~Transaction() {
    if (!outermost_ || done_) return;
    try {
        if (db_.in_transaction()) db_.execute("ROLLBACK");
    } catch (const std::exception&) {
        // SQLite has rolled back by itself, or will when the connection closes.
    }
}

void Transaction::commit() {
    if (outermost_) Query(db_, "COMMIT").run();
    done_ = true;
}

}  // namespace kopdarbs
