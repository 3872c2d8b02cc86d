#include "core/record/text_build.h"

#include <algorithm>
#include <array>

#include "core/record/text_state.h"

namespace kopdarbs::text {
namespace {

constexpr std::uint32_t kPageBits = 6;
constexpr std::uint64_t kRight = std::uint64_t{1} << 32;
constexpr unsigned kOffsetShift = 33;

struct Item {
    std::uint32_t key = 0;
    const Span* span = nullptr;
};

void sort_by_key(std::vector<Item>& items) {
    constexpr unsigned kBits = 11;
    constexpr std::size_t kFew = 200;
    if (items.size() < kFew) {
        std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.key < b.key; });
        return;
    }
    std::uint32_t all = 0;
    for (const Item& item : items) all |= item.key;
    std::vector<Item> sorted(items.size());
    for (unsigned shift = 0; shift < 32 && all >> shift != 0; shift += kBits) {
        std::array<std::uint32_t, (1U << kBits) + 1> begin{};
        constexpr std::uint32_t mask = (1U << kBits) - 1;
        for (const Item& item : items) ++begin[((item.key >> shift) & mask) + 1];
        for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
        for (const Item& item : items) sorted[begin[(item.key >> shift) & mask]++] = item;
        items.swap(sorted);
    }
}

/// One replica's records, from its spans in the order of keys.
void add_records(const std::vector<Item>& items, const ReplicaChars& chars, std::uint32_t number,
                 const std::vector<std::uint32_t>& renumber, std::vector<Record>& records) {
    const ChangeRun* run = chars.runs().data();
    std::uint32_t key = 0;
    for (std::size_t i = 0; i < items.size();) {
        const Span* span = items[i].span;
        while (key >= run->end()) ++run;
        const std::uint32_t past = key - run->key;
        Record record;
        record.first = {number, key};
        record.kind = run->size == 1 ? RecordKind::typed : past % run->size == 0 ? RecordKind::change : RecordKind::more;
        record.counter = run->counter + past / run->size;
        const bool head = span->first.key == key;
        record.parent = head ? Ref{renumber[span->parent.replica], span->parent.key} : Ref{number, key - 1};
        record.left = head && span->left;
        const std::uint32_t limit = run->size == 1 ? run->end() : key + run->size - past % run->size;
        for (;;) {
            key = std::min(limit, span->first.key + span->length);
            if (key < span->first.key + span->length) break;
            if (++i == items.size()) break;
            const Span* chained = items[i].span;
            if (key == limit || chained->left || chained->parent != span->last()) break;
            span = chained;
        }
        record.length = key - record.first.key;
        records.push_back(record);
    }
}

}  // namespace

std::vector<Record> records_of(const Sequence& sequence, const std::vector<std::uint32_t>& renumber) {
    std::vector<Record> records(1);
    std::vector<std::vector<Item>> items(sequence.ids.replicas());
    for (const Leaf* leaf = sequence.first_leaf(); leaf != nullptr; leaf = leaf->next)
        for (std::uint32_t i = 0; i < leaf->count; ++i)
            items[leaf->spans[i].first.replica].push_back({leaf->spans[i].first.key, &leaf->spans[i]});
    for (std::uint32_t number : sequence.ids.in_order()) {
        sort_by_key(items[number]);
        add_records(items[number], sequence.ids[number], renumber[number], renumber, records);
    }
    return records;
}

CharIds ids_of(const std::vector<Record>& records, const std::vector<ReplicaId>& replicas) {
    CharIds ids;
    for (const ReplicaId& id : replicas) ids.add(id);
    std::uint64_t total = 0;
    for (std::size_t i = 1; i < records.size(); ++i) {
        const Record& record = records[i];
        std::uint32_t size = record.length;
        ReplicaChars& chars = ids[record.first.replica];
        if (record.kind == RecordKind::typed) {
            total += size;
            if (total > kMaxTextLength) refuse("too long");
            chars.append(record.counter, 1, size);
            continue;
        }
        std::uint64_t whole = size;
        while (i + 1 < records.size() && records[i + 1].kind == RecordKind::more) whole += records[++i].length;
        total += whole;
        if (total > kMaxTextLength) refuse("too long");
        size = static_cast<std::uint32_t>(whole);
        chars.append(record.counter, size);
    }
    return ids;
}

Walk::Walk(const std::vector<Record>& records) : records_(records) {
    const auto count = static_cast<std::uint32_t>(records.size());
    pages_.resize(records.back().first.replica + 1);
    for (std::uint32_t i = 0; i < count; ++i) {
        const Record& record = records[i];
        auto& pages = pages_[record.first.replica];
        const std::uint32_t end = record.first.key + record.length;
        while (pages.size() << kPageBits < end) pages.push_back(i);
    }
    std::vector<std::uint32_t> holders(count);
    begin_.resize(count + 2);
    for (std::uint32_t i = 1; i < count; ++i) {
        holders[i] = holder_of(records[i].parent);
        ++begin_[holders[i] + 2];
    }
    for (std::size_t i = 2; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
    children_.resize(count);
    for (std::uint32_t i = 1; i < count; ++i) {
        const std::uint64_t offset = records[i].parent.key - records[holders[i]].first.key;
        children_[begin_[holders[i] + 1]++] = offset << kOffsetShift | (records[i].left ? 0 : kRight) | i;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        if (begin_[i + 1] - begin_[i] > 1) std::sort(children_.data() + begin_[i], children_.data() + begin_[i + 1]);
    }
    enter(0);
}

std::uint32_t Walk::holder_of(const Ref& ref) const {
    if (ref.replica >= pages_.size() || ref.key >> kPageBits >= pages_[ref.replica].size()) refuse("a character that is not known");
    std::uint32_t i = pages_[ref.replica][ref.key >> kPageBits];
    while (records_[i].first.key + records_[i].length <= ref.key) {
        ++i;
        if (i == records_.size() || records_[i].first.replica != ref.replica) refuse("a character that is not known");
    }
    return i;
}

void Walk::enter(std::uint32_t record) {
    frames_.push_back({record, 0, begin_[record], static_cast<std::uint32_t>(later_.size()), false});
}

void Walk::cut(Frame& frame, std::uint32_t end, bool has_right, Span& span) {
    const Record& record = records_[frame.record];
    const bool head = frame.at == 0;
    span.first = record.first.plus(frame.at);
    span.parent = head ? record.parent : record.first.plus(frame.at - 1);
    span.left = head && record.left;
    span.length = end - frame.at;
    span.has_left = frame.has_left;
    span.has_right = has_right || end < record.length;
    frame.has_left = false;
    frame.at = end;
}

bool Walk::next(Span& span) {
    while (!frames_.empty()) {
        Frame& frame = frames_.back();
        const std::uint32_t end = begin_[frame.record + 1];
        const std::uint32_t length = records_[frame.record].length;
        if (frame.child == end) {
            if (frame.at < length) {
                cut(frame, length, false, span);
                return true;
            }
            if (later_.size() > frame.later) {
                const std::uint32_t child = later_.back();
                later_.pop_back();
                enter(child);
            } else {
                frames_.pop_back();
            }
            continue;
        }
        const std::uint64_t child = children_[frame.child];
        const auto offset = static_cast<std::uint32_t>(child >> kOffsetShift);
        const auto record = static_cast<std::uint32_t>(child);
        const bool right = (child & kRight) != 0;
        const std::uint32_t before = right ? offset + 1 : offset;
        if (frame.at < before) {
            cut(frame, before, right, span);
            return true;
        }
        const bool chained = right && before < length;  // the next character is a sibling
        if (chained && record > frame.record) {
            std::uint32_t last = frame.child + 1;
            while (last < end && children_[last] >> (kOffsetShift - 1) == child >> (kOffsetShift - 1)) ++last;
            for (std::uint32_t i = last; i > frame.child; --i) later_.push_back(static_cast<std::uint32_t>(children_[i - 1]));
            frame.child = last;
            continue;
        }
        ++frame.child;
        frame.has_left = !right;
        enter(record);
    }
    return false;
}

}  // namespace kopdarbs::text
