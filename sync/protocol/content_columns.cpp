#include "sync/protocol/content_columns.h"

#include "core/log/change.h"

namespace kopdarbs::sync {
namespace {

constexpr std::size_t kMaxPaths = 1'000;
constexpr std::size_t kOctetsOfShapePart = 8;  // what a known shape costs the reader, for each operation
/// In the column of shapes: the content stands whole; a new shape follows; the shapes met so far, from here on.
constexpr std::uint64_t kWhole = 0, kNewShape = 1, kFirstShape = 2;

/// Paths that other changes write too; a line's or a row's belongs to one record. Throws Error{corrupt} for what nobody could read.
bool comes_again(BytesView path) {
    CborReader(path).skip();
    CborReader in(path);
    if (in.peek() != CborType::array || in.array() == 0 || in.peek() != CborType::uint) return false;
    const std::uint64_t kind = in.uint();
    return kind <= static_cast<std::uint64_t>(PathKind::element) || kind == static_cast<std::uint64_t>(PathKind::text) ||
           (kind >= static_cast<std::uint64_t>(PathKind::life) && kind <= static_cast<std::uint64_t>(PathKind::birth));
}

}  // namespace

std::size_t ContentWriter::number_of(BytesView path) {
    const auto known = numbers_.find(path);
    if (known != numbers_.end()) return known->second;
    if (paths_.size() == kMaxPaths || !comes_again(path)) return 0;
    paths_.push_back(path);
    values_.emplace_back();
    return numbers_.emplace(path, paths_.size()).first->second;
}

/// Fills shape_ and parts_; false when the content is of another shape than ours.
bool ContentWriter::read(BytesView content) {
    shape_.clear();
    parts_.clear();
    try {
        CborReader in(content, CborReader::Known{});
        if (in.array() != 1) return false;
        for (std::size_t n = in.array(kMaxOps); n > 0; --n) {
            const BytesView whole = in.item();
            CborReader op(whole, CborReader::Known{});
            std::size_t number = 0;
            if (op.peek() == CborType::array && op.array() == 2) {
                const BytesView path = op.item();
                number = number_of(path);
            }
            shape_.push_back(number);
            parts_.push_back(number == 0 ? whole : op.item());
        }
        in.finish();
        return true;
    } catch (const Error&) {
        return false;
    }
}

void ContentWriter::add(BytesView content, CborWriter& whole) {
    if (!read(content)) {
        shapes_.put(kWhole);
        whole.octets(content);
        return;
    }
    const auto [known, fresh] = known_shapes_.try_emplace(shape_, known_shapes_.size());
    shapes_.put(fresh ? kNewShape : kFirstShape + known->second);
    if (fresh) {
        shapes_.put(shape_.size());
        for (std::size_t number : shape_) shapes_.put(number);
    }
    for (std::size_t i = 0; i < shape_.size(); ++i) values_[shape_[i]].append(parts_[i]);
}

void ContentWriter::write(CborWriter& out) const {
    std::size_t size = 0;
    for (const Bytes& column : values_) size += column.size();
    out.reserve(out.size() + size);
    out.octets(shapes_.octets());
    out.array(paths_.size());
    for (BytesView path : paths_) out.raw(path);
    out.array(values_.size());
    for (const Bytes& column : values_) out.octets(column);
}

ContentReader::ContentReader(CborReader& in) : shapes_(in.octets()) {
    for (std::size_t n = in.array(kMaxPaths); n > 0; --n) paths_.push_back(in.item());
    for (std::size_t n = in.array(kMaxPaths + 1); n > 0; --n) values_.emplace_back(in.octets(), CborReader::Known{});
    if (values_.size() != paths_.size() + 1) fail(ErrorCode::corrupt, "message: other paths than columns");
}

Bytes ContentReader::next(CborReader& whole, Budget& budget) {
    const std::uint64_t code = shapes_.next();
    if (code == kWhole) {
        const BytesView content = whole.octets();
        budget.spend(content.size());
        return Bytes(content);
    }
    if (code == kNewShape) {
        std::vector<std::size_t>& shape = known_shapes_.emplace_back();
        const std::size_t size = shapes_.next_below(kMaxOps + 1);
        budget.spend(size * kOctetsOfShapePart);
        for (std::size_t i = 0; i < size; ++i) shape.push_back(shapes_.next_below(values_.size()));
    } else if (code - kFirstShape >= known_shapes_.size()) {
        fail(ErrorCode::corrupt, "message: a shape that was not met");
    }
    const std::vector<std::size_t>& shape =
        code == kNewShape ? known_shapes_.back() : known_shapes_[static_cast<std::size_t>(code - kFirstShape)];
    CborWriter content;
    content.array(1);
    content.array(shape.size());
    for (std::size_t number : shape) {
        const BytesView part = values_[number].item();
        const BytesView path = number == 0 ? BytesView() : paths_[number - 1];
        budget.spend(part.size() + path.size() + 1);
        if (number > 0) content.array(2);
        content.raw(path);
        content.raw(part);
    }
    return content.take();
}

void ContentReader::finish() const {
    shapes_.finish();
    for (const CborReader& column : values_) column.finish();
}

}  // namespace kopdarbs::sync
