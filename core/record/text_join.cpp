// Joining two texts: the union of their records, laid out anew along one walk while both old walks are followed.
//
// A state holds whole changes, and whoever holds a change holds what it refers to. So of two records that begin with one change,
// one is a beginning of the other or both are the same; anything else is a contradiction, as is a differing parent or content.
#include <algorithm>

#include "core/record/text_build.h"
#include "core/record/text_state.h"
#include "core/record/text_utf8.h"

namespace kopdarbs {
namespace text {
namespace {

[[noreturn]] void contradict() {
    refuse("two states that contradict each other");
}

/// One of the two states: its records in its own keys, and where these begin in the union.
class Side {
public:
    Side(const Sequence& sequence, const std::vector<ReplicaId>& replicas) : begins_(replicas.size() + 2), leaf_(sequence.first_leaf()) {
        for (std::uint32_t r = 0; r < sequence.ids.replicas(); ++r) {
            const auto at = std::lower_bound(replicas.begin(), replicas.end(), sequence.ids[r].id());
            renumber_.push_back(r == 0 ? 0 : static_cast<std::uint32_t>(at - replicas.begin()) + 1);
        }
        records = records_of(sequence, renumber_);
        keys.resize(records.size());
        for (const Record& record : records) ++begins_[record.first.replica + 1];
        for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
    }

    std::size_t begin(std::uint32_t number) const { return begins_[number]; }
    std::size_t end(std::uint32_t number) const { return begins_[number + 1]; }

    /// Where this side's character `ref`, of a replica numbered as in the union, is in the union.
    Ref in_union(const Ref& ref) const {
        const std::size_t i = holder_of(ref);
        return {ref.replica, keys[i] + (ref.key - records[i].first.key)};
    }

    /// Whether the walk stands at `ref` of the union; then `count` is lowered to as many characters as follow in the same way.
    bool stands_at(const Ref& ref, std::uint32_t& count) const {
        if (leaf_ == nullptr) return false;
        const Span& span = leaf_->spans[span_];
        const Ref own{renumber_[span.first.replica], span.first.key + offset_};
        if (own.replica != ref.replica) return false;
        const std::size_t i = holder_of(own);
        const std::uint32_t past = own.key - records[i].first.key;
        if (keys[i] + past != ref.key) return false;
        count = std::min({count, records[i].length - past, span.length - offset_});
        return true;
    }

    /// Steps over `count` characters of one span; whether they are shown, and then their content.
    bool take(std::uint32_t count, std::string_view& content) {
        const Span& span = leaf_->spans[span_];
        const bool visible = span.visible;
        if (visible) {
            const std::string_view rest = std::string_view(leaf_->content).substr(byte_);
            content = rest.substr(0, leaf_->content.size() == leaf_->visible ? count : byte_of_scalar(rest, count));
            byte_ += content.size();
        }
        offset_ += count;
        if (offset_ < span.length) return visible;
        offset_ = 0;
        if (++span_ < leaf_->count) return visible;
        span_ = 0;
        byte_ = 0;
        leaf_ = leaf_->next;
        return visible;
    }
    bool done() const { return leaf_ == nullptr; }

    std::vector<Record> records;
    std::vector<std::uint32_t> keys;  ///< by record: the union's key of its first character

private:
    std::size_t holder_of(const Ref& ref) const {
        const auto from = records.begin() + static_cast<std::ptrdiff_t>(begins_[ref.replica]);
        const auto to = records.begin() + static_cast<std::ptrdiff_t>(begins_[ref.replica + 1]);
        const auto after = std::upper_bound(from, to, ref.key, [](std::uint32_t key, const Record& r) { return key < r.first.key; });
        return static_cast<std::size_t>(after - records.begin()) - 1;
    }

    std::vector<std::uint32_t> renumber_;
    std::vector<std::size_t> begins_;  ///< by replica number: its first record
    const Leaf* leaf_;                 ///< where the walk stands
    std::uint32_t span_ = 0;
    std::uint32_t offset_ = 0;
    std::size_t byte_ = 0;
};

/// A record of the union, and the records it comes from (0: none).
struct Source {
    std::size_t a = 0;
    std::size_t b = 0;
};

class Union {
public:
    Union(Side& a, Side& b) : a_(a), b_(b), records_(1), sources_(1) {}

    const std::vector<Record>& unite(std::uint32_t replicas) {
        for (std::uint32_t number = 1; number <= replicas; ++number) unite_replica(number);
        for (std::size_t i = 1; i < records_.size(); ++i) place(i);
        return records_;
    }

private:
    void unite_replica(std::uint32_t number) {
        std::size_t i = a_.begin(number), j = b_.begin(number);
        const std::size_t i_end = a_.end(number), j_end = b_.end(number);
        std::uint64_t last = 0;
        std::uint32_t key = 0;
        while (i < i_end || j < j_end) {
            const Record* x = i < i_end ? &a_.records[i] : nullptr;
            const Record* y = j < j_end ? &b_.records[j] : nullptr;
            const bool both = x != nullptr && y != nullptr && x->counter == y->counter;
            const bool from_a = both || y == nullptr || (x != nullptr && x->counter < y->counter);
            const bool from_b = both || !from_a;
            Record record = from_a ? *x : *y;
            if (both && (x->kind != y->kind || (x->kind != RecordKind::typed && x->length != y->length))) contradict();
            if (both) record.length = std::max(x->length, y->length);
            if (record.kind != RecordKind::more && record.counter <= last) contradict();
            last = record.last_counter();
            record.first.key = key;
            key += record.length;
            if (from_a) a_.keys[i] = record.first.key;
            if (from_b) b_.keys[j] = record.first.key;
            records_.push_back(record);
            sources_.push_back({from_a ? i++ : 0, from_b ? j++ : 0});
            const bool a_goes_on = i < i_end && a_.records[i].kind == RecordKind::more;
            const bool b_goes_on = j < j_end && b_.records[j].kind == RecordKind::more;
            if (both && a_goes_on != b_goes_on) contradict();
        }
    }

    /// The parent, in the union's keys; both sides must agree.
    void place(std::size_t i) {
        const auto [a, b] = sources_[i];
        const Record* x = a == 0 ? nullptr : &a_.records[a];
        const Record* y = b == 0 ? nullptr : &b_.records[b];
        const Ref parent = x != nullptr ? a_.in_union(x->parent) : b_.in_union(y->parent);
        if (x != nullptr && y != nullptr && (x->left != y->left || b_.in_union(y->parent) != parent)) contradict();
        records_[i].parent = parent;
    }

    Side& a_;
    Side& b_;
    std::vector<Record> records_;
    std::vector<Source> sources_;
};

void lay_out(const std::vector<Record>& records, Side& a, Side& b, Sequence& sequence) {
    Walk walk(records);
    Span span;
    while (walk.next(span)) {
        while (span.length > 0) {
            Span piece = span;
            const bool in_a = a.stands_at(span.first, piece.length);
            const bool in_b = b.stands_at(span.first, piece.length);
            if (!in_a && !in_b) contradict();
            std::string_view content, other;
            piece.visible = in_a ? a.take(piece.length, content) : true;
            if (in_b && !b.take(piece.length, other)) piece.visible = false;
            if (!in_a) content = other;
            if (in_a && in_b && piece.visible && content != other) contradict();
            if (piece.length < span.length) {
                piece.has_right = true;
                span.parent = piece.last();
                span.left = span.has_left = false;
            }
            span.first = span.first.plus(piece.length);
            span.length -= piece.length;
            sequence.append(piece, piece.visible ? content : std::string_view());
        }
    }
    if (!a.done() || !b.done()) contradict();
}

}  // namespace
}  // namespace text

void Text::join(const Text& other) {
    using namespace text;
    if (other.untouched() || this == &other) return;
    structure_.clear();
    if (untouched()) {
        tree_ = std::make_unique<Tree>(*other.tree_);
        return;
    }
    std::vector<ReplicaId> replicas;
    for (const Sequence* sequence : {&tree_->sequence, &other.tree_->sequence})
        for (std::uint32_t r = 1; r < sequence->ids.replicas(); ++r) replicas.push_back(sequence->ids[r].id());
    std::sort(replicas.begin(), replicas.end());
    replicas.erase(std::unique(replicas.begin(), replicas.end()), replicas.end());
    Side a(tree_->sequence, replicas), b(other.tree_->sequence, replicas);
    Union both(a, b);
    const std::vector<Record>& records = both.unite(static_cast<std::uint32_t>(replicas.size()));
    auto tree = std::make_unique<Tree>(ids_of(records, replicas));
    lay_out(records, a, b, tree->sequence);
    tree->sequence.finish();
    tree_ = std::move(tree);
}

}  // namespace kopdarbs
