#include "platform/posix/system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <system_error>
#include <utility>

namespace kopdarbs::posix {
namespace {

constexpr std::size_t kReadChunk = 64 * 1024, kWriteBytes = 256 * 1024;
constexpr std::size_t kMaxGetrandom = 256;  // requests up to this size are never cut short by a signal

[[noreturn]] void file_failed(const std::string& what, const std::string& path, int error) {
    const ErrorCode code = error == ENOENT ? ErrorCode::not_found : ErrorCode::io;
    fail(code, what + " " + path + ": " + std::generic_category().message(error));
}

/// A descriptor, closed at the end of its scope.
class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    int close() { return fd_ < 0 ? 0 : ::close(std::exchange(fd_, -1)); }

private:
    int fd_;
};

std::uint64_t milliseconds(clockid_t id) {
    timespec now{};
    KOPDARBS_ASSERT(clock_gettime(id, &now) == 0);
    // A machine may believe that it is before 1970; the core's times begin there.
    return now.tv_sec < 0 ? 0 : static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

/// 0 or an errno.
int write_all(int fd, BytesView bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return 0;
}

/// Makes a rename durable. 0 or an errno.
int sync_directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
    const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return fd.get() < 0 || ::fsync(fd.get()) != 0 ? errno : 0;
}

}  // namespace

std::uint64_t SystemClock::wall_ms() {
    return milliseconds(CLOCK_REALTIME);
}
std::uint64_t SystemClock::steady_ms() {
    return milliseconds(CLOCK_MONOTONIC);
}

void SystemEntropy::fill(std::uint8_t* out, std::size_t size) {
    while (size > 0) {
        const ssize_t n = ::getrandom(out, std::min(size, kMaxGetrandom), 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) fail(ErrorCode::io, "random octets: " + std::generic_category().message(errno));
        out += n;
        size -= static_cast<std::size_t>(n);
    }
}

Bytes read_file(const std::string& path, std::size_t max_size) {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) file_failed("read", path, errno);
    Bytes bytes;
    for (;;) {
        const std::size_t before = bytes.size();
        bytes.resize(before + kReadChunk);
        const ssize_t n = ::read(fd.get(), bytes.data() + before, kReadChunk);
        const int error = errno;
        bytes.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
        if (n < 0 && error == EINTR) continue;
        if (n < 0) file_failed("read", path, error);
        if (bytes.size() > max_size) fail(ErrorCode::io, "read " + path + ": larger than " + std::to_string(max_size) + " octets");
        if (n == 0) return bytes;
    }
}

NewFile::NewFile(std::string path) : path_(std::move(path)), beside_(path_ + ".XXXXXX"), fd_(::mkostemp(beside_.data(), O_CLOEXEC)) {
    if (fd_ < 0) file_failed("write", path_, errno);
}

NewFile::~NewFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(beside_.c_str());
}

void NewFile::append(BytesView bytes) {
    KOPDARBS_ASSERT(fd_ >= 0);
    waiting_.append(bytes);
    if (waiting_.size() >= kWriteBytes) write_out();
}

void NewFile::write_out() {
    if (const int error = write_all(fd_, waiting_)) file_failed("write", path_, error);
    waiting_.clear();
}

void NewFile::keep() {
    write_out();
    if (::fsync(fd_) != 0) file_failed("write", path_, errno);
    if (::close(std::exchange(fd_, -1)) != 0 || std::rename(beside_.c_str(), path_.c_str()) != 0) {
        const int error = errno;
        ::unlink(beside_.c_str());
        file_failed("write", path_, error);
    }
    if (const int unsynced = sync_directory_of(path_)) file_failed("write", path_, unsynced);
}

void write_file_atomically(const std::string& path, BytesView bytes) {
    NewFile file(path);
    file.append(bytes);
    file.keep();
}

FileLock::FileLock(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (fd_ < 0) file_failed("lock", path_, errno);
}

FileLock::~FileLock() {
    ::close(fd_);
}

bool FileLock::acquire(int operation) {
    KOPDARBS_ASSERT(!held_);
    while (::flock(fd_, operation) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK) return false;
        file_failed("lock", path_, errno);
    }
    held_ = true;
    return true;
}

bool FileLock::try_lock() {
    return acquire(LOCK_EX | LOCK_NB);
}
void FileLock::lock() {
    (void)acquire(LOCK_EX);
}

void FileLock::unlock() {
    KOPDARBS_ASSERT(held_);
    if (::flock(fd_, LOCK_UN) != 0) file_failed("unlock", path_, errno);
    held_ = false;
}

}  // namespace kopdarbs::posix
