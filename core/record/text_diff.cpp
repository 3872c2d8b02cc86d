// The splices between two texts, by words, and by the letters that changed in them.
//
// Words, runs of blanks, and every other character (newlines among them) are tokens; equal ends are cut off, then the shortest edit
// script is searched for (Myers, "An O(ND) difference algorithm and its variations", 1986). Past kMaxEdits the rest between the
// ends is replaced as a whole.
#include <algorithm>
#include <unordered_map>

#include "core/base/error.h"
#include "core/record/text.h"
#include "core/record/text_utf8.h"

namespace kopdarbs {
namespace {

constexpr int kMaxEdits = 1000;

using Tokens = std::vector<std::string_view>;

enum class Class { word, blank, single };

Class class_of(char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (letter || static_cast<std::uint8_t>(c) >= 0x80) return Class::word;
    return c == ' ' || c == '\t' ? Class::blank : Class::single;
}

Tokens tokens_of(std::string_view text) {
    Tokens tokens;
    for (std::size_t at = 0; at < text.size();) {
        const Class kind = class_of(text[at]);
        std::size_t end = at + 1;
        while (kind != Class::single && end < text.size() && class_of(text[end]) == kind) ++end;
        tokens.push_back(text.substr(at, end - at));
        at = end;
    }
    return tokens;
}

/// Tokens as numbers, equal exactly where the tokens are.
class Numbers {
public:
    std::vector<int> of(const Tokens& tokens) {
        std::vector<int> numbers;
        numbers.reserve(tokens.size());
        for (std::string_view token : tokens) numbers.push_back(known_.emplace(token, static_cast<int>(known_.size())).first->second);
        return numbers;
    }

private:
    std::unordered_map<std::string_view, int> known_;
};

/// An edit: tokens [a, a_end) become [b, b_end).
struct Edit {
    int a = 0, a_end = 0, b = 0, b_end = 0;
};

/// Each round of the search keeps how far every diagonal reached, so that the path can be walked back.
std::vector<Edit> shortest_edits(const std::vector<int>& a, const std::vector<int>& b) {
    const int n = static_cast<int>(a.size()), m = static_cast<int>(b.size());
    std::vector<std::vector<int>> rounds;
    const auto reach = [](const std::vector<int>& round, int k, int d) { return *(round.begin() + (k + d)); };
    const auto came_down = [&](const std::vector<int>& last, int k, int d) {
        return k == -d || (k != d && reach(last, k - 1, d - 1) < reach(last, k + 1, d - 1));
    };
    const auto start = [&](int k, int d) {
        if (d == 0) return 0;
        const auto& last = *(rounds.begin() + (d - 1));
        return came_down(last, k, d) ? reach(last, k + 1, d - 1) : reach(last, k - 1, d - 1) + 1;
    };
    int found = -1;
    for (int d = 0; found < 0; ++d) {
        if (d > kMaxEdits) return {{0, n, 0, m}};
        std::vector<int> round(2 * static_cast<std::size_t>(d) + 1);
        for (int k = -d; k <= d; k += 2) {
            int x = start(k, d);
            while (x < n && x - k < m && a[static_cast<std::size_t>(x)] == *(b.begin() + (x - k))) ++x;
            *(round.begin() + (k + d)) = x;
            if (x >= n && x - k >= m) found = d;
        }
        rounds.push_back(std::move(round));
    }
    std::vector<Edit> edits;
    int k = n - m;
    for (int d = found; d > 0; --d) {
        const auto& last = *(rounds.begin() + (d - 1));
        const bool down = came_down(last, k, d);
        const int x = start(k, d);
        const Edit step = down ? Edit{x, x, x - k - 1, x - k} : Edit{x - 1, x, x - k, x - k};
        if (!edits.empty() && edits.back().a == step.a_end && edits.back().b == step.b_end) {
            edits.back().a = step.a;
            edits.back().b = step.b;
        } else {
            edits.push_back(step);
        }
        k += down ? 1 : -1;
    }
    std::reverse(edits.begin(), edits.end());
    return edits;
}

}  // namespace

std::vector<Splice> diff_words(std::string_view before, std::string_view after) {
    if (before == after) return {};
    if (before.empty()) return {{0, 0, std::string(after)}};  // whoever applies it checks it
    if (!text::valid_utf8(before) || !text::valid_utf8(after)) fail(ErrorCode::invalid, "text that is not UTF-8");
    if (after.empty()) return {{0, static_cast<std::uint32_t>(text::count_scalars(before)), {}}};
    Tokens a = tokens_of(before), b = tokens_of(after);
    std::size_t head = 0;
    while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
    std::size_t tail = 0;
    while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
    const auto middle = [&](Tokens& tokens) {
        tokens.resize(tokens.size() - tail);
        const Tokens cut(tokens.begin() + static_cast<std::ptrdiff_t>(head), tokens.end());
        std::size_t equal = 0;
        for (std::size_t i = 0; i < head; ++i) equal += text::count_scalars(tokens[i]);
        tokens = cut;
        return equal;
    };
    std::size_t position = middle(a);
    middle(b);
    if (a.empty() || b.empty()) {
        Splice only{static_cast<std::uint32_t>(position), 0, {}};
        for (const std::string_view token : a) only.deleted += static_cast<std::uint32_t>(text::count_scalars(token));
        for (const std::string_view token : b) only.inserted += token;
        return {only};
    }
    Numbers numbers;
    const std::vector<int> a_numbers = numbers.of(a), b_numbers = numbers.of(b);
    std::vector<Splice> splices;
    int at = 0;  // in the old tokens
    for (const Edit& edit : shortest_edits(a_numbers, b_numbers)) {
        if (edit.a == edit.a_end && edit.b == edit.b_end) continue;
        for (; at < edit.a; ++at) position += text::count_scalars(a[static_cast<std::size_t>(at)]);
        Splice splice;
        splice.position = static_cast<std::uint32_t>(position);
        for (; at < edit.a_end; ++at) splice.deleted += static_cast<std::uint32_t>(text::count_scalars(a[static_cast<std::size_t>(at)]));
        for (int i = edit.b; i < edit.b_end; ++i) splice.inserted += b[static_cast<std::size_t>(i)];
        position += text::count_scalars(splice.inserted);
        splices.push_back(std::move(splice));
    }
    return splices;
}

std::vector<Splice> diff_letters(std::string_view before, std::string_view after) {
    std::vector<Splice> splices = diff_words(before, after);
    const auto splits = [](std::string_view text, std::size_t at) { return at < text.size() && text::continues_scalar(text[at]); };
    std::int64_t shift = 0;
    for (Splice& s : splices) {
        const std::size_t at = text::byte_of_scalar(before, static_cast<std::size_t>(s.position - shift));
        std::string_view gone = before.substr(at, text::byte_of_scalar(before.substr(at), s.deleted)), come = s.inserted;
        shift += static_cast<std::int64_t>(text::count_scalars(come)) - s.deleted;
        auto head = static_cast<std::size_t>(std::mismatch(gone.begin(), gone.end(), come.begin(), come.end()).first - gone.begin());
        while (splits(gone, head) || splits(come, head)) --head;
        s.position += static_cast<std::uint32_t>(text::count_scalars(come.substr(0, head)));
        gone.remove_prefix(head);
        come.remove_prefix(head);
        auto tail = static_cast<std::size_t>(std::mismatch(gone.rbegin(), gone.rend(), come.rbegin(), come.rend()).first - gone.rbegin());
        while (splits(gone, gone.size() - tail)) --tail;
        s.deleted = static_cast<std::uint32_t>(text::count_scalars(gone.substr(0, gone.size() - tail)));
        s.inserted = std::string(come.substr(0, come.size() - tail));
    }
    return splices;
}

bool is_one_word(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return class_of(c) == Class::word; });
}

std::uint32_t word_start(std::string_view text, std::uint32_t position) {
    std::size_t at = text::byte_of_scalar(text, position);
    if (at == text.size() || class_of(text[at]) != Class::word) return position;
    while (at > 0 && class_of(text[at - 1]) == Class::word) --at;
    return static_cast<std::uint32_t>(text::count_scalars(text.substr(0, at)));
}

}  // namespace kopdarbs
