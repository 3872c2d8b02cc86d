#include "core/store/database.h"

#include <sqlite3.h>

#include <array>
#include <atomic>
#include <iterator>
#include <utility>

#include "core/base/error.h"

namespace kopdarbs {
namespace {

constexpr int kBusyTimeoutMs = 15'000;
constexpr const char* kCipher = "PRAGMA cipher='aegis'";
constexpr int kLogPages = 4000;                 // a log of so many is moved into the file,
constexpr int kLogPagesAtMost = 4 * kLogPages;  // and one of so many is waited for;
constexpr int kLogPagesLeft = 100;              // so few are left to the writer
constexpr int kPasses = 8;                      // of a background that writers outrun
constexpr int kLogPagesAhead = 128;             // what a log that grows is lengthened by
constexpr std::int64_t kLogPageBytes = 4096 + 24;

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

int set_key(sqlite3* db, BytesView key) {
    KOPDARBS_ASSERT(key.size() == 32);
    std::string hex = to_hex(key), pragma = "PRAGMA key='raw:";
    pragma.reserve(128);
    pragma.append(hex).append("'");
    int code = sqlite3_exec(db, kCipher, nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) code = sqlite3_exec(db, pragma.c_str(), nullptr, nullptr, nullptr);
    wipe(hex);
    wipe(pragma);
    return code;
}

/// How many of the log's pages are in the file then; -1 if it failed.
int checkpoint(sqlite3* db) {
    int moved = -1;
    const int code = sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, &moved);
    return code == SQLITE_OK ? moved : -1;
}

}  // namespace

/// Moves what the write-ahead log holds into the file. SQLite does that within the commit that fills the log, and that commit waits for the
/// disk twice more. Where there is a background, a second connection does it beside the writer, and again with what was committed
/// meanwhile, until little or nothing is. When all is moved the log begins anew with the next commit; the little that may be left is the
/// writer's to move. A failure is no commit's: the log stays as it was.
class Database::Checkpoints {
public:
    Checkpoints(std::string path, BytesView key, Background* background) : path_(std::move(path)), background_(background) {
        if (background != nullptr) key_ = key;
    }
    ~Checkpoints() {
        if (state_ == State::running) background_->finish();
        sqlite3_close(beside_);
        wipe(key_);
    }
    Checkpoints(const Checkpoints&) = delete;
    Checkpoints& operator=(const Checkpoints&) = delete;

    /// Once the log grows page by page, each commit waits for the disk twice: for its pages, and for the file's new length. So after a
    /// small commit, which others like it may follow, it is lengthened ahead, by zeros, which are no pages of a log. Only with the write
    /// lock held: nobody else writes there then. A disk that is too full for it is no error: what was lengthened is where the next pages
    /// go.
    void lengthen(sqlite3* writer) {
        const std::int64_t needed = (pages_ + kLogPagesAhead / 2) * kLogPageBytes;
        if (pages_ < kLogPagesAhead || grown_ > kLogPagesAhead / 2 || needed <= length_) return;
        sqlite3_file* log = nullptr;
        if (sqlite3_file_control(writer, nullptr, SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&log)) != SQLITE_OK || log == nullptr ||
            log->pMethods == nullptr || log->pMethods->xFileSize(log, &length_) != SQLITE_OK)
            return;
        static constexpr std::array<char, 32 * 1024> zeros{};
        for (const std::int64_t enough = needed + kLogPagesAhead * kLogPageBytes; length_ < enough; length_ += std::ssize(zeros))
            if (log->pMethods->xWrite(log, zeros.data(), static_cast<int>(zeros.size()), length_) != SQLITE_OK) return;
    }

    /// For sqlite3_wal_hook: `writer` has committed, and its log has `pages` now.
    static int committed(void* self, sqlite3* writer, const char*, int pages) {
        static_cast<Checkpoints*>(self)->committed(writer, pages);
        return SQLITE_OK;
    }

private:
    enum class State { idle, running, ended };

    void committed(sqlite3* writer, int pages) {
        grown_ = pages - pages_;
        pages_ = pages;
        if (state_ == State::running) {
            if (pages < kLogPagesAtMost) return;
            background_->finish();
        }
        const bool ended = state_.exchange(State::idle) == State::ended;
        if (pages < kLogPages) return;
        if (background_ == nullptr || (ended && (pages - moved_ <= kLogPagesLeft || pages >= kLogPagesAtMost))) {
            (void)checkpoint(writer);
            return;
        }
        state_ = State::running;
        background_->start([this] {
            moved_ = move_beside();
            state_ = State::ended;
        });
    }

    /// How many of the log's pages are in the file, or more than it has: what failed here is the writer's to do.
    int move_beside() {
        if (beside_ == nullptr && !connect()) return kLogPagesAtMost;
        int moved = 0;
        for (int pass = 0; pass < kPasses; ++pass) {
            const int before = std::exchange(moved, checkpoint(beside_));
            if (moved < 0) return kLogPagesAtMost;
            if (moved - before <= kLogPagesLeft) break;
        }
        return moved;
    }

    bool connect() {
        if (sqlite3_open_v2(path_.c_str(), &beside_, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK &&
            (key_.empty() || set_key(beside_, key_) == SQLITE_OK) &&
            sqlite3_exec(beside_, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr) == SQLITE_OK)
            return true;
        sqlite3_close(std::exchange(beside_, nullptr));
        return false;
    }

    std::string path_;
    Bytes key_;  ///< for the second connection
    Background* background_;
    sqlite3* beside_ = nullptr;
    int pages_ = 0;             ///< of the log, after the last commit here,
    int grown_ = 0;             ///< which added so many
    sqlite3_int64 length_ = 0;  ///< of its file, as last seen
    int moved_ = 0;             ///< by the background, which has it until it ends
    std::atomic<State> state_ = State::idle;
};

void Database::fail_now(int code) const {
    fail(code_of(code), path_ + ": " + message_of(db_, code));
}

Database::Database(const std::string& path, Mode mode, BytesView key, Durability durability, Background* background)
    : path_(path), checkpoints_(std::make_unique<Checkpoints>(path, key, background)) {
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE | (mode == Mode::create ? SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE : 0);
    const int code = sqlite3_open_v2(path.c_str(), &db_, flags, nullptr);
    try {
        if (code != SQLITE_OK) fail(ErrorCode::io, path + ": " + (mode == Mode::open ? "cannot be opened" : "cannot be made"));
        sqlite3_busy_timeout(db_, kBusyTimeoutMs);
        if (!key.empty())
            if (const int keyed = set_key(db_, key); keyed != SQLITE_OK) fail_now(keyed);
        // A statement is planned once: without this, SQLite plans anew whenever a LIMIT or the like is bound.
        (void)sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_QPSG, 1, nullptr);
        execute("PRAGMA journal_mode=WAL");
        execute(durability == Durability::full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
        execute("PRAGMA cache_size=-65536");
        (void)sqlite3_wal_hook(db_, Checkpoints::committed, checkpoints_.get());
        execute("PRAGMA foreign_keys=ON");
        execute("PRAGMA trusted_schema=OFF");
        execute("SELECT count(*) FROM sqlite_schema");
    } catch (...) {
        sqlite3_close(db_);
        throw;
    }
}

Database::~Database() {
    // The last connection that closes moves the rest of the log and removes it; with no other process there, this one.
    checkpoints_.reset();
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
void Database::roll_back() noexcept {
    if (in_transaction()) (void)sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
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
    if (outermost_) db_.roll_back();
}

Transaction::Transaction(Database& db) : db_(db), outermost_(!db.in_transaction()) {
    if (!outermost_) return;
    Query(db, "BEGIN IMMEDIATE").run();
    db.checkpoints_->lengthen(db.db_);
}

Transaction::~Transaction() {
    if (outermost_ && !done_) db_.roll_back();
}

void Transaction::commit() {
    if (outermost_) Query(db_, "COMMIT").run();
    done_ = true;
}

}  // namespace kopdarbs
