// serve: the server's door, open until SIGTERM or SIGINT.
//
// Invariants: one process serves a directory; "listening on …" is printed when requests are taken; nothing that clients wrote is logged.
// Threading: the signals are blocked in every thread and awaited by one.
#include <pthread.h>
#include <signal.h>

#include <charconv>
#include <cstdio>
#include <thread>

#include "sync/server/https_server.h"
#include "tools/common/input.h"
#include "tools/common/outcome.h"
#include "tools/common/text_out.h"
#include "tools/kopdarbsd/commands.h"
#include "tools/kopdarbsd/server_dir.h"

namespace kopdarbs::tools {
namespace {

constexpr std::size_t kMaxPemBytes = 64 * 1024;

struct Address {
    std::string host;
    std::uint16_t port = 0;
};

/// HOST:PORT or [ADDRESS]:PORT.
Address parse_address(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos || colon == 0) throw UsageError("--listen: '" + text + "' is not HOST:PORT");
    Address address{text.substr(0, colon), 0};
    const char* end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data() + colon + 1, end, address.port);
    if (error != std::errc() || last != end) throw UsageError("--listen: '" + text.substr(colon + 1) + "' is no port");
    if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') {
        address.host = address.host.substr(1, address.host.size() - 2);
    } else if (address.host.find(':') != std::string::npos) {
        throw UsageError("--listen: write [" + address.host + "]:PORT");
    }
    return address;
}

/// Blocks SIGTERM and SIGINT in this thread and in those that it starts.
sigset_t block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    KOPDARBS_ASSERT(pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);
    ::signal(SIGPIPE, SIG_IGN);
    return signals;
}

/// Stops a server at the first of the blocked signals. The server outlives it.
class StopAtSignal {
public:
    StopAtSignal(const sigset_t& signals, sync::HttpsServer& door)
        : waiter_([signals, &door] {
              int number = 0;
              while (sigwait(&signals, &number) != 0) {
              }
              door.stop();
          }) {}
    ~StopAtSignal() {
        pthread_kill(waiter_.native_handle(), SIGINT);  // wakes it where the server ended by itself
        waiter_.join();
    }
    StopAtSignal(const StopAtSignal&) = delete;
    StopAtSignal& operator=(const StopAtSignal&) = delete;

private:
    std::thread waiter_;
};

sync::HttpsServer::Options options_of(const Address& address, const ServerDir& at) {
    sync::HttpsServer::Options options;
    options.host = address.host;
    options.port = address.port;
    options.certificate_pem = input_file(at.certificate(), kMaxPemBytes);
    options.key_pem = input_file(at.key(), kMaxPemBytes);
    options.on_failure = [](const std::string& what) { print_error("kopdarbsd", "request failed", what); };
    return options;
}

}  // namespace

int serve_command(const Request& request) {
    const Address address = parse_address(request.listen);
    const ServerDir at{request.dir};
    require_server(at);
    posix::FileLock lock(at.lock());
    if (!lock.try_lock()) fail(ErrorCode::busy, "another process serves " + at.dir);
    const sigset_t signals = block_signals();  // before any other thread is started
    Host host;
    sync::Server server(at.database(), host.env());
    sync::HttpsServer door(options_of(address, at), [&server](const sync::HttpRequest& r) { return server.handle(r); });
    const StopAtSignal stop(signals, door);
    const bool ipv6 = address.host.find(':') != std::string::npos;
    print_line("listening on https://" + (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(door.port()));
    std::fflush(stdout);
    door.run();
    return kExitDone;
}

}  // namespace kopdarbs::tools
