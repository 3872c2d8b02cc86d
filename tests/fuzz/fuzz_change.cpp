// core/log/change: header and content of a change.
#include "core/log/change.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    BytesView content = fuzz::input_of(data, size);
    const BytesView header = fuzz::first_part(content);
    fuzz::only_errors([&] { (void)decode_change(header, std::nullopt); });
    return fuzz::only_errors([&] {
        const Change change = decode_change(header, content);
        fuzz::must(change.header == header && change.content == content);
        Change once = change;
        encode_change(once);
        Change twice = decode_change(once.header, BytesView(once.content));
        encode_change(twice);
        fuzz::must(twice.header == once.header && twice.content == once.content);
        if (once.content.size() == content.size()) fuzz::must(once.content == content);
        // A newer version may have written it; it says so in the header's first part.
        const bool ours = header.size() > 1 && header[1] == once.header[1];
        if (ours && once.content == content && once.header.size() == header.size()) fuzz::must(once.header == header);
    });
}
