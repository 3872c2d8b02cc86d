// How a change carries operations on a text.
//
// One CBOR octet string of packed operations (text_pack.h), each an octet, then what that octet leaves open:
//     bits 0-1  0 insert right, 1 insert left, 2 delete, 3 delete by change
//     bits 2-3  the replica of `at`: 0 the change's own, 1 the last other one, 2 another one (its 8 octets follow), 3 the root
//     bit 4     `at` has an offset
//     bits 5-7  octets of text or characters deleted, if less than 8; else 0
// In that order follow: the replica; for the own one how many counters back, for others the counter; the offset; the count, less 8;
// the text. An insertion and a deletion of one keystroke take 4 or 3 octets, and the octet string's head.
#include "core/base/cbor.h"
#include "core/record/text_pack.h"

namespace kopdarbs {
namespace {

using text::Packer;
using text::refuse;
using text::Unpacker;

enum Kind : std::uint32_t { insert_right, insert_left, erase_offsets, erase_by_change };
enum Whose : std::uint32_t { own, last_other, another, root };
constexpr std::uint32_t kHasOffset = 1U << 4;
constexpr unsigned kCountShift = 5;
constexpr std::uint32_t kLongCount = 8;
constexpr std::uint32_t kMaxTextBytes = 4 * kMaxTextLength;

Whose whose(const Dot& dot, const Dot& self, const ReplicaId& other) {
    if (dot.is_zero()) return root;
    if (dot.replica == self.replica && !self.is_zero()) return own;
    return dot.replica == other ? last_other : another;
}

void put(const TextOp& op, const Dot& self, ReplicaId& other, Packer& out) {
    const bool inserts = op.deleted == 0;
    const auto size = inserts ? op.text.size() : std::size_t{op.deleted};
    const Kind kind = inserts ? (op.right ? insert_right : insert_left) : (op.by_change ? erase_by_change : erase_offsets);
    const Whose replica = whose(op.at.dot, self, other);
    std::uint32_t head = kind | replica << 2;
    if (op.at.offset > 0) head |= kHasOffset;
    if (size < kLongCount) head |= static_cast<std::uint32_t>(size) << kCountShift;
    out.octet(head);
    if (replica == another) {
        other = op.at.dot.replica;
        out.octets(other.bytes());
    }
    if (replica == own) {
        if (op.at.dot.counter > self.counter) refuse("a character after its own child");
        out.number(self.counter - op.at.dot.counter);
    } else if (replica != root) {
        out.number(op.at.dot.counter);
    }
    if (op.at.offset > 0) out.number(op.at.offset);
    if (size >= kLongCount) out.number(size - kLongCount);
    if (inserts) out.octets(op.text);
}

TextOp take(const Dot& self, ReplicaId& other, Unpacker& in) {
    const std::uint32_t head = in.octet();
    const std::uint32_t kind = head & 3, replica = head >> 2 & 3;
    TextOp op;
    if (replica == another) {
        op.at.dot.replica = ReplicaId::from_bytes(in.octets(ReplicaId::size));
    } else if (replica != root) {
        op.at.dot.replica = replica == own ? self.replica : other;
    }
    if (replica == own) {
        op.at.dot.counter = self.counter - in.number(self.counter);
    } else if (replica != root) {
        op.at.dot.counter = in.number(kMaxCounter);
    }
    if (whose(op.at.dot, self, other) != replica) refuse("an id in another form");
    if (replica == another) other = op.at.dot.replica;
    if ((head & kHasOffset) != 0) {
        op.at.offset = in.number32(kMaxTextLength);
        if (op.at.offset == 0) refuse("an id in another form");
    }
    std::uint32_t size = head >> kCountShift;
    if (size == 0) size = in.number32(kMaxTextBytes) + kLongCount;
    if (kind >= erase_offsets) {
        if (size > kMaxTextLength) refuse("an operation out of bounds");
        op.deleted = size;
        op.by_change = kind == erase_by_change;
    } else {
        op.right = kind == insert_right;
        op.text = in.octets(size);
    }
    return op;
}

}  // namespace

Value encode_text_ops(const std::vector<TextOp>& ops, const Dot& self) {
    Packer out;
    ReplicaId other;
    for (const TextOp& op : ops) {
        if (op.text.empty() == (op.deleted == 0)) refuse("an operation that neither inserts nor deletes");
        put(op, self, other, out);
    }
    CborWriter writer;
    writer.octets(out.bytes());
    return writer.take();
}

std::vector<TextOp> decode_text_ops(BytesView bytes, const Dot& self) {
    CborReader reader(bytes);
    Unpacker in(reader.octets());
    reader.finish();
    std::vector<TextOp> ops;
    ReplicaId other;
    while (!in.done()) ops.push_back(take(self, other, in));
    return ops;
}

}  // namespace kopdarbs
