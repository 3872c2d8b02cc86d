#include "core/record/state.h"

#include <algorithm>

#include "core/base/error.h"

namespace kopdarbs {
namespace {

bool by_path(const Register& r, const Path& path) {
    return r.path < path;
}
bool by_dot(const Written& w, const Dot& dot) {
    return w.dot < dot;
}
bool sibling_before(const Sibling& s, const Dot& dot) {
    return s.dot < dot;
}

bool is_in(const std::vector<Dot>& dots, const Dot& dot) {
    return std::find(dots.begin(), dots.end(), dot) != dots.end();
}

}  // namespace

bool is_permanent(const Path& path) {
    return path.is(PathKind::seal) || path.is(PathKind::amendment) || path.is(PathKind::birth);
}

bool Register::differs() const {
    return siblings.size() > 1 &&
           std::any_of(siblings.begin(), siblings.end(), [this](const Sibling& s) { return s.value != siblings.front().value; });
}

Register& RecordState::at(const Path& path) {
    // Operations mostly come in the order of their paths, to a record that is new.
    if (registers_.empty() || registers_.back().path < path) return registers_.emplace_back(Register{path, {}});
    auto it = std::lower_bound(registers_.begin(), registers_.end(), path, by_path);
    if (it == registers_.end() || !(it->path == path)) it = registers_.insert(it, Register{path, {}});
    return *it;
}

const Register* RecordState::find(const Path& path) const {
    const auto it = std::lower_bound(registers_.begin(), registers_.end(), path, by_path);
    return it != registers_.end() && it->path == path ? &*it : nullptr;
}

const Written& RecordState::written(const Dot& dot) const {
    const auto it = std::lower_bound(dots_.begin(), dots_.end(), dot, by_dot);
    KOPDARBS_ASSERT(it != dots_.end() && it->dot == dot);
    return *it;
}

Text RecordState::text(std::string_view field) const {
    const auto it = texts_.find(field);
    return it == texts_.end() ? Text() : it->second;
}

void RecordState::apply_text(const Change& change, Texts& copies) {
    // The only operations that can fail, so done first; one is atomic by itself, several are done on copies.
    const auto is_text = [](const Op& op) { return op.path.is(PathKind::text); };
    const auto count = std::count_if(change.ops.begin(), change.ops.end(), is_text);
    for (const Op& op : change.ops) {
        if (!is_text(op) || (count == 1 && copies.count(op.path.field) != 0)) continue;
        const std::vector<TextOp> ops = decode_text_ops(op.value, change.dot);
        const auto here = texts_.find(op.path.field);
        Text& text =
            count == 1 && here != texts_.end() ? here->second : copies.emplace(op.path.field, this->text(op.path.field)).first->second;
        text.apply(change.dot, ops);
    }
    for (auto& [field, text] : copies) texts_.insert_or_assign(field, std::move(text));
}

Applied RecordState::apply(const Change& change, Stamp stamp, Texts texts) {
    KOPDARBS_ASSERT(!change.erased);
    if (context_.covers(change.dot)) return Applied::duplicate;
    // Own changes of this replica that a base did not show are not in `seen`, so the line is checked too: a dot passed over would be
    // covered for ever.
    if (!context_.covers(change.seen) || context_.at(change.dot.replica) < change.prev) return Applied::early;
    apply_text(change, texts);
    bool dropped = false, carried = false;
    registers_.reserve(registers_.size() + change.ops.size());
    for (const Op& op : change.ops) {
        if (op.path.is(PathKind::text)) continue;
        std::vector<Sibling>& siblings = at(op.path).siblings;
        // A change that writes one path twice means its last word there, also where nothing is dominated.
        const bool permanent = is_permanent(op.path);
        const auto dominated = [&](const Sibling& s) {
            return s.dot == change.dot || (!permanent && change.seen.covers(s.dot) && !is_in(op.spares, s.dot));
        };
        const auto end = std::remove_if(siblings.begin(), siblings.end(), dominated);
        dropped = dropped || end != siblings.end();
        siblings.erase(end, siblings.end());
        siblings.insert(std::lower_bound(siblings.begin(), siblings.end(), change.dot, sibling_before), {change.dot, op.value});
        carried = true;
    }
    context_.join(change.seen);
    context_.add(change.dot);
    if (carried) dots_.insert(std::lower_bound(dots_.begin(), dots_.end(), change.dot, by_dot), {change.dot, stamp, change.author});
    if (dropped) drop_unused_dots();
    return Applied::applied;
}

void RecordState::join(const RecordState& other) {
    Texts texts = texts_;
    for (const auto& [field, text] : other.texts_) {
        const auto it = texts.find(field);
        if (it == texts.end())
            texts.emplace(field, text);
        else
            it->second.join(text);
    }
    std::vector<Register> joined;
    joined.reserve(registers_.size() + other.registers_.size());
    auto a = registers_.begin();
    auto b = other.registers_.begin();
    const std::vector<Sibling> none;
    while (a != registers_.end() || b != other.registers_.end()) {
        const bool from_a = b == other.registers_.end() || (a != registers_.end() && !(b->path < a->path));
        const bool from_b = a == registers_.end() || (b != other.registers_.end() && !(a->path < b->path));
        const Path& path = from_a ? a->path : b->path;
        const std::vector<Sibling>& mine = from_a ? a->siblings : none;
        const std::vector<Sibling>& theirs = from_b ? b->siblings : none;
        Register result{path, {}};
        auto m = mine.begin();
        auto t = theirs.begin();
        while (m != mine.end() || t != theirs.end()) {
            const bool has_m = t == theirs.end() || (m != mine.end() && !(t->dot < m->dot));
            const bool has_t = m == mine.end() || (t != theirs.end() && !(m->dot < t->dot));
            const Sibling& s = has_m ? *m : *t;
            // Survives if both hold it, or if the side without it has never seen it; what is permanent always survives.
            if ((has_m && has_t) || is_permanent(path) || !(has_m ? other.context_ : context_).covers(s.dot)) result.siblings.push_back(s);
            m += has_m ? 1 : 0;
            t += has_t ? 1 : 0;
        }
        if (!result.siblings.empty()) joined.push_back(std::move(result));
        a += from_a ? 1 : 0;
        b += from_b ? 1 : 0;
    }
    registers_ = std::move(joined);
    texts_ = std::move(texts);
    for (const Written& w : other.dots_) {
        const auto it = std::lower_bound(dots_.begin(), dots_.end(), w.dot, by_dot);
        if (it == dots_.end() || it->dot != w.dot)
            dots_.insert(it, w);
        else if (w.stamp < it->stamp)
            it->stamp = w.stamp;  // two effective stamps of one dot: the smaller
    }
    context_.join(other.context_);
    drop_unused_dots();
}

void RecordState::restamp(const Dot& dot, Stamp stamp) {
    const auto it = std::lower_bound(dots_.begin(), dots_.end(), dot, by_dot);
    if (it != dots_.end() && it->dot == dot) it->stamp = stamp;
}

RecordState RecordState::within(const Context& seen) const {
    RecordState part = *this;
    part.context_ = seen;
    for (Register& r : part.registers_) {
        const auto unseen = [&](const Sibling& s) { return !seen.covers(s.dot); };
        r.siblings.erase(std::remove_if(r.siblings.begin(), r.siblings.end(), unseen), r.siblings.end());
    }
    const auto bare = [](const Register& r) { return r.siblings.empty(); };
    part.registers_.erase(std::remove_if(part.registers_.begin(), part.registers_.end(), bare), part.registers_.end());
    part.drop_unused_dots();
    return part;
}

void RecordState::drop_unused_dots() {
    std::vector<Dot> used;
    for (const Register& r : registers_)
        for (const Sibling& s : r.siblings) used.push_back(s.dot);
    std::sort(used.begin(), used.end());
    const auto unused = [&](const Written& w) { return !std::binary_search(used.begin(), used.end(), w.dot); };
    dots_.erase(std::remove_if(dots_.begin(), dots_.end(), unused), dots_.end());
}

bool RecordState::has_delete() const {
    const Register* life = find(record_path(PathKind::life));
    if (life == nullptr) return false;
    return std::any_of(life->siblings.begin(), life->siblings.end(),
                       [](const Sibling& s) { return CborReader(s.value).peek() == CborType::map; });
}

bool RecordState::deleted() const {
    const Register* life = find(record_path(PathKind::life));
    if (life == nullptr) return false;
    for (const Sibling& s : life->siblings) {
        CborReader in(s.value);
        if (in.peek() != CborType::map) continue;
        Context seen = read_context(in);
        seen.add(s.dot);
        const auto covers = [&](const Register& r) {
            return r.path.is(PathKind::life)
                       ? std::all_of(r.siblings.begin(), r.siblings.end(),
                                     [&](const Sibling& x) { return CborReader(x.value).peek() == CborType::map || seen.covers(x.dot); })
                       : std::all_of(r.siblings.begin(), r.siblings.end(), [&](const Sibling& x) { return seen.covers(x.dot); });
        };
        const bool all_registers = std::all_of(registers_.begin(), registers_.end(), covers);
        const bool all_text =
            std::all_of(texts_.begin(), texts_.end(), [&](const auto& entry) { return entry.second.shown_is_within(seen); });
        if (all_registers && all_text) return true;
    }
    return false;
}

}  // namespace kopdarbs
