#include "tests/support/town.h"

#include "core/base/error.h"
#include "core/record/json.h"
#include "core/record/state.h"
#include "sync/frame/compression.h"
#include "sync/protocol/http_signature.h"
#include "sync/protocol/paths.h"
#include "sync/protocol/sides.h"
#include "sync/server/directory.h"
#include "tests/support/catch.h"

namespace kopdarbs::test {
namespace {

std::string people_with(const std::string& assignments) {
    std::string users;
    for (const char* user : {"ilze", "maris", "rita", "zane", "dace", "anna"})
        users += std::string(users.empty() ? "" : ",") + R"({"id":")" + user + R"(","name":")" + user + R"(","language":"lv"})";
    return R"({"municipality":{"id":"cesis","name":"Cēsu novads"},"units":[{"id":"amata","name":"Amatas pagasts","kind":"parish"}],)"
           R"("files":[{"id":"H-17","unit":"amata","label":"Zaube, 4"},{"id":"H-18","unit":"amata","label":"Nītaure, 2"}],"users":[)" +
           users + R"(],"assignments":[)" + assignments + "]}";
}

void flip_a_bit(Bytes& body) {
    if (!body.empty()) body[body.size() / 2] = static_cast<char>(body[body.size() / 2] ^ 0x10);
}

std::uint64_t size_of(const sync::HttpHeaders& headers, const Bytes& body) {
    std::uint64_t size = body.size() + 2;
    for (const auto& [name, value] : headers) size += name.size() + value.size() + 4;
    return size;
}

}  // namespace

void SeededEntropy::fill(std::uint8_t* out, std::size_t size) {
    for (std::size_t at = 0; at < size; at += 8) {
        std::uint64_t z = state_.fetch_add(0x9e3779b97f4a7c15) + 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        z ^= z >> 31;
        for (std::size_t i = at; i < size && i < at + 8; ++i, z >>= 8) out[i] = static_cast<std::uint8_t>(z & 0xff);
    }
}

Bytes CheapCrypto::scrypt(BytesView secret, BytesView salt, const ScryptCost& cost) {
    if (real_scrypt) return OpenSslCrypto::scrypt(secret, salt, cost);
    return Bytes(sha256(Bytes(secret).append(salt)).bytes());
}

void Line::remember(const sync::HttpRequest& request, const sync::HttpResponse& response) {
    if (response.status != 200 || request.path != sync::kPathSync) return;
    taken_.push_back(request);
    if (taken_.size() > kTakenKept) taken_.pop_front();
}

sync::HttpResponse Line::send(const sync::HttpRequest& request) {
    const Fault fault = faults.empty() ? Fault::none : faults.front();
    if (!faults.empty()) faults.pop_front();
    ++requests;
    sent_ += request.path.size() + size_of(request.headers, request.body);
    sync::HttpRequest sent = request;
    if (fault == Fault::corrupt_request) flip_a_bit(sent.body);
    if (fault == Fault::cut_request) sent.body.resize(sent.body.size() / 2);
    if (fault == Fault::late_request) late_.push_back(sent);
    if (fault == Fault::lose_request || fault == Fault::late_request)
        fail(ErrorCode::network, "the line was cut before the request arrived");
    town_.pass(slow_ms);
    sent.waited_ms = slow_ms;
    sync::HttpResponse response = town_.server().handle(sent);
    remember(sent, response);
    for (const sync::HttpRequest& late : std::exchange(late_, {})) (void)town_.server().handle(late);  // nobody hears the answer
    if (fault == Fault::repeat_request) response = town_.server().handle(sent);
    if (on_the_way) on_the_way();
    if (fault == Fault::lose_response) fail(ErrorCode::network, "the line was cut before the response arrived");
    if (rewrite) rewrite(response);
    if (fault == Fault::corrupt_response) flip_a_bit(response.body);
    if (fault == Fault::cut_response) response.body.resize(response.body.size() / 2);
    received_ += size_of(response.headers, response.body);
    return response;
}

Phone::Phone(Town& town, const std::string& user, std::uint64_t seed)
    : clock(town.clock), line(town), town_(town), entropy_(seed), path_(town.path("phone" + std::to_string(town.phones_) + ".db")) {
    const std::string code = town.server().enrol_code(user);
    const Enrolment enrolment = sync::enrol(line, "https://town.invalid", "no authority", code, env());
    vault_ = Vault::create(path_, kSecret, enrolment, env(), slots_);
    sync::confirm_enrolment(*vault_, slots_, line, env());
}

Phone::Phone(Town& town, Phone& original, std::uint64_t seed)
    : clock(town.clock),
      line(town),
      town_(town),
      entropy_(seed),
      path_(town.path("phone" + std::to_string(town.phones_) + ".db")),
      slots_(original.slots_) {
    original.close();
    write_whole(path_, read_whole(original.path_));
    original.reopen();
    reopen();
}

Env Phone::env() {
    return {clock, entropy_, town_.crypto};
}

sync::SyncReport Phone::sync() {
    return sync::synchronise(*vault_, line, env(), {});
}

sync::SyncReport Phone::sync_patiently(std::uint32_t retries) {
    sync::SyncOptions options;
    options.wait = [this](std::uint64_t ms) { town_.pass(ms); };
    options.max_retries = retries;
    return sync::synchronise(*vault_, line, env(), options);
}

namespace {

/// As the engine's, for driving a session by hand.
class Side : public sync::ReplicaSide {
public:
    Side(Vault& vault, Env env) : vault_(vault), env_(env) {}
    ReplicaId replica() const override { return vault_.enrolment().replica; }
    DeviceId server() const override { return vault_.enrolment().server; }
    PublicKey server_key() const override { return vault_.enrolment().server_key; }
    Signature sign(BytesView message) override { return env_.crypto.sign(vault_.enrolment().device_key, message); }
    std::uint64_t wall_ms() override { return env_.clock.wall_ms(); }
    std::uint64_t unsent_after(std::uint64_t counter) override { return vault_.replica().unsent_after(counter); }
    std::vector<FeedPart> outgoing(std::uint64_t after, std::size_t max_bytes, std::uint64_t& last) override {
        return vault_.replica().outgoing(after, max_bytes, last);
    }
    std::vector<ScopeCursor> cursors() override { return vault_.replica().cursors(); }
    GroupId incarnation() override { return vault_.replica().incarnation(); }
    Bytes nonce() override { return vault_.replica().nonce(); }
    std::uint64_t last_counter() override { return vault_.replica().last_counter(); }
    Hash256 grants_digest() override { return vault_.replica().grants_digest(); }
    std::vector<RecordId> wanted() override { return vault_.replica().wanted(); }
    std::uint64_t receive(const Incoming& incoming) override { return vault_.replica().receive(incoming); }

private:
    Vault& vault_;
    Env env_;
};

}  // namespace

sync::SessionCounts Phone::sync_in_batches(std::size_t bytes) {
    Side side(*vault_, env());
    sync::ClientSession session(side, town_.crypto);
    session.set_batch_bytes(bytes);
    while (!session.is_done()) {
        sync::HttpRequest request;
        request.path = sync::kPathSync;
        request.body = sync::compress(session.next_request());
        sync::sign_request(request, to_string(vault_->enrolment().device), vault_->enrolment().device_key, town_.crypto);
        const sync::HttpResponse response = line.send(request);
        if (response.status != 200) fail(ErrorCode::network, "status " + std::to_string(response.status));
        session.on_response(sync::decompress(response.body, sync::kMaxMessageBytes));
    }
    return session.counts();
}

void Phone::insist(const std::function<void()>& one_sync, int attempts) {
    for (int attempt = 1;; ++attempt) {
        try {
            one_sync();
            return;
        } catch (const Error&) {
            if (attempt == attempts) throw;
        }
    }
}

void Phone::reopen() {
    vault_.reset();
    vault_ = Vault::open(path_, slots_, kSecret, env());
}

std::unique_ptr<Vault> Phone::second_process(Background* background, Background* helper) {
    Env given = env();
    given.background = background;
    given.helper = helper;
    return Vault::open(path_, slots_, kSecret, given);
}

RecordId Phone::create(std::string_view type, std::string_view scope, std::string_view fields) {
    return vault_->put(type, std::nullopt, scope, fields).id;
}

Saved Phone::put(const RecordId& id, std::string_view fields, Vault::Base base) {
    return vault_->put(vault_->get(id).type, id, {}, fields, base);
}

std::string Phone::field(const RecordId& id, const std::string& name) {
    for (const auto& [field, value] : document_from_json(vault_->get(id).fields))
        if (field == name) return to_json(value);
    return "null";
}

std::string Phone::state(const RecordId& id) {
    Shown shown;
    if (!vault_->read(id, shown)) return "absent";
    return shown.type + " " + shown.fields + " " + to_hex(shown.meta);
}

bool Phone::holds(const RecordId& id) {
    Shown shown;
    return vault_->read(id, shown);
}

Town::Town(std::uint64_t seed) : entropy(seed), seed_(seed) {
    (void)sync::Server::create(database(), env());
    start();
    provision(usual_assignments());
}

void Town::start() {
    server_.reset();
    server_ = std::make_unique<sync::Server>(database(), env());
}

std::unique_ptr<Phone> Town::enrol_fresh(const std::string& user) {
    ++phones_;
    return std::make_unique<Phone>(*this, user, seed_ * 1'000'003 + phones_);
}

std::unique_ptr<Phone> Town::copy(Phone& original) {
    ++phones_;
    return std::make_unique<Phone>(*this, original, seed_ * 1'000'003 + phones_);
}

std::unique_ptr<Phone> Town::enrol(const std::string& user) {
    auto phone = enrol_fresh(user);
    (void)phone->sync();
    return phone;
}

const std::string& Town::usual_assignments() {
    static const std::string all = [] {
        const char* rows[][3] = {{"ilze", "case_worker", "H-17"},       {"maris", "organiser", "H-17"}, {"rita", "case_worker", "H-18"},
                                 {"zane", "community_worker", "amata"}, {"dace", "clerk", "amata"},     {"anna", "supervisor", "amata"}};
        std::string text;
        for (const auto& row : rows)
            text += std::string(text.empty() ? "" : ",") + R"({"user":")" + row[0] + R"(","role":")" + row[1] + R"(","scope":")" + row[2] +
                    R"(","from":"2026-01-01","until":null})";
        return text;
    }();
    return all;
}

void Town::provision(const std::string& assignments, const std::vector<std::string>& types) {
    (void)server_->provision(people_with(assignments), types);
}

ScopeId Town::scope(const std::string& name) {
    return sync::scope_id(crypto, "cesis", name);
}

void Town::require_sound(const std::vector<Phone*>& phones) {
    for (const Damage& damage : server_->verify().damage) FAIL_CHECK("server: " << damage.where << ": " << damage.what);
    for (Phone* phone : phones)
        for (const Damage& damage : phone->vault().verify().damage)
            FAIL_CHECK(phone->vault().enrolment().user << ": " << damage.where << ": " << damage.what);
}

Forger::Forger(Town& town, const std::string& user) : town_(town), line_(town) {
    enrolment_ = sync::enrol(line_, "https://town.invalid", "no authority", town.server().enrol_code(user), town.env());
}

Change Forger::change(const std::string& type, const std::string& scope, const RecordId& record, std::vector<Op> ops) {
    Change c;
    c.dot = {enrolment_.replica, ++counter_};
    c.prev = last_[record];
    if (c.prev > 0) c.seen.set(enrolment_.replica, c.prev);
    last_[record] = counter_;
    c.wall_ms = town_.clock.wall_ms();
    c.stamp = Stamp::from_ms(c.wall_ms);
    c.author = enrolment_.user;
    c.scope = town_.scope(scope);
    c.record = record;
    c.type = type;
    c.ops = std::move(ops);
    return c;
}

Change Forger::birth(const std::string& type, const std::string& scope, const RecordId& record, std::vector<Op> ops) {
    ops.insert(ops.begin(), {record_path(PathKind::birth), bool_value(true), {}});
    return change(type, scope, record, std::move(ops));
}

sync::SyncRequest Forger::request_of(std::vector<Change> changes) {
    sync::SyncRequest request;
    request.replica = enrolment_.replica;
    request.wall_ms = town_.clock.wall_ms();
    request.nonce = nonce;
    request.counter = counter_;
    request.cursors_digest = sync::digest_of_cursors(town_.crypto, {});
    std::map<ScopeId, FeedPart> feeds;
    for (Change& c : changes) {
        encode_change(c);
        FeedHead& head = heads_[c.scope];
        const auto [it, fresh] = feeds.try_emplace(c.scope);
        if (fresh) it->second.before = head;
        it->second.scope = c.scope;
        const auto salt = town_.entropy.octets<kSaltBytes>();
        it->second.changes.push_back({c.header, Bytes(view(salt)), c.content});
        head = {c.dot.counter, chain_hash(town_.crypto, head.hash, c.header, content_hash(town_.crypto, view(salt), c.content))};
        it->second.head = head;
    }
    for (auto& [scope, feed] : feeds) {
        feed.checkpoint = sign(checkpoint_message(enrolment_.server, enrolment_.replica, scope, feed.head));
        request.feeds.push_back(feed);
    }
    return request;
}

sync::HttpResponse Forger::post(const char* path, const Bytes& body) {
    sync::HttpRequest request;
    request.path = path;
    request.body = body;
    sync::sign_request(request, to_string(enrolment_.device), enrolment_.device_key, town_.crypto);
    return line_.send(request);
}

Forger::Reply Forger::send(const sync::SyncRequest& request) {
    const sync::HttpResponse response = post(sync::kPathSync, sync::compress(sync::encode(request)));
    Reply reply;
    reply.status = response.status;
    if (response.status != 200) {
        reply.problem = sync::decode_problem(response.body);
        return reply;
    }
    reply.response = read_response(response);
    nonce = reply.response.incoming.nonce;
    if (reply.response.incoming.decision) {
        ReplicaId about;
        reply.verdicts = sync::decode_decision(reply.response.incoming.decision->body, about);
        if (about != enrolment_.replica) fail(ErrorCode::corrupt, "a decision about another replica");
    }
    return reply;
}

Forger::Reply Forger::push(std::vector<Change> changes) {
    return send(request_of(std::move(changes)));
}

sync::SyncResponse read_response(const sync::HttpResponse& response) {
    return sync::decode_response(sync::decompress(response.body, sync::kMaxMessageBytes));
}

void write_response(sync::HttpResponse& response, const sync::SyncResponse& message) {
    response.body = sync::compress(sync::encode(message));
}

ErrorCode code_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& e) {
        return e.code();
    }
    FAIL("no Error was thrown");
    return ErrorCode::io;
}

std::string message_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& e) {
        return e.what();
    }
    FAIL("no Error was thrown");
    return {};
}

}  // namespace kopdarbs::test
