#include "core/record/text_tree.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/record/text_utf8.h"

namespace kopdarbs::text {
namespace {

constexpr std::size_t kPieceBytes = 512;        ///< of content put into a leaf at once
constexpr std::uint32_t kMaxTombstones = 4096;  ///< in one span, so that moving spans between leaves stays cheap
constexpr std::uint32_t kBuiltSpans = 26;       ///< in a leaf built from nothing: room to grow
constexpr std::size_t kBuiltBytes = 1024;
constexpr std::uint32_t kScansBeforeIndex = 4;

}  // namespace

Sequence::Sequence() {
    start();
    append(Span{}, {});
    finish();
}

Sequence::Sequence(const Sequence& other) : ids(other.ids) {
    start();
    for (const Leaf* leaf = other.first_leaf(); leaf != nullptr; leaf = leaf->next) {
        std::size_t byte = 0;
        for (std::uint32_t i = 0; i < leaf->count; ++i) {
            const Span& span = leaf->spans[i];
            if (!span.visible) {
                append(span, {});
                continue;
            }
            const std::string_view rest = std::string_view(leaf->content).substr(byte);
            const std::size_t size = leaf->content.size() == leaf->visible ? span.length : byte_of_scalar(rest, span.length);
            append(span, rest.substr(0, size));
            byte += size;
        }
    }
    finish();
}

// ---- Nodes ----

Leaf* Sequence::new_leaf() {
    leaves_.push_back(std::make_unique<Leaf>());
    leaves_.back()->number = static_cast<std::uint32_t>(leaves_.size() - 1);
    return leaves_.back().get();
}

Inner* Sequence::new_inner(bool over_leaves) {
    inners_.push_back(std::make_unique<Inner>());
    inners_.back()->over_leaves = over_leaves;
    return inners_.back().get();
}

std::uint32_t Sequence::visible_below(const Node* node, bool leaf) const {
    if (leaf) return static_cast<const Leaf*>(node)->visible;
    const auto* inner = static_cast<const Inner*>(node);
    std::uint32_t sum = 0;
    for (std::uint32_t i = 0; i < inner->count; ++i) sum += inner->visible[i];
    return sum;
}

/// `node` now shows `visible` characters, and its ancestors as many as before.
void Sequence::recount(Node* node, std::uint32_t visible) {
    if (node->parent != nullptr) node->parent->visible[node->slot] = visible;
}

void Sequence::add_visible(Leaf* leaf, std::uint32_t delta) {
    leaf->visible += delta;
    visible_ += delta;
    for (const Node* node = leaf; node->parent != nullptr; node = node->parent) node->parent->visible[node->slot] += delta;
    if (cursor_ != leaf) cursor_ = nullptr;
}

/// Puts `added` after its sibling `after`; together they show what `after` showed.
void Sequence::insert_child(Node* after, Node* added, bool leaves) {
    Inner* parent = after->parent;
    if (parent == nullptr) {
        parent = new_inner(leaves);
        parent->count = 1;
        parent->children[0] = after;
        after->parent = parent;
        after->slot = 0;
        top_ = parent;
        top_is_leaf_ = false;
    }
    if (parent->count == Inner::kChildren) {
        Inner* right = new_inner(leaves);
        constexpr std::uint32_t half = Inner::kChildren / 2;
        for (std::uint32_t i = half; i < Inner::kChildren; ++i) {
            right->children[i - half] = parent->children[i];
            right->visible[i - half] = parent->visible[i];
            right->children[i - half]->parent = right;
            right->children[i - half]->slot = i - half;
        }
        parent->count = right->count = half;
        insert_child(parent, right, false);
        parent = after->parent;
    }
    const std::uint32_t slot = after->slot + 1;
    for (std::uint32_t i = parent->count; i > slot; --i) {
        parent->children[i] = parent->children[i - 1];
        parent->visible[i] = parent->visible[i - 1];
        parent->children[i]->slot = i;
    }
    ++parent->count;
    parent->children[slot] = added;
    added->parent = parent;
    added->slot = slot;
    recount(added, visible_below(added, leaves));
    recount(after, visible_below(after, leaves));
}

// ---- Building ----

void Sequence::start() {
    tail_ = new_leaf();
    top_ = tail_;
}

void Sequence::start_leaf() {
    Leaf* leaf = new_leaf();
    leaf->prev = tail_;
    tail_->next = leaf;
    tail_ = leaf;
}

void Sequence::append(const Span& span, std::string_view content) {
    if (tail_->count >= kBuiltSpans) start_leaf();
    if (tail_->content.size() + content.size() > kBuiltBytes || (!span.visible && span.length > kMaxTombstones)) {
        append_pieces(span, content);
        return;
    }
    tail_->spans[tail_->count++] = span;
    if (!span.visible) return;
    tail_->content.append(content);
    tail_->visible += span.length;
    visible_ += span.length;
}

/// For a span that the last leaf, or any leaf, does not hold.
void Sequence::append_pieces(Span span, std::string_view content) {
    for (;;) {
        const std::size_t room = kBuiltBytes - std::min(kBuiltBytes, tail_->content.size());
        if (tail_->count >= kBuiltSpans || (span.visible && room < std::min(content.size(), kPieceBytes))) {
            start_leaf();
            continue;
        }
        Span piece = span;
        std::size_t size = content.size();
        if (span.visible && size > room) {
            for (size = room; continues_scalar(content[size]);) --size;
            piece.length = static_cast<std::uint32_t>(count_scalars(content.substr(0, size)));
        } else if (!span.visible) {
            piece.length = std::min(span.length, kMaxTombstones);
        }
        if (piece.length == span.length) {
            append(piece, content);
            return;
        }
        piece.has_right = true;
        append(piece, content.substr(0, size));
        span.parent = piece.last();
        span.first = span.first.plus(piece.length);
        span.length -= piece.length;
        span.left = span.has_left = false;
        content.remove_prefix(size);
    }
}

void Sequence::finish() {
    tail_ = nullptr;
    if (leaves_.size() == 1) return;
    std::vector<Node*> level;
    for (const auto& leaf : leaves_) level.push_back(leaf.get());
    bool leaves = true;
    constexpr std::uint32_t kFill = Inner::kChildren - 8;
    while (level.size() > 1) {
        std::vector<Node*> above;
        for (Node* node : level) {
            Inner* parent = above.empty() ? nullptr : static_cast<Inner*>(above.back());
            if (parent == nullptr || parent->count == kFill) {
                parent = new_inner(leaves);
                above.push_back(parent);
            }
            node->parent = parent;
            node->slot = parent->count++;
            parent->children[node->slot] = node;
            parent->visible[node->slot] = visible_below(node, leaves);
        }
        level.swap(above);
        leaves = false;
    }
    top_ = level[0];
    top_is_leaf_ = false;
}

// ---- Looking up ----

Place Sequence::at_index(std::uint32_t index) const {
    if (cursor_ == nullptr || index - cursor_start_ >= cursor_->visible) {
        const Node* node = top_;
        std::uint32_t rest = index;
        if (!top_is_leaf_) {
            for (;;) {
                const auto* inner = static_cast<const Inner*>(node);
                std::uint32_t i = 0;
                while (rest >= inner->visible[i]) rest -= inner->visible[i++];
                node = inner->children[i];
                if (inner->over_leaves) break;
            }
        }
        cursor_ = const_cast<Leaf*>(static_cast<const Leaf*>(node));
        cursor_start_ = index - rest;
    }
    std::uint32_t rest = index - cursor_start_;
    for (std::uint32_t i = 0;; ++i) {
        const Span& span = cursor_->spans[i];
        if (!span.visible) continue;
        if (rest < span.length) return {cursor_, i, rest};
        rest -= span.length;
    }
}

std::size_t Sequence::byte_of(const Place& place) const {
    std::size_t chars = place.visible() ? place.offset : 0;
    for (std::uint32_t i = 0; i < place.span; ++i)
        if (place.leaf->spans[i].visible) chars += place.leaf->spans[i].length;
    return place.leaf->content.size() == place.leaf->visible ? chars : byte_of_scalar(place.leaf->content, chars);
}

Place Sequence::find_in(Leaf* leaf, const Ref& ref) const {
    for (std::uint32_t i = 0; i < leaf->count; ++i)
        if (leaf->spans[i].holds(ref)) return {leaf, i, ref.key - leaf->spans[i].first.key};
    return {};
}

Place Sequence::find(const Ref& ref) const {
    if (ref.is_root()) return root();
    if (hint_.leaf != nullptr && hint_.span < hint_.leaf->count && hint_.in().holds(ref))
        return {hint_.leaf, hint_.span, ref.key - hint_.in().first.key};
    if (!indexed_ && scans_ < kScansBeforeIndex) {
        ++scans_;
        for (Leaf* leaf = first_leaf(); leaf != nullptr; leaf = leaf->next) {
            const Place place = find_in(leaf, ref);
            if (place.leaf != nullptr) return place;
        }
    }
    if (!indexed_) build_index();
    const Place place = find_in(leaves_[leaf_of_[ref.replica][ref.key]].get(), ref);
    KOPDARBS_ASSERT(place.leaf != nullptr);
    return place;
}

void Sequence::index(const Span& span, const Leaf* leaf) const {
    if (leaf_of_.size() <= span.first.replica) leaf_of_.resize(span.first.replica + 1);
    auto& of = leaf_of_[span.first.replica];
    if (of.size() < span.first.key + span.length) of.resize(span.first.key + span.length);
    std::fill_n(of.data() + span.first.key, span.length, leaf->number);
}

void Sequence::build_index() const {
    leaf_of_.resize(ids.replicas());
    for (std::uint32_t r = 1; r < ids.replicas(); ++r) leaf_of_[r].resize(ids[r].chars());
    for (const auto& leaf : leaves_)
        for (std::uint32_t i = 0; i < leaf->count; ++i) index(leaf->spans[i], leaf.get());
    indexed_ = true;
}

Place Sequence::next(const Place& place) {
    if (place.offset + 1 < place.in().length) return {place.leaf, place.span, place.offset + 1};
    if (place.span + 1 < place.leaf->count) return {place.leaf, place.span + 1, 0};
    return {place.leaf->next, 0, 0};
}

Place Sequence::previous(const Place& place) {
    if (place.offset > 0) return {place.leaf, place.span, place.offset - 1};
    if (place.span > 0) return {place.leaf, place.span - 1, place.leaf->spans[place.span - 1].length - 1};
    Leaf* leaf = place.leaf->prev;
    return leaf == nullptr ? Place{} : Place{leaf, leaf->count - 1, leaf->spans[leaf->count - 1].length - 1};
}

bool Sequence::before(const Place& a, const Place& b) {
    if (a.leaf == b.leaf) return a.span != b.span ? a.span < b.span : a.offset < b.offset;
    const Node* x = a.leaf;
    const Node* y = b.leaf;
    while (x->parent != y->parent) {
        x = x->parent;
        y = y->parent;
    }
    return x->slot < y->slot;
}

// ---- Changing ----

/// The span's characters from `offset` on become a span of their own, right after it. There is room.
void Sequence::split_span(Leaf* leaf, std::uint32_t span, std::uint32_t offset) {
    std::copy_backward(leaf->spans.begin() + span, leaf->spans.begin() + leaf->count, leaf->spans.begin() + leaf->count + 1);
    ++leaf->count;
    Span& head = leaf->spans[span];
    Span& rest = leaf->spans[span + 1];
    head.length = offset;
    head.has_right = true;
    rest.first = rest.first.plus(offset);
    rest.parent = head.last();
    rest.length -= offset;
    rest.left = rest.has_left = false;
}

void Sequence::remove_span(Leaf* leaf, std::uint32_t span) {
    std::copy(leaf->spans.begin() + span + 1, leaf->spans.begin() + leaf->count, leaf->spans.begin() + span);
    --leaf->count;
}

bool Sequence::merge_with_next(Leaf* leaf, std::uint32_t span) {
    if (span + 1 >= leaf->count) return false;
    Span& a = leaf->spans[span];
    const Span& b = leaf->spans[span + 1];
    const bool chained = a.visible == b.visible && !b.left && !b.has_left && b.parent == a.last() && b.first == a.first.plus(a.length);
    if (!chained || a.first.is_root() || a.length + b.length > kMaxTombstones) return false;
    a.length += b.length;
    a.has_right = b.has_right;
    remove_span(leaf, span + 1);
    return true;
}

/// Makes sure that two spans and `bytes` of content more fit into the place's leaf; the place moves with its character.
void Sequence::make_room(Place& place, std::size_t bytes) {
    while (place.leaf->count + 2 > Leaf::kSpans || place.leaf->content.size() + bytes > Leaf::kBytes) split_leaf(place);
}

void Sequence::split_leaf(Place& place) {
    Leaf* leaf = place.leaf;
    if (leaf->count == 1) {
        const std::uint32_t half = leaf->spans[0].length / 2;
        split_span(leaf, 0, half);
        if (place.offset >= half) place = {leaf, 1, place.offset - half};
    }
    const std::uint32_t half = leaf->count / 2;
    const std::size_t byte = byte_of({leaf, half, 0});
    Leaf* right = new_leaf();
    right->content.assign(leaf->content, byte, std::string::npos);
    leaf->content.resize(byte);
    right->count = leaf->count - half;
    leaf->count = half;
    for (std::uint32_t i = 0; i < right->count; ++i) {
        right->spans[i] = leaf->spans[half + i];
        if (right->spans[i].visible) right->visible += right->spans[i].length;
        if (indexed_) index(right->spans[i], right);
    }
    leaf->visible -= right->visible;
    right->prev = leaf;
    right->next = leaf->next;
    if (right->next != nullptr) right->next->prev = right;
    leaf->next = right;
    insert_child(leaf, right, true);
    if (place.span >= half) place = {right, place.span - half, place.offset};
}

Place Sequence::insert_piece(Place after, Ref first, std::uint32_t length, std::string_view content, const Ref& parent, bool left) {
    make_room(after, content.size());
    Leaf* leaf = after.leaf;
    Span& span = leaf->spans[after.span];
    const Ref before = after.ref();
    std::size_t byte = byte_of(after);
    if (span.visible) {
        do ++byte;
        while (byte < leaf->content.size() && continues_scalar(leaf->content[byte]));
    }
    leaf->content.insert(byte, content);
    Place last;
    const bool at_end = after.offset + 1 == span.length;
    if (span.visible && at_end && !span.has_right && !left && parent == before && first == before.plus(1)) {
        span.length += length;
        last = {leaf, after.span, span.length - 1};
    } else {
        if (!at_end) split_span(leaf, after.span, after.offset + 1);
        if (!left && parent == before) span.has_right = true;
        std::copy_backward(leaf->spans.begin() + after.span + 1, leaf->spans.begin() + leaf->count, leaf->spans.begin() + leaf->count + 1);
        ++leaf->count;
        leaf->spans[after.span + 1] = Span{first, parent, length, true, left, false, false};
        last = {leaf, after.span + 1, length - 1};
        if (left) {
            const Place following = next(last);
            if (following.ref() == parent) following.leaf->spans[following.span].has_left = true;
        }
    }
    add_visible(leaf, length);
    hint_ = last;
    if (indexed_) index({first, parent, length, true, left, false, false}, leaf);
    return last;
}

void Sequence::insert(Place after, Ref first, std::uint32_t length, std::string_view content, const Ref& parent, bool left) {
    if (content.size() <= kPieceBytes) {
        insert_piece(after, first, length, content, parent, left);
        return;
    }
    Ref above = parent;
    while (!content.empty()) {
        std::size_t size = std::min(kPieceBytes, content.size());
        while (size < content.size() && continues_scalar(content[size])) --size;
        const auto count = static_cast<std::uint32_t>(count_scalars(content.substr(0, size)));
        after = insert_piece(after, first, count, content.substr(0, size), above, left);
        content.remove_prefix(size);
        above = first.plus(count - 1);
        first = first.plus(count);
        left = false;
    }
}

std::uint32_t Sequence::erase(Place from, std::uint32_t count) {
    make_room(from, 0);
    Leaf* leaf = from.leaf;
    count = std::min(count, from.in().length - from.offset);
    const std::size_t byte = byte_of(from);
    const bool ascii = leaf->content.size() == leaf->visible;
    leaf->content.erase(byte, ascii ? count : byte_of_scalar(std::string_view(leaf->content).substr(byte), count));
    std::uint32_t i = from.span;
    if (from.offset > 0) split_span(leaf, i++, from.offset);
    if (count < leaf->spans[i].length) split_span(leaf, i, count);
    leaf->spans[i].visible = false;
    merge_with_next(leaf, i);
    if (i > 0) merge_with_next(leaf, i - 1);
    hint_ = {leaf, i > 0 ? i - 1 : 0, 0};
    add_visible(leaf, ~count + 1);
    return count;
}

void Sequence::shift_keys(std::uint32_t replica, std::uint32_t key, std::uint32_t by) {
    if (key > 0) {
        Place last = find({replica, key - 1});
        make_room(last, 0);
        if (last.offset + 1 < last.in().length) split_span(last.leaf, last.span, last.offset + 1);
    }
    const auto shift = [&](Ref& ref) { ref.key += ref.replica == replica && ref.key >= key ? by : 0; };
    for (const auto& leaf : leaves_) {
        for (std::uint32_t i = 0; i < leaf->count; ++i) {
            shift(leaf->spans[i].first);
            shift(leaf->spans[i].parent);
        }
    }
    if (indexed_) leaf_of_[replica].insert(leaf_of_[replica].begin() + static_cast<std::ptrdiff_t>(key), by, 0);
}

}  // namespace kopdarbs::text
