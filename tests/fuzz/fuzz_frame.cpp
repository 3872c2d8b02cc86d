// sync/frame: what comes over the line compressed.
#include "sync/frame/compression.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kMax = 1 << 16;
    const BytesView input = fuzz::input_of(data, size);
    fuzz::must(sync::decompress(sync::compress(input), size) == input);
    return fuzz::only_errors([&] {
        const Bytes message = sync::decompress(input, kMax);
        fuzz::must(message.size() <= kMax);
    });
}
