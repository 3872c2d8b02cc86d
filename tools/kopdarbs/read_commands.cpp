// The commands that look at a vault, as JSON for scripts or as text for people.

#include "platform/posix/system.h"
#include "platform/posix/unicode.h"
#include "tools/common/input.h"
#include "tools/common/json_object.h"
#include "tools/common/outcome.h"
#include "tools/common/shapes.h"
#include "tools/common/text_out.h"
#include "tools/kopdarbs/commands.h"
#include "tools/kopdarbs/show.h"

namespace kopdarbs::tools {
namespace {

constexpr std::uint64_t kNoLimit = 1'000'000'000;
constexpr std::uint64_t kSearchLimit = 50;
constexpr std::uint64_t kLogLimit = 100;

/// Prints records as they come: JSON lines, or rows of one table.
class RecordPrinter {
public:
    RecordPrinter(const Vault& vault, bool json) : vault_(vault), json_(json) {}
    bool operator()(const Shown& shown) {
        if (json_)
            print_line(to_json(vault_.complete(shown)));
        else
            table_.add({to_string(shown.id), shown.type, shown.scope, state_of(shown), summary_of(vault_.schema(), shown)});
        return true;
    }
    void finish() const { table_.print(); }

private:
    const Vault& vault_;
    bool json_;
    Table table_{{"ID", "TYPE", "SCOPE", "STATE", "SUMMARY"}};
};

std::vector<Condition> conditions_of(const Request& request) {
    std::vector<Condition> conditions;
    for (const std::string& text : request.where) {
        const std::size_t equals = text.find('=');
        if (equals == text.npos || equals == 0) throw UsageError("--where: '" + text + "' is not FIELD=VALUE");
        conditions.push_back({text.substr(0, equals), posix::to_nfc(text.substr(equals + 1))});
    }
    return conditions;
}

}  // namespace

int get_command(const Request& request) {
    const RecordId id = record_argument(request.id);
    const Session session = open_session(request);
    const Record record = session.vault->get(id);
    if (request.json)
        print_line(to_json(record));
    else
        show_record(record);
    return kExitDone;
}

int list_command(const Request& request) {
    const auto conditions = conditions_of(request);
    const Session session = open_session(request);
    if (session.vault->schema().type(request.type) == nullptr) fail(ErrorCode::not_found, "no type is called '" + request.type + "'");
    RecordPrinter printer(*session.vault, request.json);
    session.vault->list(request.type, conditions, request.limit.value_or(kNoLimit), std::ref(printer));
    printer.finish();
    return kExitDone;
}

int search_command(const Request& request) {
    std::string words;
    for (const std::string& word : request.words) words += (words.empty() ? "" : " ") + word;
    words = text_argument(words);
    const Session session = open_session(request);
    if (!request.type.empty() && session.vault->schema().type(request.type) == nullptr) {
        fail(ErrorCode::not_found, "no type is called '" + request.type + "'");
    }
    RecordPrinter printer(*session.vault, request.json);
    session.vault->search(words, request.type, request.limit.value_or(kSearchLimit), std::ref(printer));
    printer.finish();
    return kExitDone;
}

int review_command(const Request& request) {
    const Session session = open_session(request);
    for (const Decision& decision : session.vault->review()) {
        if (request.json)
            print_line(to_json(decision.record, decision.type, decision.item));
        else
            show_item(decision.record, decision.type, decision.item);
    }
    return kExitDone;
}

int letters_command(const Request& request) {
    const Session session = open_session(request);
    const std::vector<Letter> letters = session.vault->letters();
    if (request.export_file) {
        Bytes lines;
        for (const Letter& letter : letters) lines += to_json(letter) + "\n";
        posix::write_file_atomically(*request.export_file, lines);
        if (request.json)
            print_line(JsonObject().number("exported", letters.size()).text("file", *request.export_file).str());
        else
            print_line(std::to_string(letters.size()) + " written to " + *request.export_file);
        return kExitDone;
    }
    Table table({"STAMP", "RECORD", "TYPE", "REASON", "CHANGE"});
    for (const Letter& letter : letters) {
        if (request.json)
            print_line(to_json(letter));
        else
            table.add({to_string(letter.stamp), to_string(letter.record), letter.type, in_language(letter.reason, request.language),
                       ops_line(letter.ops)});
    }
    table.print();
    return kExitDone;
}

int verify_command(const Request& request) {
    const Session session = open_session(request);
    const Verified verified = session.vault->verify();
    for (const Damage& damage : verified.damage) print_error("kopdarbs", "corrupt", damage.where + ": " + damage.what);
    if (request.json) {
        print_line(to_json(verified));
    } else {
        print_line(std::to_string(verified.changes) + " changes, " + std::to_string(verified.records) + " records, " +
                   std::to_string(verified.feeds) +
                   " feeds: " + (verified.damage.empty() ? "whole" : std::to_string(verified.damage.size()) + " damaged"));
    }
    return verified.damage.empty() ? kExitDone : kExitRefused;
}

int status_command(const Request& request) {
    const Session session = open_session(request);
    const Status status = session.vault->status();
    if (request.json)
        print_line(to_json(status));
    else
        show_status(status);
    return kExitDone;
}

int log_command(const Request& request) {
    const Session session = open_session(request);
    Table table({"AT", "WHAT"});
    for (const LogLine& line : session.vault->log(request.limit.value_or(kLogLimit))) {
        if (request.json)
            print_line(to_json(line));
        else
            table.add({to_rfc3339(line.at_ms), line.what});
    }
    table.print();
    return kExitDone;
}

}  // namespace kopdarbs::tools
