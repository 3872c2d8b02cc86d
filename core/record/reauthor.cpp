#include "core/record/reauthor.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/record/draft.h"
#include "core/record/json.h"

namespace kopdarbs {
namespace {

std::int64_t total_at(const RecordState& state, const Path& path) {
    const Register* reg = state.find(path);
    if (reg == nullptr) return 0;
    CborReader in(reg->siblings.back().value);
    return in.integer();
}

/// Letters, from `before` and `onto` on, that stand in both texts; positions and lengths in scalar values.
struct Kept {
    std::uint32_t before = 0, onto = 0, length = 0;
};

std::uint32_t length_of(std::string_view text) {
    return static_cast<std::uint32_t>(utf8_length(text));
}

std::vector<Kept> kept_in(std::string_view before, std::string_view onto) {
    std::vector<Kept> runs;
    std::uint32_t at_before = 0, at_onto = 0;
    for (const Splice& s : diff_letters(before, onto)) {
        const std::uint32_t length = s.position - at_onto;
        runs.push_back({at_before, at_onto, length});
        at_before += length + s.deleted;
        at_onto += length + length_of(s.inserted);
    }
    runs.push_back({at_before, at_onto, length_of(before) - at_before});
    return runs;
}

/// Splices that do to `onto` what turned `before` into `after`: each lands where the letters around it have gone, and takes away what it
/// took away, but nothing that stands only in `onto`. What was written between words that are gone stands before the word that took their
/// place, though that has letters of both.
std::vector<Splice> rebased(std::string_view before, std::string_view after, std::string_view onto) {
    const std::vector<Kept> runs = kept_in(before, onto);
    std::vector<Splice> result;
    std::int64_t shift = 0, shift_onto = 0;  // what the splices so far have made longer
    std::uint32_t done = 0;                  // in `onto`
    const auto emit = [&](std::uint32_t at, std::uint32_t deleted, const std::string& inserted) {
        if (deleted == 0 && inserted.empty()) return;
        done = at + deleted;
        result.push_back({static_cast<std::uint32_t>(at + shift_onto), deleted, inserted});
        shift_onto += static_cast<std::int64_t>(length_of(inserted)) - deleted;
    };
    for (const Splice& s : diff_letters(before, after)) {
        const auto from = static_cast<std::uint32_t>(s.position - shift), to = from + s.deleted;
        shift += static_cast<std::int64_t>(length_of(s.inserted)) - s.deleted;
        auto run = runs.begin();
        while (run != runs.end() && run->before + run->length <= from) ++run;
        if (run == runs.end()) {
            emit(length_of(onto), 0, s.inserted);
            continue;
        }
        const std::string* inserted = &s.inserted;
        static const std::string nothing;
        if (from < run->before) {
            const std::uint32_t end = run == runs.begin() ? 0 : (run - 1)->before + (run - 1)->length;
            const std::size_t gap = utf8_offset(before, end);
            if (!is_one_word(before.substr(gap, utf8_offset(before, run->before) - gap))) {
                emit(std::max(done, word_start(onto, run->onto)), 0, s.inserted);
                inserted = &nothing;
            }
        }
        do {
            const std::uint32_t first = std::max(from, run->before), end = std::min(to, run->before + run->length);
            emit(run->onto + (first - run->before), first < end ? end - first : 0, *inserted);
            inserted = &nothing;
            ++run;
        } while (run != runs.end() && run->before < to);
    }
    return result;
}

/// The same document, over what lives of what its author had seen.
Value signed_again(BytesView value, const Context& seen) {
    CborReader in(value);
    CborWriter w;
    std::size_t parts = in.array();
    if (parts < 2) fail(ErrorCode::corrupt, "a seal of another shape");
    w.array(parts);
    in.skip();
    write_context(w, seen);
    for (; parts > 1; --parts) w.raw(in.item());
    return w.take();
}

}  // namespace

Change reauthored(const Change& original, const Dot& dot, const RecordState& before, const RecordState& after, const RecordState& onto,
                  const TypeSchema* type) {
    Change change = original;
    change.dot = dot;
    change.prev = onto.context().at(dot.replica);
    // A base from before this replica's last change had not seen all of its line, and does not now.
    const std::uint64_t own = original.seen.at(dot.replica);
    change.seen.set(dot.replica, own >= original.prev ? change.prev : std::min(own, change.prev));
    change.ops.clear();
    const auto dead = [&](const Dot& d) { return d.replica == dot.replica && d.counter > change.prev; };
    for (const Op& op : original.ops) {
        if (op.path.is(PathKind::line)) continue;  // written anew with their text
        if (op.path.is(PathKind::counter)) {
            const std::int64_t step = total_at(after, op.path) - total_at(before, op.path);
            change.ops.push_back({op.path, int_value(total_at(onto, op.path) + step), {}});
            continue;
        }
        if (op.path.is(PathKind::text)) {
            Text text = onto.text(op.path.field);
            const TextEdit edit =
                text.splice(dot, rebased(before.text(op.path.field).text(), after.text(op.path.field).text(), text.text()));
            if (edit.empty()) continue;
            change.ops.push_back({op.path, encode_text_ops(edit.ops, dot), {}});
            for (const AlteredLine& line : edit.lines) {
                Path path{static_cast<std::uint32_t>(PathKind::line), op.path.field, line_key(line.newline), {}};
                // The author saw none of the siblings that are here now and not in `seen`: these are not covered anyway.
                std::vector<Dot> spares;
                if (const Register* reg = onto.find(path); reg != nullptr && reg->differs() && spares_siblings(path, type))
                    for (const Sibling& s : reg->siblings) spares.push_back(s.dot);
                change.ops.push_back({path, line.gone ? null_value() : text_value(line.text), std::move(spares)});
            }
            continue;
        }
        Op kept = op;
        kept.spares.erase(std::remove_if(kept.spares.begin(), kept.spares.end(), dead), kept.spares.end());
        if (op.path.is(PathKind::life) && !is_null(op.value)) {
            CborWriter w;
            write_context(w, change.seen);
            kept.value = w.take();
        } else if (op.path.is(PathKind::seal) || op.path.is(PathKind::amendment)) {
            kept.value = signed_again(op.value, change.seen);
        }
        change.ops.push_back(std::move(kept));
    }
    return change;
}

}  // namespace kopdarbs
