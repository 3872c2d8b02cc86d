// core/record/text: a text's structure beside what it shows, and operations on it.
#include "core/record/text.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    BytesView rest = fuzz::input_of(data, size);
    const BytesView structure = fuzz::first_part(rest), shown = fuzz::first_part(rest);
    Dot self;
    self.replica.octets[0] = 9;
    self.counter = 1'000;
    Text text;
    fuzz::only_errors([&] {
        text = Text::decode(structure, shown);
        fuzz::must(text.encode() == structure && text.structure() == structure && text.text() == shown);
        Text joined = text;
        joined.join(text);
        fuzz::must(joined.encode() == structure && joined.structure() == structure);
    });
    return fuzz::only_errors([&] {
        const std::vector<TextOp> ops = decode_text_ops(rest, self);
        fuzz::must(encode_text_ops(ops, self) == rest);
        Text edited = text;
        try {
            edited.apply(self, ops);
        } catch (const Error&) {
            fuzz::must(edited.encode() == text.encode());
            throw;
        }
        const Value after = edited.encode();
        fuzz::must(edited.structure() == after);
        fuzz::must(Text::decode(after, edited.text()).encode() == after);
        edited.apply(self, ops);
        fuzz::must(edited.encode() == after);
    });
}
