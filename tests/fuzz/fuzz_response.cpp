// sync/protocol/messages: what a server answers.
#include "sync/protocol/messages.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::only_errors([&] {
        fuzz::must_settle(
            fuzz::input_of(data, size), [](BytesView b) { return sync::decode_response(b); },
            [](const sync::SyncResponse& r) { return sync::encode(r); });
    });
}
