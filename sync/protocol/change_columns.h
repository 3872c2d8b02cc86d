// Many changes in one message, by columns: like stands beside like, and what follows from the changes before is not said again.
// PROTOCOL.md, "Changes by columns", has the layout.
//
// Invariants
//  1. What is read is what was written, octet for octet, whatever it is: a header or content of another shape than ours stands there whole.
//  2. Reading never makes more octets than the budget allows, however small the columns are; tables count as well.
// Source: transposed files (Batory, 1979) with each column coded for itself, as column stores do.
#pragma once

#include <vector>

#include "core/base/cbor.h"
#include "sync/protocol/budget.h"

namespace kopdarbs::sync {

/// A change's two strings; borrowed.
struct ChangeView {
    BytesView header, content;
};

struct ChangeBytes {
    Bytes header, content;
};

void write_changes(CborWriter& out, const std::vector<ChangeView>& changes);

/// At most `max` changes. Throws Error{corrupt}.
std::vector<ChangeBytes> read_changes(CborReader& in, std::size_t max, Budget& budget);

}  // namespace kopdarbs::sync
