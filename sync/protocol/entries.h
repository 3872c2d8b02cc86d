// What happened in a scope, as it travels: the entries' kinds, one octet each; changes by columns; states one after another.
#pragma once

#include <vector>

#include "core/base/cbor.h"
#include "core/store/replica.h"
#include "sync/protocol/budget.h"

namespace kopdarbs::sync {

void write_entries(CborWriter& out, const std::vector<Entry>& entries);
/// Throws Error{corrupt}.
std::vector<Entry> read_entries(CborReader& in, Budget& budget);

}  // namespace kopdarbs::sync
