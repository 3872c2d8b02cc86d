// sync/protocol/messages: what a server answers.
#include <optional>

#include "sync/protocol/messages.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

namespace {

void must_equal(const std::vector<Entry>& was, const std::vector<Entry>& is) {
    fuzz::must(was.size() == is.size());
    for (std::size_t i = 0; i < was.size(); ++i)
        fuzz::must(was[i].kind == is[i].kind && was[i].stamp == is[i].stamp && was[i].header == is[i].header &&
                   was[i].content == is[i].content && was[i].record == is[i].record && was[i].type == is[i].type &&
                   was[i].doc == is[i].doc && was[i].meta == is[i].meta);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::optional<sync::SyncResponse> read;
    fuzz::only_errors([&] { read = sync::decode_response(fuzz::input_of(data, size)); });
    if (!read) return 0;
    // Outside: a message that we write and would refuse ourselves ends the program.
    const Bytes once = sync::encode(*read);
    const sync::SyncResponse again = sync::decode_response(once);
    fuzz::must(sync::encode(again) == once && again.incoming.pages.size() == read->incoming.pages.size());
    must_equal(read->incoming.states, again.incoming.states);
    for (std::size_t p = 0; p < read->incoming.pages.size(); ++p)
        must_equal(read->incoming.pages[p].entries, again.incoming.pages[p].entries);
    return 0;
}
