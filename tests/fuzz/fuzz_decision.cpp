// sync/protocol/messages: the verdicts inside a signed decision.
#include "sync/protocol/messages.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input = fuzz::input_of(data, size);
    return fuzz::only_errors([&] {
        ReplicaId about;
        const std::vector<Verdict> verdicts = sync::decode_decision(input, about);
        const Bytes once = sync::encode_decision(about, verdicts);
        ReplicaId again;
        fuzz::must(sync::encode_decision(again, sync::decode_decision(once, again)) == once || again != about);
        fuzz::must(again == about);
        for (const Verdict& v : verdicts) fuzz::must(v.count > 0 && v.counter <= kMaxCounter && v.counter + v.count > v.counter);
        if (once.size() == input.size()) fuzz::must(once == input);
    });
}
