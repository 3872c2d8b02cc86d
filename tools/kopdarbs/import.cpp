// import: a file of JSON lines becomes records, up to five hundred a transaction.
//
// Each line is an object of fields; after --map has renamed or dropped members, "id" (a record's id) and "scope" are taken out of it. A
// bad line stops the import: nothing of its batch is kept, all batches before it are.
#include <exception>
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

constexpr std::size_t kBatch = 500;
constexpr std::size_t kBatchBytes = std::size_t{8} << 20;  ///< of lines; the last may go beyond
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

std::string text_member(std::string_view name, BytesView value) {
    if (CborReader(value).peek() != CborType::text) fail(ErrorCode::invalid, "\"" + std::string(name) + "\" is no text");
    return std::string(text_of(value));
}

/// Throws Error{invalid}.
Vault::Entry read_line(std::string_view json, const FieldMap& map, const Request& request) {
    const std::string normal = normal_json(json);
    if (normal.front() != '{') fail(ErrorCode::invalid, "not a JSON object");
    Vault::Entry entry;
    entry.type = request.type;
    entry.scope = request.scope.value_or("");
    std::size_t octets = 0;
    std::map<std::string, Value, std::less<>> fields;
    for (const auto& [source, value] : document_from_json(normal)) {
        const auto mapped = map.find(source);
        if (mapped != map.end() && !mapped->second) continue;
        const std::string& name = mapped == map.end() ? source : *mapped->second;
        if (name == "id") {
            entry.id = parse_record_id(text_member(name, value));
        } else if (name == "scope") {
            entry.scope = text_member(name, value);
        } else if (!fields.emplace(name, value).second) {
            fail(ErrorCode::invalid, name + ": two members are mapped to it");
        } else {
            octets += name.size() + value.size();
        }
    }
    if (octets > kMaxInputBytes) fail(ErrorCode::invalid, "fields: larger than 6 MiB");
    if (entry.scope.empty()) fail(ErrorCode::invalid, "no scope: neither --scope nor \"scope\"");
    entry.fields = {fields.begin(), fields.end()};
    return entry;
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
        const std::exception_ptr unreadable = read();
        std::size_t saved = 0;
        const auto at = [&](std::size_t entry) { line_ = entry < lines_.size() ? lines_[entry] : reader_.number(); };
        at(0);
        vault_.batch([&] {
            vault_.put_all(entries_, kBatch, [&](const Saved& s) {
                warn(s);
                at(++saved);
            });
            if (unreadable) std::rethrow_exception(unreadable);
            at(0);  // where it does not end well, nothing of it is kept
        });
        imported_ += saved;
        progress_.show("imported " + std::to_string(imported_) + ", " + std::to_string(reader_.percent()) + " % of the file");
        return more_;
    }
    /// The number of the line that batch() was at, or, where it could not begin or end, of its first.
    std::uint64_t line() const { return line_; }
    std::uint64_t imported() const { return imported_; }
    std::uint64_t warnings() const { return warnings_; }
    void clear_progress() { progress_.clear(); }

private:
    /// The next batch's entries, up to the end, or to a line that cannot be read: why.
    std::exception_ptr read() {
        entries_.clear();
        lines_.clear();
        try {
            std::string text;
            for (std::size_t bytes = 0; entries_.size() < kBatch && bytes < kBatchBytes && (more_ = reader_.next(text));
                 bytes += text.size()) {
                if (is_blank(text)) continue;
                entries_.push_back(read_line(text, map_, request_));
                lines_.push_back(reader_.number());
            }
            return nullptr;
        } catch (const Error&) {
            return std::current_exception();
        }
    }

    void warn(const Saved& saved) {
        for (const Problem& problem : saved.warnings) {
            ++warnings_;
            progress_.clear();
            print_error("kopdarbs", "warning",
                        "line " + std::to_string(line_) + ": " + problem.field + ": " + pick(problem.reason, request_.language));
        }
    }

    const Request& request_;
    const FieldMap& map_;
    LineReader& reader_;
    Vault& vault_;
    ProgressLine progress_;
    std::vector<Vault::Entry> entries_;
    std::vector<std::uint64_t> lines_;  ///< of the entries
    bool more_ = true;
    std::uint64_t line_ = 0, imported_ = 0, warnings_ = 0;
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
                    "line " + std::to_string(import.line()) + ": " + in_language(e.what(), request.language) + " (" +
                        std::to_string(import.imported()) + " records before it were imported and are kept)");
        stopped_at = import.line();
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
