// Connections for reading, lent to one thread at a time.
// Threading: Readers, any thread; what is lent belongs to the borrower's.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sync/server/storage/storage.h"

namespace kopdarbs::sync {

class Readers {
public:
    explicit Readers(std::string path) : path_(std::move(path)) {}

    /// One that is idle, or a new one; given back at the end of its scope.
    class Lent {
    public:
        explicit Lent(Readers& readers);
        ~Lent();
        Lent(const Lent&) = delete;
        Lent& operator=(const Lent&) = delete;
        Storage& operator*() const { return *storage_; }
        Storage* operator->() const { return storage_.get(); }

    private:
        Readers& readers_;
        std::unique_ptr<Storage> storage_;
    };
    Lent lend() { return Lent(*this); }

private:
    std::string path_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Storage>> idle_;
};

}  // namespace kopdarbs::sync
