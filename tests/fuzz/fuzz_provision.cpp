// sync/server/directory: a provision file, as an administrator or whoever wrote it for him made it.
#include "core/schema/schema.h"
#include "platform/posix/openssl_crypto.h"
#include "sync/server/directory.h"
#include "sync/server/server.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static posix::OpenSslCrypto crypto;
    static const auto storage = sync::open_sqlite_storage(":memory:", true);
    storage->begin();
    fuzz::only_errors([&] {
        (void)sync::provision_into(*storage, crypto, fuzz::input_of(data, size), {}, "2026-11-22");
        const sync::Directory directory(*storage, crypto);
        for (const std::string& user : storage->users()) (void)directory.grants(user, "2026-11-22");
    });
    storage->rollback();
    return 0;
}
