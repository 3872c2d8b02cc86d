// How a record's state lies in a row, on a device and on a server alike: what is shown as JSON, and what stands behind it.
//
// Threading: pure functions.
#pragma once

#include <string>

#include "core/record/view.h"

namespace kopdarbs {

// Bits of record.flags.
constexpr std::int64_t kSealed = 1;
constexpr std::int64_t kDeleted = 2;

/// What the columns of a record's row say of its state.
struct Shape {
    std::string doc;
    Bytes meta;
    std::int64_t flags = 0;
    std::int64_t review = 0;
    Value k1, k2;  ///< empty for absence
};
Shape shape_of(Crypto& crypto, const RecordId& id, const RecordState& state, const TypeSchema* type);
/// The same for a document and meta that someone with the same schema made of `state`.
Shape shape_as_sent(Crypto& crypto, const RecordId& id, const RecordState& state, const TypeSchema* type,
                    const RecordState::Document& document, const std::string& doc, const Bytes& meta);

}  // namespace kopdarbs
