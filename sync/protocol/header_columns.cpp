#include "sync/protocol/header_columns.h"

#include <algorithm>

namespace kopdarbs::sync {
namespace {

constexpr std::size_t kMaxTable = 200'000;
constexpr std::size_t kOriginParts = 5;
/// What an entry of a context, a record and an origin cost the reader beside the strings that they become part of.
constexpr std::size_t kOctetsOfEntry = 16, kOctetsOfRecord = 64, kOctetsOfOrigin = 128;
constexpr std::size_t kTimeOctets = 6;  // of a record's id: the milliseconds of its making (RFC 9562, section 5.7)
/// In the column of rows: the header stands whole; the origins, from here on.
constexpr std::uint64_t kWhole = 0, kFirstOrigin = 1;
/// What a change has seen.
constexpr std::uint64_t kAsOwn = 0, kAsAll = 1, kWrittenOut = 2;

std::uint64_t time_of(const RecordId& id) {
    std::uint64_t ms = 0;
    for (std::size_t i = 0; i < kTimeOctets; ++i) ms = ms << 8 | id.octets[i];
    return ms;
}

RecordId record_at(std::uint64_t ms, BytesView tail) {
    RecordId id;
    for (std::size_t i = 0; i < kTimeOctets; ++i) id.octets[i] = static_cast<std::uint8_t>(ms >> (8 * (kTimeOctets - 1 - i)));
    std::copy(tail.begin(), tail.end(), id.octets.begin() + kTimeOctets);
    return id;
}

}  // namespace

const Context& Expectation::own(std::size_t record, std::size_t replica) const {
    const auto it = own_.find({record, replica});
    return it == own_.end() ? first_[record] : it->second;
}

void Expectation::add(std::size_t record, std::size_t replica, const Change& change) {
    Context& own = own_[{record, replica}];
    own = change.seen;
    own.add(change.dot);
    Context& all = all_[record];
    Context joined = all;
    joined.join(own);
    if (joined.entries().size() <= kMaxReplicasInContext) all = std::move(joined);
}

std::size_t HeaderWriter::number_of(const ReplicaId& replica) {
    const auto [it, fresh] = replica_numbers_.try_emplace(replica, replicas_.size());
    if (fresh) {
        replicas_.push_back(replica);
        last_.emplace_back();
        last_in_context_.push_back(0);
    }
    return it->second;
}

std::size_t HeaderWriter::origin_of(const Change& c) {
    if (!origins_.empty()) {  // mostly the newest
        const Change& last = *origins_.back();
        if (last.dot.replica == c.dot.replica && last.author == c.author && last.scope == c.scope && last.type == c.type &&
            last.type_version == c.type_version)
            return origins_.size() - 1;
    }
    const auto [it, fresh] =
        origin_numbers_.try_emplace(Origin(number_of(c.dot.replica), c.author, c.scope, c.type, c.type_version), origins_.size());
    if (fresh) origins_.push_back(&c);
    return it->second;
}

void HeaderWriter::put(const Context& context) {
    columns_[kSizes].put(context.entries().size());
    for (const auto& [replica, counter] : context.entries()) {
        const std::size_t number = number_of(replica);
        columns_[kReplicas].put(number);
        columns_[kCounters].put_from(last_in_context_[number], counter);
        last_in_context_[number] = counter;
    }
}

void HeaderWriter::put(const Change& c, std::size_t record, Expectation& expected) {
    const std::size_t replica = number_of(c.dot.replica);
    LastOfReplica& last = last_[replica];
    columns_[kRecord].put(record);
    columns_[kCounter].put_from(last.counter + 1, c.dot.counter);
    columns_[kWall].put_from(last.wall_ms, c.wall_ms);
    columns_[kStamp].put_from(c.wall_ms << 16, c.stamp.packed);
    columns_[kHeard].put_from(last.heard, c.heard.packed);
    columns_[kPrev].put_from(c.seen.at(c.dot.replica), c.prev);
    last = {c.dot.counter, c.wall_ms, c.heard.packed};
    if (c.seen == expected.own(record, replica)) {
        columns_[kSeen].put(kAsOwn);
    } else if (c.seen == expected.all(record)) {
        columns_[kSeen].put(kAsAll);
    } else {
        columns_[kSeen].put(kWrittenOut);
        put(c.seen);
    }
    expected.add(record, replica, c);
}

HeaderWriter::HeaderWriter(const std::vector<const Change*>& changes) {
    std::map<RecordId, const Change*> first;
    for (const Change* c : changes)
        if (c != nullptr) first.try_emplace(c->record, c);
    std::vector<Context> seen;
    for (const auto& [id, change] : first) {
        records_.push_back(id);
        seen.push_back(change->seen);
        put(change->seen);
    }
    Expectation expected(std::move(seen));
    for (const Change* c : changes) {
        columns_[kRow].put(c == nullptr ? kWhole : kFirstOrigin + origin_of(*c));
        if (c == nullptr) continue;
        const auto record = std::lower_bound(records_.begin(), records_.end(), c->record);
        put(*c, static_cast<std::size_t>(record - records_.begin()), expected);
    }
}

void HeaderWriter::write(CborWriter& out) const {
    Bytes replicas, tails;
    for (const ReplicaId& id : replicas_) replicas.append(id.bytes());
    ColumnWriter times;
    std::uint64_t before = 0;
    for (const RecordId& id : records_) {
        times.put_from(before, time_of(id));
        before = time_of(id);
        tails.append(id.bytes().substr(kTimeOctets));
    }
    out.octets(replicas);
    out.array(origins_.size());
    for (const Change* origin : origins_) {
        out.array(kOriginParts);
        out.uint(replica_numbers_.at(origin->dot.replica));
        out.text(origin->author);
        out.octets(origin->scope.bytes());
        out.text(origin->type);
        out.uint(origin->type_version);
    }
    out.octets(times.octets());
    out.octets(tails);
    for (const ColumnWriter& column : columns_) out.octets(column.octets());
}

HeaderReader::HeaderReader(CborReader& in, Budget& budget) {
    for (BytesView rest = in.octets(); !rest.empty(); rest.remove_prefix(ReplicaId::size)) {
        budget.spend(kOctetsOfEntry);
        if (rest.size() < ReplicaId::size) fail(ErrorCode::corrupt, "message: half a replica");
        replicas_.push_back(ReplicaId::from_bytes(rest.substr(0, ReplicaId::size)));
    }
    last_.resize(replicas_.size());
    last_in_context_.resize(replicas_.size());
    for (std::size_t n = in.array(kMaxTable); n > 0; --n) {
        const std::size_t parts = in.array();
        if (parts < kOriginParts) fail(ErrorCode::corrupt, "message: an origin with too few parts");
        budget.spend(kOctetsOfOrigin);
        Origin& origin = origins_.emplace_back();
        const std::uint64_t replica = in.uint();
        if (replica >= replicas_.size()) fail(ErrorCode::corrupt, "message: an origin without its replica");
        origin.replica = static_cast<std::size_t>(replica);
        origin.author = in.text(kMaxNameBytes);
        origin.scope = ScopeId::from_bytes(in.octets(ScopeId::size));
        origin.type = in.text(kMaxNameBytes);
        origin.type_version = static_cast<std::uint32_t>(in.uint(UINT32_MAX));
        for (std::size_t i = kOriginParts; i < parts; ++i) in.skip();
    }
    ColumnReader times(in.octets());
    constexpr std::size_t kTailOctets = RecordId::size - kTimeOctets;
    std::uint64_t ms = 0;
    for (BytesView tails = in.octets(); !tails.empty(); tails.remove_prefix(kTailOctets)) {
        budget.spend(kOctetsOfRecord);
        if (tails.size() < kTailOctets) fail(ErrorCode::corrupt, "message: half a record");
        ms = times.next_from(ms);
        records_.push_back(record_at(ms, tails.substr(0, kTailOctets)));
    }
    times.finish();
    for (ColumnReader& column : columns_) column = ColumnReader(in.octets());
    std::vector<Context> first;
    first.reserve(records_.size());
    for (std::size_t i = 0; i < records_.size(); ++i) first.push_back(context(budget));
    expected_ = Expectation(std::move(first));
}

Context HeaderReader::context(Budget& budget) {
    Context context;
    const std::size_t size = columns_[kSizes].next_below(kMaxReplicasInContext + 1);
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t number = columns_[kReplicas].next_below(replicas_.size());
        std::uint64_t& counter = last_in_context_[number];
        counter = columns_[kCounters].next_from(counter);
        budget.spend(kOctetsOfEntry);
        // In order, so that it costs what it is long, and each once.
        if (counter == 0 || (i > 0 && !(context.entries().back().first < replicas_[number])))
            fail(ErrorCode::corrupt, "message: a causal context out of order");
        context.set(replicas_[number], counter);
    }
    return context;
}

bool HeaderReader::next_stands_whole() {
    const std::size_t row = columns_[kRow].next_below(kFirstOrigin + origins_.size());
    if (row == kWhole) return true;
    origin_ = row - kFirstOrigin;
    return false;
}

Bytes HeaderReader::next(std::size_t content_bytes, Budget& budget) {
    const Origin& origin = origins_[origin_];
    const std::size_t record = columns_[kRecord].next_below(records_.size());
    LastOfReplica& last = last_[origin.replica];
    Change c;
    c.dot = {replicas_[origin.replica], columns_[kCounter].next_from(last.counter + 1)};
    c.author = origin.author;
    c.scope = origin.scope;
    c.record = records_[record];
    c.type = origin.type;
    c.type_version = origin.type_version;
    c.wall_ms = columns_[kWall].next_from(last.wall_ms);
    c.stamp.packed = columns_[kStamp].next_from(c.wall_ms << 16);
    c.heard.packed = columns_[kHeard].next_from(last.heard);
    last = {c.dot.counter, c.wall_ms, c.heard.packed};
    switch (columns_[kSeen].next()) {
        case kAsOwn: c.seen = expected_.own(record, origin.replica); break;
        case kAsAll: c.seen = expected_.all(record); break;
        case kWrittenOut: c.seen = context(budget); break;
        default: fail(ErrorCode::corrupt, "message: nobody can have seen that");
    }
    c.prev = columns_[kPrev].next_from(c.seen.at(c.dot.replica));
    expected_.add(record, origin.replica, c);
    Bytes header = encode_header(c, content_bytes);
    budget.spend(header.size());
    return header;
}

void HeaderReader::finish() const {
    for (const ColumnReader& column : columns_) column.finish();
}

}  // namespace kopdarbs::sync
