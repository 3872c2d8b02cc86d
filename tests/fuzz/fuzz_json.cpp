// core/record/json: JSON at the doors becomes a value, and that value prints as JSON of the same value.
#include "core/record/json.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input = fuzz::input_of(data, size);
    fuzz::only_errors([&] { (void)document_from_json(input); });
    return fuzz::only_errors([&] {
        const Value value = value_from_json(input);
        CborReader check(value);
        check.skip();
        check.finish();
        fuzz::must(value_from_json(to_json(value)) == value);
    });
}
