#include "sync/server/server.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/record/json.h"
#include "core/vault/slots.h"
#include "sync/frame/compression.h"
#include "sync/protocol/http_signature.h"
#include "sync/protocol/paths.h"
#include "sync/server/ingest.h"
#include "sync/server/server_parts.h"

namespace kopdarbs::sync {
namespace {

constexpr std::uint64_t kCodeLifetimeMs = 14ULL * 24 * 3600 * 1000;
constexpr std::size_t kCodeBytes = 10;  // 80 bits
/// Guesses at enrolment codes, for the whole server: 80 bits at this rate outlast everything.
constexpr std::uint64_t kMaxFailedCodes = 30;
constexpr std::uint64_t kFailedCodesWindowMs = 10 * 60 * 1000;
constexpr std::size_t kMaxRecoveryBytes = 1024;

Bytes read_code(std::string_view text) {
    std::string digits;
    for (char c : text)
        if (c != '-' && c != ' ') digits += c;
    return from_base32(digits, kCodeBytes);
}

Hash256 code_hash(Crypto& crypto, BytesView code) {
    return crypto.sha256(Bytes("kopdarbs enrolment code 1").append(code));
}

HttpResponse answer(const Bytes& body) {
    HttpResponse response;
    response.status = 200;
    response.body = body;
    return response;
}

Bytes xor_of(BytesView a, BytesView b) {
    Bytes out(a);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ b[i]);
    return out;
}

int status_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid:
        case ErrorCode::corrupt: return 400;
        case ErrorCode::refused:
        case ErrorCode::wrong_secret: return 403;
        case ErrorCode::not_found: return 404;
        case ErrorCode::fork:
        case ErrorCode::stale: return 409;
        case ErrorCode::protocol: return 426;
        case ErrorCode::busy: return 429;
        case ErrorCode::io:
        case ErrorCode::network: return 503;
    }
    return 500;
}

}  // namespace

HttpResponse problem(int status, const Error& error) {
    HttpResponse response;
    response.status = status;
    // What the storage says of itself names paths: that is for the operator's log, not for a device.
    const bool internal = error.code() == ErrorCode::io;
    response.body =
        encode(ProblemDocument{to_string(error.code()), internal ? "the server cannot write or read its store now" : error.what()});
    if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "5");
    return response;
}

Server::Parts::Parts(const std::string& database, Env environment)
    : env(environment),
      readers(database),
      committer(open_sqlite_storage(database, false, environment.background)),
      identity(read_identity()) {}

ServerIdentity Server::Parts::read_identity() {
    const auto reader = readers.lend();
    const Bytes bytes = reader->setting("identity");
    if (bytes.empty()) fail(ErrorCode::corrupt, "the server's identity is missing");
    CborReader in(bytes);
    ServerIdentity result;
    if (in.array() != 4) fail(ErrorCode::corrupt, "the server's identity has another shape");
    result.id = DeviceId::from_bytes(in.octets());
    result.signing.public_key = PublicKey::from_bytes(in.octets());
    result.signing.private_key = in.octets();
    result.recovery = PublicKey::from_bytes(in.octets());
    result.incarnation = GroupId::from_bytes(reader->setting("incarnation"));
    return result;
}

std::shared_ptr<const Directory> Server::Parts::directory(Storage& storage) {
    const Bytes version = storage.setting("directory_version");
    const std::lock_guard lock(mutex);
    if (!directory_ || directory_version_ != version) {
        directory_ = std::make_shared<const Directory>(storage, env.crypto);
        directory_version_ = version;
        grants_.clear();
    }
    return directory_;
}

std::shared_ptr<const Grants> Server::Parts::grants(Storage& storage, const std::string& user) {
    const auto current = directory(storage);
    const std::string day = today();
    const std::lock_guard lock(mutex);
    if (grants_day_ != day) grants_.clear();
    grants_day_ = day;
    auto& cached = grants_[user];
    if (!cached) cached = std::make_shared<const Grants>(current->grants(user, day));
    return cached;
}

HttpResponse Server::Parts::introduce() {
    return answer(encode(ServerIntroduction{identity.id, identity.signing.public_key, identity.recovery}));
}

HttpResponse Server::Parts::enrol(const HttpRequest& request) {
    const EnrolRequest asked = decode_enrol_request(request.body);
    const std::uint64_t now = env.clock.wall_ms();
    {
        const std::lock_guard lock(mutex);
        if (now - failed_since_ms_ > kFailedCodesWindowMs || now < failed_since_ms_) failed_codes_ = 0;
        if (failed_codes_ >= kMaxFailedCodes) fail(ErrorCode::busy, "too many wrong codes; try again in ten minutes");
    }
    DeviceRow device;
    bool good = false;
    Bytes code;
    try {
        code = read_code(asked.code);
    } catch (const Error&) {
        code.clear();  // counted below, like any other wrong code
    }
    if (!code.empty()) {
        committer.run([&](Storage& storage) {
            const auto user = storage.use_code(code_hash(env.crypto, code), now);
            if (!user) return;
            device.id = env.entropy.id<DeviceId>();
            do device.replica = env.entropy.id<ReplicaId>();
            while (storage.replica_exists(device.replica));
            device.key = asked.device_key;
            device.user = *user;
            device.enrolled_ms = now;
            storage.add_device(device);
            storage.audit(now, "device " + to_string(device.id) + " enrolled for " + *user);
            good = true;
        });
    }
    wipe(code);
    if (!good) {
        const std::lock_guard lock(mutex);
        if (failed_codes_++ == 0) failed_since_ms_ = now;
        fail(ErrorCode::refused, "the code is wrong, was used, or has expired");
    }
    return answer(encode(EnrolResponse{device.id, device.replica, device.user}));
}

HttpResponse Server::Parts::confirm(const DeviceRow& device, const HttpRequest& request) {
    if (request.body.size() > kMaxRecoveryBytes) fail(ErrorCode::invalid, "a recovery slot out of bounds");
    committer.run([&](Storage& storage) {
        DeviceRow row = *storage.device(device.id);
        row.recovery = request.body;
        storage.update_device(row);
    });
    return answer({});
}

HttpResponse Server::Parts::sync(const DeviceRow& device, const HttpRequest& request) {
    const SyncRequest asked = decode_request(decompress(request.body, kMaxMessageBytes));
    const auto reader = readers.lend();
    DeviceSession session(*this, *reader, device, request.waited_ms);
    return answer(compress(encode(serve(session, asked))));
}

HttpResponse Server::Parts::history(const DeviceRow& device, const HttpRequest& request) {
    const RecordId id = RecordId::from_bytes(request.body);
    const auto reader = readers.lend();
    const auto row = reader->record(id);
    const auto held = grants(*reader, device.user);
    const bool readable =
        row && std::any_of(held->numbers.begin(), held->numbers.end(), [&](const auto& n) { return n.second == row->scope; });
    if (!readable) fail(ErrorCode::not_found, "no such record here");
    SyncResponse response;
    response.incoming.server_ms = env.clock.wall_ms();
    for (const AcceptedRow& accepted : reader->changes_of(row->no)) {
        Entry e;
        e.stamp = accepted.stamp;
        e.header = accepted.change.header;
        e.content = accepted.change.content;
        response.incoming.states.push_back(std::move(e));
    }
    return answer(compress(encode(response)));
}

RecoveryShares Server::create(const std::string& database, Env env) {
    const auto storage = open_sqlite_storage(database, true);
    const DeviceId id = env.entropy.id<DeviceId>();
    KeyPair signing = env.crypto.make_signing_key(env.entropy);
    KeyPair recovery = env.crypto.make_sealing_key(env.entropy);
    CborWriter w;
    w.array(4);
    w.octets(id.bytes());
    w.octets(signing.public_key.bytes());
    w.octets(signing.private_key);
    w.octets(recovery.public_key.bytes());
    Bytes bytes = w.take();
    storage->begin();
    storage->set_setting("identity", bytes);
    storage->set_setting("incarnation", env.entropy.id<GroupId>().bytes());
    storage->set_setting("directory_version", env.entropy.id<GroupId>().bytes());
    storage->audit(env.clock.wall_ms(), "server " + to_string(id) + " made");
    storage->commit();
    // Two shares whose exclusive or is the private key: each alone is random.
    const Bytes pad = env.entropy.bytes(recovery.private_key.size());
    const RecoveryShares shares{to_base32(pad), to_base32(xor_of(recovery.private_key, pad))};
    wipe(bytes);
    wipe(signing.private_key);
    wipe(recovery.private_key);
    return shares;
}

Server::Server(const std::string& database, Env env) : parts_(std::make_unique<Parts>(database, env)) {}
Server::~Server() = default;

Provisioned Server::provision(std::string_view json, const std::vector<std::string>& types) {
    Parts& p = *parts_;
    Provisioned done;
    p.committer.run([&](Storage& storage) {
        done = provision_into(storage, p.env.crypto, json, types, p.today());
        storage.set_setting("directory_version", p.env.entropy.id<GroupId>().bytes());
        storage.audit(p.env.clock.wall_ms(),
                      "provisioned: " + std::to_string(done.assignments) + " assignments, " + std::to_string(done.ended) + " ended");
    });
    return done;
}

std::string Server::enrol_code(std::string_view user) {
    Parts& p = *parts_;
    const Bytes code = p.env.entropy.bytes(kCodeBytes);
    p.committer.run([&](Storage& storage) {
        const auto users = storage.users();
        if (std::find(users.begin(), users.end(), user) == users.end())
            fail(ErrorCode::not_found, "no user '" + std::string(user.substr(0, 64)) + "'");
        storage.put_code(code_hash(p.env.crypto, code), std::string(user), p.env.clock.wall_ms() + kCodeLifetimeMs);
        storage.audit(p.env.clock.wall_ms(), "enrolment code made for " + std::string(user));
    });
    std::string text = to_base32(code);
    for (std::size_t at : {std::size_t{12}, std::size_t{8}, std::size_t{4}}) text.insert(at, 1, '-');
    return text;
}

std::vector<DeviceInfo> Server::devices() {
    std::vector<DeviceInfo> all;
    const auto reader = parts_->readers.lend();
    for (const DeviceRow& d : reader->devices())
        all.push_back({d.id, d.replica, d.user, d.enrolled_ms, d.seen_ms, reader->accepted_of(d.no), d.offset_ms});
    return all;
}

ServerStatus Server::status() {
    const auto reader = parts_->readers.lend();
    ServerStatus s;
    s.server = parts_->identity.id;
    s.municipality = reader->setting("municipality_name");
    s.users = reader->users().size();
    s.devices = reader->devices().size();
    s.scopes = reader->scopes().size();
    reader->counts(s.records, s.changes, s.refused, s.held, s.review);
    return s;
}

std::string Server::recover(const DeviceId& device, std::string_view first_share, std::string_view second_share) {
    Parts& p = *parts_;
    const auto row = p.readers.lend()->device(device);
    if (!row) fail(ErrorCode::not_found, "no such device");
    if (row->recovery.empty()) fail(ErrorCode::not_found, "this device left no recovery slot here");
    KeyPair recovery{p.identity.recovery, {}};
    try {
        recovery.private_key = xor_of(from_base32(first_share, 32), from_base32(second_share, 32));
    } catch (const Error&) {
        fail(ErrorCode::wrong_secret, "not two recovery shares as `init` printed them");
    }
    const auto secret = open_recovery_slot(row->recovery, device, recovery, p.env.crypto);
    wipe(recovery.private_key);
    p.committer.run([&](Storage& storage) {
        storage.audit(p.env.clock.wall_ms(), std::string(secret ? "recovered" : "failed to recover") + " the vault of device " +
                                                 to_string(device) + ", user " + row->user);
    });
    if (!secret) fail(ErrorCode::wrong_secret, "the two shares do not open this device's recovery slot");
    return *secret;
}

std::vector<LogLine> Server::audit(std::uint64_t limit) {
    return parts_->readers.lend()->audit_lines(limit);
}

HttpResponse Server::handle(const HttpRequest& request) {
    Parts& p = *parts_;
    try {
        if (request.method != "POST") fail(ErrorCode::not_found, "no such resource");
        if (request.path == kPathServer) return p.introduce();
        if (request.path == kPathEnrol) return p.enrol(request);
        const auto keyid = signature_keyid(request);
        if (!keyid) fail(ErrorCode::refused, "the request is not signed");
        std::optional<DeviceRow> device;
        try {
            device = p.readers.lend()->device(parse_device_id(*keyid));
        } catch (const Error& e) {
            if (e.code() != ErrorCode::invalid) throw;
        }
        if (!device || !verify_request(request, device->key, p.env.crypto))
            fail(ErrorCode::refused, "the request is not signed by a device enrolled here");
        if (request.path == kPathRecovery) return p.confirm(*device, request);
        if (request.path == kPathSync) return p.sync(*device, request);
        if (request.path == kPathHistory) return p.history(*device, request);
        fail(ErrorCode::not_found, "no such resource");
    } catch (const Error& e) {
        return problem(status_of(e.code()), e);
    }
}

}  // namespace kopdarbs::sync
