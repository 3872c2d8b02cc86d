// core/schema: a record type from a municipality's file, and one value judged by it.
#include "core/schema/schema.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input = fuzz::input_of(data, size);
    return fuzz::only_errors([&] {
        SchemaSet set;
        set.add(input);
        const auto types = set.types();
        fuzz::must(types.size() == 1 && types[0]->source() == input);
        CborWriter value;
        value.text("2026-11-22");
        for (const FieldSchema& field : types[0]->fields()) {
            fuzz::only_errors([&] { (void)types[0]->check(field.name, {}, value.bytes()); });
            Writer writer;
            writer.roles = {"supervisor"};
            fuzz::only_errors([&] { (void)types[0]->judge_field(writer, field, value.bytes(), value.bytes(), false); });
        }
        set.add(input);  // the same again is no change
        fuzz::must(set.types().size() == 1);
    });
}
