// Contents by columns: the paths of a content are its shape, most shapes come again, and the values of one path stand together.
//
// Threading: values of one message's writing or reading. Errors: Error{corrupt} when reading.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "core/base/cbor.h"
#include "sync/protocol/budget.h"
#include "sync/protocol/column.h"

namespace kopdarbs::sync {

class ContentWriter {
public:
    /// Borrows `content`, which must outlive this. What is of another shape than ours goes to `whole`.
    void add(BytesView content, CborWriter& whole);
    void write(CborWriter& out) const;

private:
    bool read(BytesView content);
    std::size_t number_of(BytesView path);

    std::vector<BytesView> paths_;
    std::unordered_map<BytesView, std::size_t> numbers_;
    std::map<std::vector<std::size_t>, std::size_t> known_shapes_;
    ColumnWriter shapes_;
    std::vector<Bytes> values_ = {{}};  // by path number; at 0 operations that stand whole
    std::vector<std::size_t> shape_;    // of the content that is being read
    std::vector<BytesView> parts_;
};

class ContentReader {
public:
    explicit ContentReader(CborReader& in);
    /// The next content; `whole` gives those that stand whole.
    Bytes next(CborReader& whole, Budget& budget);
    void finish() const;

private:
    std::vector<BytesView> paths_;
    std::vector<std::vector<std::size_t>> known_shapes_;
    ColumnReader shapes_;
    std::vector<CborReader> values_;
};

}  // namespace kopdarbs::sync
