#include "sync/server/prepare.h"

#include <algorithm>
#include <functional>
#include <future>
#include <thread>

#include "core/base/error.h"
#include "core/record/rules.h"

namespace kopdarbs::sync {
namespace {

constexpr std::size_t kMaxReasonBytes = 500;
/// Changes that are worth the start of a thread, and the most threads for one request.
constexpr std::size_t kWorthAThread = 500, kMaxThreads = 4;

std::string printed(const Problem& problem) {
    std::string reason = (problem.field.empty() ? std::string() : problem.field + ": ") + problem.reason.en + " / " + problem.reason.lv;
    while (reason.size() > kMaxReasonBytes || !is_utf8(reason)) reason.pop_back();
    return reason;
}

/// Absent where anything is left for the writer to judge.
std::optional<Shape> created_row(const PreparedChange& prepared, const Origin& origin, const ScopeGrant* grant, Crypto& crypto) {
    const Change& change = prepared.change;
    if (change.prev != 0 || !change.seen.empty() || judge_alone(prepared, origin, grant)) return std::nullopt;
    bool looked_elsewhere = false;
    const auto exists = [&](std::string_view, std::string_view, BytesView, std::string_view) {
        looked_elsewhere = true;
        return false;
    };
    try {
        if (judge_on(change, {}, origin, *grant, exists) || looked_elsewhere) return std::nullopt;
        RecordState state;
        if (state.apply(change, effective(change, origin)) != Applied::applied) return std::nullopt;
        return shape_of(crypto, change.record, state, origin.directory.schema().type(change.type));
    } catch (const Error&) {
        return std::nullopt;  // the writer finds the same, and says it
    }
}

PreparedChange read(const SignedChange& bytes) {
    PreparedChange p;
    try {
        p.change = decode_change(bytes.header, BytesView(bytes.content));
    } catch (const Error& e) {
        p.change = decode_change(bytes.header, std::nullopt);
        p.malformed = e.what();
    }
    p.bytes.header = std::move(p.change.header);
    p.bytes.salt = bytes.salt;
    if (p.malformed.empty())
        p.bytes.content = std::move(p.change.content);
    else
        p.bytes.content = bytes.content;
    return p;
}

/// `work` for 0 to `count` - 1, each once, by several threads when there is much of it. Throws what a part threw.
void in_parallel(std::size_t count, const std::function<void(std::size_t)>& work) {
    const std::size_t threads =
        std::clamp<std::size_t>(std::min<std::size_t>(count / kWorthAThread, std::thread::hardware_concurrency()), 1, kMaxThreads);
    const auto part = [&](std::size_t number) {
        for (std::size_t i = count * number / threads; i < count * (number + 1) / threads; ++i) work(i);
    };
    std::vector<std::future<void>> others;
    for (std::size_t number = 1; number < threads; ++number) others.push_back(std::async(std::launch::async, part, number));
    part(0);
    for (std::future<void>& other : others) other.get();
}

}  // namespace

PreparedFeed prepare(const FeedPart& feed, const Origin& origin, const DeviceId& server, Crypto& crypto) {
    const ScopeGrant* grant = origin.grants.find(feed.scope);
    PreparedFeed prepared;
    prepared.scope = feed.scope;
    prepared.before = feed.before;
    prepared.checkpoint = feed.checkpoint;
    prepared.changes.resize(feed.changes.size());
    std::vector<Hash256> contents(feed.changes.size());
    in_parallel(feed.changes.size(), [&](std::size_t i) {
        contents[i] = content_hash(crypto, feed.changes[i].salt, feed.changes[i].content);
        prepared.changes[i] = read(feed.changes[i]);
        prepared.changes[i].creates = created_row(prepared.changes[i], origin, grant, crypto);
    });
    FeedHead head = feed.before;
    for (std::size_t i = 0; i < feed.changes.size(); ++i) {
        PreparedChange& p = prepared.changes[i];
        if (p.change.dot.replica != origin.device.replica || p.change.scope != feed.scope || p.change.dot.counter <= head.counter)
            fail(ErrorCode::corrupt, "a feed with changes that do not belong to it, or out of order");
        head = {p.change.dot.counter, chain_hash(crypto, head.hash, p.bytes.header, contents[i])};
        p.hash = head.hash;
    }
    if (!crypto.verify(origin.device.key, checkpoint_message(server, origin.device.replica, feed.scope, head), feed.checkpoint))
        fail(ErrorCode::corrupt, "a feed whose checkpoint its device did not sign: altered, cut or forged");
    prepared.head = head;
    return prepared;
}

Stamp effective(const Change& change, const Origin& origin) {
    const auto wall = static_cast<std::int64_t>(change.wall_ms) - origin.offset_ms;
    const std::uint64_t ms = std::min<std::uint64_t>(wall < 0 ? 0 : static_cast<std::uint64_t>(wall), origin.received_ms);
    const Stamp stamp = ms == change.stamp.ms() ? change.stamp : Stamp::from_ms(ms);
    // What was heard is the server's own word, so never later than now.
    const Stamp heard = std::min(change.heard, Stamp::from_ms(origin.received_ms));
    return std::max(stamp, heard);
}

std::optional<Outcome> judge_alone(const PreparedChange& prepared, const Origin& origin, const ScopeGrant* grant) {
    if (!prepared.malformed.empty()) return Outcome{VerdictCode::refused, "cannot be read: " + prepared.malformed};
    if (prepared.change.author != origin.device.user) return Outcome{VerdictCode::refused, "signed for another user"};
    if (prepared.change.group) return Outcome{VerdictCode::refused, "groups of changes are not known to this server"};
    if (grant == nullptr) return Outcome{VerdictCode::refused, "not assigned to you / jums nav piešķirts"};
    return std::nullopt;
}

std::optional<Outcome> judge_on(const Change& change, const RecordState& at_seen, const Origin& origin, const ScopeGrant& grant,
                                const Exists& exists) {
    const TypeSchema* type = origin.directory.schema().type(change.type);
    if (type != nullptr && at_seen.empty() && type->section_under(grant.kind) != grant.info.section)
        return Outcome{VerdictCode::refused, "records of this type do not belong here / šāda veida ierakstam te nav vietas"};
    Writer writer;
    writer.user = change.author;
    writer.roles = grant.info.roles;
    writer.section = grant.info.section;
    writer.exists = exists;
    if (const auto problem = judge_change(change, at_seen, type, writer, nullptr)) return Outcome{VerdictCode::refused, printed(*problem)};
    return std::nullopt;
}

}  // namespace kopdarbs::sync
