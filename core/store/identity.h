// The enrolment as a vault keeps it.
#pragma once

#include "core/store/store.h"

namespace kopdarbs {

void write_identity(Store& store, const Enrolment& enrolment);
Enrolment read_identity(Store& store);

}  // namespace kopdarbs
