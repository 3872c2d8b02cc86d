// A municipality inside one process: a real server and real vaults on files in a temporary directory, a line between them that can be cut
// at any point, clocks that stand where a test puts them, and chance from a seed. The same town twice gives the same bytes.
//
//   Cēsis with the unit amata and the files H-17 and H-18 in it; ilze (case worker) and maris (organiser) on H-17, rita (case worker) on
//   H-18, zane (community worker), dace (clerk) and anna (supervisor) on amata.
//
// Threading: a Town serves many threads; a Phone and a Forger belong to one.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/kopdarbs.h"
#include "core/store/replica.h"
#include "platform/posix/openssl_crypto.h"
#include "sync/client/engine.h"
#include "sync/protocol/messages.h"
#include "sync/protocol/sides.h"
#include "sync/server/server.h"
#include "tests/support/process.h"

namespace kopdarbs::test {

inline constexpr const char* kSecret = "četri vienkārši vārdi 4711";

/// Stands still until it is moved.
class FakeClock : public Clock {
public:
    std::uint64_t wall_ms() override { return now_ms; }
    std::uint64_t steady_ms() override { return now_ms; }
    std::atomic<std::uint64_t> now_ms{1'795'600'000'000};  // 2026-11-25
};

/// Another clock, set wrongly by a constant.
class WrongClock : public Clock {
public:
    explicit WrongClock(Clock& right) : right_(right) {}
    std::uint64_t wall_ms() override { return frozen_at ? *frozen_at : right_.wall_ms() + static_cast<std::uint64_t>(offset_ms); }
    std::uint64_t steady_ms() override { return right_.steady_ms(); }
    /// Makes this clock say `ms` now, and run on from there.
    void set(std::uint64_t ms) {
        frozen_at.reset();
        offset_ms = static_cast<std::int64_t>(ms) - static_cast<std::int64_t>(right_.wall_ms());
    }
    std::int64_t offset_ms = 0;
    std::optional<std::uint64_t> frozen_at;  ///< what it says until it runs again

private:
    Clock& right_;
};

/// The same octets for the same seed (SplitMix64).
class SeededEntropy : public Entropy {
public:
    explicit SeededEntropy(std::uint64_t seed) : state_(seed) {}
    void fill(std::uint8_t* out, std::size_t size) override;

private:
    std::atomic<std::uint64_t> state_;
};

/// Everything real but the cost of unlocking.
class CheapCrypto : public posix::OpenSslCrypto {
public:
    Bytes scrypt(BytesView secret, BytesView salt, const ScryptCost& cost) override;
    bool verify(const PublicKey& key, BytesView message, const Signature& signature) override {
        if (before_verify) before_verify();
        return OpenSslCrypto::verify(key, message, signature);
    }
    bool real_scrypt = false;
    std::function<void()> before_verify;  ///< what happens just before a signature is looked at
};

class Town;

/// What happens to one request on its way.
enum class Fault {
    none,
    lose_request,
    lose_response,
    repeat_request,
    corrupt_request,
    corrupt_response,
    cut_request,
    cut_response,
    late_request,  ///< given up by the client, and at the server only after the next one
};

constexpr std::size_t kTakenKept = 4;

class Line : public sync::Transport {
public:
    explicit Line(Town& town) : town_(town) {}
    sync::HttpResponse send(const sync::HttpRequest& request) override;
    std::uint64_t bytes_sent() const override { return sent_; }
    std::uint64_t bytes_received() const override { return received_; }
    std::uint64_t socket_bytes() const override { return sent_ + received_; }

    std::deque<Fault> faults;                                   ///< for the requests to come, one each
    std::function<void()> on_the_way;                           ///< called once the server has answered, before the client hears it
    std::function<void(sync::HttpResponse& response)> rewrite;  ///< what a hostile server would say instead
    std::uint64_t slow_ms = 0;                                  ///< how long a body is on its way
    std::uint64_t requests = 0;
    /// The last sync requests that the server took, the newest last, whether or not the client heard so.
    const std::deque<sync::HttpRequest>& taken() const { return taken_; }

private:
    void remember(const sync::HttpRequest& request, const sync::HttpResponse& response);

    Town& town_;
    std::vector<sync::HttpRequest> late_;
    std::deque<sync::HttpRequest> taken_;
    std::uint64_t sent_ = 0, received_ = 0;
};

/// A vault of one user on one device.
class Phone {
public:
    Phone(Town& town, const std::string& user, std::uint64_t seed);
    /// The same vault on another device: a copy of the closed file.
    Phone(Town& town, Phone& original, std::uint64_t seed);
    Phone(const Phone&) = delete;
    Phone& operator=(const Phone&) = delete;

    Env env();
    Vault& vault() { return *vault_; }
    Vault* operator->() { return vault_.get(); }
    /// Without retries.
    sync::SyncReport sync();
    /// With up to `retries` for each round trip.
    sync::SyncReport sync_patiently(std::uint32_t retries);
    /// In rounds of about `bytes` each way, so that little work takes many.
    sync::SessionCounts sync_in_batches(std::size_t bytes);
    /// Syncs until one sync goes through, whatever the line does to the others; gives up after `attempts`.
    void insist(const std::function<void()>& one_sync, int attempts = 10);
    /// Closes the vault and opens it again, as a new start of the program does.
    void reopen();
    void close() { vault_.reset(); }
    /// The same file as another process would open it, with other threads or without.
    std::unique_ptr<Vault> second_process(Background* background = nullptr, Background* helper = nullptr);

    /// Creates in `scope` and gives the id.
    RecordId create(std::string_view type, std::string_view scope, std::string_view fields);
    /// The given fields of a record.
    Saved put(const RecordId& id, std::string_view fields, Vault::Base base = {});
    /// One field as JSON; "null" when it is not shown.
    std::string field(const RecordId& id, const std::string& name);
    std::string version(const RecordId& id) { return vault_->get(id).version; }
    /// What is shown of a record and what stands behind it: equal for equal states.
    std::string state(const RecordId& id);
    bool holds(const RecordId& id);

    const std::string& path() const { return path_; }
    const Bytes& slots() const { return slots_; }
    WrongClock clock;
    Line line;

private:
    Town& town_;
    SeededEntropy entropy_;
    std::string path_;
    Bytes slots_;
    std::unique_ptr<Vault> vault_;
};

class Town {
public:
    explicit Town(std::uint64_t seed = 1);
    Town(const Town&) = delete;
    Town& operator=(const Town&) = delete;

    Env env() { return {clock, entropy, crypto}; }
    sync::Server& server() { return *server_; }
    std::string path(const std::string& name) const { return scratch_.path() + "/" + name; }
    std::string database() const { return path("server.db"); }
    void stop() { server_.reset(); }
    /// A new Server on the same file.
    void start();
    void pass(std::uint64_t ms) { clock.now_ms += ms; }

    /// A phone that has synced once.
    std::unique_ptr<Phone> enrol(const std::string& user);
    /// Another device with a copy of the phone's vault.
    std::unique_ptr<Phone> copy(Phone& original);
    /// One that has not.
    std::unique_ptr<Phone> enrol_fresh(const std::string& user);
    /// The people above with other or more `assignments` (JSON objects, comma-separated), and `types`.
    void provision(const std::string& assignments, const std::vector<std::string>& types = {});
    static const std::string& usual_assignments();
    ScopeId scope(const std::string& name);
    /// No damage on the server, and none in these vaults.
    void require_sound(const std::vector<Phone*>& phones);

    FakeClock clock;
    SeededEntropy entropy;
    CheapCrypto crypto;

private:
    ScratchDir scratch_;
    std::unique_ptr<sync::Server> server_;
    std::uint64_t phones_ = 0;
    std::uint64_t seed_;
    friend class Phone;
};

/// A device that says what it likes: changes made by hand, chained and signed as a real one's would be.
class Forger {
public:
    Forger(Town& town, const std::string& user);

    struct Reply {
        int status = 0;
        sync::ProblemDocument problem;  ///< when the status is not 200
        sync::SyncResponse response;    ///< when it is
        std::vector<Verdict> verdicts;
        const Verdict& only() const { return verdicts.at(0); }
    };
    /// This replica's next change; its `seen` is what this replica has had accepted of the record.
    Change change(const std::string& type, const std::string& scope, const RecordId& record, std::vector<Op> ops);
    /// One that creates the record as well.
    Change birth(const std::string& type, const std::string& scope, const RecordId& record, std::vector<Op> ops = {});
    Reply push(std::vector<Change> changes);
    /// `request` as it stands, signed by the device; feeds' checkpoints are the caller's.
    Reply send(const sync::SyncRequest& request);
    /// What push would send.
    sync::SyncRequest request_of(std::vector<Change> changes);
    sync::HttpResponse post(const char* path, const Bytes& body);
    RecordId fresh_record() { return make_record_id(town_.clock.wall_ms(), town_.entropy.octets<10>()); }

    const Enrolment& enrolment() const { return enrolment_; }
    Bytes nonce;
    Signature sign(BytesView message) { return town_.crypto.sign(enrolment_.device_key, message); }

private:
    Town& town_;
    Line line_;
    Enrolment enrolment_;
    std::uint64_t counter_ = 0;
    std::map<ScopeId, FeedHead> heads_;
    std::map<RecordId, std::uint64_t> last_;  // own counter of the record's last change
};

/// Turns what went over the line into a message and back.
sync::SyncResponse read_response(const sync::HttpResponse& response);
void write_response(sync::HttpResponse& response, const sync::SyncResponse& message);

/// The code of the Error that `work` throws; fails the test when it throws none.
ErrorCode code_of(const std::function<void()>& work);
/// The message of the Error that `work` throws.
std::string message_of(const std::function<void()>& work);

}  // namespace kopdarbs::test
