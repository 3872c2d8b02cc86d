// What a message may still become while it is read: octets, counted alike on every platform.
#pragma once

#include <cstddef>

#include "core/base/error.h"

namespace kopdarbs::sync {

class Budget {
public:
    explicit Budget(std::size_t octets) : left_(octets) {}
    /// Throws Error{corrupt} when less is left.
    void spend(std::size_t octets) {
        if (octets > left_) fail(ErrorCode::corrupt, "message: more than a message may hold");
        left_ -= octets;
    }

private:
    std::size_t left_;
};

}  // namespace kopdarbs::sync
