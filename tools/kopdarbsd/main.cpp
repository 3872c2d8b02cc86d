// kopdarbsd: a municipality's server and its administration, from the command line.
#include <array>

#include "tools/common/command_line.h"
#include "tools/kopdarbsd/commands.h"

namespace kopdarbs::tools {
namespace {

constexpr Manual kManual = {
    "kopdarbsd", "a municipality's server: keeps every change, decides, and gives each device what is assigned to its user",
    "DIR is the server's directory; its owner is the only one who may read it. Administration works while the server runs.\n"
    "\n"
    "Environment\n"
    "  KOPDARBS_SHARE_1, KOPDARBS_SHARE_2  the recovery shares for `recover`; without them the terminal is asked\n"
    "  LANG                                lv… gives validation messages in Latvian (so does --lang lv)\n"
    "  NO_COLOR                            no colours, on a terminal either\n"
    "\n"
    "Exit codes\n"
    "  0 done   1 refused, not found, failed verification   2 usage   3 input, output or network\n"
    "\n"
    "Examples\n"
    "  kopdarbsd init /var/lib/kopdarbs\n"
    "  kopdarbsd provision /var/lib/kopdarbs cesis.json\n"
    "  kopdarbsd serve /var/lib/kopdarbs --listen 0.0.0.0:8443\n"
    "  kopdarbsd enrol-code /var/lib/kopdarbs --user ilze"};

void dir_only(CLI::App& app, Request& r) {
    app.add_option("DIR", r.dir)->required();
}

void initialising(CLI::App& app, Request& r) {
    dir_only(app, r);
    app.add_option("--storage", r.storage);
}

void serving(CLI::App& app, Request& r) {
    dir_only(app, r);
    app.add_option("--listen", r.listen);
}

void provisioning(CLI::App& app, Request& r) {
    dir_only(app, r);
    app.add_option("FILE", r.file)->required();
}

void for_user(CLI::App& app, Request& r) {
    dir_only(app, r);
    app.add_option("--user", r.user)->required();
}

void for_device(CLI::App& app, Request& r) {
    dir_only(app, r);
    app.add_option("--device", r.device)->required();
}

void verifying(CLI::App& app, Request& r) {
    dir_only(app, r);
    add_optional(app, "--export", r.export_file);
}

constexpr std::array<Command<Request>, 9> kCommands = {{
    {"init", "DIR [--storage sqlite]", "make a new server: keys, DIR/ca.pem, and the recovery key in two shares, shown once", initialising,
     init_command},
    {"serve", "DIR [--listen HOST:PORT]", "serve devices (127.0.0.1:8443 by default) until SIGTERM", serving, serve_command},
    {"provision", "DIR FILE.json", "units, users, files, partners, assignments, types; what FILE leaves out of assignments is ended",
     provisioning, provision_command},
    {"enrol-code", "DIR --user USER", "a one-time code with which USER enrols a device", for_user, enrol_code_command},
    {"devices", "DIR", "who enrolled which device, and when it was last heard", dir_only, devices_command},
    {"status", "DIR", "counts", dir_only, status_command},
    {"verify", "DIR [--export FILE]",
     "check every hash, signature and record; FILE gets the whole log, contents included, for tools/verify_chain.mjs", verifying,
     verify_command},
    {"recover", "DIR --device DEVICE", "the secret that opens a device's vault, from both recovery shares", for_device, recover_command},
    {"doctor", "DIR", "check files, modes, keys, the store, disk space and the clock", dir_only, doctor_command},
}};

}  // namespace
}  // namespace kopdarbs::tools

int main(int argc, char** argv) {
    using namespace kopdarbs::tools;
    return run_program("kopdarbsd", [&] { return run_command_line<Request>(argc, argv, kManual, kCommands); });
}
