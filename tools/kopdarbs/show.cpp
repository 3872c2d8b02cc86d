#include "tools/kopdarbs/show.h"

#include <algorithm>

#include "core/record/json.h"
#include "platform/posix/unicode.h"
#include "tools/common/shapes.h"
#include "tools/common/text_out.h"

namespace kopdarbs::tools {
namespace {

constexpr std::size_t kSummaryFields = 3;

/// An array's or an object's members as JSON, one a line; a text as it is.
std::string value_lines(BytesView value) {
    CborReader in(value);
    std::string out;
    if (in.peek() == CborType::array) {
        for (std::size_t i = 0, n = in.array(); i < n; ++i) out += (i == 0 ? "" : "\n") + value_line(in.item());
    } else if (in.peek() == CborType::map) {
        for (std::size_t i = 0, n = in.map(); i < n; ++i) {
            const std::string key(in.text());
            out += (i == 0 ? "" : "\n") + key + "  " + value_line(in.item());
        }
    } else if (in.peek() == CborType::text) {
        out = std::string(in.text());
    } else {
        out = kopdarbs::to_json(value);
    }
    return out;
}

/// "field.row.column": what follows the kind in a path.
std::string path_name(CborReader& path, std::size_t parts) {
    std::string name;
    for (std::size_t i = 0; i < parts; ++i) name += (i == 0 ? "" : ".") + value_line(path.item());
    return name;
}

std::string op_line(BytesView path, BytesView value) {
    CborReader in(path);
    const std::size_t parts = in.array();
    if (parts == 0 || in.peek() != CborType::uint) return {};
    const std::uint64_t kind = in.uint();
    const auto is = [kind](PathKind k) { return kind == static_cast<std::uint64_t>(k); };
    if (is(PathKind::birth)) return "created";
    if (is(PathKind::life)) return is_null(value) ? "undeleted" : "deleted";
    if (is(PathKind::seal)) return "sealed";
    if (is(PathKind::amendment)) return "amended";
    if (parts < 2 || is(PathKind::text)) return {};  // the lines beside it say what a text's change did
    if (is(PathKind::line)) return path_name(in, 1) + " = " + value_line(value);
    if (is(PathKind::element) || is(PathKind::row)) {
        const std::string field = path_name(in, 1);
        const bool present = CborReader(value).peek() == CborType::boolean && CborReader(value).boolean();
        return field + (present ? " + " : " - ") + path_name(in, parts - 2);
    }
    return path_name(in, parts - 1) + " = " + value_line(value);
}

std::vector<std::string> summary_fields(const TypeSchema& type) {
    std::vector<std::string> names = type.list_by();
    for (const FieldSchema& field : type.fields()) {
        const bool short_text = field.searched && field.kind() == Kind::scalar;
        if (names.size() < kSummaryFields && short_text && std::find(names.begin(), names.end(), field.name) == names.end()) {
            names.push_back(field.name);
        }
    }
    return names;
}

}  // namespace

std::string value_line(BytesView value) {
    return one_line(CborReader(value).peek() == CborType::text ? std::string(text_of(value)) : kopdarbs::to_json(value));
}

std::string state_of(const Shown& shown) {
    std::string state = shown.sealed ? "sealed" : "";
    if (shown.deleted) state += state.empty() ? "deleted" : ", deleted";
    return state;
}

std::string summary_of(const SchemaSet& schema, const Shown& shown) {
    const TypeSchema* type = schema.type(shown.type);
    if (type == nullptr) return {};
    const auto document = document_from_json(shown.fields);
    std::string summary;
    for (const std::string& name : summary_fields(*type)) {
        for (const auto& [field, value] : document) {
            if (field == name && !is_null(value)) summary += (summary.empty() ? "" : ", ") + value_line(value);
        }
    }
    return summary;
}

std::string ops_line(const std::string& ops) {
    const Value all = value_from_json(ops);
    CborReader in(all);
    std::string line;
    for (std::size_t n = in.array(); n > 0; --n) {
        BytesView path, value;
        for (std::size_t members = in.map(); members > 0; --members) {
            const std::string_view name = in.text();
            (name == "path" ? path : value) = in.item();
        }
        const std::string op = path.empty() ? std::string() : op_line(path, value);
        if (!op.empty()) line += (line.empty() ? "" : "; ") + op;
    }
    return line;
}

void show_record(const Record& record) {
    Shown state;
    state.sealed = record.sealed;
    state.deleted = record.deleted;
    const std::string notes = state_of(state);
    print_line(bold(one_line(record.type)) + "  " + to_string(record.id) + "  " + one_line(record.scope) +
               (notes.empty() ? "" : "  (" + notes + ")"));
    const auto document = document_from_json(record.fields);
    std::size_t width = 0;
    for (const auto& [field, value] : document) width = std::max(width, posix::display_width(field));
    for (const auto& [field, value] : document) {
        const std::string name = one_line(field);
        print_line("  " + name + std::string(width - std::min(width, posix::display_width(name)), ' ') + "  " +
                   many_lines(value_lines(value), width + 4));
    }
    print_line("version " + record.version);
    for (const ReviewItem& item : record.review) show_item(record.id, record.type, item);
}

void show_item(const RecordId& record, const std::string& type, const ReviewItem& item) {
    const bool late_deletion = item.kind == ReviewKind::sealed && item.path.is(PathKind::life);
    const std::string field = late_deletion        ? std::string("deletion (sealed)")
                              : item.field.empty() ? std::string(to_string(item.kind))
                                                   : item.field + " (" + to_string(item.kind) + ")";
    print_line(bold("review " + item.id) + "  " + one_line(field) + " of " + one_line(type) + " " + to_string(record));
    Table table({"PICK", "VALUE", "AUTHOR", "STAMP", "DOT"});
    std::size_t pick = 0;
    for (const Candidate& value : item.values) {
        table.add({std::to_string(pick++), value_line(value.value), value.author, to_string(value.stamp), to_string(value.dot)});
    }
    table.print();
}

void show_status(const Status& status) {
    print_line("user       " + one_line(status.user));
    print_line("replica    " + to_string(status.replica));
    print_line("records    " + std::to_string(status.records));
    print_line("unsent     " + std::to_string(status.unsent));
    print_line("refused    " + std::to_string(status.refused));
    print_line("review     " + std::to_string(status.review));
    print_line("last sync  " + (status.last_sync_ms == 0 ? std::string("never") : time_or_never(status.last_sync_ms)));
    Table table({"SCOPE", "LABEL", "ROLES"});
    for (const ScopeInfo& scope : status.scopes) {
        std::string roles;
        for (const std::string& role : scope.roles) roles += (roles.empty() ? "" : ", ") + role;
        table.add({scope.name, scope.label, roles});
    }
    table.print();
}

}  // namespace kopdarbs::tools
