// sync/protocol/messages: what a server answers.
#include "sync/protocol/messages.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::only_errors([&] {
        const sync::SyncResponse response = sync::decode_response(fuzz::input_of(data, size));
        const Bytes once = sync::encode(response);
        const sync::SyncResponse again = sync::decode_response(once);
        fuzz::must(sync::encode(again) == once && again.incoming.pages.size() == response.incoming.pages.size());
        for (std::size_t p = 0; p < response.incoming.pages.size(); ++p) {
            const auto &was = response.incoming.pages[p].entries, &is = again.incoming.pages[p].entries;
            fuzz::must(was.size() == is.size());
            for (std::size_t i = 0; i < was.size(); ++i)
                fuzz::must(was[i].kind == is[i].kind && was[i].stamp == is[i].stamp && was[i].header == is[i].header &&
                           was[i].content == is[i].content && was[i].doc == is[i].doc && was[i].meta == is[i].meta);
        }
    });
}
