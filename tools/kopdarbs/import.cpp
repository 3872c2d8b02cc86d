// import: a file of JSON lines becomes records, five hundred a transaction.
//
// Each line is an object of fields; after --map has renamed or dropped members, "id" (a record's id) and "scope" are taken out of it. A
// bad line stops the import: nothing of its batch is kept, all batches before it are.
#include <map>

#include "core/record/json.h"
#include "tools/common/input.h"
#include "tools/common/json_object.h"
#include "tools/common/outcome.h"
#include "tools/common/text_out.h"
#include "tools/kopdarbs/commands.h"
#include "tools/kopdarbs/line_reader.h"

namespace kopdarbs::tools {
namespace {

constexpr std::uint64_t kBatch = 500;
constexpr std::size_t kMaxMapBytes = 1 << 20;

/// Source member -> field; absent: dropped.
using FieldMap = std::map<std::string, std::optional<std::string>, std::less<>>;

FieldMap read_map(const std::string& path) {
    FieldMap map;
    const Bytes json = input_file(path, kMaxMapBytes);
    try {
        for (const auto& [source, target] : document_from_json(normal_json(json))) {
            if (is_null(target)) {
                map[source] = std::nullopt;
            } else if (CborReader(target).peek() == CborType::text) {
                map[source] = std::string(text_of(target));
            } else {
                fail(ErrorCode::invalid, "'" + source + "' is mapped to neither a field's name nor null");
            }
        }
    } catch (const Error& e) {
        throw UsageError("--map: " + path + ": " + e.what());
    }
    return map;
}

struct Line {
    std::optional<RecordId> id;
    std::string scope;
    std::string fields;
};

std::string text_member(std::string_view name, BytesView value) {
    if (CborReader(value).peek() != CborType::text) fail(ErrorCode::invalid, "\"" + std::string(name) + "\" is no text");
    return std::string(text_of(value));
}

/// Throws Error{invalid}.
Line read_line(std::string_view json, const FieldMap& map, const std::string& scope) {
    const std::string normal = normal_json(json);
    if (normal.front() != '{') fail(ErrorCode::invalid, "not a JSON object");
    Line line;
    line.scope = scope;
    std::map<std::string, Value, std::less<>> fields;
    for (const auto& [source, value] : document_from_json(normal)) {
        const auto mapped = map.find(source);
        if (mapped != map.end() && !mapped->second) continue;
        const std::string& name = mapped == map.end() ? source : *mapped->second;
        if (name == "id") {
            line.id = parse_record_id(text_member(name, value));
        } else if (name == "scope") {
            line.scope = text_member(name, value);
        } else if (!fields.emplace(name, value).second) {
            fail(ErrorCode::invalid, name + ": two members are mapped to it");
        }
    }
    if (line.scope.empty()) fail(ErrorCode::invalid, "no scope: neither --scope nor \"scope\"");
    line.fields = document_to_json({fields.begin(), fields.end()});
    return line;
}

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t") == line.npos;
}

class Import {
public:
    Import(const Request& request, const FieldMap& map, LineReader& reader, Vault& vault)
        : request_(request), map_(map), reader_(reader), vault_(vault) {}

    /// Imports one batch; false when the file is at its end. Throws Error, having kept nothing of the batch.
    bool batch() {
        std::uint64_t saved = 0;
        bool more = true;
        vault_.batch([&] {
            std::string line;
            while (saved < kBatch && (more = reader_.next(line))) saved += save(line);
        });
        imported_ += saved;
        progress_.show("imported " + std::to_string(imported_) + ", " + std::to_string(reader_.percent()) + " % of the file");
        return more;
    }
    std::uint64_t imported() const { return imported_; }
    std::uint64_t warnings() const { return warnings_; }
    void clear_progress() { progress_.clear(); }

private:
    std::uint64_t save(std::string_view text) {
        if (is_blank(text)) return 0;
        const Line line = read_line(text, map_, request_.scope.value_or(""));
        const Saved saved = vault_.put(request_.type, line.id, line.scope, line.fields);
        for (const Problem& problem : saved.warnings) {
            ++warnings_;
            progress_.clear();
            print_error("kopdarbs", "warning",
                        "line " + std::to_string(reader_.number()) + ": " + problem.field + ": " + pick(problem.reason, request_.language));
        }
        return 1;
    }

    const Request& request_;
    const FieldMap& map_;
    LineReader& reader_;
    Vault& vault_;
    ProgressLine progress_;
    std::uint64_t imported_ = 0, warnings_ = 0;
};

}  // namespace

int import_command(const Request& request) {
    const FieldMap map = request.map ? read_map(*request.map) : FieldMap();
    LineReader reader(request.file);
    const Session session = open_session(request);
    const std::uint64_t started_ms = session.host->clock.steady_ms();
    Import import(request, map, reader, *session.vault);
    std::optional<std::uint64_t> stopped_at;
    int code = kExitDone;
    try {
        while (import.batch()) {
        }
    } catch (const Error& e) {
        import.clear_progress();
        print_error("kopdarbs", what_of(e.code()),
                    "line " + std::to_string(reader.number()) + ": " + in_language(e.what(), request.language) + " (" +
                        std::to_string(import.imported()) + " records before it were imported and are kept)");
        stopped_at = reader.number();
        code = exit_code_of(e.code());
    }
    import.clear_progress();
    JsonObject result;
    result.number("imported", import.imported())
        .number("warnings", import.warnings())
        .number("duration_ms", session.host->clock.steady_ms() - started_ms);
    if (stopped_at) result.number("stopped_at_line", *stopped_at);
    print_line(request.json ? result.str() : std::to_string(import.imported()) + " imported");
    return code;
}

}  // namespace kopdarbs::tools
