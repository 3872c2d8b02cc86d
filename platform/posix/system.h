// What the operating system gives the core: clocks, chance, whole files, and locks between processes.
//
// Invariants: a file written by write_file_atomically() is after a crash either the old one or the new one, whole; it is readable by
// its owner only.
// Threading: SystemClock, SystemEntropy and the functions may be used from any thread; a FileLock belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/env/env.h"

namespace kopdarbs::posix {

class SystemClock : public Clock {
public:
    std::uint64_t wall_ms() override;
    std::uint64_t steady_ms() override;
};

class SystemEntropy : public Entropy {
public:
    void fill(std::uint8_t* out, std::size_t size) override;
};

/// Larger files are not read whole.
constexpr std::size_t kMaxWholeFile = std::size_t{1} << 30;

/// The whole file. Throws Error{not_found} when there is none, Error{io} when it cannot be read or has more than `max_size` octets.
Bytes read_file(const std::string& path, std::size_t max_size = kMaxWholeFile);

/// A file that is written piece by piece beside `path`, and is there, whole and synced, after keep(); mode 0600. Without keep(), and where
/// it throws before the rename, the old file stays. Everything throws Error{io}, or Error{not_found} where the folder is not there.
class NewFile {
public:
    explicit NewFile(std::string path);
    ~NewFile();
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    void append(BytesView bytes);
    void keep();

private:
    void write_out();
    std::string path_, beside_;
    Bytes waiting_;
    int fd_;
};

/// The same at once; what throws leaves the old file, or the new one where only its folder could not be synced.
void write_file_atomically(const std::string& path, BytesView bytes);

/// An exclusive lock that processes (and FileLocks within one) hold on a file; the system lets go of it when a process dies.
class FileLock {
public:
    /// Opens `path`, creating it empty with mode 0600; does not lock yet. Throws Error{io}.
    explicit FileLock(const std::string& path);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

    /// Whether the lock is held now; does not wait. Throws Error{io}.
    bool try_lock();
    /// Waits its turn, however long that takes. Throws Error{io}.
    void lock();
    void unlock();
    bool held() const { return held_; }

private:
    bool acquire(int operation);
    std::string path_;
    int fd_;
    bool held_ = false;
};

}  // namespace kopdarbs::posix
