// core/base/cbor: what the reader accepts is what the writer writes.
#include "core/base/cbor.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

namespace {

void copy(CborWriter& out, CborReader& in) {
    switch (in.peek()) {
        case CborType::uint: out.uint(in.uint()); break;
        case CborType::negative: out.integer(in.integer()); break;
        case CborType::octets: out.octets(in.octets()); break;
        case CborType::text: out.text(in.text()); break;
        case CborType::boolean: out.boolean(in.boolean()); break;
        case CborType::null: in.null(), out.null(); break;
        case CborType::number: out.number(in.number()); break;
        case CborType::array: {
            const std::size_t count = in.array();
            out.array(count);
            for (std::size_t i = 0; i < count; ++i) copy(out, in);
            break;
        }
        case CborType::map: {
            const std::size_t count = in.map();
            out.map(count);
            for (std::size_t i = 0; i < 2 * count; ++i) copy(out, in);
            break;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input = fuzz::input_of(data, size);
    return fuzz::only_errors([&] {
        CborReader check(input);
        const BytesView item = check.item();
        check.finish();
        CborReader in(item);
        CborWriter out;
        copy(out, in);
        in.finish();
        fuzz::must(out.bytes() == input);
    });
}
