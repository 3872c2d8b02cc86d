// sync/protocol/messages: what a device sends, and the small messages of enrolment.
#include "sync/protocol/messages.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input = fuzz::input_of(data, size);
    const auto encode = [](const auto& message) { return sync::encode(message); };
    fuzz::only_errors([&] { fuzz::must_settle(input, [](BytesView b) { return sync::decode_introduction(b); }, encode); });
    fuzz::only_errors([&] { fuzz::must_settle(input, [](BytesView b) { return sync::decode_enrol_request(b); }, encode); });
    fuzz::only_errors([&] { fuzz::must_settle(input, [](BytesView b) { return sync::decode_enrol_response(b); }, encode); });
    fuzz::only_errors([&] { fuzz::must_settle(input, [](BytesView b) { return sync::decode_problem(b); }, encode); });
    return fuzz::only_errors([&] {
        const sync::SyncRequest request = sync::decode_request(input);
        const Bytes once = sync::encode(request);
        fuzz::must(sync::encode(sync::decode_request(once)) == once);
        // Versions that this one may speak, and no more, are written back as they came.
        fuzz::must(once.size() <= input.size());
        if (once.size() == input.size()) fuzz::must(once == input);
    });
}
