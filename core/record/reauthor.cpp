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

/// diff_words without the letters that stay: who added an ending to a word has not written the word anew.
std::vector<Splice> diff_letters(std::string_view before, std::string_view after) {
    std::vector<Splice> splices = diff_words(before, after);
    std::int64_t shift = 0;
    for (Splice& s : splices) {
        const auto from = static_cast<std::size_t>(static_cast<std::int64_t>(s.position) - shift);
        shift += static_cast<std::int64_t>(utf8_length(s.inserted)) - s.deleted;
        const std::size_t at = utf8_offset(before, from);
        std::string_view gone = before.substr(at, utf8_offset(before, from + s.deleted) - at), come = s.inserted;
        const auto begins = [](std::string_view text, std::size_t i) { return i == text.size() || (text[i] & 0xc0) != 0x80; };
        std::size_t same = 0;
        while (same < std::min(gone.size(), come.size()) && gone[same] == come[same]) ++same;
        while (!begins(gone, same) || !begins(come, same)) --same;
        s.position += static_cast<std::uint32_t>(utf8_length(come.substr(0, same)));
        gone.remove_prefix(same);
        come.remove_prefix(same);
        same = 0;
        while (same < std::min(gone.size(), come.size()) && gone[gone.size() - 1 - same] == come[come.size() - 1 - same]) ++same;
        while (!begins(gone, gone.size() - same) || !begins(come, come.size() - same)) --same;
        s.deleted = static_cast<std::uint32_t>(utf8_length(gone.substr(0, gone.size() - same)));
        s.inserted = std::string(come.substr(0, come.size() - same));
    }
    return splices;
}

/// Splices that do to `onto` what turned `before` into `after`: each hunk lands where the text before it landed.
std::vector<Splice> rebased(const std::string& before, const std::string& after, const std::string& onto) {
    const std::vector<Splice> moved = diff_letters(before, onto);
    // Where position p of `before` lies in `onto`: follow the splices that made it so.
    const auto map = [&](std::uint32_t p) {
        for (const Splice& s : moved) {
            if (p < s.position) continue;
            const std::uint32_t inserted = static_cast<std::uint32_t>(utf8_length(s.inserted));
            p = p < s.position + s.deleted ? s.position + inserted : p - s.deleted + inserted;
        }
        return p;
    };
    std::vector<Splice> result;
    // The splices of before -> after are sequential; turn their positions back into positions of `before`, then map.
    std::int64_t shift = 0, shift_onto = 0;
    for (const Splice& s : diff_letters(before, after)) {
        const auto in_before = static_cast<std::uint32_t>(static_cast<std::int64_t>(s.position) - shift);
        const std::uint32_t from = map(in_before), to = std::max(from, map(in_before + s.deleted));
        const std::int64_t inserted = static_cast<std::int64_t>(utf8_length(s.inserted));
        result.push_back({static_cast<std::uint32_t>(static_cast<std::int64_t>(from) + shift_onto), to - from, s.inserted});
        shift += inserted - s.deleted;
        shift_onto += inserted - (static_cast<std::int64_t>(to) - from);
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
