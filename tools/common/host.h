// What a program on a POSIX host gives the core.
// Threading: as its parts (platform/posix).
#pragma once

#include "core/env/env.h"
#include "platform/posix/background.h"
#include "platform/posix/openssl_crypto.h"
#include "platform/posix/system.h"

namespace kopdarbs::tools {

struct Host {
    posix::SystemClock clock;
    posix::SystemEntropy entropy;
    posix::OpenSslCrypto crypto;
    posix::BackgroundThread background, helper;

    /// The host outlives what it is given to.
    Env env() { return {clock, entropy, crypto, &background, &helper}; }
};

}  // namespace kopdarbs::tools
