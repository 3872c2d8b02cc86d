// The commands of `kopdarbs`: each takes what the command line said and returns an exit code.
//
// A command checks its arguments before it unlocks the vault, so that a slip of the keyboard costs no prompt.
// Threading: one command a process.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/kopdarbs.h"
#include "tools/common/host.h"
#include "tools/common/language.h"

namespace kopdarbs::tools {

/// What the command line said. A member that its command does not know stays as it is.
struct Request {
    bool json = false;
    Language language = Language::en;
    std::string vault, type, id, field, value, item, file;
    std::optional<std::string> base, scope, text, row, remove_row, map, export_file;
    std::vector<std::string> where, splices, words;
    std::optional<std::uint64_t> limit, pick;
    std::int64_t number = 0;
    std::string server, ca, code;
};

/// An unlocked vault with the host that it lives on.
struct Session {
    std::unique_ptr<Host> host = std::make_unique<Host>();
    std::unique_ptr<Vault> vault;
};
/// Asks for the secret. Throws UsageError, or as posix::open_vault does.
Session open_session(const Request& request);

/// Throws UsageError for what is no record id.
RecordId record_argument(const std::string& id);

// Writing (write_commands.cpp)
int put_command(const Request& request);
int edit_command(const Request& request);
int add_command(const Request& request);
int remove_command(const Request& request);
int count_command(const Request& request);
int row_command(const Request& request);
int delete_command(const Request& request);
int undelete_command(const Request& request);
int seal_command(const Request& request);
int amend_command(const Request& request);
int resolve_command(const Request& request);

// Reading (read_commands.cpp)
int get_command(const Request& request);
int list_command(const Request& request);
int search_command(const Request& request);
int review_command(const Request& request);
int letters_command(const Request& request);
int verify_command(const Request& request);
int status_command(const Request& request);
int log_command(const Request& request);

// With the server, and keys (sync_commands.cpp)
int enrol_command(const Request& request);
int sync_command(const Request& request);
int history_command(const Request& request);
int secret_command(const Request& request);

// import.cpp
int import_command(const Request& request);

}  // namespace kopdarbs::tools
