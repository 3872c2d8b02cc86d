// A change: what one person did to one record at one moment, and its bytes (FORMAT.md).
//
// A change is two byte strings: a header, which holds what must outlive an erasure, and a content, which holds the operations.
// Both are kept as they were signed; whatever a newer version appended to either survives unread.
//
// Invariants
//  1. encode_change is the only maker of the bytes; decode_change accepts what it makes and what later versions append to.
//  2. Everything decoded is bounded (the constants below); what is not gives Error{corrupt}.
// Threading: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cbor.h"
#include "core/base/dot.h"
#include "core/base/ids.h"

namespace kopdarbs {

constexpr std::size_t kMaxHeaderBytes = 256 * 1024;
constexpr std::size_t kMaxContentBytes = 8 * 1024 * 1024;
constexpr std::size_t kMaxOps = 20'000;
/// Replicas in one causal context.
constexpr std::size_t kMaxReplicasInContext = 4096;
constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kSaltBytes = 16;

/// What an operation addresses. Numbers are part of the format.
enum class PathKind : std::uint32_t {
    scalar = 0,     ///< [0, field]
    element = 1,    ///< [1, field, element]                value true or false
    row = 2,        ///< [2, field, row]                    value true or false: the row's presence
    column = 3,     ///< [3, field, row, column]
    counter = 4,    ///< [4, field, replica]                value: that replica's total
    text = 5,       ///< [5, field]                         value: text operations, not a register
    line = 6,       ///< [6, field, [replica, counter, offset]]  value: the line's text, null when its newline is gone
    life = 7,       ///< [7]                                value: the causal context that a delete has seen, or null: alive
    seal = 8,       ///< [8]                                value: [context, document]; nothing dominates it
    amendment = 9,  ///< [9]                                value: [context, document]; nothing dominates it
    birth = 10,     ///< [10]                               value: true; written by the change that creates the record
};

/// The address of a register inside a record. Kinds that this version does not know keep their parts in `key` and `sub`.
struct Path {
    std::uint32_t kind = 0;
    std::string field;  ///< empty for kinds without one
    Value key;          ///< third part as one CBOR item, or empty
    Value sub;          ///< what follows it, as CBOR items, or empty

    bool is(PathKind k) const { return kind == static_cast<std::uint32_t>(k); }
    friend bool operator==(const Path& a, const Path& b) {
        return a.kind == b.kind && a.field == b.field && a.key == b.key && a.sub == b.sub;
    }
    friend bool operator<(const Path& a, const Path& b) {
        if (const int order = a.field.compare(b.field); order != 0) return order < 0;
        if (a.kind != b.kind) return a.kind < b.kind;
        if (const int order = a.key.compare(b.key); order != 0) return order < 0;
        return a.sub < b.sub;
    }
};

Path scalar_path(std::string_view field);
Path element_path(std::string_view field, BytesView element);
Path row_path(std::string_view field, std::string_view row);
Path column_path(std::string_view field, std::string_view row, std::string_view column);
Path counter_path(std::string_view field, const ReplicaId& replica);
Path text_path(std::string_view field);
Path record_path(PathKind kind);

void write_path(CborWriter& out, const Path& path);
Path read_path(CborReader& in);
void write_context(CborWriter& out, const Context& context);
Context read_context(CborReader& in);
void write_dot(CborWriter& out, const Dot& dot);
Dot read_dot(CborReader& in);

/// `value` at `path`, above what the change has seen there, but for the siblings that it spares.
struct Op {
    Path path;
    Value value;
    std::vector<Dot> spares;
};

struct Change {
    Dot dot;
    std::uint64_t prev = 0;     ///< counter of this replica's previous change to this record, 0 for none
    std::uint64_t wall_ms = 0;  ///< what the clock said
    Stamp stamp;                ///< the author's hybrid time
    Stamp heard;                ///< the last server time heard
    std::string author;
    ScopeId scope;
    RecordId record;
    std::string type;
    std::uint32_t type_version = 1;
    Context seen;
    std::optional<GroupId> group;
    std::vector<Op> ops;

    Bytes header;   ///< as signed
    Bytes content;  ///< as signed; empty and `erased` when only the header is left
    bool erased = false;
};

/// The header of a change whose content has `content_bytes` octets, from the other members.
Bytes encode_header(const Change& change, std::size_t content_bytes);
/// Fills `header` and `content` from the other members.
void encode_change(Change& change);
/// Reads both; throws Error{corrupt}. With an absent content the change is `erased` and has no ops.
Change decode_change(BytesView header, std::optional<BytesView> content);

}  // namespace kopdarbs
