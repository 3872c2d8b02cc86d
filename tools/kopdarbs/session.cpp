// Unlocking a vault, and the arguments that several commands share.
#include "platform/posix/vault_dir.h"
#include "tools/common/input.h"
#include "tools/common/outcome.h"
#include "tools/kopdarbs/commands.h"

namespace kopdarbs::tools {

Session open_session(const Request& request) {
    (void)posix::read_slots(request.vault);  // a wrong directory is told before anybody types a secret
    Bytes secret = read_secret("KOPDARBS_SECRET", "Secret of " + request.vault + ": ");
    Session session;
    try {
        session.vault = posix::open_vault(request.vault, secret, session.host->env());
    } catch (...) {
        wipe(secret);
        throw;
    }
    wipe(secret);
    return session;
}

RecordId record_argument(const std::string& id) {
    try {
        return parse_record_id(id);
    } catch (const Error&) {
        throw UsageError("'" + id + "' is no record id");
    }
}

}  // namespace kopdarbs::tools
