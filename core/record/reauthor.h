// A change authored again after its replica's line for the record was cut: the same intent under a new dot.
//
// The original `seen` is kept, so that the change dominates nothing its author had not seen; this replica's own part of it becomes what
// lives of the line. Registers keep their values and spares. Only counters (as differences) and text (re-diffed) are computed anew, on the
// authoritative state, because they hang on what was refused.
#pragma once

#include "core/record/view.h"

namespace kopdarbs {

/// `before` and `after`: the record as it was around `original` on the cut line; `onto`: what lives now. The result has no header yet, and
/// no ops when nothing of the intent is left to do.
Change reauthored(const Change& original, const Dot& dot, const RecordState& before, const RecordState& after, const RecordState& onto,
                  const TypeSchema* type);

}  // namespace kopdarbs
