// Text: what a change of a text is checked for, and how it reaches the sequence.
#include "core/record/text.h"

#include <algorithm>
#include <cstring>

#include "core/record/text_lines.h"
#include "core/record/text_state.h"
#include "core/record/text_utf8.h"

namespace kopdarbs {

using text::LineWatch;
using text::Place;
using text::Ref;
using text::refuse;
using text::Sequence;
using text::Span;

Text::Text() : tree_(std::make_unique<Tree>()) {}
Text::Text(std::unique_ptr<Tree> tree, BytesView structure) : tree_(std::move(tree)), structure_(structure) {}
Text::~Text() = default;
Text::Text(const Text& other) : tree_(std::make_unique<Tree>(*other.tree_)), structure_(other.structure_) {}
Text::Text(Text&& other) noexcept = default;
Text& Text::operator=(const Text& other) {
    if (this != &other) *this = Text(other);
    return *this;
}
Text& Text::operator=(Text&& other) noexcept = default;

std::string Text::text() const {
    std::string all;
    std::size_t size = 0;
    const text::Leaf* first = tree_->sequence.first_leaf();
    for (const text::Leaf* leaf = first; leaf != nullptr; leaf = leaf->next) size += leaf->content.size();
    all.reserve(size);
    for (const text::Leaf* leaf = first; leaf != nullptr; leaf = leaf->next) all += leaf->content;
    return all;
}

Value Text::structure() const {
    return structure_.empty() ? encode() : structure_;
}

std::uint32_t Text::length() const {
    return tree_->sequence.visible();
}

bool Text::untouched() const {
    return tree_->sequence.ids.replicas() == 1;
}

bool Text::line(const CharId& newline, std::string& out) const {
    const Sequence& sequence = tree_->sequence;
    Ref ref;
    if (!sequence.ids.find(newline, ref)) return false;
    const Place place = sequence.find(ref);
    if (!ref.is_root() && (!place.visible() || place.leaf->content[sequence.byte_of(place)] != '\n')) return false;
    out = line_text(line_opened_by(sequence, place));
    return true;
}

bool Text::line_start(const CharId& newline, std::uint32_t& position) const {
    const Sequence& sequence = tree_->sequence;
    Ref ref;
    std::string line;
    if (!this->line(newline, line) || !sequence.ids.find(newline, ref)) return false;
    position = 0;
    if (ref.is_root()) return true;
    const Place place = sequence.find(ref);
    position = place.offset + 1;
    for (std::uint32_t i = 0; i < place.span; ++i) position += place.leaf->spans[i].visible ? place.leaf->spans[i].length : 0;
    for (const text::Leaf* leaf = place.leaf->prev; leaf != nullptr; leaf = leaf->prev) position += leaf->visible;
    return true;
}

bool Text::shown_is_within(const Context& seen) const {
    const Sequence& sequence = tree_->sequence;
    std::vector<std::uint32_t> bound(sequence.ids.replicas());
    for (std::uint32_t r = 1; r < bound.size(); ++r) bound[r] = sequence.ids[r].chars_up_to(seen.at(sequence.ids[r].id()));
    for (const text::Leaf* leaf = sequence.first_leaf(); leaf != nullptr; leaf = leaf->next) {
        for (std::uint32_t i = 0; i < leaf->count; ++i) {
            const Span& span = leaf->spans[i];
            if (span.visible && span.first.key + span.length > bound[span.first.replica]) return false;
        }
    }
    return true;
}

// ---- Local changes ----

namespace {

constexpr const char* kOutside = "a splice outside the text";
constexpr const char* kTooLong = "a text that would be too long";

/// One caller's change under way.
class Author {
public:
    Author(Sequence& sequence, const Dot& dot, TextEdit& edit) : sequence_(sequence), dot_(dot), edit_(edit) {}

    /// Throws before anything changes.
    void check(const std::vector<Splice>& splices) {
        std::uint64_t length = sequence_.visible();
        std::uint64_t inserted = 0;
        for (const Splice& splice : splices) {
            if (splice.position > length || splice.deleted > length - splice.position) fail(ErrorCode::invalid, kOutside);
            if (!text::valid_utf8(splice.inserted)) fail(ErrorCode::invalid, "text that is not UTF-8");
            const std::size_t added = text::count_scalars(splice.inserted);
            inserted += added;
            length = length - splice.deleted + added;
            if (inserted > kMaxTextLength) fail(ErrorCode::invalid, kTooLong);
        }
        if (sequence_.ids.total() + inserted > kMaxTextLength) fail(ErrorCode::invalid, kTooLong);
        replica_ = sequence_.ids.number_of(dot_.replica);
        if (replica_ != 0 && sequence_.ids[replica_].last_counter() >= dot_.counter)
            fail(ErrorCode::invalid, "a change that is not its replica's newest");
        if (inserted > 0) replica_ = sequence_.ids.number_or_add(dot_.replica);
        key_ = next_ = sequence_.ids[replica_].chars();
        if (inserted > 0) sequence_.ids[replica_].append(dot_.counter, static_cast<std::uint32_t>(inserted));
    }

    /// A change of one line whose text surely differs afterwards: no newline comes or goes.
    bool is_plain(const Splice& splice, const text::LineCache& line) const {
        if (splice.deleted == 0) return !splice.inserted.empty() && splice.inserted.find('\n') == std::string::npos;
        if (!splice.inserted.empty()) return false;
        if (line.holds(splice.position, splice.deleted)) return true;
        const Place place = sequence_.at_index(splice.position);
        const std::size_t byte = sequence_.byte_of(place);
        const std::string& content = place.leaf->content;
        const bool ascii = content.size() == place.leaf->visible;
        if (content.size() - byte < splice.deleted) return false;
        const std::string_view rest = std::string_view(content).substr(byte);
        const std::size_t size = ascii ? splice.deleted : text::byte_of_scalar(rest, splice.deleted);
        return std::memchr(rest.data(), '\n', size) == nullptr && (ascii || text::count_scalars(rest.substr(0, size)) == splice.deleted);
    }

    void erase(std::uint32_t position, std::uint32_t count, LineWatch* watch) {
        while (count > 0) {
            const Place place = sequence_.at_index(position);
            const std::uint32_t here = std::min(count, place.in().length - place.offset);
            if (watch != nullptr) lose_newlines(place, here, *watch);
            name_erased(place.ref(), here);
            sequence_.erase(place, here);
            count -= here;
        }
    }

    void insert(std::uint32_t position, std::string inserted, LineWatch* watch) {
        if (watch != nullptr && position > 0 && inserted.back() == '\n' && is_newline(position - 1)) {
            // Whole lines: they come before the newline that opens the next line.
            inserted.pop_back();
            inserted.insert(inserted.begin(), '\n');
            --position;
        } else if (watch != nullptr) {
            watch->touch(position);
        }
        const auto length = static_cast<std::uint32_t>(text::count_scalars(inserted));
        const Place after = position == 0 ? sequence_.root() : sequence_.at_index(position - 1);
        const bool right = after.offset + 1 == after.in().length && !after.in().has_right;
        const Ref parent = right ? after.ref() : Sequence::next(after).ref();
        const Ref first{replica_, next_};
        edit_.ops.push_back({sequence_.ids.id_of(parent), right, {}, 0, false});
        sequence_.insert(after, first, length, inserted, parent, !right);
        if (watch != nullptr) gain_newlines(inserted, *watch);
        next_ += length;
        edit_.ops.back().text = std::move(inserted);
    }

    std::uint32_t inserted() const { return next_ - key_; }
    std::uint32_t replica() const { return replica_; }
    std::uint32_t key() const { return key_; }

private:
    bool is_newline(std::uint32_t index) const {
        const Place place = sequence_.at_index(index);
        return place.leaf->content[sequence_.byte_of(place)] == '\n';
    }

    void lose_newlines(const Place& from, std::uint32_t count, LineWatch& watch) const {
        const std::string_view content = std::string_view(from.leaf->content).substr(sequence_.byte_of(from));
        const std::size_t size = text::byte_of_scalar(content, count);
        std::size_t counted = 0, chars = 0;
        for (std::size_t at = content.find('\n'); at < size; at = content.find('\n', at + 1)) {
            chars += text::count_scalars(content.substr(counted, at - counted));
            counted = at;
            watch.lose(from.ref().plus(static_cast<std::uint32_t>(chars)));
        }
    }

    void gain_newlines(std::string_view inserted, LineWatch& watch) const {
        std::size_t counted = 0, chars = 0;
        for (std::size_t at = inserted.find('\n'); at != inserted.npos; at = inserted.find('\n', at + 1)) {
            chars += text::count_scalars(inserted.substr(counted, at - counted));
            counted = at;
            watch.gain({replica_, next_ + static_cast<std::uint32_t>(chars)});
        }
    }

    /// Says in the change that these characters go.
    void name_erased(Ref from, std::uint32_t count) {
        const text::ReplicaChars& chars = sequence_.ids[from.replica];
        while (count > 0) {
            const text::ChangeRun& run = chars.run_of_key(from.key);
            const std::uint32_t past = from.key - run.key;
            const bool by_change = run.size == 1;
            const std::uint32_t here = std::min(count, by_change ? run.count - past : run.size - past % run.size);
            const CharId id{{chars.id(), run.counter + past / run.size}, past % run.size};
            if (!extend_last(id, here, by_change)) edit_.ops.push_back({id, true, {}, here, by_change && here > 1});
            from.key += here;
            count -= here;
        }
    }

    bool extend_last(const CharId& id, std::uint32_t count, bool by_change) {
        if (edit_.ops.empty() || edit_.ops.back().deleted == 0) return false;
        TextOp& last = edit_.ops.back();
        const bool next_offset = !last.by_change && last.at.dot == id.dot && last.at.offset + last.deleted == id.offset;
        const bool next_change = by_change && last.at.dot.replica == id.dot.replica && last.at.offset == 0 &&
                                 (last.by_change || last.deleted == 1) && last.at.dot.counter + last.deleted == id.dot.counter;
        if (!next_offset && !next_change) return false;
        last.deleted += count;
        last.by_change = next_change;
        return true;
    }

    Sequence& sequence_;
    const Dot& dot_;
    TextEdit& edit_;
    std::uint32_t replica_ = 0;
    std::uint32_t key_ = 0;   ///< of the change's first character
    std::uint32_t next_ = 0;  ///< of the next to be inserted
};

}  // namespace

TextEdit Text::splice(const Dot& dot, const std::vector<Splice>& splices) {
    if (!text::is_change(dot)) fail(ErrorCode::invalid, "a change without a dot");
    structure_.clear();
    Sequence& sequence = tree_->sequence;
    TextEdit edit;
    Author author(sequence, dot, edit);
    author.check(splices);
    if (splices.size() == 1 && author.is_plain(splices[0], tree_->line)) {
        const Splice& splice = splices[0];
        const bool followed = tree_->line.holds(splice.position, splice.deleted);
        author.erase(splice.position, splice.deleted, nullptr);
        if (!splice.inserted.empty()) author.insert(splice.position, splice.inserted, nullptr);
        if (followed) {
            tree_->line.edit(splice.position, splice.deleted, splice.inserted, author.inserted());
        } else {
            tree_->line.gather(sequence, splice.position);
        }
        edit.lines.push_back(tree_->line.altered());
        return edit;
    }
    tree_->line.forget();
    LineWatch watch(sequence, author.replica(), author.key());
    for (const Splice& splice : splices) {
        if (splice.deleted > 0) watch.touch(splice.position);
        author.erase(splice.position, splice.deleted, &watch);
        if (!splice.inserted.empty()) author.insert(splice.position, splice.inserted, &watch);
    }
    edit.lines = watch.altered();
    return edit;
}

// ---- Others' changes ----

namespace {

/// One change of another replica: checked as a whole, then applied as a whole.
class Delivery {
public:
    Delivery(Sequence& sequence, const Dot& dot, const std::vector<TextOp>& ops) : sequence_(sequence), dot_(dot), ops_(ops) {}

    void run() {
        check();
        std::uint32_t offset = 0;
        if (total_ > 0 && !known_) announce();
        for (const TextOp& op : ops_) {
            if (op.deleted > 0) {
                erase(op);
                continue;
            }
            const auto length = static_cast<std::uint32_t>(text::count_scalars(op.text));
            if (!known_) insert(op, offset, length);
            offset += length;
        }
    }

private:
    /// The last answer is kept: most changes are one operation, looked up when it is checked and when it is applied.
    bool find(const CharId& id, Ref& ref) const {
        if (found_ && found_id_ == id) {
            ref = found_ref_;
            return true;
        }
        found_ = sequence_.ids.find(id, ref);
        found_id_ = id;
        found_ref_ = ref;
        return found_;
    }

    /// A character of this change before `offset`, or of an earlier one.
    bool exists(const CharId& id, std::uint64_t offset, std::uint32_t count = 1) const {
        if (id.dot == dot_) return id.offset + std::uint64_t{count} <= offset;
        Ref first;
        if (!find(id, first)) return false;
        if (count == 1) return true;
        const text::ChangeRun& run = sequence_.ids[first.replica].run_of_key(first.key);
        return count <= run.size - id.offset;
    }

    void check() {
        if (!text::is_change(dot_)) refuse("a change without a dot");
        number_ = sequence_.ids.number_of(dot_.replica);
        known_ = number_ != 0 && sequence_.ids[number_].run_of_change(dot_.counter) != nullptr;
        for (const TextOp& op : ops_) {
            if (op.text.empty() == (op.deleted == 0)) refuse("an operation that neither inserts nor deletes");
            if (op.deleted > kMaxTextLength || op.at.offset > kMaxTextLength) refuse("an operation out of bounds");
            if (op.deleted > 0) {
                check_erase(op);
                continue;
            }
            if (op.by_change || !text::valid_utf8(op.text)) refuse("text that is not UTF-8");
            if (!exists(op.at, total_)) refuse("a character that is not known");
            if (op.at.dot.is_zero() && !op.right) refuse("a character before the first");
            if (op.at.dot.replica == dot_.replica && op.at.dot.counter > dot_.counter) refuse("a character after its own child");
            total_ += text::count_scalars(op.text);
            if (total_ > kMaxTextLength) refuse("too long");
        }
        if (total_ > 0) check_new();
    }

    void check_erase(const TextOp& op) const {
        if (op.at.dot.is_zero() || (op.by_change && op.at.offset != 0)) refuse("a character that cannot be deleted");
        if (!op.by_change) {
            if (!exists(op.at, total_, op.deleted)) refuse("a character that is not known");
            return;
        }
        if (op.at.dot.counter > kMaxCounter) refuse("a character that is not known");
        for (std::uint64_t done = 0; done < op.deleted;) {
            const Dot dot{op.at.dot.replica, op.at.dot.counter + done};
            const std::uint32_t number = sequence_.ids.number_of(dot.replica);
            const text::ChangeRun* run = number == 0 ? nullptr : sequence_.ids[number].run_of_change(dot.counter);
            if (run != nullptr) {
                done += run->count - (dot.counter - run->counter);
            } else if (dot == dot_ && total_ > 0) {
                ++done;
            } else {
                refuse("a character that is not known");
            }
        }
    }

    /// A change that is known already must be the same; else there must be room for it.
    void check_new() const {
        if (!known_) {
            if (sequence_.ids.total() + total_ > kMaxTextLength) refuse("too long");
            return;
        }
        Ref first;
        KOPDARBS_ASSERT(sequence_.ids.find({dot_, 0}, first));
        if (sequence_.ids[first.replica].run_of_key(first.key).size != total_) refuse("two changes with one dot");
        for (const TextOp& op : ops_) {
            if (op.deleted > 0) continue;
            Ref parent;
            if (!sequence_.ids.find(op.at, parent)) refuse("two changes with one dot");
            bool left = !op.right;
            for (std::size_t byte = 0; byte < op.text.size();) {
                const Place place = sequence_.find(first);
                if (!same(place, parent, left)) refuse("two changes with one dot");
                const std::size_t rest = text::count_scalars(std::string_view(op.text).substr(byte));
                const std::uint32_t here = std::min(static_cast<std::uint32_t>(rest), place.in().length - place.offset);
                const std::size_t size = text::byte_of_scalar(std::string_view(op.text).substr(byte), here);
                if (place.visible() && place.leaf->content.compare(sequence_.byte_of(place), size, op.text, byte, size) != 0)
                    refuse("two changes with one dot");
                byte += size;
                parent = first.plus(here - 1);
                first = first.plus(here);
                left = false;
            }
        }
    }

    /// Whether the character at `place` is `parent`'s child on that side.
    static bool same(const Place& place, const Ref& parent, bool left) {
        if (place.offset > 0) return !left && parent == place.ref().plus(0xffffffffU);
        return place.in().left == left && place.in().parent == parent;
    }

    /// Names the new characters.
    void announce() {
        if (number_ == 0) number_ = sequence_.ids.number_or_add(dot_.replica);
        text::ReplicaChars& chars = sequence_.ids[number_];
        const auto total = static_cast<std::uint32_t>(total_);
        if (chars.last_counter() > dot_.counter) {
            sequence_.shift_keys(number_, chars.chars_up_to(dot_.counter), total);
            found_ = false;
        }
        first_ = {number_, chars.insert(dot_.counter, total)};
    }

    void insert(const TextOp& op, std::uint32_t offset, std::uint32_t length) {
        Ref parent;
        KOPDARBS_ASSERT(find(op.at, parent));
        const Ref child = first_.plus(offset);
        const Place after = sequence_.place_child(sequence_.find(parent), !op.right, child);
        sequence_.insert(after, child, length, op.text, parent, !op.right);
    }

    void erase(const TextOp& op) {
        for (std::uint32_t done = 0; done < op.deleted;) {
            const std::uint32_t offset = op.by_change ? 0 : op.at.offset + done;
            Ref ref;
            KOPDARBS_ASSERT(find({{op.at.dot.replica, op.at.dot.counter + (op.by_change ? done : 0)}, offset}, ref));
            std::uint32_t count = op.deleted - done;
            if (op.by_change) {
                const text::ChangeRun& run = sequence_.ids[ref.replica].run_of_key(ref.key);
                count = run.size == 1 ? std::min(count, run.end() - ref.key) : 1;
            }
            done += count;
            while (count > 0) {
                const Place place = sequence_.find(ref);
                const std::uint32_t here = std::min(count, place.in().length - place.offset);
                if (place.visible()) sequence_.erase(place, here);
                ref = ref.plus(here);
                count -= here;
            }
        }
    }

    Sequence& sequence_;
    const Dot& dot_;
    const std::vector<TextOp>& ops_;
    std::uint64_t total_ = 0;   ///< characters inserted
    std::uint32_t number_ = 0;  ///< of the change's replica, if it has one
    bool known_ = false;        ///< the change's characters are here already
    Ref first_;                 ///< of the new ones
    mutable bool found_ = false;
    mutable CharId found_id_;
    mutable Ref found_ref_;
};

}  // namespace

void Text::apply(const Dot& dot, const std::vector<TextOp>& ops) {
    tree_->line.forget();
    structure_.clear();
    Delivery(tree_->sequence, dot, ops).run();
}

}  // namespace kopdarbs
