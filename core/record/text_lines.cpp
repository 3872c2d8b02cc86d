#include "core/record/text_lines.h"

#include <algorithm>

#include "core/record/text_utf8.h"

namespace kopdarbs::text {
namespace {

/// The shown character that begins at byte `byte` of the leaf's content.
Ref ref_at(const Leaf* leaf, std::size_t byte) {
    const bool ascii = leaf->content.size() == leaf->visible;
    auto rest = static_cast<std::uint32_t>(ascii ? byte : count_scalars(std::string_view(leaf->content).substr(0, byte)));
    for (std::uint32_t i = 0;; ++i) {
        const Span& span = leaf->spans[i];
        if (!span.visible) continue;
        if (rest < span.length) return span.first.plus(rest);
        rest -= span.length;
    }
}

}  // namespace

LineStart line_around(const Leaf* leaf, std::size_t byte) {
    for (std::size_t distance = 0;;) {
        const std::size_t newline = last_newline(std::string_view(leaf->content).substr(0, byte));
        if (newline != std::string::npos) return {ref_at(leaf, newline), leaf, newline + 1, distance + byte - newline - 1};
        distance += byte;
        if (leaf->prev == nullptr) return {Ref{}, leaf, 0, distance};
        leaf = leaf->prev;
        byte = leaf->content.size();
    }
}

LineStart line_at(const Sequence& sequence, std::uint32_t index) {
    if (index == 0) return {Ref{}, sequence.first_leaf(), 0, 0};
    const Place last = sequence.at_index(index - 1);
    std::size_t byte = sequence.byte_of(last) + 1;
    while (byte < last.leaf->content.size() && continues_scalar(last.leaf->content[byte])) ++byte;
    return line_around(last.leaf, byte);
}

LineStart line_opened_by(const Sequence& sequence, const Place& newline) {
    if (newline.ref().is_root()) return {Ref{}, sequence.first_leaf(), 0, 0};
    return {newline.ref(), newline.leaf, sequence.byte_of(newline) + 1, 0};
}

std::string line_text(const LineStart& line) {
    std::size_t size = 0;
    const Leaf* last = line.leaf;
    for (std::size_t byte = line.byte; last != nullptr; last = last->next, byte = 0) {
        const std::size_t end = last->content.find('\n', byte);
        if (end != std::string::npos) {
            size += end - byte;
            break;
        }
        size += last->content.size() - byte;
    }
    std::string text;
    text.reserve(size);
    std::size_t byte = line.byte;
    for (const Leaf* leaf = line.leaf; text.size() < size; leaf = leaf->next, byte = 0)
        text.append(leaf->content, byte, size - text.size());
    return text;
}

bool holds_older(const LineStart& line, std::uint32_t replica, std::uint32_t key) {
    std::size_t byte = line.byte;
    for (const Leaf* leaf = line.leaf; leaf != nullptr; leaf = leaf->next, byte = 0) {
        const std::size_t newline = leaf->content.find('\n', byte);
        const std::size_t end = std::min(newline, leaf->content.size());
        const std::string_view content = leaf->content;
        std::size_t from = count_scalars(content.substr(0, byte));
        const std::size_t to = from + count_scalars(content.substr(byte, end - byte));
        std::size_t start = 0;  // of the span, in shown characters
        for (std::uint32_t i = 0; i < leaf->count && from < to; ++i) {
            const Span& span = leaf->spans[i];
            if (!span.visible) continue;
            const std::size_t after = start + span.length;
            if (from < after) {
                if (span.first.replica != replica || span.first.key + (from - start) < key) return true;
                from = after;
            }
            start = after;
        }
        if (newline != std::string::npos) return false;
    }
    return false;
}

void LineCache::edit(std::uint32_t position, std::uint32_t deleted, std::string_view inserted, std::uint32_t added) {
    const bool ascii = text_.size() == length_;
    const std::size_t from = ascii ? position - start_ : byte_of_scalar(text_, position - start_);
    const std::size_t size = ascii ? deleted : byte_of_scalar(std::string_view(text_).substr(from), deleted);
    text_.replace(from, size, inserted);
    length_ = length_ - deleted + added;
}

void LineCache::gather(const Sequence& sequence, std::uint32_t position) {
    const LineStart line = line_at(sequence, position);
    newline_ = sequence.ids.id_of(line.newline);
    text_ = line_text(line);
    length_ = static_cast<std::uint32_t>(count_scalars(text_));
    start_ = position - static_cast<std::uint32_t>(count_scalars(std::string_view(text_).substr(0, line.distance)));
    known_ = true;
}

void LineWatch::touch(std::uint32_t index) {
    const LineStart line = line_at(sequence_, index);
    if (is_new(line.newline) || before_.count(line.newline) != 0) return;
    before_.emplace(line.newline, line_text(line));
}

void LineWatch::lose(const Ref& newline) {
    if (!is_new(newline)) before_.emplace(newline, std::string());
}

std::vector<AlteredLine> LineWatch::altered() const {
    std::vector<AlteredLine> lines;
    for (const auto& [newline, before] : before_) {
        const Place place = sequence_.find(newline);
        AlteredLine line{sequence_.ids.id_of(newline), !newline.is_root() && !place.visible(), {}};
        if (!line.gone) line.text = line_text(line_opened_by(sequence_, place));
        if (line.gone || line.text != before) lines.push_back(std::move(line));
    }
    for (const Ref& newline : gained_) {
        const Place place = sequence_.find(newline);
        if (!place.visible()) continue;
        const LineStart start = line_opened_by(sequence_, place);
        if (holds_older(start, replica_, key_)) lines.push_back({sequence_.ids.id_of(newline), false, line_text(start)});
    }
    std::sort(lines.begin(), lines.end(), [](const AlteredLine& a, const AlteredLine& b) { return a.newline < b.newline; });
    return lines;
}

}  // namespace kopdarbs::text
