// The bytes of a record's state: [1, context, dots, registers, texts, base, sets].
//
// Whole (`encode`): every register and text is written out, `base` is null and `sets` empty. Beside a document (`encode_beside`): what the
// document shows is left out. A scalar whose only sibling is the base dot and equals the document's value is not mentioned at all; a set
// whose elements are all the base dot's is named in `sets`; another sibling that equals the document's value is [dot] without its value;
// a text that equals the document's has no third part. The base dot is the one that leaves out most, the smallest among equals, so the
// bytes are canonical either way. There is none where the document shows a field that the state has not.
#include <algorithm>
#include <iterator>

#include "core/base/error.h"
#include "core/record/json.h"
#include "core/record/state.h"

namespace kopdarbs {

namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kParts = 7;
constexpr std::size_t kMaxRegisters = 200'000;
constexpr std::size_t kUsualBytes = 256;

const Value* find(const RecordState::Document& document, std::string_view field) {
    const auto it =
        std::lower_bound(document.begin(), document.end(), field, [](const auto& entry, std::string_view f) { return entry.first < f; });
    return it != document.end() && it->first == field ? &it->second : nullptr;
}

[[noreturn]] void corrupt(const char* what) {
    fail(ErrorCode::corrupt, std::string("a record's state: ") + what);
}

}  // namespace

class StateCodec {
public:
    static Value encode(const RecordState& state, const RecordState::Document& document) {
        const StateCodec codec(state, document);
        return codec.write();
    }

    static RecordState decode(BytesView bytes, const RecordState::Document& document);

private:
    using Registers = std::vector<Register>;
    static void restore(Registers& to, const RecordState::Document& document, const Dot& base, const std::vector<std::string_view>& sets,
                        const std::vector<std::string>& mentioned);
    /// The registers of one field stand together: [begin, end).
    struct Group {
        Registers::const_iterator begin, end;
        const Value* shown = nullptr;  ///< in the document, when this field has registers of one kind only and no text
        const Dot* sole = nullptr;     ///< the only dot here, when the document shows exactly what it wrote
    };

    StateCodec(const RecordState& state, const RecordState::Document& document) : state_(state), document_(document) {
        const Registers& all = state.registers_;
        groups_.reserve(all.size());
        // Registers, texts and the document are all in the order of their fields.
        std::size_t met = 0;
        auto text = state.texts_.begin();
        auto member = document.begin();
        for (auto it = all.begin(); it != all.end();) {
            const std::string& field = it->path.field;
            Group g{it, it};
            bool one_kind = true;
            for (; g.end != all.end() && g.end->path.field == field; ++g.end) one_kind = one_kind && g.end->path.kind == it->path.kind;
            const bool is_text = reach(text, state.texts_.end(), field);
            if (reach(member, document.end(), field) && !is_text && !field.empty()) {
                ++met;
                if (one_kind) g.shown = &member->second;
            }
            g.sole = sole_dot(g);
            groups_.push_back(g);
            it = g.end;
        }
        for (const auto& [field, ignored] : state.texts_) met += find(document, field) != nullptr ? 1U : 0U;
        // An amendment may show a field that nobody ever wrote.
        if (met == document.size()) choose_base();
    }

    /// Moves `at` to the first that is not before `field`. Whether that is the field itself.
    template <class Iterator>
    static bool reach(Iterator& at, const Iterator& end, const std::string& field) {
        for (; at != end; ++at)
            if (const int order = at->first.compare(field); order >= 0) return order == 0;
        return false;
    }

    std::uint64_t index(const Dot& dot) const {
        const auto it =
            std::lower_bound(state_.dots_.begin(), state_.dots_.end(), dot, [](const Written& w, const Dot& d) { return w.dot < d; });
        KOPDARBS_ASSERT(it != state_.dots_.end() && it->dot == dot);
        return static_cast<std::uint64_t>(it - state_.dots_.begin());
    }

    /// The only dot of a group that the document shows exactly, or null.
    static const Dot* sole_dot(const Group& g) {
        if (g.shown == nullptr) return nullptr;
        const Dot& dot = g.begin->siblings.front().dot;
        for (auto it = g.begin; it != g.end; ++it)
            if (it->siblings.size() != 1 || it->siblings.front().dot != dot) return nullptr;
        if (g.begin->path.is(PathKind::scalar)) return g.begin->siblings.front().value == *g.shown ? &dot : nullptr;
        if (!g.begin->path.is(PathKind::element)) return nullptr;
        // A set: the document shows an array of exactly the elements here, all of them present.
        CborReader in(*g.shown);
        if (in.peek() != CborType::array) return nullptr;
        std::vector<BytesView> elements;
        for (std::size_t n = in.array(); n > 0; --n) elements.push_back(in.item());
        std::sort(elements.begin(), elements.end());
        if (elements.size() != static_cast<std::size_t>(g.end - g.begin)) return nullptr;
        for (std::size_t i = 0; i < elements.size(); ++i) {
            const Register& r = *(g.begin + static_cast<std::ptrdiff_t>(i));
            if (r.path.key != elements[i] || r.siblings.front().value != bool_value(true)) return nullptr;
        }
        return &dot;
    }

    void choose_base() {
        std::vector<std::uint64_t> votes(state_.dots_.size(), 0);
        for (const Group& g : groups_)
            if (g.sole != nullptr) ++votes[static_cast<std::size_t>(index(*g.sole))];
        const auto best = std::max_element(votes.begin(), votes.end());
        if (best != votes.end() && *best > 0) base_ = static_cast<std::int64_t>(best - votes.begin());
    }

    bool is_base(const Group& g) const { return base_ >= 0 && g.sole != nullptr && index(*g.sole) == static_cast<std::uint64_t>(base_); }

    Value write() const {
        CborWriter out;
        out.reserve(kUsualBytes);
        out.array(kParts);
        out.uint(kVersion);
        write_context(out, state_.context_);
        out.array(state_.dots_.size());
        for (const Written& w : state_.dots_) {
            out.array(4);
            out.octets(w.dot.replica.bytes());
            out.uint(w.dot.counter);
            out.uint(w.stamp.packed);
            out.text(w.author);
        }
        CborWriter registers, sets;
        std::size_t register_count = 0, set_count = 0;
        for (const Group& g : groups_) {
            if (is_base(g)) {
                if (!g.begin->path.is(PathKind::element)) continue;
                sets.text(g.begin->path.field);
                ++set_count;
                continue;
            }
            for (auto it = g.begin; it != g.end; ++it, ++register_count) write_register(registers, *it, g.shown);
        }
        out.array(register_count);
        out.raw(registers.bytes());
        out.array(state_.texts_.size());
        for (const auto& [field, text] : state_.texts_) {
            const std::string shown = text.text();
            const Value* in_document = find(document_, field);
            const bool same = in_document != nullptr && CborReader(*in_document).peek() == CborType::text && text_of(*in_document) == shown;
            out.array(same ? 2 : 3);
            out.text(field);
            out.raw(text.structure());
            if (!same) out.text(shown);
        }
        if (base_ < 0)
            out.null();
        else
            out.uint(static_cast<std::uint64_t>(base_));
        out.array(set_count);
        out.raw(sets.bytes());
        return out.take();
    }

    /// A line whose text is what the text shows there needs no copy of it either.
    bool shown_by_text(const Register& r, const Sibling& s) const {
        const auto text = state_.texts_.find(r.path.field);
        std::string line;
        return r.path.is(PathKind::line) && text != state_.texts_.end() && text->second.line(line_id(r.path), line) &&
               text_value(line) == s.value;
    }

    void write_register(CborWriter& out, const Register& r, const Value* shown) const {
        out.array(2);
        write_path(out, r.path);
        out.array(r.siblings.size());
        for (const Sibling& s : r.siblings) {
            const bool same = (r.path.is(PathKind::scalar) && shown != nullptr && s.value == *shown) || shown_by_text(r, s);
            out.array(same ? 1 : 2);
            out.uint(index(s.dot));
            if (!same) out.raw(s.value);
        }
    }

    static CharId line_id(const Path& path) {
        CborReader in(path.key);
        if (in.array() != 3) corrupt("a line without its id");
        CharId id;
        id.dot.replica = ReplicaId::from_bytes(in.octets(ReplicaId::size));
        id.dot.counter = in.uint(kMaxCounter);
        id.offset = static_cast<std::uint32_t>(in.uint(UINT32_MAX));
        return id;
    }

    const RecordState& state_;
    const RecordState::Document& document_;
    std::vector<Group> groups_;
    std::int64_t base_ = -1;
};

/// Adds what `base` wrote and the document shows: all fields that are not mentioned, and the elements of `sets`; in the order of their
/// paths.
void StateCodec::restore(Registers& to, const RecordState::Document& document, const Dot& base, const std::vector<std::string_view>& sets,
                         const std::vector<std::string>& mentioned) {
    to.reserve(to.size() + document.size());
    const auto add = [&](Path path, const Value& value) {
        Register& r = to.emplace_back();
        r.path = std::move(path);
        r.siblings.push_back({base, value});
    };
    auto set = sets.begin();
    for (const auto& [field, value] : document) {
        if (set != sets.end() && *set == field) {
            std::vector<BytesView> elements;
            CborReader in(value);
            for (std::size_t n = in.array(kMaxRegisters); n > 0; --n) elements.push_back(in.item());
            std::sort(elements.begin(), elements.end());
            if (std::adjacent_find(elements.begin(), elements.end()) != elements.end()) corrupt("an element twice");
            for (BytesView element : elements) add(element_path(field, element), bool_value(true));
            ++set;
        } else if (!std::binary_search(mentioned.begin(), mentioned.end(), field)) {
            add(scalar_path(field), value);
        }
    }
}

RecordState StateCodec::decode(BytesView bytes, const RecordState::Document& document) {
    RecordState state;
    CborReader in(bytes);
    if (in.array() != kParts || in.uint() != kVersion) corrupt("of another version");
    state.context_ = read_context(in);
    const std::size_t dots = in.array(kMaxRegisters);
    for (std::size_t i = 0; i < dots; ++i) {
        if (in.array() != 4) corrupt("a dot without its author");
        Written w;
        w.dot.replica = ReplicaId::from_bytes(in.octets(ReplicaId::size));
        w.dot.counter = in.uint(kMaxCounter);
        w.stamp.packed = in.uint();
        w.author = in.text(kMaxNameBytes);
        if (!state.context_.covers(w.dot) || (i > 0 && !(state.dots_.back().dot < w.dot))) corrupt("dots out of order");
        state.dots_.push_back(std::move(w));
    }
    const auto dot_at = [&](std::uint64_t i) -> const Dot& {
        if (i >= state.dots_.size()) corrupt("a dot that is not there");
        return state.dots_[static_cast<std::size_t>(i)].dot;
    };
    struct Hole {
        std::size_t at;
        std::size_t sibling;
    };
    std::vector<Hole> lines;  // values that the texts show: filled once these are read
    std::vector<std::string> mentioned;
    const std::size_t registers = in.array(kMaxRegisters);
    for (std::size_t i = 0; i < registers; ++i) {
        if (in.array() != 2) corrupt("a register of another shape");
        Register r{read_path(in), {}};
        const std::size_t siblings = in.array(kMaxRegisters);
        if (siblings == 0) corrupt("an empty register");
        for (std::size_t k = 0; k < siblings; ++k) {
            const std::size_t parts = in.array();
            Sibling s{dot_at(in.uint()), {}};
            if (k > 0 && !(r.siblings.back().dot < s.dot)) corrupt("siblings out of order");
            if (parts == 2) {
                s.value = in.item();
            } else if (parts == 1 && r.path.is(PathKind::scalar)) {
                const Value* shown = find(document, r.path.field);
                if (shown == nullptr) corrupt("a value that its document does not show");
                s.value = *shown;
            } else if (parts == 1 && r.path.is(PathKind::line)) {
                lines.push_back({state.registers_.size(), k});
            } else {
                corrupt("a sibling of another shape");
            }
            r.siblings.push_back(std::move(s));
        }
        if (!r.path.field.empty() && (mentioned.empty() || mentioned.back() != r.path.field)) mentioned.push_back(r.path.field);
        if (!state.registers_.empty() && !(state.registers_.back().path < r.path)) corrupt("registers out of order");
        state.registers_.push_back(std::move(r));
    }
    const std::size_t texts = in.array(kMaxRegisters);
    for (std::size_t i = 0; i < texts; ++i) {
        const std::size_t parts = in.array();
        if (parts != 2 && parts != 3) corrupt("a text of another shape");
        std::string field(in.text(kMaxNameBytes));
        const BytesView structure = in.item();
        std::string_view shown;
        if (parts == 3) {
            shown = in.text();
        } else {
            const Value* in_document = find(document, field);
            if (in_document == nullptr || CborReader(*in_document).peek() != CborType::text)
                corrupt("a text that its document does not show");
            shown = text_of(*in_document);
        }
        mentioned.push_back(field);
        if (!state.texts_.empty() && !(state.texts_.rbegin()->first < field)) corrupt("texts out of order");
        state.texts_.emplace(std::move(field), Text::decode(structure, shown));
    }
    for (const Hole& hole : lines) {
        Register& r = state.registers_[hole.at];
        std::string line;
        const auto text = state.texts_.find(r.path.field);
        if (text == state.texts_.end() || !text->second.line(line_id(r.path), line)) corrupt("a line that its text does not show");
        r.siblings[hole.sibling].value = text_value(line);
    }
    if (in.peek() == CborType::null) {
        in.null();
        if (in.array() != 0) corrupt("sets without their dot");
        in.finish();
        return state;
    }
    const Dot base = dot_at(in.uint());
    std::vector<std::string_view> sets;
    for (std::size_t n = in.array(kMaxRegisters); n > 0; --n) {
        const std::string_view field = in.text(kMaxNameBytes);
        if (!sets.empty() && !(sets.back() < field)) corrupt("sets out of order");
        if (find(document, field) == nullptr) corrupt("a set that its document does not show");
        sets.push_back(field);
    }
    in.finish();
    std::sort(mentioned.begin(), mentioned.end());
    Registers& all = state.registers_;
    const auto written = static_cast<std::ptrdiff_t>(all.size());
    restore(all, document, base, sets, mentioned);
    const auto middle = all.begin() + written;
    // What was edited since stands among the rest; what has no field of its own, as a birth, before it.
    if (middle != all.begin() && middle != all.end() && !(std::prev(middle)->path < middle->path)) {
        const auto by_path = [](const Register& x, const Register& y) { return x.path < y.path; };
        Registers merged;
        merged.reserve(all.size());
        std::merge(std::move_iterator(all.begin()), std::move_iterator(middle), std::move_iterator(middle), std::move_iterator(all.end()),
                   std::back_inserter(merged), by_path);
        all = std::move(merged);
        const auto same = [](const Register& x, const Register& y) { return x.path == y.path; };
        if (std::adjacent_find(all.begin(), all.end(), same) != all.end()) corrupt("a register twice");
    }
    return state;
}

Value RecordState::encode() const {
    return StateCodec::encode(*this, {});
}
RecordState RecordState::decode(BytesView bytes) {
    return StateCodec::decode(bytes, {});
}
Value RecordState::encode_beside(const Document& document) const {
    return StateCodec::encode(*this, document);
}
RecordState RecordState::decode_beside(BytesView meta, const Document& document) {
    return StateCodec::decode(meta, document);
}

}  // namespace kopdarbs
