// A thread beside the caller's, for what nobody waits for or what two can do.
// Threading: any thread. The thread begins with the first work, so a process may fork before that and not after.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/env/env.h"

namespace kopdarbs::posix {

class BackgroundThread : public Background {
public:
    BackgroundThread() = default;
    /// Does what was started first.
    ~BackgroundThread() override;
    BackgroundThread(const BackgroundThread&) = delete;
    BackgroundThread& operator=(const BackgroundThread&) = delete;

    /// Where the system has no thread to give, the work waits for a later start() that gets one, or for finish(), which does it itself.
    void start(std::function<void()> work) override;
    void finish() override;

private:
    void run();
    void do_next(std::unique_lock<std::mutex>& lock);
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> waiting_;
    std::uint64_t started_ = 0, ended_ = 0;
    bool closing_ = false, at_work_ = false;
    std::thread thread_;
};

}  // namespace kopdarbs::posix
