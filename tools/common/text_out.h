// Output for people: aligned tables, colours on a terminal only, and nothing that a stranger's text could do to a terminal.
// Threading: for a program's main thread.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace kopdarbs::tools {

/// Whether `stream` is a terminal that shows colours (NO_COLOR and TERM=dumb forbid them).
bool has_colours(std::FILE* stream);
bool is_terminal(std::FILE* stream);

/// `text` without control characters: each becomes a space; what is not UTF-8 becomes '?'.
std::string one_line(std::string_view text);
/// The same, but line feeds stay and are followed by `indent` spaces.
std::string many_lines(std::string_view text, std::size_t indent);

/// `text` in bold on a terminal.
std::string bold(std::string_view text);

void print(std::string_view text);
void print_line(std::string_view text);

/// Rows of cells, printed with aligned columns; the last column is not padded.
class Table {
public:
    explicit Table(std::vector<std::string> heading) : heading_(std::move(heading)) {}
    void add(std::vector<std::string> row);
    bool empty() const { return rows_.empty(); }
    /// Prints nothing for a table without rows.
    void print() const;

private:
    std::vector<std::string> heading_;
    std::vector<std::vector<std::string>> rows_;
};

/// A line on stderr that is written over and over, on a terminal only.
class ProgressLine {
public:
    ProgressLine() : shown_(is_terminal(stderr)) {}
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    bool shown() const { return shown_; }
    void show(const std::string& text);
    void clear();

private:
    bool shown_;
    bool dirty_ = false;
};

}  // namespace kopdarbs::tools
