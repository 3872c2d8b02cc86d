// core/vault/slots: key slots as they lie beside a vault, and a recovery slot on a server.
#include "core/vault/slots.h"
#include "platform/posix/openssl_crypto.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

namespace {

class CheapCrypto : public posix::OpenSslCrypto {
public:
    Bytes scrypt(BytesView secret, BytesView salt, const ScryptCost&) override { return Bytes(sha256(Bytes(secret).append(salt)).bytes()); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static CheapCrypto crypto;
    const BytesView input = fuzz::input_of(data, size);
    // The closing hash is made good, so that what lies before it is reached.
    Bytes closed(input);
    if (closed.size() >= Hash256::size)
        closed.replace(closed.size() - Hash256::size, Hash256::size,
                       crypto.sha256(BytesView(closed).substr(0, closed.size() - Hash256::size)).bytes());
    for (const BytesView bytes : {input, BytesView(closed)}) {
        fuzz::only_errors([&] { (void)open_slots(bytes, "four plain words 4711", crypto); });
        fuzz::only_errors([&] { (void)open_slots(bytes, "recovery:00000000", crypto); });
        fuzz::only_errors([&] { (void)recovery_slot(bytes, crypto); });
    }
    return fuzz::only_errors([&] {
        KeyPair key;
        key.private_key = Bytes(32, 'k');
        fuzz::must(!open_recovery_slot(input, DeviceId(), key, crypto));
    });
}
