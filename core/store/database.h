// SQLite behind a small face: one connection, cached statements, transactions, and errors of our kind.
//
// Invariants
//  1. Values are always bound; SQL is a constant, prepared once per connection and kept.
//  2. A Query that goes out of scope resets its statement, so none keeps a read transaction open.
//  3. What SQLite reports becomes Error: corrupt (damaged or not ours), busy, io (full, read-only, disk error); never a crash.
// Threading: a Database belongs to one thread at a time; what it starts in the background has a connection of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/bytes.h"
#include "core/base/embedded.h"
#include "core/base/ids.h"
#include "core/env/env.h"

struct sqlite3;
struct sqlite3_stmt;

namespace kopdarbs {

class Database {
public:
    enum class Mode { create, open };
    enum class Durability { full, none };  ///< fsync at each commit, or never (for caches and simulators)

    /// `key`: 32 octets that encrypt the whole file, or empty for a plain one. Throws Error{io} when there is no such file (open) or
    /// there is one (create), Error{corrupt} when the file is damaged, altered or under another key. `background`, which outlives it, is
    /// where the write-ahead log is moved into the file; null: within the commits that fill the log.
    Database(const std::string& path, Mode mode, BytesView key, Durability durability = Durability::full, Background* background = nullptr);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void execute(const char* sql);
    /// Runs the numbered migrations that `user_version` says are missing, in one transaction. Throws Error{io} when the file was made by
    /// a newer version.
    void migrate(const embedded::EmbeddedFile* files, std::size_t count);
    std::int64_t last_insert_row() const;
    std::int64_t changed_rows() const;
    bool in_transaction() const;
    /// Ends the transaction, if there is one, as if nothing of it had been. Where that fails, SQLite did so itself, or will on closing.
    void roll_back() noexcept;
    /// Changes whenever another connection commits.
    std::int64_t data_version();

private:
    friend class Query;
    friend class Transaction;
    class Checkpoints;
    sqlite3_stmt* prepared(const char* sql);
    [[noreturn]] void fail_now(int code) const;
    sqlite3* db_ = nullptr;
    std::string path_;
    std::unique_ptr<Checkpoints> checkpoints_;
    std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

/// One use of a statement. `sql` must be a string constant: statements are found again by its address.
class Query {
public:
    Query(Database& db, const char* sql);
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    // Parameters, from left to right. Text and blobs are borrowed until the next reset.
    Query& bind(std::int64_t value);
    Query& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
    Query& bind(int value) { return bind(static_cast<std::int64_t>(value)); }
    Query& text(std::string_view value);
    Query& blob(BytesView value);
    Query& null();
    template <class Tag, std::size_t N>
    Query& id(const Id<Tag, N>& value) {
        return blob(value.bytes());
    }

    /// Steps to the next row; false when there is none.
    bool next();
    /// Steps once and resets; for statements without rows.
    void run();
    /// For a statement that must give a row.
    Query& one();
    void reset();

    // Columns, from 0. Borrowed until the next step.
    std::int64_t integer(int column) const;
    std::uint64_t unsigned_integer(int column) const { return static_cast<std::uint64_t>(integer(column)); }
    BytesView bytes(int column) const;
    std::string string(int column) const { return std::string(bytes(column)); }
    bool is_null(int column) const;
    template <class AnyId>
    AnyId id(int column) const {
        return AnyId::from_bytes(bytes(column));
    }

private:
    void check(int code);
    Database& db_;
    sqlite3_stmt* statement_;
    int parameter_ = 0;
};

/// BEGIN … ROLLBACK: everything is read as of one moment, and writers are not kept waiting. Inside a transaction it is that one.
class Moment {
public:
    explicit Moment(Database& db);
    ~Moment();
    Moment(const Moment&) = delete;
    Moment& operator=(const Moment&) = delete;

private:
    Database& db_;
    bool outermost_;
};

/// BEGIN IMMEDIATE … COMMIT, rolled back unless committed; joins a transaction that is open already.
class Transaction {
public:
    explicit Transaction(Database& db);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

private:
    Database& db_;
    bool outermost_;
    bool done_ = false;
};

}  // namespace kopdarbs
