#include "tools/kopdarbs/line_reader.h"

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/base/error.h"

namespace kopdarbs::tools {
namespace {

constexpr std::size_t kBuffer = 256 * 1024;

gzFile gz(void* file) {
    return static_cast<gzFile>(file);
}

}  // namespace

LineReader::LineReader(const std::string& path) : path_(path), file_(nullptr), buffer_(kBuffer) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) fail(ErrorCode::io, "cannot read " + path + ": " + std::generic_category().message(errno));
    if (S_ISDIR(status.st_mode)) fail(ErrorCode::io, "cannot read " + path + ": it is a directory");
    size_ = status.st_size > 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
    errno = 0;
    file_ = gzopen(path.c_str(), "rb");
    if (file_ == nullptr) fail(ErrorCode::io, "cannot read " + path + ": " + std::generic_category().message(errno == 0 ? ENOMEM : errno));
}

LineReader::~LineReader() {
    if (file_ != nullptr) gzclose(gz(file_));
}

bool LineReader::fill() {
    const int n = gzread(gz(file_), buffer_.data(), static_cast<unsigned>(buffer_.size()));
    int code = Z_OK;
    const char* why = gzerror(gz(file_), &code);
    if (n < 0 || (n == 0 && code != Z_OK && code != Z_STREAM_END)) {
        if (code == Z_ERRNO) fail(ErrorCode::io, "cannot read " + path_ + ": " + std::generic_category().message(errno));
        fail(ErrorCode::corrupt, path_ + ": after line " + std::to_string(number_) + ": " + why);
    }
    at_ = 0;
    end_ = static_cast<std::size_t>(n);
    return n > 0;
}

bool LineReader::next(std::string& line) {
    line.clear();
    for (;;) {
        if (at_ == end_ && !fill()) {
            if (line.empty()) return false;
            break;
        }
        const char* begin = buffer_.data() + at_;
        const char* end = buffer_.data() + end_;
        const char* feed = std::find(begin, end, '\n');
        line.append(begin, feed);
        at_ = static_cast<std::size_t>(feed - buffer_.data());
        if (line.size() > kMaxLine) fail(ErrorCode::invalid, path_ + ": line " + std::to_string(++number_) + " is longer than 64 MiB");
        if (feed == end) continue;
        ++at_;
        break;
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    ++number_;
    return true;
}

unsigned LineReader::percent() const {
    const z_off_t offset = gzoffset(gz(file_));
    if (size_ == 0 || offset < 0) return 0;
    return static_cast<unsigned>(std::min<std::uint64_t>(100, static_cast<std::uint64_t>(offset) * 100 / size_));
}

}  // namespace kopdarbs::tools
