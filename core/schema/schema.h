// Record types as data: JSON Schema 2020-12 with our keywords (SCHEMA.md), compiled once to what a save needs.
//
// A type says for each field what kind it is and how concurrent values are shown (merge policy), what values are valid, who may
// write it, from which value to which and until when, how it is called in Latvian and English, and whether it is searched.
//
// Invariants
//  1. A published field never changes its kind; SchemaSet::add refuses. latest, review and highest are views of one kind.
//  2. Unknown fields, types and keywords are kept by everyone and never dropped; only *writing* an unknown field is refused.
//  3. Validation and rules are functions of their arguments: the same on device and server.
// Threading: immutable once built; may be shared between threads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cbor.h"

namespace kopdarbs {

enum class Merge { latest, review, highest, set, rows, counter, text };
enum class Kind { scalar, set, rows, counter, text };
Kind kind_of(Merge merge);

/// A text in both languages.
struct Label {
    std::string lv;
    std::string en;
};

/// Why a value or a write is not accepted. `warning` only informs.
struct Problem {
    std::string field;
    Label reason;
    bool warning = false;
};

/// Rights and facts that a write rule looks at.
struct Writer {
    std::string user;                ///< id of the author
    std::vector<std::string> roles;  ///< the author's roles on the record's scope
    std::string section;             ///< the scope's section ("visits", "intake", "own"…)
    bool creating = false;           ///< the record has no change before this one
    std::string creator;             ///< author of the record's first change
    /// Whether a live record of `type` exists, in a scope that the author reads, with `field` equal to `value` (canonical CBOR)
    /// and `link` equal to the id of the record being written.
    std::function<bool(std::string_view type, std::string_view field, BytesView value, std::string_view link)> exists;
    /// The shown value of another scalar field of this record at the change's `seen` (canonical CBOR; null is absence). Asked only for
    /// the field that a type's `draft` names. An empty function stands for absence.
    std::function<Value(std::string_view field)> shown;
};

class ValueRule;  // validation of one value, in schema/value_rule.h

struct Transition {
    std::vector<std::string> roles;                                     ///< empty: any writing role
    std::vector<Value> from;                                            ///< empty: any value, absence too
    std::vector<Value> to;                                              ///< empty: any value
    enum class Direction { any, up, down } direction = Direction::any;  ///< by the order of a `highest` field
    /// Another record that must exist (Writer::exists), as {type, field, value, link}.
    struct Requirement {
        std::string type, field, link;
        Value value;
    };
    std::optional<Requirement> requires_record;
};

struct FieldSchema {
    std::string name;
    Merge merge = Merge::latest;
    Label label;
    bool searched = false;
    bool once = false;
    bool draft = false;                   ///< written only while the record is a draft (keyword `draft` of the type)
    bool judged = false;                  ///< somebody may write other fields of this type, but not all of them
    std::vector<std::string> writers;     ///< empty: the type's writers
    std::vector<std::string> resolvers;   ///< empty: the field's writers, and the type's resolvers if it has no writers of its own
    std::vector<Transition> transitions;  ///< empty: any
    std::vector<Value> order;             ///< `highest`: values from the mildest to the gravest
    std::map<std::string, FieldSchema, std::less<>> columns;  ///< `rows`: the subfields
    std::shared_ptr<const ValueRule> rule;
    /// One value (for sets: one element), as canonical CBOR; null is absence and always valid. Absent when the value is good; a Problem
    /// with `warning` set when it is only doubtful. Throws Error{corrupt} when `value` is not one item of canonical CBOR.
    std::optional<Problem> check(BytesView value) const;
    /// Whether judge_field has anything to look at beyond what judge_record has; when false it need not be called.
    bool has_write_rule() const { return once || draft || judged || !writers.empty() || !resolvers.empty() || !transitions.empty(); }
    Kind kind() const { return kind_of(merge); }
    /// Place in `order`, or -1 for a value that is not in it.
    int rank(BytesView value) const;
};

class TypeSchema {
public:
    const std::string& name() const { return name_; }
    std::uint32_t version() const { return version_; }
    const Label& label() const { return label_; }
    /// Absent for a field that this schema does not know.
    const FieldSchema* field(std::string_view name) const;
    const std::vector<FieldSchema>& fields() const { return fields_; }
    /// The section that a record of this type gets under a target of `kind` ("file", "unit", "own"…), empty when it may not live there.
    std::string section_under(std::string_view kind) const;
    /// Up to two fields by which lists are indexed.
    const std::vector<std::string>& list_by() const { return list_by_; }
    /// May be sealed, and only amended from then on.
    bool is_document() const { return document_; }
    /// The JSON text it was read from, verbatim.
    const std::string& source() const { return source_; }

    /// FieldSchema::check by name; for rows of a subfield with `column`. A field that is not known is a Problem.
    std::optional<Problem> check(std::string_view field, std::string_view column, BytesView value) const;

    /// Whether `writer` may write records of this type at all, here (creating or not): some field of it, at least.
    std::optional<Problem> judge_record(const Writer& writer) const;
    /// Whether `writer` may change `field` from what was shown, `before`, to `after` (canonical CBOR; null is absence; for sets, rows,
    /// counters and text both are null and only the role is judged). `resolves`: the change covers two differing siblings.
    std::optional<Problem> judge_field(const Writer& writer, const FieldSchema& field, BytesView before, BytesView after,
                                       bool resolves) const;
    std::optional<Problem> judge_seal(const Writer& writer) const;
    std::optional<Problem> judge_amend(const Writer& writer) const;
    std::optional<Problem> judge_delete(const Writer& writer) const;

private:
    friend class TypeReader;
    const std::vector<std::string>& writers_here(const Writer& writer) const;
    bool may_resolve(const Writer& writer, const FieldSchema& field) const;
    bool is_draft(const Writer& writer) const;
    std::string name_, source_;
    std::uint32_t version_ = 1;
    Label label_;
    bool document_ = false;
    std::vector<FieldSchema> fields_;
    /// Of a name's length and its first eight octets: tells most names apart with one comparison.
    static std::uint64_t key_of(std::string_view name);
    std::vector<std::pair<std::uint64_t, std::size_t>> by_name_;  ///< keys and places in fields_, sorted
    std::vector<std::string> list_by_;
    std::map<std::string, std::string, std::less<>> sections_;
    std::vector<std::string> writers_, creators_, deleters_, sealers_, amenders_, resolvers_;
    std::vector<std::string> guests_;  // roles that only some field names as its writers or resolvers
    std::string draft_field_;          // the record is a draft while this field's value is absent or one of draft_values_
    std::vector<Value> draft_values_;
    std::map<std::string, std::vector<std::string>, std::less<>> writers_in_;  // by section
};

/// What a role reads, by kind of assignment: roles.json.
struct RoleSchema {
    std::string name;
    Label label;
    std::vector<std::string> of_file;         ///< sections of an assigned file
    std::vector<std::string> of_files_unit;   ///< sections of the unit that an assigned file belongs to
    std::vector<std::string> of_unit;         ///< sections of an assigned unit
    std::vector<std::string> of_units_files;  ///< sections of every file of an assigned unit
    std::vector<std::string> of_units_users;  ///< sections of the unit's workers' own scopes
    bool own = true;                          ///< has an own scope
};

/// All types, roles and code lists that a municipality uses.
class SchemaSet {
public:
    /// Reads one type. A later version replaces an earlier one. Throws Error{invalid} naming what is wrong, and when a field that
    /// was there changes its kind or disappears; nothing is changed then.
    void add(std::string_view json);
    /// {"roles": {...}}; throws Error{invalid}.
    void set_roles(std::string_view json);
    const TypeSchema* type(std::string_view name) const;
    std::vector<const TypeSchema*> types() const;  ///< in order of name
    const RoleSchema* role(std::string_view name) const;
    /// The types and roles that every municipality starts with (types/*.json, embedded at build time).
    static SchemaSet built_in();

private:
    std::map<std::string, std::shared_ptr<const TypeSchema>, std::less<>> types_;
    std::map<std::string, RoleSchema, std::less<>> roles_;
};

/// Latvian personal code (DOMAIN.md): absent when its form is neither old nor new; otherwise whether date and check digit agree.
std::optional<bool> personal_code_agrees(std::string_view code);

}  // namespace kopdarbs
