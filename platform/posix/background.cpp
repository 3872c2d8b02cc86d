#include "platform/posix/background.h"

#include <system_error>
#include <utility>

namespace kopdarbs::posix {

BackgroundThread::~BackgroundThread() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void BackgroundThread::start(std::function<void()> work) {
    std::unique_lock lock(mutex_);
    try {
        if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {
        lock.unlock();
        return work();
    }
    waiting_.push_back(std::move(work));
    ++started_;
    changed_.notify_all();
}

void BackgroundThread::finish() {
    std::unique_lock lock(mutex_);
    const std::uint64_t all = started_;
    changed_.wait(lock, [&] { return ended_ >= all; });
}

void BackgroundThread::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] { return closing_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        const std::function<void()> work = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        work();
        lock.lock();
        ++ended_;
        changed_.notify_all();
    }
}

}  // namespace kopdarbs::posix
