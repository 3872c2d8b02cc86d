#include "sync/server/committer.h"

namespace kopdarbs::sync {
namespace {
constexpr std::size_t kMaxGroup = 64;
}

Committer::Committer(std::unique_ptr<Storage> storage) : storage_(std::move(storage)), writer_([this] { write(); }) {}

Committer::~Committer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_all();
    writer_.join();
}

void Committer::run(const Job& job) {
    Waiting mine{&job, nullptr, false};
    std::unique_lock lock(mutex_);
    waiting_.push_back(&mine);
    arrived_.notify_one();
    answered_.wait(lock, [&] { return mine.done; });
    if (mine.error) std::rethrow_exception(mine.error);
}

void Committer::write() {
    for (;;) {
        std::deque<Waiting*> group;
        {
            std::unique_lock lock(mutex_);
            arrived_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            while (!waiting_.empty() && group.size() < kMaxGroup) {
                group.push_back(waiting_.front());
                waiting_.pop_front();
            }
        }
        commit(group);
        {
            const std::lock_guard lock(mutex_);
            for (Waiting* w : group) w->done = true;
        }
        answered_.notify_all();
    }
}

void Committer::commit(std::deque<Waiting*>& group) {
    try {
        storage_->begin();
        for (Waiting* w : group) {
            storage_->savepoint();
            try {
                (*w->job)(*storage_);
                storage_->release();
            } catch (...) {
                w->error = std::current_exception();
                storage_->undo_to_savepoint();
            }
        }
        storage_->commit();
    } catch (...) {
        const std::exception_ptr error = std::current_exception();
        storage_->rollback();
        for (Waiting* w : group)
            if (!w->error) w->error = error;
    }
}

}  // namespace kopdarbs::sync
