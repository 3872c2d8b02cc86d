#include "tests/support/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace kopdarbs::test {
namespace {

constexpr unsigned kAlarmSeconds = 280;
constexpr int kCannotExec = 127;

std::string unique_file(const std::string& scratch, const char* what) {
    static std::atomic<int> next{0};
    return scratch + "/." + what + "." + std::to_string(next++);
}

/// What a child inherits: a bare environment, so that the tester's language or secrets change nothing.
std::vector<std::string> environment_of(const Setting& setting) {
    std::map<std::string, std::string> all = {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}, {"TZ", "UTC"}};
    for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE"}) {
        if (const char* value = std::getenv(name)) all[name] = value;
    }
    for (const auto& [name, value] : setting.environment) all[name] = value;
    std::vector<std::string> texts;
    for (const auto& [name, value] : all) texts.push_back(name + "=" + value);
    return texts;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

}  // namespace

std::vector<Json> Run::lines() const {
    std::vector<Json> result;
    std::istringstream in(out);
    for (std::string line; std::getline(in, line);) result.push_back(Json::parse(line));
    return result;
}

bool Run::one_error_line(const std::string& beginning) const {
    return err.rfind(beginning, 0) == 0 && std::count(err.begin(), err.end(), '\n') == 1 && err.back() == '\n';
}

Process::Process(const std::string& scratch, const std::string& program, const std::vector<std::string>& arguments, const Setting& setting)
    : err_file_(unique_file(scratch, "err")) {
    const std::string in_file = unique_file(scratch, "in");
    write_whole(in_file, setting.input);
    std::vector<std::string> argv_texts{program};
    argv_texts.insert(argv_texts.end(), arguments.begin(), arguments.end());
    std::vector<std::string> env_texts = environment_of(setting);
    const std::vector<char*> argv = pointers(argv_texts);
    const std::vector<char*> env = pointers(env_texts);
    const int in = ::open(in_file.c_str(), O_RDONLY | O_CLOEXEC);
    const int err = ::open(err_file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    std::array<int, 2> out{-1, -1};
    if (in < 0 || err < 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no descriptors for a child");
    pid_ = ::fork();
    if (pid_ == 0) {
        ::setsid();
        ::dup2(in, STDIN_FILENO);
        ::dup2(out[1], STDOUT_FILENO);
        ::dup2(err, STDERR_FILENO);
        ::alarm(kAlarmSeconds);
        ::execve(program.c_str(), argv.data(), env.data());
        ::_exit(kCannotExec);
    }
    ::close(in);
    ::close(err);
    ::close(out[1]);
    ::unlink(in_file.c_str());
    out_ = out[0];
    if (pid_ < 0) throw std::runtime_error("cannot fork");
}

Process::~Process() {
    if (!started()) return;
    kill();
    (void)wait();
}

Process::Process(Process&& other) noexcept {
    *this = std::move(other);
}

Process& Process::operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(out_, other.out_);
    std::swap(said_, other.said_);
    std::swap(err_file_, other.err_file_);
    return *this;
}

std::string Process::first_line() {
    char c = 0;
    while (said_.find('\n') == said_.npos && ::read(out_, &c, 1) == 1) said_ += c;
    const std::size_t end = said_.find('\n');
    return end == said_.npos ? std::string() : said_.substr(0, end);
}

void Process::send(int signal) const {
    if (started()) ::kill(pid_, signal);
}

void Process::kill() {
    send(SIGKILL);
}
void Process::terminate() {
    send(SIGTERM);
}

Run Process::wait() {
    Run result;
    std::array<char, 64 * 1024> buffer{};
    for (ssize_t n = 0; (n = ::read(out_, buffer.data(), buffer.size())) > 0;) said_.append(buffer.data(), static_cast<std::size_t>(n));
    ::close(out_);
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    if (WIFEXITED(status)) result.exit = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    result.out = std::exchange(said_, {});
    result.err = read_whole(err_file_);
    ::unlink(err_file_.c_str());
    return result;
}

Run run(const std::string& scratch, const std::string& program, const std::vector<std::string>& arguments, const Setting& setting) {
    return Process(scratch, program, arguments, setting).wait();
}

ScratchDir::ScratchDir() {
    std::string name = (std::filesystem::temp_directory_path() / "kopdarbs-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
}

ScratchDir::~ScratchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string read_whole(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_whole(const std::string& path, const std::string& content) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace kopdarbs::test
