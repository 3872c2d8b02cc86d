// kopdarbs: the records that one person holds on one device, from the command line.
#include <array>

#include "tools/common/command_line.h"
#include "tools/kopdarbs/commands.h"

namespace kopdarbs::tools {
namespace {

constexpr Manual kManual = {
    "kopdarbs", "records of community social work on one device: saved offline, brought together by sync",
    "VAULT is a directory, ID a record's id, JSON an argument or - for standard input (at most 64 MiB). --base takes the version that\n"
    "`get` printed: what the author had seen. --scope takes what an assignment names (H-17, amata) or `own`.\n"
    "\n"
    "Environment\n"
    "  KOPDARBS_SECRET      the vault's secret; without it the terminal is asked\n"
    "  KOPDARBS_NEW_SECRET  the new secret for `secret`\n"
    "  LANG                 lv… gives validation messages in Latvian (so does --lang lv)\n"
    "  NO_COLOR             no colours, on a terminal either\n"
    "\n"
    "Exit codes\n"
    "  0 done   1 refused, not found, wrong secret, failed verification, or a sync in which anything was refused\n"
    "  2 usage  3 input, output or network\n"
    "\n"
    "Examples\n"
    "  kopdarbs enrol ~/vault --server https://kopdarbs.example:8443 --ca ca.pem --code XXXX-XXXX-XXXX-XXXX\n"
    "  kopdarbs put ~/vault home_visit --scope H-17 '{\"place\": \"Kalna iela 3\", \"risk_level\": \"high\"}'\n"
    "  kopdarbs list ~/vault home_visit --where outcome=done --json\n"
    "  kopdarbs review ~/vault && kopdarbs resolve ~/vault ITEM --pick 0\n"
    "  kopdarbs sync ~/vault"};

void vault_only(CLI::App& app, Request& r) {
    app.add_option("VAULT", r.vault)->required();
}

void record(CLI::App& app, Request& r) {
    vault_only(app, r);
    app.add_option("ID", r.id)->required();
}

void writing(CLI::App& app, Request& r) {
    record(app, r);
    add_optional(app, "--base", r.base);
}

void writing_field(CLI::App& app, Request& r) {
    writing(app, r);
    app.add_option("FIELD", r.field)->required();
}

void writing_element(CLI::App& app, Request& r) {
    writing_field(app, r);
    app.add_option("VALUE", r.value)->required();
}

void enrolling(CLI::App& app, Request& r) {
    vault_only(app, r);
    app.add_option("--server", r.server)->required();
    app.add_option("--ca", r.ca)->required();
    app.add_option("--code", r.code)->required();
}

void putting(CLI::App& app, Request& r) {
    vault_only(app, r);
    app.add_option("TYPE", r.type)->required();
    app.add_option("JSON", r.value)->required();
    app.add_option("--id", r.id);
    add_optional(app, "--base", r.base);
    add_optional(app, "--scope", r.scope);
}

void editing(CLI::App& app, Request& r) {
    writing_field(app, r);
    app.add_option("--splice", r.splices)->allow_extra_args(false);
    add_optional(app, "--text", r.text);
}

void counting(CLI::App& app, Request& r) {
    writing_field(app, r);
    add_number<std::int64_t>(app, "N", r.number)->required();
}

void rows(CLI::App& app, Request& r) {
    writing_field(app, r);
    app.add_option("JSON", r.value);
    add_optional(app, "--row", r.row);
    add_optional(app, "--remove", r.remove_row);
}

void amending(CLI::App& app, Request& r) {
    writing(app, r);
    app.add_option("JSON", r.value)->required();
}

void resolving(CLI::App& app, Request& r) {
    vault_only(app, r);
    app.add_option("ITEM", r.item)->required();
    add_number<std::uint64_t>(app, "--pick", r.pick);
    app.add_option("--value", r.value);
}

void listing(CLI::App& app, Request& r) {
    vault_only(app, r);
    app.add_option("TYPE", r.type)->required();
    app.add_option("--where", r.where)->allow_extra_args(false);
    add_number<std::uint64_t>(app, "--limit", r.limit);
}

void searching(CLI::App& app, Request& r) {
    vault_only(app, r);
    app.add_option("WORDS", r.words)->required();
    app.add_option("--type", r.type);
    add_number<std::uint64_t>(app, "--limit", r.limit);
}

void limited(CLI::App& app, Request& r) {
    vault_only(app, r);
    add_number<std::uint64_t>(app, "--limit", r.limit);
}

void exporting(CLI::App& app, Request& r) {
    vault_only(app, r);
    add_optional(app, "--export", r.export_file);
}

void importing(CLI::App& app, Request& r) {
    vault_only(app, r);
    app.add_option("FILE", r.file)->required();
    app.add_option("--type", r.type)->required();
    add_optional(app, "--scope", r.scope);
    add_optional(app, "--map", r.map);
}

constexpr std::array<Command<Request>, 24> kCommands = {{
    {"enrol", "VAULT --server URL --ca FILE --code CODE", "make a vault with a one-time code from the administrator", enrolling,
     enrol_command},
    {"put", "VAULT TYPE [--id ID [--base VERSION]] [--scope S] JSON|-", "create a record, or edit the given fields of one", putting,
     put_command},
    {"get", "VAULT ID", "show a record", record, get_command},
    {"list", "VAULT TYPE [--where FIELD=VALUE]… [--limit N]", "list records of a type", listing, list_command},
    {"search", "VAULT WORDS… [--type TYPE] [--limit N]", "find records that hold every word, diacritics or not", searching, search_command},
    {"edit", "VAULT ID FIELD [--base VERSION] --splice POS,DEL,TEXT… | --text TEXT|-",
     "edit a text; POS and DEL count characters (Unicode scalar values)", editing, edit_command},
    {"add", "VAULT ID FIELD VALUE [--base VERSION]", "add an element to a set", writing_element, add_command},
    {"remove", "VAULT ID FIELD VALUE [--base VERSION]", "remove an element from a set", writing_element, remove_command},
    {"count", "VAULT ID FIELD N [--base VERSION]", "add N, which may be negative, to a counter", counting, count_command},
    {"row", "VAULT ID FIELD [--row R | --remove R] [--base VERSION] JSON|-", "add, edit or remove a row", rows, row_command},
    {"delete", "VAULT ID [--base VERSION]", "delete a record", writing, delete_command},
    {"undelete", "VAULT ID [--base VERSION]", "bring a deleted record back", writing, undelete_command},
    {"seal", "VAULT ID [--base VERSION]", "sign a document: from now on it is only amended", writing, seal_command},
    {"amend", "VAULT ID [--base VERSION] JSON|-", "amend a sealed document", amending, amend_command},
    {"review", "VAULT", "what waits for a person's decision", vault_only, review_command},
    {"resolve", "VAULT ITEM --pick N | --value JSON", "decide; N counts from 0 in the order that `review` printed", resolving,
     resolve_command},
    {"history", "VAULT ID", "every change to a record, from the server when it answers", record, history_command},
    {"letters", "VAULT [--export FILE]", "changes that the server refused: kept here", exporting, letters_command},
    {"verify", "VAULT", "check every hash, signature and record", vault_only, verify_command},
    {"status", "VAULT", "who, which scopes, what is unsent", vault_only, status_command},
    {"log", "VAULT [--limit N]", "what happened on this device", limited, log_command},
    {"import", "VAULT FILE.jsonl[.gz] --type TYPE --scope S [--map FILE]",
     "records from JSON lines; each may bring its own \"id\" and \"scope\"", importing, import_command},
    {"sync", "VAULT", "send what is new and receive what others did", vault_only, sync_command},
    {"secret", "VAULT", "change the vault's secret", vault_only, secret_command},
}};

}  // namespace
}  // namespace kopdarbs::tools

int main(int argc, char** argv) {
    using namespace kopdarbs::tools;
    return run_program("kopdarbs", [&] { return run_command_line<Request>(argc, argv, kManual, kCommands); });
}
