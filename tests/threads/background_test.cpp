// A background of a system that has no thread to give.
#include "platform/posix/background.h"

#include <pthread.h>

#include <cstdint>
#include <vector>

#include "tests/support/catch.h"

using namespace kopdarbs;

namespace {

/// No thread can be started: a stack of its size is more than there are addresses.
class NoThreads {
public:
    NoThreads() {
        pthread_attr_init(&usual_);
        REQUIRE(pthread_getattr_default_np(&usual_) == 0);
        pthread_attr_t huge;
        pthread_attr_init(&huge);
        REQUIRE(pthread_attr_setstacksize(&huge, std::size_t{1} << 48) == 0);
        REQUIRE(pthread_setattr_default_np(&huge) == 0);
        pthread_attr_destroy(&huge);
    }
    ~NoThreads() {
        pthread_setattr_default_np(&usual_);
        pthread_attr_destroy(&usual_);
    }
    NoThreads(const NoThreads&) = delete;
    NoThreads& operator=(const NoThreads&) = delete;

private:
    pthread_attr_t usual_;
};

}  // namespace

TEST_CASE("where no thread is to be had, work is put off: to its finish, to the end, or until there is one") {
    std::vector<int> done;
    {
        posix::BackgroundThread background;
        {
            const NoThreads none;
            background.start([&] { done.push_back(1); });
            background.start([&] { done.push_back(2); });
            CHECK(done.empty());
            background.finish();
            CHECK(done == std::vector<int>{1, 2});
            background.start([&] { done.push_back(3); });
            CHECK(done.size() == 2);
        }
        background.start([&] { done.push_back(4); });
        background.finish();
        CHECK(done == std::vector<int>{1, 2, 3, 4});
    }
    {
        const NoThreads none;
        posix::BackgroundThread background;
        background.start([&] { done.push_back(5); });
    }
    CHECK(done.back() == 5);
}
