#include "core/record/rules.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/record/draft.h"
#include "core/record/json.h"

namespace kopdarbs {
namespace {

Problem refuse(std::string field, const char* lv, const char* en) {
    return {std::move(field), {lv, en}, false};
}

Problem wrong_kind(const std::string& field) {
    return refuse(field, "šim laukam šāda darbība neder", "this operation does not fit the field");
}

/// The siblings that the change covers at `path`, as its author saw them.
bool covers_differing(const Op& op, const RecordState& at_seen, const TypeSchema& type) {
    const Register* reg = at_seen.find(op.path);
    if (reg == nullptr || reg->siblings.size() < 2 || !spares_siblings(op.path, &type)) return false;
    const Value* first = nullptr;
    for (const Sibling& s : reg->siblings) {
        if (std::find(op.spares.begin(), op.spares.end(), s.dot) != op.spares.end()) continue;
        if (first != nullptr && *first != s.value) return true;
        first = &s.value;
    }
    return false;
}

class Judge {
public:
    Judge(const Change& change, const RecordState& at_seen, const TypeSchema& type, const Writer& writer, std::vector<Problem>* warnings)
        : change_(change), at_seen_(at_seen), type_(type), writer_(writer), warnings_(warnings) {}

    std::optional<Problem> run() {
        for (const Op& op : change_.ops)
            if (auto problem = judge(op)) return problem;
        return std::nullopt;
    }

private:
    std::optional<Problem> valid(const FieldSchema& field, BytesView value) { return noted(field.check(value)); }

    std::optional<Problem> noted(std::optional<Problem> problem) {
        if (problem && problem->warning) {
            if (warnings_ != nullptr) warnings_->push_back(*problem);
            return std::nullopt;
        }
        return problem;
    }

    std::optional<Problem> judge(const Op& op) {
        const std::uint32_t kind = op.path.kind;
        if (!op.path.field.empty()) return judge_field(op);
        if (kind == static_cast<std::uint32_t>(PathKind::birth)) return std::nullopt;
        if (kind == static_cast<std::uint32_t>(PathKind::life)) return judge_life(op);
        if (kind == static_cast<std::uint32_t>(PathKind::seal)) return judge_seal(op);
        if (kind == static_cast<std::uint32_t>(PathKind::amendment)) return judge_amendment(op);
        return refuse({}, "nezināma darbība", "an operation of an unknown kind");
    }

    std::optional<Problem> judge_field(const Op& op) {
        const FieldSchema* field = type_.field(op.path.field);
        if (field == nullptr) return refuse(op.path.field, "šāda lauka nav", "there is no such field");
        switch (op.path.kind) {
            case static_cast<std::uint32_t>(PathKind::scalar):
                if (field->kind() != Kind::scalar) return wrong_kind(op.path.field);
                if (auto problem = valid(*field, op.value)) return problem;
                return transition(op, *field);
            case static_cast<std::uint32_t>(PathKind::element):
                if (field->kind() != Kind::set || !is_flag(op.value)) return wrong_kind(op.path.field);
                if (auto problem = valid(*field, op.path.key)) return problem;
                return role_only(*field);
            case static_cast<std::uint32_t>(PathKind::row):
                if (field->kind() != Kind::rows || !is_flag(op.value)) return wrong_kind(op.path.field);
                return role_only(*field);
            case static_cast<std::uint32_t>(PathKind::column): {
                const FieldSchema* column = schema_of(op.path, &type_);
                if (field->kind() != Kind::rows || column == nullptr) return wrong_kind(op.path.field);
                if (auto problem = valid(*column, op.value)) return problem;
                if (auto problem = role_only(*field)) return problem;
                return transition(op, *column);
            }
            case static_cast<std::uint32_t>(PathKind::counter): {
                // A counter's part is written by its own replica only.
                if (field->kind() != Kind::counter || !(op.path == counter_path(field->name, change_.dot.replica)))
                    return wrong_kind(op.path.field);
                if (auto problem = valid(*field, op.value)) return problem;
                return role_only(*field);
            }
            case static_cast<std::uint32_t>(PathKind::text): {
                if (field->kind() != Kind::text) return wrong_kind(op.path.field);
                for (const TextOp& part : decode_text_ops(op.value, change_.dot)) {
                    if (!is_utf8(part.text)) return wrong_kind(op.path.field);
                    if (auto problem = valid(*field, text_value(part.text))) return problem;
                }
                return role_only(*field);
            }
            case static_cast<std::uint32_t>(PathKind::line): {
                if (field->kind() != Kind::text) return wrong_kind(op.path.field);
                (void)line_of(op.path);
                if (!is_null(op.value) && CborReader(op.value).peek() != CborType::text) return wrong_kind(op.path.field);
                if (covers_differing(op, at_seen_, type_)) return type_.judge_field(writer_, *field, null_value(), null_value(), true);
                return std::nullopt;
            }
            default: return refuse(op.path.field, "nezināma darbība", "an operation of an unknown kind");
        }
    }

    static bool is_flag(const Value& value) { return value == bool_value(true) || value == bool_value(false); }

    /// A change that decides between a field's siblings is a decision in all that it writes to the field: a line's text, a row's presence.
    bool decides(const FieldSchema& field) const {
        if (writer_.creating) return false;
        return std::any_of(change_.ops.begin(), change_.ops.end(),
                           [&](const Op& op) { return op.path.field == field.name && covers_differing(op, at_seen_, type_); });
    }

    std::optional<Problem> role_only(const FieldSchema& field) const {
        const bool resolves = decides(field);
        if (!resolves && !field.has_write_rule()) return std::nullopt;
        return type_.judge_field(writer_, field, null_value(), null_value(), resolves);
    }

    std::optional<Problem> transition(const Op& op, const FieldSchema& field) const {
        const bool resolves = covers_differing(op, at_seen_, type_);
        if (!resolves && !field.has_write_rule()) return std::nullopt;
        const Register* reg = at_seen_.find(op.path);
        const Value before = reg == nullptr ? null_value() : shown_sibling(at_seen_, *reg, &type_).value;
        return type_.judge_field(writer_, field, before, op.value, resolves);
    }

    std::optional<Problem> judge_life(const Op& op) const {
        if (!is_null(op.value)) {
            CborReader in(op.value);
            if (in.peek() != CborType::map || read_context(in) != change_.seen)
                return refuse({}, "dzēšana neatbilst redzētajam", "the deletion names another version than was seen");
        }
        return type_.judge_delete(writer_);
    }

    std::optional<Problem> judge_seal(const Op& op) const {
        CborReader in(op.value);
        if (in.array() != 2) return refuse({}, "bojāts paraksts", "a seal of another shape");
        if (read_context(in) != change_.seen || in.item() != document_to_value(shown_document(at_seen_, &type_)))
            return refuse({}, "parakstīts cits saturs, nekā redzēts", "the seal carries another document than its author saw");
        return type_.judge_seal(writer_);
    }

    std::optional<Problem> judge_amendment(const Op& op) {
        CborReader in(op.value);
        const std::size_t parts = in.array();
        if (parts != 2 && parts != 3) return refuse({}, "bojāts labojums", "an amendment of another shape");
        if (read_context(in) != change_.seen)
            return refuse({}, "labojums neatbilst redzētajam", "the amendment names another version than was seen");
        const BytesView document = in.item();
        if (parts == 3)
            for (std::size_t n = in.array(kMaxOps); n > 0; --n) (void)read_path(in);
        in.finish();
        for (const auto& [name, value] : document_from_value(document)) {
            const FieldSchema* field = type_.field(name);
            if (field == nullptr) return refuse(name, "šāda lauka nav", "there is no such field");
            if (auto problem = valid_whole(*field, value)) return problem;
        }
        return type_.judge_amend(writer_);
    }

    /// A field as a document shows it.
    std::optional<Problem> valid_whole(const FieldSchema& field, BytesView value) {
        if (is_null(value)) return std::nullopt;
        CborReader in(value);
        if (field.kind() == Kind::set) {
            if (in.peek() != CborType::array) return wrong_kind(field.name);
            for (std::size_t n = in.array(); n > 0; --n)
                if (auto problem = valid(field, in.item())) return problem;
            return std::nullopt;
        }
        if (field.kind() != Kind::rows) return valid(field, value);
        if (in.peek() != CborType::map) return wrong_kind(field.name);
        for (std::size_t rows = in.map(); rows > 0; --rows) {
            (void)in.text(kMaxNameBytes);
            for (std::size_t columns = in.map(); columns > 0; --columns) {
                const std::string_view column = in.text(kMaxNameBytes);
                if (column.empty()) return wrong_kind(field.name);
                if (auto problem = noted(type_.check(field.name, column, in.item()))) return problem;
            }
        }
        return std::nullopt;
    }

    const Change& change_;
    const RecordState& at_seen_;
    const TypeSchema& type_;
    const Writer& writer_;
    std::vector<Problem>* warnings_;
};

bool writes(const Change& change, PathKind kind) {
    return std::any_of(change.ops.begin(), change.ops.end(), [kind](const Op& op) { return op.path.is(kind); });
}

}  // namespace

std::string creator_of(const RecordState& state) {
    const Register* birth = state.find(record_path(PathKind::birth));
    return birth == nullptr ? std::string() : state.written(birth->siblings.front().dot).author;
}

std::optional<Problem> judge_change(const Change& change, const RecordState& at_seen, const TypeSchema* type, Writer writer,
                                    std::vector<Problem>* warnings) {
    if (type == nullptr) return refuse({}, "nezināms ieraksta veids", "an unknown type of record");
    if (change.ops.empty()) return refuse({}, "tukša izmaiņa", "a change that changes nothing");
    writer.creating = at_seen.empty();
    writer.creator = writer.creating ? change.author : creator_of(at_seen);
    writer.shown = [&](std::string_view field) {
        const Register* reg = at_seen.find(scalar_path(field));
        return reg == nullptr ? null_value() : shown_sibling(at_seen, *reg, type).value;
    };
    if (writes(change, PathKind::birth) != writer.creating)
        return writer.creating ? refuse({}, "ieraksts nav izveidots", "the record was never created")
                               : refuse({}, "ieraksts jau ir", "the record is there already");
    if (!writer.creating && at_seen.deleted() && !writes(change, PathKind::life))
        return refuse({}, "ieraksts ir dzēsts; vispirms atjaunojiet to", "the record is deleted; bring it back first");
    const bool amends = writes(change, PathKind::amendment);
    if (is_sealed(at_seen) != amends)
        return amends
                   ? refuse({}, "neparakstītu ierakstu labo tieši", "a record that is not sealed is edited, not amended")
                   : refuse({}, "ieraksts ir parakstīts; to var tikai labot ar labojumu", "the record is sealed; it can only be amended");
    if (amends && change.ops.size() != 1) return refuse({}, "labojums ir viena darbība", "an amendment is one operation");
    if (auto problem = type->judge_record(writer)) {
        // A role that may not write records at all may still seal, amend, delete or write single fields that say so.
        const bool only_special = std::all_of(change.ops.begin(), change.ops.end(), [&](const Op& op) {
            if (op.path.field.empty()) return !op.path.is(PathKind::birth);
            const FieldSchema* field = type->field(op.path.field);
            return field != nullptr && (!field->writers.empty() || !field->resolvers.empty() || !field->transitions.empty());
        });
        if (!only_special) return problem;
    }
    return Judge(change, at_seen, *type, writer, warnings).run();
}

}  // namespace kopdarbs
