#include "tools/kopdarbsd/server_dir.h"

#include <unistd.h>

namespace kopdarbs::tools {

void require_server(const ServerDir& at) {
    if (::access(at.database().c_str(), F_OK) != 0) fail(ErrorCode::not_found, "no server at " + at.dir);
}

std::unique_ptr<sync::Server> open_server(const ServerDir& at, Env env) {
    require_server(at);
    return std::make_unique<sync::Server>(at.database(), env);
}

}  // namespace kopdarbs::tools
