// sync/protocol/messages: what a device sends, and the small messages of enrolment.
#include <optional>

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
    std::optional<sync::SyncRequest> read;
    fuzz::only_errors([&] { read = sync::decode_request(input); });
    if (!read) return 0;
    // Outside: a message that we write and would refuse ourselves ends the program.
    const Bytes once = sync::encode(*read);
    const sync::SyncRequest again = sync::decode_request(once);
    fuzz::must(sync::encode(again) == once && again.feeds.size() == read->feeds.size());
    fuzz::must(again.replica == read->replica && again.wall_ms == read->wall_ms && again.nonce == read->nonce &&
               again.wanted == read->wanted && again.counter == read->counter && again.pull_bytes == read->pull_bytes);
    // What devices signed is never altered by being read and written.
    for (std::size_t f = 0; f < read->feeds.size(); ++f) {
        const auto &was = read->feeds[f].changes, &is = again.feeds[f].changes;
        fuzz::must(was.size() == is.size());
        for (std::size_t i = 0; i < was.size(); ++i)
            fuzz::must(was[i].header == is[i].header && was[i].salt == is[i].salt && was[i].content == is[i].content);
    }
    return 0;
}
