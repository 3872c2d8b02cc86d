#include "sync/server/readers.h"

namespace kopdarbs::sync {
namespace {

/// Each keeps pages that it has read, up to 64 MiB.
constexpr std::size_t kMostIdle = 16;

}  // namespace

Readers::Lent::Lent(Readers& readers) : readers_(readers) {
    {
        const std::lock_guard lock(readers_.mutex_);
        if (!readers_.idle_.empty()) {
            storage_ = std::move(readers_.idle_.back());
            readers_.idle_.pop_back();
        }
    }
    if (!storage_) storage_ = open_sqlite_storage(readers_.path_, false);
}

Readers::Lent::~Lent() {
    const std::lock_guard lock(readers_.mutex_);
    if (readers_.idle_.size() < kMostIdle) readers_.idle_.push_back(std::move(storage_));
}

}  // namespace kopdarbs::sync
