#include "core/log/change.h"

#include "core/base/error.h"

namespace kopdarbs {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kHeaderParts = 15;
constexpr std::size_t kUsualHeaderBytes = 256;

Value encoded_text(std::string_view text) {
    CborWriter w;
    w.text(text);
    return w.take();
}

/// Shorter lines are written out.
constexpr std::size_t kShortestReference = 16;

/// The text operations of the same change and field, which stand before its lines; null when there are none.
const Op* text_of_line(const std::vector<Op>& ops, const Path& line) {
    for (const Op& op : ops)
        if (op.path.is(PathKind::text) && op.path.field == line.field) return &op;
    return nullptr;
}

/// A line that this very change inserted is not written twice: [offset, length] says where its octets stand in the encoded text operations.
void write_value(CborWriter& out, const std::vector<Op>& ops, const Op& op) {
    const Op* text = op.path.is(PathKind::line) && CborReader(op.value).peek() == CborType::text ? text_of_line(ops, op.path) : nullptr;
    if (text != nullptr && text < &op) {
        const std::string_view line = CborReader(op.value, CborReader::Known{}).text();
        const std::size_t at = line.size() < kShortestReference ? Value::npos : text->value.find(line);
        if (at != Value::npos) {
            out.array(2);
            out.uint(at);
            out.uint(line.size());
            return;
        }
    }
    out.raw(op.value);
}

Value read_value(CborReader& in, const std::vector<Op>& ops, const Path& path) {
    if (!path.is(PathKind::line) || in.peek() != CborType::array) return Value(in.item());
    const Op* text = text_of_line(ops, path);
    if (text == nullptr || in.array() != 2) fail(ErrorCode::corrupt, "a line of another shape");
    const std::uint64_t at = in.uint(text->value.size());
    const std::uint64_t size = in.uint(text->value.size() - at);
    const std::string_view line = BytesView(text->value).substr(static_cast<std::size_t>(at), static_cast<std::size_t>(size));
    if (!is_utf8(line)) fail(ErrorCode::corrupt, "a line that is not UTF-8");
    return encoded_text(line);
}

bool has_field(std::uint32_t kind) {
    return kind <= static_cast<std::uint32_t>(PathKind::line);
}

}  // namespace

Path scalar_path(std::string_view field) {
    return {static_cast<std::uint32_t>(PathKind::scalar), std::string(field), {}, {}};
}
Path element_path(std::string_view field, BytesView element) {
    return {static_cast<std::uint32_t>(PathKind::element), std::string(field), Value(element), {}};
}
Path row_path(std::string_view field, std::string_view row) {
    return {static_cast<std::uint32_t>(PathKind::row), std::string(field), encoded_text(row), {}};
}
Path column_path(std::string_view field, std::string_view row, std::string_view column) {
    return {static_cast<std::uint32_t>(PathKind::column), std::string(field), encoded_text(row), encoded_text(column)};
}
Path counter_path(std::string_view field, const ReplicaId& replica) {
    CborWriter w;
    w.octets(replica.bytes());
    return {static_cast<std::uint32_t>(PathKind::counter), std::string(field), w.take(), {}};
}
Path text_path(std::string_view field) {
    return {static_cast<std::uint32_t>(PathKind::text), std::string(field), {}, {}};
}
Path record_path(PathKind kind) {
    return {static_cast<std::uint32_t>(kind), {}, {}, {}};
}

void write_path(CborWriter& out, const Path& path) {
    // Kinds of the record have one part; `sub` of an unknown kind may hold several items, which are counted again here.
    std::size_t parts = 1 + (has_field(path.kind) ? 1U : 0U) + (path.key.empty() ? 0U : 1U);
    for (CborReader in(path.sub); !in.done(); in.skip()) ++parts;
    out.array(parts);
    out.uint(path.kind);
    if (has_field(path.kind)) out.text(path.field);
    out.raw(path.key);
    out.raw(path.sub);
}

Path read_path(CborReader& in) {
    Path path;
    std::size_t parts = in.array(8);
    if (parts == 0) fail(ErrorCode::corrupt, "an operation without a path");
    path.kind = static_cast<std::uint32_t>(in.uint(0xffff));
    --parts;
    if (has_field(path.kind)) {
        if (parts == 0) fail(ErrorCode::corrupt, "a path without its field");
        path.field = in.text(kMaxNameBytes);
        --parts;
    }
    if (parts > 0) {
        path.key = in.item();
        --parts;
    }
    for (; parts > 0; --parts) path.sub += in.item();
    const auto expect = [&](bool key, bool sub) {
        if (path.key.empty() == key || path.sub.empty() == sub) fail(ErrorCode::corrupt, "a path with wrong parts");
    };
    switch (path.kind) {
        case 0:
        case 5:
        case 7:
        case 8:
        case 9:
        case 10: expect(false, false); break;
        case 1:
        case 6: expect(true, false); break;
        case 2: expect(true, false), (void)CborReader(path.key).text(kMaxNameBytes); break;
        case 3: {
            expect(true, true);
            (void)CborReader(path.key).text(kMaxNameBytes);
            CborReader column(path.sub);
            (void)column.text(kMaxNameBytes);
            column.finish();
            break;
        }
        case 4: expect(true, false), (void)CborReader(path.key).octets(ReplicaId::size); break;
        default: break;
    }
    return path;
}

void write_context(CborWriter& out, const Context& context) {
    out.map(context.entries().size());
    for (const auto& [replica, counter] : context.entries()) {
        out.octets(replica.bytes());
        out.uint(counter);
    }
}

Context read_context(CborReader& in) {
    Context context;
    const std::size_t count = in.map();
    if (count > kMaxReplicasInContext) fail(ErrorCode::corrupt, "a causal context out of bounds");
    ReplicaId last;
    for (std::size_t i = 0; i < count; ++i) {
        const ReplicaId replica = ReplicaId::from_bytes(in.octets(ReplicaId::size));
        const std::uint64_t counter = in.uint(kMaxCounter);
        if (counter == 0 || (i > 0 && !(last < replica))) fail(ErrorCode::corrupt, "a causal context out of order");
        context.set(replica, counter);
        last = replica;
    }
    return context;
}

void write_dot(CborWriter& out, const Dot& dot) {
    out.array(2);
    out.octets(dot.replica.bytes());
    out.uint(dot.counter);
}

Dot read_dot(CborReader& in) {
    if (in.array() != 2) fail(ErrorCode::corrupt, "not a dot");
    Dot dot;
    dot.replica = ReplicaId::from_bytes(in.octets(ReplicaId::size));
    dot.counter = in.uint(kMaxCounter);
    return dot;
}

Bytes encode_header(const Change& change, std::size_t content_bytes) {
    CborWriter header;
    header.reserve(kUsualHeaderBytes);
    header.array(kHeaderParts);
    header.uint(kVersion);
    header.octets(change.dot.replica.bytes());
    header.uint(change.dot.counter);
    header.uint(change.prev);
    header.uint(change.wall_ms);
    header.uint(change.stamp.packed);
    header.uint(change.heard.packed);
    header.text(change.author);
    header.octets(change.scope.bytes());
    header.octets(change.record.bytes());
    header.text(change.type);
    header.uint(change.type_version);
    write_context(header, change.seen);
    header.uint(content_bytes);
    change.group ? header.octets(change.group->bytes()) : header.null();
    return header.take();
}

void encode_change(Change& change) {
    std::size_t size = 64;
    for (const Op& op : change.ops) size += op.path.field.size() + op.path.key.size() + op.path.sub.size() + op.value.size() + 16;
    CborWriter content;
    content.reserve(size);
    content.array(1);
    content.array(change.ops.size());
    for (const Op& op : change.ops) {
        content.array(op.spares.empty() ? 2 : 3);
        write_path(content, op.path);
        write_value(content, change.ops, op);
        if (op.spares.empty()) continue;
        content.array(op.spares.size());
        for (const Dot& dot : op.spares) write_dot(content, dot);
    }
    change.content = content.take();
    change.header = encode_header(change, change.content.size());
    change.erased = false;
}

Change decode_change(BytesView header_bytes, std::optional<BytesView> content_bytes) {
    if (header_bytes.size() > kMaxHeaderBytes) fail(ErrorCode::corrupt, "a change's header out of bounds");
    Change change;
    CborReader header(header_bytes);
    const std::size_t parts = header.array();
    if (parts < kHeaderParts || header.uint() < kVersion) fail(ErrorCode::corrupt, "not a change");
    change.dot.replica = ReplicaId::from_bytes(header.octets(ReplicaId::size));
    change.dot.counter = header.uint(kMaxCounter);
    change.prev = header.uint(kMaxCounter);
    change.wall_ms = header.uint(kMaxCounter);
    change.stamp.packed = header.uint(kMaxStampMs << 16 | 0xffff);
    change.heard.packed = header.uint(kMaxStampMs << 16 | 0xffff);
    change.author = header.text(kMaxNameBytes);
    change.scope = ScopeId::from_bytes(header.octets(ScopeId::size));
    change.record = RecordId::from_bytes(header.octets(RecordId::size));
    change.type = header.text(kMaxNameBytes);
    change.type_version = static_cast<std::uint32_t>(header.uint(UINT32_MAX));
    change.seen = read_context(header);
    const std::uint64_t content_size = header.uint(kMaxContentBytes);
    if (header.peek() == CborType::null)
        header.null();
    else
        change.group = GroupId::from_bytes(header.octets(GroupId::size));
    for (std::size_t i = kHeaderParts; i < parts; ++i) header.skip();
    header.finish();
    if (change.dot.counter == 0 || change.prev >= change.dot.counter) fail(ErrorCode::corrupt, "a change numbered wrongly");
    if (change.seen.at(change.dot.replica) >= change.dot.counter) fail(ErrorCode::corrupt, "a change that has seen itself");
    change.header = header_bytes;
    if (!content_bytes) {
        change.erased = true;
        return change;
    }
    if (content_bytes->size() != content_size) fail(ErrorCode::corrupt, "a change's content has another size than its header says");
    CborReader content(*content_bytes);
    std::size_t content_parts = content.array();
    if (content_parts == 0) fail(ErrorCode::corrupt, "a change without operations");
    const std::size_t count = content.array(kMaxOps);
    change.ops.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        Op op;
        std::size_t op_parts = content.array();
        if (op_parts < 2) fail(ErrorCode::corrupt, "an operation without its value");
        op.path = read_path(content);
        op.value = read_value(content, change.ops, op.path);
        if (op_parts > 2) {
            for (std::size_t n = content.array(kMaxOps); n > 0; --n) op.spares.push_back(read_dot(content));
        }
        for (; op_parts > 3; --op_parts) content.skip();
        change.ops.push_back(std::move(op));
    }
    for (; content_parts > 1; --content_parts) content.skip();
    content.finish();
    change.content = *content_bytes;
    return change;
}

}  // namespace kopdarbs
