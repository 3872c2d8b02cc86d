// What the operating system gives the core: files that are old or new but never half, and locks that exclude.
#include "platform/posix/system.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <future>
#include <string>

#include "tests/support/catch.h"

using namespace kopdarbs;
using namespace kopdarbs::posix;

namespace {

/// A directory of its own, gone with its contents at the end.
struct Directory {
    std::string path = "/tmp/kopdarbs-test-XXXXXX";
    Directory() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
    ~Directory() { std::filesystem::remove_all(path); }
    std::size_t entries() const {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path)) ++count;
        return count;
    }
};

ErrorCode code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& e) {
        return e.code();
    }
    FAIL("nothing was thrown");
    return ErrorCode::invalid;
}

}  // namespace

TEST_CASE("a file is read as it was written, and belongs to its owner only") {
    const Directory directory;
    const std::string path = directory.path + "/key";
    Bytes bytes(300'000, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
    write_file_atomically(path, "old");
    write_file_atomically(path, bytes);
    CHECK((read_file(path) == bytes));
    struct stat info{};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK(directory.entries() == 1);
    write_file_atomically(path, "");
    CHECK(read_file(path).empty());
}

TEST_CASE("a file that cannot be written leaves the old one and nothing beside it") {
    const Directory directory;
    const std::string path = directory.path + "/taken";
    REQUIRE(::mkdir(path.c_str(), 0700) == 0);
    CHECK(code_of([&] { write_file_atomically(path, "new"); }) == ErrorCode::io);
    CHECK(directory.entries() == 1);
}

TEST_CASE("a missing file and one that is too large are told apart") {
    const Directory directory;
    const std::string path = directory.path + "/file";
    CHECK(code_of([&] { read_file(path); }) == ErrorCode::not_found);
    write_file_atomically(path, "12345");
    CHECK(read_file(path, 5) == "12345");
    CHECK(code_of([&] { read_file(path, 4); }) == ErrorCode::io);
    CHECK(code_of([&] { read_file(directory.path); }) == ErrorCode::io);
}

TEST_CASE("one lock at a time, and the next in line gets it when it is let go") {
    const Directory directory;
    const std::string path = directory.path + "/lock";
    FileLock first(path);
    FileLock second(path);
    CHECK(first.try_lock());
    CHECK(first.held());
    CHECK_FALSE(second.try_lock());
    CHECK_FALSE(second.held());
    auto waiting = std::async(std::launch::async, [&] { second.lock(); });
    first.unlock();
    waiting.get();
    CHECK(second.held());
    CHECK_FALSE(first.try_lock());
    {
        FileLock third(directory.path + "/other");
        CHECK(third.try_lock());
    }
    FileLock fourth(directory.path + "/other");
    CHECK(fourth.try_lock());
}

TEST_CASE("random octets fill what was asked for and do not repeat") {
    SystemEntropy entropy;
    CHECK(entropy.bytes(32) != entropy.bytes(32));
    const Bytes many = entropy.bytes(1000);
    CHECK(many.substr(968) != Bytes(32, '\0'));
    CHECK(entropy.bytes(0).empty());
}
