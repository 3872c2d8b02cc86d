// Frames: a message's bytes, compressed with Zstandard (RFC 8878). The same frames travel over HTTPS and in bundles.
//
// Threading: pure functions.
#pragma once

#include "core/base/bytes.h"

namespace kopdarbs::sync {

Bytes compress(BytesView message);
/// Throws Error{corrupt} for what is no frame, or would be larger than `max_bytes`.
Bytes decompress(BytesView frame, std::size_t max_bytes);

}  // namespace kopdarbs::sync
