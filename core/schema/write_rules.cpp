// Who may write what, from which value to which: judged on the state that the change had seen, on device and server alike.
#include <algorithm>

#include "core/schema/schema.h"

namespace kopdarbs {
namespace {

using Roles = std::vector<std::string>;

constexpr std::string_view kAuthor = "author";
constexpr std::string_view kOwnSection = "own";

bool is_null(BytesView value) {
    return value.empty() || value == "\xf6";
}

bool is_author(const Writer& writer) {
    return writer.creating || writer.creator == writer.user;
}

bool in(const std::string& role, const Roles& roles) {
    return std::find(roles.begin(), roles.end(), role) != roles.end();
}

bool holds_any(const Writer& writer, const Roles& roles) {
    return std::any_of(roles.begin(), roles.end(),
                       [&](const std::string& role) { return role == kAuthor ? is_author(writer) : in(role, writer.roles); });
}

bool one_of(BytesView value, const std::vector<Value>& values) {
    return std::any_of(values.begin(), values.end(), [&](const Value& one) { return is_null(one) ? is_null(value) : value == one; });
}

Problem refused(const std::string& field, const Label& label, const char* lv, const char* en) {
    return Problem{field, {label.lv + ": " + lv, label.en + ": " + en}, false};
}

bool moves_so(const Transition& transition, const FieldSchema& field, BytesView before, BytesView after) {
    if (!transition.from.empty() && !one_of(before, transition.from)) return false;
    if (!transition.to.empty() && !one_of(after, transition.to)) return false;
    switch (transition.direction) {
        case Transition::Direction::any: return true;
        case Transition::Direction::up: return field.rank(after) > field.rank(before);
        case Transition::Direction::down: return field.rank(after) < field.rank(before);
    }
    return false;
}

bool has_required(const Transition& transition, const Writer& writer) {
    if (!transition.requires_record) return true;
    const Transition::Requirement& wanted = *transition.requires_record;
    return writer.exists && writer.exists(wanted.type, wanted.field, wanted.value, wanted.link);
}

std::optional<Problem> judge_transition(const Writer& writer, const FieldSchema& field, BytesView before, BytesView after) {
    const Transition::Requirement* missing = nullptr;
    for (const Transition& transition : field.transitions) {
        if (!transition.roles.empty() && !holds_any(writer, transition.roles)) continue;
        if (!moves_so(transition, field, before, after)) continue;
        if (has_required(transition, writer)) return std::nullopt;
        missing = &*transition.requires_record;
    }
    if (missing == nullptr)
        return refused(field.name, field.label, "jūsu lomai šāda vērtības maiņa nav atļauta", "your role may not change it to this value");
    return Problem{field.name,
                   {field.label.lv + ": vispirms vajadzīgs ieraksts, kas to atļauj (" + missing->type + "." + missing->field + ")",
                    field.label.en + ": needs a record that allows it first (" + missing->type + "." + missing->field + ")"},
                   false};
}

}  // namespace

const std::vector<std::string>& TypeSchema::writers_here(const Writer& writer) const {
    const auto here = writers_in_.find(writer.section);
    return here == writers_in_.end() ? writers_ : here->second;
}

bool TypeSchema::may_resolve(const Writer& writer, const FieldSchema& field) const {
    // In a user's own scope the only two sides are that user's own devices.
    if (writer.section == kOwnSection && is_author(writer)) return true;
    if (!field.resolvers.empty()) return holds_any(writer, field.resolvers);
    if (!field.writers.empty()) return holds_any(writer, field.writers);
    return holds_any(writer, writers_here(writer)) || holds_any(writer, resolvers_);
}

bool TypeSchema::is_draft(const Writer& writer) const {
    const Value now = writer.shown ? writer.shown(draft_field_) : Value();
    return is_null(now) || one_of(now, draft_values_);
}

std::optional<Problem> TypeSchema::judge_record(const Writer& writer) const {
    if (!writer.creating) {
        if (holds_any(writer, writers_here(writer)) || holds_any(writer, guests_)) return std::nullopt;
        return refused("", label_, "jūsu lomai nav atļauts mainīt šādu ierakstu", "your role may not change such a record");
    }
    // A type that names no sections is at home everywhere.
    const bool at_home = sections_.empty() ||
                         std::any_of(sections_.begin(), sections_.end(), [&](const auto& entry) { return entry.second == writer.section; });
    if (!at_home) return refused("", label_, "šāds ieraksts te neglabājas", "such a record does not belong here");
    const bool own = writer.section == kOwnSection && writers_in_.find(kOwnSection) != writers_in_.end();
    if (holds_any(writer, creators_.empty() || own ? writers_here(writer) : creators_)) return std::nullopt;
    return refused("", label_, "jūsu lomai te nav atļauts veidot šādu ierakstu", "your role may not create such a record here");
}

std::optional<Problem> TypeSchema::judge_field(const Writer& writer, const FieldSchema& field, BytesView before, BytesView after,
                                               bool resolves) const {
    if (resolves) {
        if (!may_resolve(writer, field))
            return refused(field.name, field.label, "jūsu lomai nav atļauts izšķirt šo konfliktu",
                           "your role may not resolve this conflict");
    } else if (!holds_any(writer, field.writers.empty() ? writers_here(writer) : field.writers)) {
        return refused(field.name, field.label, "jūsu lomai nav atļauts to mainīt", "your role may not change it");
    }
    // Sets, rows, counters and text have no value before and after, so a draft's end has to stop every write of theirs.
    const bool changes = field.kind() != Kind::scalar || !(is_null(before) ? is_null(after) : before == after);
    if (!changes) return std::nullopt;
    if (!resolves && field.draft && !is_draft(writer))
        return refused(field.name, field.label, "ieraksts vairs nav melnraksts", "the record is no longer a draft");
    if (!resolves && field.once && !is_null(before))
        return refused(field.name, field.label, "jau ierakstīts, un raksta tikai vienreiz", "is written once and has its value");
    if (field.kind() != Kind::scalar || field.transitions.empty()) return std::nullopt;
    return judge_transition(writer, field, before, after);
}

std::optional<Problem> TypeSchema::judge_seal(const Writer& writer) const {
    if (!document_) return refused("", label_, "šādu ierakstu neparaksta", "such a record is not sealed");
    if (holds_any(writer, sealers_)) return std::nullopt;
    return refused("", label_, "jūsu lomai nav atļauts to parakstīt", "you may not seal it");
}

std::optional<Problem> TypeSchema::judge_amend(const Writer& writer) const {
    if (!document_) return refused("", label_, "šādu ierakstu neparaksta", "such a record is not sealed");
    if (holds_any(writer, amenders_.empty() ? writers_here(writer) : amenders_)) return std::nullopt;
    return refused("", label_, "jūsu lomai nav atļauts to labot", "your role may not amend it");
}

std::optional<Problem> TypeSchema::judge_delete(const Writer& writer) const {
    if (holds_any(writer, deleters_.empty() ? writers_here(writer) : deleters_)) return std::nullopt;
    return refused("", label_, "jūsu lomai nav atļauts to dzēst", "your role may not delete it");
}

}  // namespace kopdarbs
