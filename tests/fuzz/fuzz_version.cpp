// core/record/view: a version as a person may type it; core/base: dots and ids.
#include "core/record/view.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input = fuzz::input_of(data, size);
    fuzz::only_errors([&] { fuzz::must(parse_dot(to_string(parse_dot(input))) == parse_dot(input)); });
    fuzz::only_errors([&] { fuzz::must(parse_record_id(to_string(parse_record_id(input))) == parse_record_id(input)); });
    return fuzz::only_errors([&] {
        const Version version = parse_version(input);
        const std::string printed = to_string(version);
        fuzz::must(to_string(parse_version(printed)) == printed);
    });
}
