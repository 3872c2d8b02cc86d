// A server in a process of its own and devices on it, for measuring.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "core/kopdarbs.h"
#include "platform/posix/background.h"
#include "platform/posix/https_transport.h"
#include "platform/posix/openssl_crypto.h"
#include "platform/posix/system.h"

namespace kopdarbs::bench {

/// Unlocking a vault is not measured, so its key derivation is made cheap; everything else is the real thing.
class CheapSecrets : public posix::OpenSslCrypto {
public:
    Bytes scrypt(BytesView secret, BytesView salt, const ScryptCost& cost) override;
};

struct Device {
    std::string path;
    Bytes slots;
    std::unique_ptr<Vault> vault;
};

class Town {
public:
    /// A fresh server at `dir` with `users` users u0…, each assigned to a file of their own F0…, and all of them to F0 when `shared`.
    Town(const std::string& dir, int users, bool shared);
    ~Town();
    Town(const Town&) = delete;
    Town& operator=(const Town&) = delete;

    /// A device of user `user`, enrolled; synced once so that it knows its scopes, unless `fresh`.
    Device enrol(int user, const std::string& name, bool synced = true);
    std::unique_ptr<posix::HttpsTransport> dial() const;
    Env env() { return {clock_, entropy_, crypto_, &background_, &helper_}; }
    std::uint64_t accepted() const;  ///< changes that the server holds, read from its store

private:
    std::string dir_, url_, ca_;
    pid_t server_ = 0;
    posix::SystemClock clock_;
    posix::SystemEntropy entropy_;
    CheapSecrets crypto_;
    posix::BackgroundThread background_, helper_;
};

}  // namespace kopdarbs::bench
