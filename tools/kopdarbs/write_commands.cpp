// The commands that save: each is one change, printed as {id, dot, version}.
#include <charconv>
#include <optional>

#include "core/record/json.h"
#include "tools/common/input.h"
#include "tools/common/outcome.h"
#include "tools/common/shapes.h"
#include "tools/common/text_out.h"
#include "tools/kopdarbs/commands.h"

namespace kopdarbs::tools {
namespace {

/// Throws UsageError for what no `get` ever printed.
Vault::Base base_of(const Request& request) {
    if (!request.base) return std::nullopt;
    try {
        (void)parse_version(*request.base);
    } catch (const Error& e) {
        throw UsageError(std::string("--base: ") + e.what());
    }
    return *request.base;
}

int print_saved(const Request& request, const Saved& saved, const std::string& row = {}) {
    for (const Problem& problem : saved.warnings) {
        print_error("kopdarbs", "warning", problem.field + ": " + pick(problem.reason, request.language));
    }
    if (request.json) {
        print_line(to_json(saved, row));
        return kExitDone;
    }
    const std::string where = to_string(saved.id) + (row.empty() ? "" : " row " + row);
    print_line(saved.dot.is_zero() ? "nothing to change in " + where : "saved " + where + " as " + to_string(saved.dot));
    return kExitDone;
}

Splice splice_argument(const std::string& text) {
    Splice splice;
    const char* at = text.data();
    const char* end = at + text.size();
    for (std::uint32_t* number : {&splice.position, &splice.deleted}) {
        const auto [next, error] = std::from_chars(at, end, *number);
        if (error != std::errc() || next == end || *next != ',') throw UsageError("--splice: '" + text + "' is not POS,DEL,TEXT");
        at = next + 1;
    }
    splice.inserted = text_argument(std::string(at, end));
    return splice;
}

/// `typed` in its normal form, where it is JSON at all.
std::optional<std::string> if_json(const std::string& typed) {
    try {
        return normal_json(typed);
    } catch (const Error&) {
        return std::nullopt;
    }
}

/// An element as it was typed: JSON, or a text without its quotes where the field's elements are texts.
std::string element_argument(const Session& session, const Request& request, const RecordId& id) {
    const std::string typed = text_argument(request.value);
    std::string quoted;
    append_json_string(quoted, typed);
    const auto json = if_json(typed);
    if (!json) return quoted;
    Shown shown;
    if (!session.vault->read(id, shown)) return *json;
    const TypeSchema* type = session.vault->schema().type(shown.type);
    if (type == nullptr) return *json;
    const auto good = [&](const std::string& candidate) {
        const auto problem = type->check(request.field, "", value_from_json(candidate));
        return !problem || problem->warning;
    };
    return !good(*json) && good(quoted) ? quoted : *json;
}

/// Saves with nothing but a record and a base.
int save_whole(const Request& request, Saved (Vault::*save)(const RecordId&, Vault::Base)) {
    const RecordId id = record_argument(request.id);
    const auto base = base_of(request);
    const Session session = open_session(request);
    return print_saved(request, (session.vault.get()->*save)(id, base));
}

std::string item_value(const Session& session, const Request& request) {
    for (const Decision& decision : session.vault->review()) {
        if (decision.item.id != request.item || decision.item.kind != ReviewKind::text) continue;
        // A line of text may be given as it is, without JSON's quotes.
        const std::string typed = text_argument(request.value);
        const auto json = if_json(typed);
        if (json && (json->front() == '"' || *json == "null")) return *json;
        std::string quoted;
        append_json_string(quoted, typed);
        return quoted;
    }
    return json_argument(request.value, "--value");
}

}  // namespace

int put_command(const Request& request) {
    std::optional<RecordId> id;
    if (!request.id.empty()) id = record_argument(request.id);
    if (request.base && !id) throw UsageError("--base needs --id");
    const auto base = base_of(request);
    const std::string fields = json_object_argument(request.value, "JSON");
    const Session session = open_session(request);
    return print_saved(request, session.vault->put(request.type, id, request.scope.value_or(""), fields, base));
}

int edit_command(const Request& request) {
    const RecordId id = record_argument(request.id);
    const auto base = base_of(request);
    if (request.text.has_value() != request.splices.empty()) throw UsageError("edit needs either --text or --splice");
    if (request.text) {
        const std::string text = text_argument(*request.text);
        const Session session = open_session(request);
        return print_saved(request, session.vault->edit(id, request.field, std::string_view(text), base));
    }
    std::vector<Splice> splices;
    for (const std::string& text : request.splices) splices.push_back(splice_argument(text));
    const Session session = open_session(request);
    return print_saved(request, session.vault->edit(id, request.field, splices, base));
}

int add_command(const Request& request) {
    const RecordId id = record_argument(request.id);
    const auto base = base_of(request);
    const Session session = open_session(request);
    return print_saved(request, session.vault->add(id, request.field, element_argument(session, request, id), base));
}

int remove_command(const Request& request) {
    const RecordId id = record_argument(request.id);
    const auto base = base_of(request);
    const Session session = open_session(request);
    return print_saved(request, session.vault->remove(id, request.field, element_argument(session, request, id), base));
}

int count_command(const Request& request) {
    const RecordId id = record_argument(request.id);
    const auto base = base_of(request);
    const Session session = open_session(request);
    return print_saved(request, session.vault->count(id, request.field, request.number, base));
}

int row_command(const Request& request) {
    const RecordId id = record_argument(request.id);
    const auto base = base_of(request);
    if (request.row && request.remove_row) throw UsageError("row takes --row or --remove, not both");
    if (request.remove_row) {
        if (!request.value.empty()) throw UsageError("row --remove takes no JSON");
        const Session session = open_session(request);
        return print_saved(request, session.vault->remove_row(id, request.field, *request.remove_row, base), *request.remove_row);
    }
    if (request.value.empty()) throw UsageError("row needs JSON");
    const std::string columns = json_object_argument(request.value, "JSON");
    const Session session = open_session(request);
    std::string row;
    const Saved saved = session.vault->put_row(id, request.field, request.row.value_or(""), columns, base, &row);
    return print_saved(request, saved, row.empty() ? request.row.value_or("") : row);
}

int delete_command(const Request& request) {
    return save_whole(request, &Vault::erase);
}
int undelete_command(const Request& request) {
    return save_whole(request, &Vault::restore);
}
int seal_command(const Request& request) {
    return save_whole(request, &Vault::seal);
}

int amend_command(const Request& request) {
    const RecordId id = record_argument(request.id);
    const auto base = base_of(request);
    const std::string fields = json_object_argument(request.value, "JSON");
    const Session session = open_session(request);
    return print_saved(request, session.vault->amend(id, fields, base));
}

int resolve_command(const Request& request) {
    if (request.pick.has_value() != request.value.empty()) throw UsageError("resolve needs either --pick or --value");
    const Session session = open_session(request);
    if (request.pick) return print_saved(request, session.vault->resolve(request.item, static_cast<std::size_t>(*request.pick)));
    return print_saved(request, session.vault->resolve(request.item, item_value(session, request)));
}

}  // namespace kopdarbs::tools
