#include "sync/protocol/header_columns.h"

#include <algorithm>

#include "sync/protocol/content_columns.h"

namespace kopdarbs::sync {
namespace {

constexpr std::size_t kMaxTable = 200'000;
constexpr std::size_t kMaxReplicasInContext = 4'096;
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

std::uint64_t place_of(std::size_t record, std::size_t replica) {
    return static_cast<std::uint64_t>(record) << 32 | replica;
}

}  // namespace

const Context& Expectation::own(std::size_t record, std::size_t replica) const {
    const auto it = own_.find(place_of(record, replica));
    return it == own_.end() ? first_[record] : it->second;
}

void Expectation::add(std::size_t record, std::size_t replica, const Change& change) {
    Context& own = own_[place_of(record, replica)];
    own = change.seen;
    own.add(change.dot);
    all_[record].join(own);
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
    if (!origins_.empty()) {  // mostly as the one before
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
    contexts_.sizes.put(context.entries().size());
    for (const auto& [replica, counter] : context.entries()) {
        const std::size_t number = number_of(replica);
        contexts_.replicas.put(number);
        contexts_.counters.put_from(last_in_context_[number], counter);
        last_in_context_[number] = counter;
    }
}

void HeaderWriter::put(const Change& c, std::size_t record, Expectation& expected) {
    const std::size_t replica = number_of(c.dot.replica);
    LastOfReplica& last = last_[replica];
    record_.put(record);
    counters_.put_from(last.counter + 1, c.dot.counter);
    walls_.put_from(last.wall_ms, c.wall_ms);
    stamps_.put_from(c.wall_ms << 16, c.stamp.packed);
    heards_.put_from(last.heard, c.heard.packed);
    prevs_.put_from(c.seen.at(c.dot.replica), c.prev);
    last = {c.dot.counter, c.wall_ms, c.heard.packed};
    if (c.seen == expected.own(record, replica)) {
        seens_.put(kAsOwn);
    } else if (c.seen == expected.all(record)) {
        seens_.put(kAsAll);
    } else {
        seens_.put(kWrittenOut);
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
        rows_.put(c == nullptr ? kWhole : kFirstOrigin + origin_of(*c));
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
        out.array(5);
        out.uint(replica_numbers_.at(origin->dot.replica));
        out.text(origin->author);
        out.octets(origin->scope.bytes());
        out.text(origin->type);
        out.uint(origin->type_version);
    }
    out.octets(times.octets());
    out.octets(tails);
    for (const ColumnWriter* column : {&rows_, &record_, &counters_, &prevs_, &walls_, &stamps_, &heards_, &seens_, &contexts_.sizes,
                                       &contexts_.replicas, &contexts_.counters})
        out.octets(column->octets());
}

HeaderReader::HeaderReader(CborReader& in, std::size_t& budget)
    : rows_({}),
      record_({}),
      counters_({}),
      prevs_({}),
      walls_({}),
      stamps_({}),
      heards_({}),
      seens_({}),
      context_sizes_({}),
      context_replicas_({}),
      context_counters_({}) {
    for (BytesView rest = in.octets(); !rest.empty(); rest.remove_prefix(ReplicaId::size)) {
        if (rest.size() < ReplicaId::size) fail(ErrorCode::corrupt, "message: half a replica");
        replicas_.push_back(ReplicaId::from_bytes(rest.substr(0, ReplicaId::size)));
    }
    last_.resize(replicas_.size());
    last_in_context_.resize(replicas_.size());
    for (std::size_t n = in.array(kMaxTable); n > 0; --n) {
        if (in.array() != 5) fail(ErrorCode::corrupt, "message: an origin of another shape");
        Change& origin = origins_.emplace_back();
        const std::uint64_t replica = in.uint();
        if (replica >= replicas_.size()) fail(ErrorCode::corrupt, "message: an origin without its replica");
        origin_replicas_.push_back(static_cast<std::size_t>(replica));
        origin.dot.replica = replicas_[origin_replicas_.back()];
        origin.author = in.text(kMaxNameBytes);
        origin.scope = ScopeId::from_bytes(in.octets(ScopeId::size));
        origin.type = in.text(kMaxNameBytes);
        origin.type_version = static_cast<std::uint32_t>(in.uint(UINT32_MAX));
    }
    ColumnReader times(in.octets());
    constexpr std::size_t kTailOctets = RecordId::size - kTimeOctets;
    std::uint64_t ms = 0;
    for (BytesView tails = in.octets(); !tails.empty(); tails.remove_prefix(kTailOctets)) {
        if (tails.size() < kTailOctets) fail(ErrorCode::corrupt, "message: half a record");
        ms = times.next_from(ms);
        records_.push_back(record_at(ms, tails.substr(0, kTailOctets)));
    }
    times.finish();
    for (ColumnReader* column : {&rows_, &record_, &counters_, &prevs_, &walls_, &stamps_, &heards_, &seens_, &context_sizes_,
                                 &context_replicas_, &context_counters_})
        *column = ColumnReader(in.octets());
    std::vector<Context> first;
    first.reserve(records_.size());
    for (std::size_t i = 0; i < records_.size(); ++i) first.push_back(context(budget));
    expected_ = Expectation(std::move(first));
}

Context HeaderReader::context(std::size_t& budget) {
    Context context;
    const std::size_t size = context_sizes_.next_below(kMaxReplicasInContext + 1);
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t number = context_replicas_.next_below(replicas_.size());
        std::uint64_t& counter = last_in_context_[number];
        counter = context_counters_.next_from(counter);
        spend(budget, sizeof(Context::Entry));
        // In order, so that it costs what it is long, and each once.
        if (counter == 0 || (i > 0 && !(context.entries().back().first < replicas_[number])))
            fail(ErrorCode::corrupt, "message: a causal context out of order");
        context.set(replicas_[number], counter);
    }
    return context;
}

bool HeaderReader::next_stands_whole() {
    const std::size_t row = rows_.next_below(kFirstOrigin + origins_.size());
    if (row == kWhole) return true;
    origin_ = row - kFirstOrigin;
    return false;
}

Bytes HeaderReader::next(std::size_t content_bytes, std::size_t& budget) {
    Change& c = origins_[origin_];
    const std::size_t replica = origin_replicas_[origin_], record = record_.next_below(records_.size());
    LastOfReplica& last = last_[replica];
    c.record = records_[record];
    c.dot.counter = counters_.next_from(last.counter + 1);
    c.wall_ms = walls_.next_from(last.wall_ms);
    c.stamp.packed = stamps_.next_from(c.wall_ms << 16);
    c.heard.packed = heards_.next_from(last.heard);
    last = {c.dot.counter, c.wall_ms, c.heard.packed};
    switch (seens_.next()) {
        case kAsOwn: c.seen = expected_.own(record, replica); break;
        case kAsAll: c.seen = expected_.all(record); break;
        case kWrittenOut: c.seen = context(budget); break;
        default: fail(ErrorCode::corrupt, "message: nobody can have seen that");
    }
    c.prev = prevs_.next_from(c.seen.at(c.dot.replica));
    expected_.add(record, replica, c);
    Bytes header = encode_header(c, content_bytes);
    spend(budget, header.size());
    return header;
}

void HeaderReader::finish() const {
    for (const ColumnReader* column : {&rows_, &record_, &counters_, &prevs_, &walls_, &stamps_, &heards_, &seens_, &context_sizes_,
                                       &context_replicas_, &context_counters_})
        column->finish();
}

}  // namespace kopdarbs::sync
