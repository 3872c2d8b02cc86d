// The structure of a text as bytes, without the characters shown.
//
// One CBOR octet string: the version, then packed numbers (text_pack.h):
//     replicas, then for each in the order of ids: its id (8 octets), its number of records, and these;
//     then, along the walk, lengths: so many characters shown, so many deleted, so many shown…; the last is left out.
// An untouched text is the version alone. A record (text_build.h) is an octet, then what that octet leaves open:
//     bits 0-2  length - 1; 7: a number follows, length - 8
//     bits 3-5  0 and 1: typed, so many counters after the last record's; 2: typed, a number follows, that gap - 2;
//               3, 4 and 5: a change, likewise; 6: more of the change before
//     bits 6-7  the parent: 0 the left child, 1 the right child of an own character, a number says how far back - 1;
//               2: as expected; 3: a number follows, 2 * replica number + right, and but for the root the key, less the last one so
//               written for that replica (zigzag)
// Expected is: with a gap of 0 the right child of the last character, with a gap of n the left child of the n-th last one, for
// who types on after deleting n characters.
//
// Invariants
//  1. The bytes are a function of the set of operations: records are maximal, and each number has one form.
//  2. Reading allocates in proportion to the bytes, but for text tables of at most kMaxTextLength / 64 entries.
#include <algorithm>

#include "core/record/text_build.h"
#include "core/record/text_pack.h"
#include "core/record/text_utf8.h"

namespace kopdarbs {
namespace text {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kLongLength = 7;
constexpr std::uint32_t kLongGap = 2;
constexpr std::uint32_t kChange = 3;
constexpr std::uint32_t kMore = 6;
enum Parent : std::uint32_t { own_left, own_right, expected, foreign };

std::uint64_t zigzag(std::uint32_t value, std::uint32_t last) {
    return value >= last ? std::uint64_t{value - last} << 1 : (std::uint64_t{last - value} << 1) - 1;
}

/// What the next record's form depends on.
struct Before {
    std::uint64_t counter = 0;
    std::vector<std::uint32_t> foreign_keys;  ///< by replica number, where there are several replicas
    explicit Before(std::size_t replicas) : foreign_keys(replicas > 1 ? replicas + 1 : 1) {}
};

bool is_expected(const Record& record, std::uint64_t gap, std::uint32_t back) {
    if (record.kind == RecordKind::more) return false;
    return gap == 0 ? !record.left && back == 1 : record.left && back == gap;
}

void put_record(const Record& record, Before& before, Packer& out) {
    const std::uint64_t gap = record.kind == RecordKind::more ? 0 : record.counter - before.counter - 1;
    before.counter = record.last_counter();
    const bool own = record.parent.replica == record.first.replica;
    const std::uint32_t back = own ? record.first.key - record.parent.key : 0;
    const Parent parent = !own ? foreign : is_expected(record, gap, back) ? expected : record.left ? own_left : own_right;
    std::uint32_t head = std::min(record.length - 1, kLongLength) | parent << 6;
    if (record.kind == RecordKind::more) {
        head |= kMore << 3;
    } else {
        head |= (static_cast<std::uint32_t>(std::min<std::uint64_t>(gap, kLongGap)) + (record.kind == RecordKind::change ? kChange : 0))
                << 3;
    }
    out.octet(head);
    if (record.length > kLongLength) out.number(record.length - kLongLength - 1);
    if (gap >= kLongGap) out.number(gap - kLongGap);
    if (parent == own_left || parent == own_right) out.number(back - 1);
    if (parent != foreign) return;
    out.number(std::uint64_t{record.parent.replica} << 1 | (record.left ? 0 : 1));
    if (record.parent.is_root()) return;
    out.number(zigzag(record.parent.key, before.foreign_keys[record.parent.replica]));
    before.foreign_keys[record.parent.replica] = record.parent.key;
}

Record take_record(const Record& last, std::uint32_t number, std::uint32_t key, Before& before, Unpacker& in) {
    const std::uint32_t head = in.octet();
    Record record;
    record.first = {number, key};
    record.length = (head & 7) + 1;
    if (record.length > kLongLength) record.length += in.number32(kMaxTextLength);
    if (record.length > kMaxTextLength - key) refuse("too long");
    const std::uint32_t form = head >> 3 & 7;
    const bool first = last.first.replica != number;
    std::uint64_t gap = 0;
    if (form >= kMore) {
        if (form > kMore || first || last.kind == RecordKind::typed) refuse("a record that cannot be");
        record.kind = RecordKind::more;
        record.counter = before.counter;
    } else {
        record.kind = form >= kChange ? RecordKind::change : RecordKind::typed;
        gap = form % kChange;
        if (gap == kLongGap) gap += in.number(kMaxCounter);
        record.counter = before.counter + gap + 1;
        // A change of one record has several characters, else it would count as typed.
        if (!first && last.kind == RecordKind::change && last.length == 1) refuse("a record that cannot be");
    }
    before.counter = record.last_counter();
    if (before.counter > kMaxCounter) refuse("a counter out of bounds");
    const std::uint32_t parent = head >> 6;
    if (parent == foreign) {
        const std::uint64_t replica = in.number((before.foreign_keys.size() << 1) - 1);
        record.parent.replica = static_cast<std::uint32_t>(replica >> 1);
        record.left = (replica & 1) == 0;
        if (record.parent.replica == number || (record.parent.is_root() && record.left)) refuse("a parent that cannot be");
        if (record.parent.is_root()) return record;
        std::uint32_t& foreign_key = before.foreign_keys[record.parent.replica];
        const std::uint64_t step = in.number(2 * std::uint64_t{kMaxTextLength});
        const std::uint64_t half = (step + 1) >> 1;
        if ((step & 1) != 0 ? half > foreign_key : foreign_key + half >= kMaxTextLength) refuse("a parent that cannot be");
        foreign_key = static_cast<std::uint32_t>((step & 1) != 0 ? foreign_key - half : foreign_key + half);
        record.parent.key = foreign_key;
        return record;
    }
    std::uint64_t back = gap == 0 ? 1 : gap;
    record.left = parent == expected ? gap > 0 : parent == own_left;
    if (parent != expected) back = in.number(kMaxTextLength) + 1;
    if (back > key) refuse("a parent that cannot be");
    record.parent = {number, key - static_cast<std::uint32_t>(back)};
    if ((parent == expected) != is_expected(record, gap, static_cast<std::uint32_t>(back))) refuse("a parent in another form");
    const bool chained = !record.left && back == 1 && gap == 0;
    if (chained && (record.kind == RecordKind::more || (record.kind == last.kind && record.kind == RecordKind::typed)))
        refuse("a record that its predecessor should hold");
    return record;
}

void put_shown(const Sequence& sequence, Packer& out) {
    bool shown = true;
    std::uint32_t length = 0;
    for (const Leaf* leaf = sequence.first_leaf(); leaf != nullptr; leaf = leaf->next) {
        for (std::uint32_t i = leaf->prev == nullptr ? 1 : 0; i < leaf->count; ++i) {
            if (leaf->spans[i].visible != shown) {
                out.number(length);
                length = 0;
                shown = !shown;
            }
            length += leaf->spans[i].length;
        }
    }
}

/// The lengths of what is shown and deleted in turn, along the walk.
class Shown {
public:
    Shown(Unpacker& in, std::uint32_t total) : in_(in), rest_(total) { next(); }
    bool shown() const { return shown_; }
    /// How many of the next `count` characters are alike; they are taken.
    std::uint32_t take(std::uint32_t count) {
        if (length_ == 0) {
            shown_ = !shown_;
            next();
        }
        count = std::min(count, length_);
        length_ -= count;
        return count;
    }

private:
    void next() {
        if (in_.done()) {
            length_ = rest_;
        } else {
            length_ = in_.number32(kMaxTextLength);
            if (length_ >= rest_ || (length_ == 0 && !first_)) refuse("lengths that do not add up");
        }
        first_ = false;
        rest_ -= length_;
    }
    Unpacker& in_;
    std::uint32_t rest_;
    std::uint32_t length_ = 0;
    bool shown_ = true;
    bool first_ = true;
};

/// Lays the tree's characters out along the walk, one span after another.
class Layout {
public:
    Layout(Unpacker& in, std::string_view content, Sequence& sequence)
        : in_(in), content_(content), ascii_(is_ascii(content)), sequence_(sequence), lengths_(in, sequence.total()) {
        if (!ascii_ && !is_utf8(content)) refuse("content that is not UTF-8");
        chars_ = static_cast<std::uint32_t>(std::min<std::size_t>(count_scalars(content), kMaxTextLength + 1));
    }

    /// Its flags are set, but for what is shown.
    void add(Span& span) {
        met_ += span.length;
        for (;;) {
            const std::uint32_t length = lengths_.take(span.length);
            span.visible = lengths_.shown();
            if (length == span.length) break;
            Span piece = span;
            piece.length = length;
            piece.has_right = true;
            put(piece);
            span.parent = piece.last();
            span.left = span.has_left = false;
            span.first = span.first.plus(length);
            span.length -= length;
        }
        put(span);
    }

    void finish() {
        if (met_ != sequence_.total() || !content_.empty() || !in_.done()) refuse("content that does not fit");
        sequence_.finish();
    }

private:
    void put(const Span& span) {
        if (!span.visible) {
            sequence_.append(span, {});
            return;
        }
        if (span.length > chars_) refuse("content that does not fit");
        chars_ -= span.length;
        const std::size_t size = ascii_ ? span.length : byte_of_scalar(content_, span.length);
        sequence_.append(span, content_.substr(0, size));
        content_.remove_prefix(size);
    }

    Unpacker& in_;
    std::string_view content_;
    bool ascii_;
    Sequence& sequence_;
    Shown lengths_;
    std::uint32_t chars_ = 0;  ///< left in content_
    std::uint32_t met_ = 0;
};

void build(const std::vector<Record>& records, Unpacker& in, std::string_view content, Sequence& sequence) {
    Layout layout(in, content, sequence);
    Span span;
    if (records.size() == 2 && records[1].parent.is_root()) {  // written at once, as most are
        span.has_right = true;
        sequence.append(span, {});
        span.first = records[1].first;
        span.length = records[1].length;
        span.has_right = false;
        layout.add(span);
    } else {
        Walk walk(records);
        walk.next(span);
        sequence.append(span, {});
        while (walk.next(span)) layout.add(span);
    }
    layout.finish();
}

/// Whether the text is one record: written at once, or typed without a break, and shown.
bool is_one_record(const Sequence& sequence, Record& record) {
    const Leaf& leaf = *sequence.first_leaf();
    if (sequence.leaves() != 1 || leaf.count != 2 || sequence.ids.replicas() != 2 || !leaf.spans[1].visible) return false;
    const std::vector<ChangeRun>& runs = sequence.ids[1].runs();
    if (runs.size() != 1 || (runs[0].size > 1 && runs[0].count > 1)) return false;
    record.first = leaf.spans[1].first;
    record.parent = leaf.spans[1].parent;
    record.length = leaf.spans[1].length;
    record.kind = runs[0].size == 1 ? RecordKind::typed : RecordKind::change;
    record.counter = runs[0].counter;
    return true;
}

void put_records(const Sequence& sequence, Packer& out) {
    const std::vector<std::uint32_t> order = sequence.ids.in_order();
    std::vector<std::uint32_t> ranks(sequence.ids.replicas());
    for (std::uint32_t i = 0; i < order.size(); ++i) ranks[order[i]] = i + 1;
    const std::vector<Record> records = records_of(sequence, ranks);
    out.reserve(16 + 3 * records.size());
    Before before(order.size());
    out.number(order.size());
    std::size_t at = 1;
    for (std::uint32_t number : order) {
        out.octets(sequence.ids[number].id().bytes());
        std::size_t end = at;
        while (end < records.size() && records[end].first.replica == records[at].first.replica) ++end;
        out.number(end - at);
        before.counter = 0;
        for (; at < end; ++at) put_record(records[at], before, out);
    }
}

}  // namespace
}  // namespace text

Value Text::encode() const {
    using namespace text;
    const Sequence& sequence = tree_->sequence;
    Packer out;
    out.octet(kVersion);
    Record record;
    if (is_one_record(sequence, record)) {
        Before before(1);
        out.number(1);
        out.octets(sequence.ids[1].id().bytes());
        out.number(1);
        put_record(record, before, out);
    } else if (!untouched()) {
        put_records(sequence, out);
        put_shown(sequence, out);
    }
    CborWriter writer;
    writer.octets(out.bytes());
    return writer.take();
}

Text Text::decode(BytesView structure, std::string_view shown) {
    using namespace text;
    CborReader reader(structure);
    Unpacker in(reader.octets());
    reader.finish();
    if (in.octet() != kVersion) refuse("an unknown version");
    if (in.done()) {
        if (!shown.empty()) refuse("content that does not fit");
        return Text();
    }
    const auto replicas = static_cast<std::size_t>(in.number(in.left() / ReplicaId::size));
    if (replicas == 0) refuse("no replica");
    Before before(replicas);
    std::vector<ReplicaId> ids;
    std::vector<Record> records;
    records.reserve(2);
    records.emplace_back();
    for (std::uint32_t number = 1; number <= replicas; ++number) {
        const ReplicaId id = ReplicaId::from_bytes(in.octets(ReplicaId::size));
        if (!((ids.empty() ? ReplicaId{} : ids.back()) < id)) refuse("replicas out of order");
        ids.push_back(id);
        auto count = static_cast<std::size_t>(in.number(in.left()));
        if (count == 0) refuse("a replica without characters");
        records.reserve(records.size() + count);
        before.counter = 0;
        for (std::uint32_t key = 0; count > 0; --count) {
            records.push_back(take_record(records.back(), number, key, before, in));
            key += records.back().length;
        }
        if (records.back().kind == RecordKind::change && records.back().length == 1) refuse("a record that cannot be");
    }
    auto tree = std::make_unique<Tree>(ids_of(records, ids));
    build(records, in, shown, tree->sequence);
    return Text(std::move(tree), structure);
}

}  // namespace kopdarbs
