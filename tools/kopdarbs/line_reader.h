// Lines of a text file, plain or gzipped, one at a time and bounded.
// Threading: a reader belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kopdarbs::tools {

class LineReader {
public:
    static constexpr std::size_t kMaxLine = std::size_t{64} << 20;

    /// Throws Error{io}.
    explicit LineReader(const std::string& path);
    ~LineReader();
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    /// The next line without its end; false after the last. Throws Error{io}, Error{corrupt} for a damaged or cut gzip file and
    /// Error{invalid} for a line longer than kMaxLine.
    bool next(std::string& line);
    /// Number of the line that next() gave last, from 1.
    std::uint64_t number() const { return number_; }
    /// How much of the file has been read, in per cent.
    unsigned percent() const;

private:
    bool fill();
    std::string path_;
    void* file_;
    std::uint64_t size_ = 0;
    std::uint64_t number_ = 0;
    std::vector<char> buffer_;
    std::size_t at_ = 0, end_ = 0;
};

}  // namespace kopdarbs::tools
