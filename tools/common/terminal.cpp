#include "tools/common/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/base/error.h"

namespace kopdarbs::tools {
namespace {

constexpr std::size_t kMaxLine = 4096;
constexpr std::array<int, 4> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

volatile sig_atomic_t caught = 0;
void on_signal(int number) {
    caught = number;
}

int open_terminal() {
    return ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

/// Echo off and signals remembered, until the end of the scope.
class Quiet {
public:
    explicit Quiet(int fd) : fd_(fd) {
        caught = 0;
        struct sigaction action{};
        action.sa_handler = on_signal;  // without SA_RESTART: read() comes back
        for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &before_[i]);
        echoes_ = ::tcgetattr(fd_, &terminal_) == 0;
        termios silent = terminal_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
        if (echoes_) ::tcsetattr(fd_, TCSAFLUSH, &silent);
    }
    ~Quiet() {
        if (echoes_) ::tcsetattr(fd_, TCSAFLUSH, &terminal_);
        for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
        if (caught != 0) ::raise(caught);
    }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;

private:
    int fd_;
    bool echoes_ = false;
    termios terminal_{};
    std::array<struct sigaction, kSignals.size()> before_{};
};

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno != EINTR) return;
        if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    }
}

/// A line without its end; false when there was none.
bool read_line(int fd, Bytes& line) {
    line.reserve(kMaxLine);
    char c = 0;
    for (;;) {
        const ssize_t n = ::read(fd, &c, 1);
        if (n < 0 && errno == EINTR && caught == 0) continue;
        if (n <= 0) return false;
        if (c == '\n') return true;
        if (line.size() == kMaxLine) return false;
        line += c;
    }
}

}  // namespace

bool has_terminal() {
    const int fd = open_terminal();
    if (fd < 0) return false;
    ::close(fd);
    return true;
}

std::optional<Bytes> read_hidden_line(const std::string& prompt) {
    const int fd = open_terminal();
    if (fd < 0) return std::nullopt;
    Bytes line;
    bool whole = false;
    {
        const Quiet quiet(fd);
        write_all(fd, prompt);
        whole = read_line(fd, line);
        write_all(fd, "\n");
    }
    ::close(fd);
    if (!whole) {
        wipe(line);
        fail(ErrorCode::io, "nothing was typed");
    }
    return line;
}

}  // namespace kopdarbs::tools
