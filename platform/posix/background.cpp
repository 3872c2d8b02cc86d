#include "platform/posix/background.h"

#include <system_error>
#include <utility>

namespace kopdarbs::posix {

BackgroundThread::~BackgroundThread() {
    finish();
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void BackgroundThread::start(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
    ++started_;
    changed_.notify_all();
    try {
        if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {
        return;  // the next start() tries again, and finish() needs none
    }
}

void BackgroundThread::finish() {
    std::unique_lock lock(mutex_);
    const std::uint64_t all = started_;
    while (ended_ < all) {
        if (thread_.joinable() || at_work_)
            changed_.wait(lock);
        else
            do_next(lock);
    }
}

void BackgroundThread::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] { return closing_ || (!waiting_.empty() && !at_work_); });
        if (waiting_.empty()) return;
        do_next(lock);
    }
}

void BackgroundThread::do_next(std::unique_lock<std::mutex>& lock) {
    const std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    at_work_ = true;
    lock.unlock();
    work();
    lock.lock();
    at_work_ = false;
    ++ended_;
    changed_.notify_all();
}

}  // namespace kopdarbs::posix
