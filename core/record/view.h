// What is shown of a record's state, and what waits for a person: the policies (DESIGN.md), as functions of the state and the schema alone.
//
// Invariants
//  1. Every view is a function of (state, type): two replicas with one state show one document and one list of review items.
//  2. No view drops a value: what is not shown stands in a review item or stays in the register.
//  3. Review items are computed, never stored; an item's id names its sibling dots, so a decision on a stale item finds none.
// Threading: pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/env/env.h"
#include "core/record/state.h"
#include "core/schema/schema.h"

namespace kopdarbs {

enum class ReviewKind { value, text, once, deleted, sealed };
const char* to_string(ReviewKind kind);

/// One of the values between which a person decides.
struct Candidate {
    Value value;
    std::string author;
    Stamp stamp;
    Dot dot;
};

struct ReviewItem {
    std::string id;  ///< 26 characters of base 32
    ReviewKind kind = ReviewKind::value;
    Path path;
    std::string field;              ///< as printed: "field" or "field.row.column"; empty for deleted and sealed
    std::vector<Candidate> values;  ///< sorted by stamp, then dot
};

/// The policy under which `path` is shown and spared; fields and types that the schema does not know count as review.
Merge policy_of(const Path& path, const TypeSchema* type);
/// The schema of the field, or of the rows' column, that `path` addresses; null when unknown.
const FieldSchema* schema_of(const Path& path, const TypeSchema* type);

/// Whether ordinary writes at `path` spare siblings that differ.
bool spares_siblings(const Path& path, const TypeSchema* type);

/// The value shown of a register (the others lose, visibly).
const Sibling& shown_sibling(const RecordState& state, const Register& reg, const TypeSchema* type);

/// The fields as shown, sorted by name, absent ones left out. A sealed record shows its sealed document with its newest amendment.
RecordState::Document shown_document(const RecordState& state, const TypeSchema* type);
std::string document_to_json(const RecordState::Document& document);
/// As one CBOR map, as a seal carries it, and back.
Value document_to_value(const RecordState::Document& document);
RecordState::Document document_from_value(BytesView value);

bool is_sealed(const RecordState& state);
/// The paths that a sealed record asks about (ReviewKind::sealed), sorted: an amendment leaves open what it does not decide.
std::vector<Path> open_in_sealed(const RecordState& state);
std::vector<ReviewItem> review_items(Crypto& crypto, const RecordId& record, const RecordState& state, const TypeSchema* type);

/// What a reader of a record has seen: printed by `get`, given back as `--base`.
struct Version {
    Context seen;
    std::map<Path, std::vector<Dot>> contested;  ///< siblings that differed, where ordinary writes spare them
};
Version version_of(const RecordState& state, const TypeSchema* type);
std::string to_string(const Version& version);
/// Throws Error{invalid}.
Version parse_version(std::string_view text);

}  // namespace kopdarbs
