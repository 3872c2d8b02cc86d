// Whether a change may be: validity and write rules, judged on the state that its author had seen.
//
// Judging on the state at `seen` makes the order of sync decide nothing: device and server come to one answer whenever they are asked.
// Fails closed: an unknown type, field or kind of operation may be kept and forwarded, never newly written.
// Threading: pure functions.
#pragma once

#include <optional>
#include <vector>

#include "core/record/view.h"

namespace kopdarbs {

/// `writer.creating` and `writer.creator` are filled in here, from the state. `warnings`, if given, gets what is doubtful.
std::optional<Problem> judge_change(const Change& change, const RecordState& at_seen, const TypeSchema* type, Writer writer,
                                    std::vector<Problem>* warnings);

/// Author of the record's first change; empty when it has none here.
std::string creator_of(const RecordState& state);

}  // namespace kopdarbs
