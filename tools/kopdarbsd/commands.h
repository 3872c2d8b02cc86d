// The commands of `kopdarbsd`: each takes what the command line said and returns an exit code.
// Threading: one command a process; `serve` has threads of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sync/server/server.h"
#include "tools/common/host.h"
#include "tools/common/language.h"

namespace kopdarbs::tools {

/// What the command line said. A member that its command does not know stays as it is.
struct Request {
    bool json = false;
    Language language = Language::en;
    std::string dir, file, user, device;
    std::string storage = "sqlite";
    std::string listen = "127.0.0.1:8443";
    std::optional<std::string> export_file;
};

int init_command(const Request& request);
int serve_command(const Request& request);
int doctor_command(const Request& request);

// admin_commands.cpp
int provision_command(const Request& request);
int enrol_code_command(const Request& request);
int devices_command(const Request& request);
int status_command(const Request& request);
int verify_command(const Request& request);
int recover_command(const Request& request);

}  // namespace kopdarbs::tools
