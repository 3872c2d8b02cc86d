// Group commit: one writer, many waiting requests, one fsync.
//
// Jobs are run in the order they came, each inside a savepoint of one transaction; when it has committed, all of them are answered. A job
// that throws is undone alone. While one group commits, the next gathers, so that the group grows with the load.
//
// Threading: run() may be called from any thread and blocks until the job is committed or has failed. The Storage belongs to the writer.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "sync/server/storage/storage.h"

namespace kopdarbs::sync {

class Committer {
public:
    explicit Committer(std::unique_ptr<Storage> storage);
    ~Committer();
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    using Job = std::function<void(Storage&)>;
    /// Throws what the job threw, or what the commit threw; the job has left no trace then.
    void run(const Job& job);

private:
    struct Waiting {
        const Job* job;
        std::exception_ptr error;
        bool done = false;
    };
    void write();
    void commit(std::deque<Waiting*>& group);
    std::unique_ptr<Storage> storage_;
    std::mutex mutex_;
    std::condition_variable arrived_, answered_;
    std::deque<Waiting*> waiting_;
    bool stopping_ = false;
    std::thread writer_;
};

}  // namespace kopdarbs::sync
