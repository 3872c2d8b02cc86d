// core/record/state: whole states, as snapshots and rows carry them; what is accepted can be shown, joined and written back.
#include "core/record/json.h"
#include "core/record/view.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

namespace {

void use(const RecordState& state) {
    const RecordState::Document document = shown_document(state, nullptr);
    (void)document_to_json(document);
    (void)version_of(state, nullptr);
    (void)state.deleted();
    RecordState joined = state;
    joined.join(state);
    fuzz::must(joined.encode() == state.encode());
    const Value meta = state.encode_beside(document);
    fuzz::must(RecordState::decode_beside(meta, document).encode() == state.encode());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input = fuzz::input_of(data, size);
    fuzz::only_errors([&] {
        const RecordState state = RecordState::decode(input);
        fuzz::must(state.encode() == input);
        use(state);
    });
    return fuzz::only_errors([&] {
        BytesView doc = input;
        const BytesView meta = fuzz::first_part(doc);
        use(RecordState::decode_beside(meta, document_from_json(doc)));
    });
}
