#include "sync/server/readers.h"

namespace kopdarbs::sync {

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
    readers_.idle_.push_back(std::move(storage_));
}

}  // namespace kopdarbs::sync
