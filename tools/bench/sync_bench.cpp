#include "tools/bench/sync_bench.h"

#include <sqlite3.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "core/base/error.h"
#include "core/record/json.h"
#include "sync/client/engine.h"
#include "tools/bench/home_visit.h"
#include "tools/bench/town.h"

namespace kopdarbs::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kFsyncOps = 5'000;
constexpr std::size_t kBatch = 1'000;
constexpr int kDeltaRounds = 15;
constexpr int kManyDevices = 200;

double since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double at_share(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}
double median(const std::vector<double>& values) {
    return at_share(values, 0.5);
}

class SyncBench {
public:
    SyncBench(const std::string& data, const std::string& work, int run, const std::string& parts)
        : data_(data), work_(work), run_(run), parts_(parts) {
        std::filesystem::create_directories(work);
        records_ = read_tsv(data + "/records.tsv");
        for (const Row& row : records_) entries_.push_back({"bench_visit", record_id(row[0]), "F0", document_from_json(fields_json(row))});
    }

    int run() {
        if (wanted("W1")) local_writes();
        if (wanted("W2") || wanted("W3") || wanted("W4") || wanted("W5") || wanted("W6") || wanted("W7")) town();
        if (wanted("W8")) many_devices();
        return failed_ ? 1 : 0;
    }

private:
    bool wanted(const char* part) const { return parts_.empty() || parts_.find(part) != std::string::npos; }
    void out(const char* part, const char* metric, double value, const char* unit, std::size_t n, const std::string& note = "") const {
        std::printf(
            "{\"peer\":\"ours\",\"version\":\"kopdarbs 0.1, sqlite "
            "%s\",\"part\":\"%s\",\"metric\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"n\":%zu,\"run\":%d,\"note\":\"%s\"}\n",
            sqlite3_libversion(), part, metric, value, unit, n, run_, note.c_str());
        std::fflush(stdout);
    }
    void check(bool good, const char* what) {
        if (good) return;
        std::fprintf(stderr, "kopdarbs-bench: check failed: %s\n", what);
        failed_ = true;
    }
    void fill(Vault& vault) const {
        vault.put_all(entries_, kBatch, [](const Saved&) {});
    }

    // W1. Values are typed beforehand, as the reference's are. Plain SQLite inserts in the same process give a floor for CPU a save.
    void local_writes() {
        const std::size_t n = std::min(records_.size(), kFsyncOps);
        {
            Town town(work_ + "/w1", 1, true);
            Device device = town.enrol(0, "fsync");
            std::vector<double> latency;
            const double cpu = cpu_seconds();
            const auto start = Clock::now();
            for (std::size_t i = 0; i < n; ++i) {
                const auto one = Clock::now();
                (void)device.vault->put("bench_visit", entries_[i].id, "F0", entries_[i].fields);
                latency.push_back(since(one) * 1e6);
            }
            out("W1", "tx_fsync", static_cast<double>(n) / since(start), "ops/s", n, "encrypted, chained");
            out("W1", "tx_fsync_cpu_us", (cpu_seconds() - cpu) / static_cast<double>(n) * 1e6, "us", n);
            out("W1", "tx_fsync_p50", at_share(latency, 0.5), "us", n);
            out("W1", "tx_fsync_p99", at_share(latency, 0.99), "us", n);
        }
        plain_writes(n);
        Town town(work_ + "/w1", 1, true);
        Device device = town.enrol(0, "batch");
        const double cpu = cpu_seconds();
        const auto start = Clock::now();
        fill(*device.vault);
        out("W1", "batch1000", static_cast<double>(records_.size()) / since(start), "ops/s", records_.size(), "synchronous=FULL");
        out("W1", "batch1000_cpu_us", (cpu_seconds() - cpu) / static_cast<double>(records_.size()) * 1e6, "us", records_.size());
        device.vault.reset();
        out("W1", "db_bytes", static_cast<double>(std::filesystem::file_size(device.path)), "B", records_.size(),
            "with the unsent changes");
    }

    void plain_writes(std::size_t n) const {
        const std::string path = work_ + "/plain.db";
        for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
        sqlite3* db = nullptr;
        sqlite3_open(path.c_str(), &db);
        sqlite3_exec(db,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE visit(id TEXT PRIMARY KEY, client TEXT, day TEXT, a "
                     "TEXT); CREATE INDEX v ON visit(client, day)",
                     nullptr, nullptr, nullptr);
        sqlite3_stmt* insert = nullptr;
        sqlite3_prepare_v2(db, "INSERT INTO visit VALUES (?, ?, ?, ?)", -1, &insert, nullptr);
        const double cpu = cpu_seconds();
        const auto start = Clock::now();
        for (std::size_t i = 0; i < n; ++i) {
            const Row& row = records_[i];
            sqlite3_bind_text(insert, 1, row[0].data(), static_cast<int>(row[0].size()), SQLITE_STATIC);
            sqlite3_bind_text(insert, 2, row[2].data(), static_cast<int>(row[2].size()), SQLITE_STATIC);
            sqlite3_bind_text(insert, 3, row[5].data(), static_cast<int>(row[5].size()), SQLITE_STATIC);
            sqlite3_bind_text(insert, 4, row[20].data(), static_cast<int>(row[20].size()), SQLITE_STATIC);
            sqlite3_step(insert);
            sqlite3_reset(insert);
        }
        out("W1", "plain_tx_fsync", static_cast<double>(n) / since(start), "ops/s", n, "the same rows in plain SQLite");
        out("W1", "plain_tx_fsync_cpu_us", (cpu_seconds() - cpu) / static_cast<double>(n) * 1e6, "us", n, "the same rows in plain SQLite");
        sqlite3_finalize(insert);
        sqlite3_close(db);
    }

    // W2 to W7 share a town: A holds everything, pushes it; B pulls it.
    void town() {
        Town town(work_ + "/town", 2, true);
        Device a = town.enrol(0, "a");
        fill(*a.vault);
        if (wanted("W4") || wanted("W5") || wanted("W6") || wanted("W7")) push(town, a);
        if (wanted("W2")) reads(*a.vault);
        if (wanted("W3")) edits(*a.vault);
        if (!wanted("W5") && !wanted("W6") && !wanted("W7")) return;
        if (wanted("W3")) (void)sync::synchronise(*a.vault, *town.dial(), town.env(), {});
        Device b = town.enrol(1, "b", false);
        pull(town, b);
        if (wanted("W6")) deltas(town, a, b);
        if (wanted("W7")) conflicts(town, a, b);
    }

    void push(Town& town, Device& a) {
        const auto transport = town.dial();
        const auto start = Clock::now();
        const sync::SyncReport report = sync::synchronise(*a.vault, *transport, town.env(), {});
        out("W4", "push_s", since(start), "s", records_.size());
        out("W4", "push_bytes", static_cast<double>(transport->socket_bytes()), "B", records_.size());
        out("W4", "requests", static_cast<double>(report.round_trips), "count", records_.size());
        check(report.accepted == records_.size() && town.accepted() >= records_.size(), "every record was accepted");
    }

    void pull(Town& town, Device& b) {
        const auto transport = town.dial();
        const auto start = Clock::now();
        (void)sync::synchronise(*b.vault, *transport, town.env(), {});
        out("W5", "pull_s", since(start), "s", records_.size());
        out("W5", "pull_bytes", static_cast<double>(transport->socket_bytes()), "B", records_.size());
        check(b.vault->status().records == records_.size(), "every record was pulled");
    }

    void reads(Vault& vault) {
        const auto indexing = Clock::now();
        vault.index();
        out("W2", "index_s", since(indexing), "s", records_.size(), "outside the saves");
        std::vector<RecordId> wanted_ids;
        for (const Row& row : read_tsv(data_ + "/getids.txt")) wanted_ids.push_back(record_id(row[0]));
        std::size_t sink = 0;
        Shown shown;
        auto start = Clock::now();
        for (const RecordId& id : wanted_ids) {
            check(vault.read(id, shown), "get finds its record");
            sink += shown.fields.size();
        }
        out("W2", "get", static_cast<double>(wanted_ids.size()) / since(start), "ops/s", wanted_ids.size());
        const auto clients = read_tsv(data_ + "/clients.txt");
        std::size_t rows = 0;
        start = Clock::now();
        for (const Row& client : clients)
            vault.list("bench_visit", {{"client_id", client[0]}}, UINT64_MAX, [&](const Shown& s) {
                ++rows;
                sink += s.fields.size();
                return true;
            });
        out("W2", "list", static_cast<double>(clients.size()) / since(start), "queries/s", clients.size(), "rows " + std::to_string(rows));
        const auto words = read_tsv(data_ + "/words.txt");
        rows = 0;
        start = Clock::now();
        for (const Row& word : words)
            vault.search(word[0], "", 20, [&](const Shown& s) {
                ++rows;
                sink += s.fields.size();
                return true;
            });
        out("W2", "fts20", static_cast<double>(words.size()) / since(start), "queries/s", words.size(), "rows " + std::to_string(rows));
        check(sink > 0, "something was read");
    }

    void edits(Vault& vault) {
        auto rows = read_tsv(data_ + "/edits.tsv");
        rows.resize(std::min(rows.size(), kFsyncOps));
        const auto start = Clock::now();
        for (const Row& row : rows) (void)vault.put("bench_visit", record_id(row[0]), "", field_json(row[1], row[2]));
        out("W3", "edit_fsync", static_cast<double>(rows.size()) / since(start), "ops/s", rows.size());
    }

    void edit_all(Vault& vault, const std::vector<Row>& rows, int step) const {
        vault.batch([&] {
            for (const Row& row : rows) {
                const std::string value = is_integer(row[1]) ? std::to_string(std::stol(row[2]) + step) : row[2] + std::to_string(step);
                (void)vault.put("bench_visit", record_id(row[0]), "", field_json(row[1], value));
            }
        });
    }

    void deltas(Town& town, Device& a, Device& b) {
        const auto rows = read_tsv(data_ + "/delta.tsv");
        (void)sync::synchronise(*a.vault, *town.dial(), town.env(), {});
        std::vector<double> pushes, pulls, noops, warm;
        double push_bytes = 0, pull_bytes = 0, noop_bytes = 0, noop_http = 0, noop_trips = 0;
        const auto timed = [&](Device& device, posix::HttpsTransport& transport, double& bytes) {
            const auto start = Clock::now();
            const sync::SyncReport report = sync::synchronise(*device.vault, transport, town.env(), {});
            bytes = static_cast<double>(transport.socket_bytes());
            noop_http = static_cast<double>(report.bytes_sent + report.bytes_received);
            noop_trips = static_cast<double>(report.round_trips);
            return since(start) * 1e3;
        };
        double ignored = 0;
        for (int k = 0; k < kDeltaRounds; ++k) {
            edit_all(*a.vault, rows, k);
            pushes.push_back(timed(a, *town.dial(), push_bytes));
            pulls.push_back(timed(b, *town.dial(), pull_bytes));
            const auto line = town.dial();
            noops.push_back(timed(b, *line, noop_bytes));
            warm.push_back(timed(b, *line, ignored));
        }
        out("W6", "delta_push_ms", median(pushes), "ms", rows.size(), "new connection, TLS handshake included");
        out("W6", "delta_push_bytes", push_bytes, "B", rows.size());
        out("W6", "delta_pull_ms", median(pulls), "ms", rows.size());
        out("W6", "delta_pull_bytes", pull_bytes, "B", rows.size());
        out("W6", "noop_ms", median(noops), "ms", 0, "new connection");
        out("W6", "noop_warm_ms", median(warm), "ms", 0);
        out("W6", "noop_bytes", noop_bytes, "B", 0, "TLS included");
        out("W6", "noop_http_bytes", noop_http, "B", 0, "HTTP both ways, headers included");
        out("W6", "noop_requests", noop_trips, "count", 0);
    }

    void conflicts(Town& town, Device& a, Device& b) {
        const auto rows = read_tsv(data_ + "/conflicts.tsv");
        (void)sync::synchronise(*a.vault, *town.dial(), town.env(), {});
        (void)sync::synchronise(*b.vault, *town.dial(), town.env(), {});
        const auto edit = [&](Vault& vault, std::size_t field) {
            vault.batch([&] {
                for (const Row& row : rows) (void)vault.put("bench_visit", record_id(row[0]), "", field_json(row[field], row[field + 1]));
            });
        };
        edit(*a.vault, 2);
        edit(*b.vault, 4);
        const auto line_a = town.dial(), line_b = town.dial();
        const auto start = Clock::now();
        (void)sync::synchronise(*a.vault, *line_a, town.env(), {});
        (void)sync::synchronise(*b.vault, *line_b, town.env(), {});
        (void)sync::synchronise(*a.vault, *line_a, town.env(), {});
        const double elapsed = since(start);
        std::size_t hidden = 0, lost = 0, false_conflicts = 0;
        for (const Row& row : rows) {
            const Record mine = a.vault->get(record_id(row[0])), theirs = b.vault->get(record_id(row[0]));
            check(mine.fields == theirs.fields && mine.version == theirs.version, "both devices show one state");
            const auto shown = document_from_json(mine.fields);
            for (std::size_t at : {std::size_t{2}, std::size_t{4}}) {
                const Value value = int_value(std::stol(row[at + 1]));
                const bool visible = std::any_of(shown.begin(), shown.end(),
                                                 [&](const auto& m) { return m.first == field_name(row[at]) && m.second == value; });
                const bool kept = std::any_of(mine.review.begin(), mine.review.end(), [&](const ReviewItem& item) {
                    return item.field == field_name(row[at]) &&
                           std::any_of(item.values.begin(), item.values.end(), [&](const Candidate& c) { return c.value == value; });
                });
                hidden += visible ? 0U : 1U;
                lost += visible || kept ? 0U : 1U;
            }
            if (row[1] == "diff") false_conflicts += mine.review.size();
        }
        out("W7", "converge_s", elapsed, "s", rows.size());
        out("W7", "bytes", static_cast<double>(line_a->socket_bytes() + line_b->socket_bytes()), "B", rows.size());
        out("W7", "edits_not_visible", static_cast<double>(hidden), "count", 2 * rows.size(), "each in a review item");
        out("W7", "edits_lost_silently", static_cast<double>(lost), "count", 2 * rows.size(),
            "measured: neither shown nor in a review item");
        out("W7", "false_conflicts", static_cast<double>(false_conflicts), "count", rows.size());
    }

    void many_devices() {
        const std::size_t each = records_.size() / kManyDevices;
        Town town(work_ + "/w8", kManyDevices, false);
        std::vector<Device> devices;
        for (int d = 0; d < kManyDevices; ++d) {
            devices.push_back(town.enrol(d, "d" + std::to_string(d)));
            Vault& vault = *devices.back().vault;
            const std::string file = "F" + std::to_string(d);
            vault.batch([&] {
                for (std::size_t k = 0; k < each; ++k) {
                    const std::size_t i = static_cast<std::size_t>(d) * each + k;
                    (void)vault.put("bench_visit", entries_[i].id, file, entries_[i].fields);
                }
            });
        }
        std::vector<double> latency(kManyDevices);
        std::atomic<std::uint64_t> bytes{0}, accepted{0};
        std::vector<std::thread> threads;
        const auto start = Clock::now();
        for (int d = 0; d < kManyDevices; ++d)
            threads.emplace_back([&, d] {
                const auto mine = Clock::now();
                const auto transport = town.dial();
                accepted += sync::synchronise(*devices[static_cast<std::size_t>(d)].vault, *transport, town.env(), {}).accepted;
                latency[static_cast<std::size_t>(d)] = since(mine) * 1e3;
                bytes += transport->socket_bytes();
            });
        for (std::thread& t : threads) t.join();
        const double elapsed = since(start);
        check(accepted == each * kManyDevices && town.accepted() == accepted, "every record of every device was accepted");
        out("W8", "records_per_s", static_cast<double>(each * kManyDevices) / elapsed, "records/s", each * kManyDevices);
        out("W8", "push_p50_ms", median(latency), "ms", kManyDevices);
        out("W8", "push_p99_ms", at_share(latency, 0.99), "ms", kManyDevices);
        out("W8", "bytes", static_cast<double>(bytes), "B", kManyDevices);
    }

    std::string data_, work_;
    int run_;
    std::string parts_;
    bool failed_ = false;
    std::vector<Row> records_;
    std::vector<Vault::Entry> entries_;
};

}  // namespace

int bench_sync(const std::string& data, const std::string& work, int run, const std::string& parts) {
    return SyncBench(data, work, run, parts).run();
}

}  // namespace kopdarbs::bench
