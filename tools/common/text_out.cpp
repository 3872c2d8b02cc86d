#include "tools/common/text_out.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/base/bytes.h"
#include "platform/posix/unicode.h"

namespace kopdarbs::tools {
namespace {

constexpr std::size_t kGap = 2;

/// C0 and C1 control characters and DEL; C1 are two octets in UTF-8.
std::size_t control_at(std::string_view text, std::size_t i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return 1;
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return 2;
    return 0;
}

std::string plain(std::string_view text, bool keep_lines, std::size_t indent) {
    std::string out;
    const bool utf8 = is_utf8(text);
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t control = control_at(text, i);
        if (control > 0) {
            out += keep_lines && text[i] == '\n' ? "\n" + std::string(indent, ' ') : " ";
            i += control;
            continue;
        }
        out += utf8 || static_cast<unsigned char>(text[i]) < 0x80 ? text[i] : '?';
        ++i;
    }
    return out;
}

}  // namespace

bool is_terminal(std::FILE* stream) {
    return ::isatty(::fileno(stream)) == 1;
}

bool has_colours(std::FILE* stream) {
    const char* no_color = std::getenv("NO_COLOR");
    if (no_color != nullptr && *no_color != '\0') return false;
    const char* term = std::getenv("TERM");
    return is_terminal(stream) && term != nullptr && std::strcmp(term, "dumb") != 0;
}

std::string one_line(std::string_view text) {
    return plain(text, false, 0);
}
std::string many_lines(std::string_view text, std::size_t indent) {
    return plain(text, true, indent);
}

std::string bold(std::string_view text) {
    if (!has_colours(stdout)) return std::string(text);
    return "\x1b[1m" + std::string(text) + "\x1b[0m";
}

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_line(std::string_view text) {
    print(text);
    print("\n");
}

void Table::add(std::vector<std::string> row) {
    for (std::string& cell : row) cell = one_line(cell);
    row.resize(heading_.size());
    rows_.push_back(std::move(row));
}

void Table::print() const {
    if (rows_.empty()) return;
    std::vector<std::size_t> widths;
    for (const std::string& cell : heading_) widths.push_back(posix::display_width(cell));
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], posix::display_width(row[i]));
    }
    const auto line = [&widths](const std::vector<std::string>& row) {
        std::string out;
        for (std::size_t i = 0; i < row.size(); ++i) {
            out += row[i];
            if (i + 1 < row.size()) out.append(widths[i] - posix::display_width(row[i]) + kGap, ' ');
        }
        out.erase(out.find_last_not_of(' ') + 1);
        return out;
    };
    print_line(bold(line(heading_)));
    for (const auto& row : rows_) print_line(line(row));
}

void ProgressLine::clear() {
    if (dirty_) std::fputs("\r\x1b[K", stderr);
    dirty_ = false;
}

void ProgressLine::show(const std::string& text) {
    if (!shown_) return;
    std::fprintf(stderr, "\r\x1b[K%s", one_line(text).c_str());
    std::fflush(stderr);
    dirty_ = true;
}

}  // namespace kopdarbs::tools
