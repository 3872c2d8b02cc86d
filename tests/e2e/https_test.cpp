// The server's door and the client's line to it, on loopback: what they carry, what they refuse, how they end.
// Where one side must misbehave, it is played by a few lines of plain OpenSSL.
#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/base/error.h"
#include "platform/posix/certificates.h"
#include "platform/posix/https_transport.h"
#include "sync/server/https_server.h"
#include "tests/support/catch.h"

using namespace kopdarbs;
using namespace kopdarbs::sync;
using kopdarbs::posix::CertificateAndKey;
using kopdarbs::posix::HttpsTransport;

namespace {

constexpr std::uint64_t kNow = 1'795'000'000'000;  // November 2026

const CertificateAndKey& authority() {
    static const CertificateAndKey made = posix::make_authority("Test authority", kNow);
    return made;
}

const CertificateAndKey& certificate() {
    static const CertificateAndKey made = posix::make_server_certificate(authority(), {"kopdarbs.example", "192.0.2.7"}, kNow);
    return made;
}

/// The server's certificate with something changed, signed again by the same authority.
CertificateAndKey reissued(const std::function<void(X509*)>& change) {
    BIO* read_certificate = BIO_new_mem_buf(certificate().certificate_pem.data(), -1);
    BIO* read_key = BIO_new_mem_buf(authority().key_pem.data(), -1);
    BIO* written = BIO_new(BIO_s_mem());
    X509* x = PEM_read_bio_X509(read_certificate, nullptr, nullptr, nullptr);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(read_key, nullptr, nullptr, nullptr);
    REQUIRE((x && key));
    change(x);
    REQUIRE(X509_sign(x, key, EVP_sha256()) > 0);
    REQUIRE(PEM_write_bio_X509(written, x) == 1);
    char* text = nullptr;
    const long size = BIO_get_mem_data(written, &text);
    CertificateAndKey result{std::string(text, static_cast<std::size_t>(size)), certificate().key_pem};
    BIO_free(read_certificate);
    BIO_free(read_key);
    BIO_free(written);
    X509_free(x);
    EVP_PKEY_free(key);
    return result;
}

HttpsServer::Options options() {
    HttpsServer::Options o;
    o.certificate_pem = certificate().certificate_pem;
    o.key_pem = certificate().key_pem;
    o.worker_threads = 4;
    return o;
}

HttpResponse echo(const HttpRequest& request) {
    return {200, {{"X-Method", request.method}, {"X-Path", request.path}, {"Content-Type", "application/octet-stream"}}, request.body};
}

class Running {
public:
    explicit Running(HttpsServer::Options o = options(), HttpsServer::Handler handler = echo)
        : server(std::move(o), std::move(handler)), thread_([this] { server.run(); }) {}
    ~Running() { stop(); }
    void stop() {
        server.stop();
        if (thread_.joinable()) thread_.join();
    }
    std::string url() const { return "https://127.0.0.1:" + std::to_string(server.port()); }

    HttpsServer server;

private:
    std::thread thread_;
};

HttpRequest post(Bytes body, std::string path = "/echo") {
    HttpRequest request;
    request.path = std::move(path);
    request.body = std::move(body);
    return request;
}

/// What `send` throws; fails when it does not, or with another code than `network`.
std::string network_error(HttpsTransport& transport) {
    try {
        transport.send(post("x"));
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::network);
        return e.what();
    }
    FAIL("the request went through");
    return {};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// One end of a TLS connection, octet by octet; blocking.
class Plain {
public:
    /// Connects, whoever the server is, with at most `version`.
    explicit Plain(std::uint16_t port, int version = TLS1_3_VERSION) : context_(SSL_CTX_new(TLS_client_method())) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_in address = loopback(port);
        REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        SSL_CTX_set_max_proto_version(context_, version);
        open(fd);
        agreed_ = SSL_connect(ssl_) == 1;
    }
    /// Accepts from `listener` with the test's certificate.
    Plain(int listener, std::nullptr_t) : context_(SSL_CTX_new(TLS_server_method())) {
        BIO* pem = BIO_new_mem_buf(certificate().certificate_pem.data(), -1);
        BIO* key_pem = BIO_new_mem_buf(certificate().key_pem.data(), -1);
        X509* x = PEM_read_bio_X509(pem, nullptr, nullptr, nullptr);
        EVP_PKEY* key = PEM_read_bio_PrivateKey(key_pem, nullptr, nullptr, nullptr);
        SSL_CTX_use_certificate(context_, x);
        SSL_CTX_use_PrivateKey(context_, key);
        SSL_CTX_set_num_tickets(context_, 0);
        X509_free(x);
        EVP_PKEY_free(key);
        BIO_free(pem);
        BIO_free(key_pem);
        open(::accept(listener, nullptr, nullptr));
        agreed_ = SSL_accept(ssl_) == 1;
    }
    ~Plain() {
        ::close(fd_);
        SSL_free(ssl_);
        SSL_CTX_free(context_);
    }
    Plain(const Plain&) = delete;
    Plain& operator=(const Plain&) = delete;

    bool agreed() const { return agreed_; }
    void write(const std::string& text) { KOPDARBS_ASSERT(SSL_write(ssl_, text.data(), static_cast<int>(text.size())) > 0); }
    /// What comes next, at least one octet; empty at the end.
    std::string read_some() {
        char buffer[4096];
        const int n = SSL_read(ssl_, buffer, sizeof buffer);
        return {buffer, static_cast<std::size_t>(n > 0 ? n : 0)};
    }
    std::string read_until(const std::string& end) {
        std::string all;
        for (std::string more = read_some(); !more.empty(); more = read_some()) {
            all += more;
            if (contains(all, end)) break;
        }
        return all;
    }
    std::string read_to_end() {
        std::string all;
        for (std::string more = read_some(); !more.empty(); more = read_some()) all += more;
        return all;
    }

private:
    void open(int fd) {
        std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
        fd_ = fd;
        ssl_ = SSL_new(context_);
        SSL_set_fd(ssl_, fd);
    }
    SSL_CTX* context_;
    SSL* ssl_ = nullptr;
    int fd_ = -1;
    bool agreed_ = false;
};

/// A listening socket whose owner says what happens on it.
class Listener {
public:
    Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(fd_, 8) == 0);
        REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port_ = ntohs(address.sin_port);
    }
    ~Listener() { ::close(fd_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    int fd() const { return fd_; }
    std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }

private:
    int fd_;
    std::uint16_t port_ = 0;
};

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

}  // namespace

TEST_CASE("a request arrives as it was sent, and so does its response") {
    Running running;
    HttpsTransport transport(running.url(), authority().certificate_pem);
    const HttpResponse response = transport.send(post("a few octets", "/echo?x=1&y=%20"));
    CHECK(response.status == 200);
    CHECK(response.body == "a few octets");
    CHECK(*find_header(response.headers, "x-method") == "POST");
    CHECK(*find_header(response.headers, "x-path") == "/echo?x=1&y=%20");
    CHECK(find_header(response.headers, "server") == nullptr);
    CHECK(find_header(response.headers, "date") == nullptr);
    HttpRequest get;
    get.method = "GET";
    get.path = "/";
    CHECK(*find_header(transport.send(get).headers, "x-method") == "GET");
    get.method = "HEAD";
    CHECK(transport.send(get).body.empty());
    CHECK(transport.send(post("")).body.empty());
    CHECK(transport.connections() == 1);
}

TEST_CASE("eight megabytes go and come back whole") {
    Running running;
    HttpsTransport transport(running.url(), authority().certificate_pem);
    Bytes body(std::size_t{8} << 20, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 >> 3);
    const HttpResponse response = transport.send(post(body));
    CHECK((response.body == body));
}

TEST_CASE("both sides count the same HTTP octets, and the socket carries little more") {
    Running running;
    HttpsTransport transport(running.url(), authority().certificate_pem);
    for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{100'000}}) transport.send(post(Bytes(size, 'x')));
    running.stop();  // a server counts what it wrote after the client may have read it
    const HttpsServer::Stats stats = running.server.stats();
    CHECK(stats.requests == 3);
    CHECK(stats.bytes_received == transport.bytes_sent());
    CHECK(stats.bytes_sent == transport.bytes_received());
    const std::string first =
        "POST /echo HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(running.server.port()) + "\r\nContent-Length: 0\r\n\r\n";
    CHECK(transport.bytes_sent() == 3 * first.size() + 1 + 5 + 10 + 100'000);
    const std::uint64_t http = transport.bytes_sent() + transport.bytes_received();
    CHECK(transport.socket_bytes() > http);
    CHECK(transport.socket_bytes() < http + 4000);
}

TEST_CASE("a server of another authority is refused before anything is sent") {
    Running running;
    const CertificateAndKey other = posix::make_authority("Test authority", kNow);
    HttpsTransport transport(running.url(), other.certificate_pem);
    CHECK(contains(network_error(transport), "certificate is not from this server's authority"));
    CHECK(transport.bytes_sent() == 0);
    CHECK(running.server.stats().requests == 0);
}

TEST_CASE("an expired certificate of the pinned authority is accepted: no clock is asked") {
    auto o = options();
    o.certificate_pem = reissued([](X509* x) { ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "20210101000000Z"); }).certificate_pem;
    Running running(o);
    HttpsTransport transport(running.url(), authority().certificate_pem);
    CHECK(transport.send(post("x")).status == 200);
}

TEST_CASE("a certificate that does not say it is a server's is refused") {
    auto o = options();
    o.certificate_pem =
        reissued([](X509* x) { X509_EXTENSION_free(X509_delete_ext(x, X509_get_ext_by_NID(x, NID_ext_key_usage, -1))); }).certificate_pem;
    Running running(o);
    HttpsTransport transport(running.url(), authority().certificate_pem);
    CHECK(contains(network_error(transport), "certificate is not from this server's authority"));
}

TEST_CASE("bodies up to the limit are taken, larger ones answered with 413") {
    auto o = options();
    o.max_body = 1'000'000;
    Running running(o);
    HttpsTransport transport(running.url(), authority().certificate_pem);
    CHECK(transport.send(post(Bytes(1'000'000, 'x'))).status == 200);
    CHECK(transport.send(post(Bytes(1'000'001, 'x'))).status == 413);
    CHECK(transport.send(post(Bytes(1'900'000, 'x'))).status == 413);
    CHECK(transport.send(post("small again")).status == 200);
    CHECK(running.server.stats().requests == 2);
}

TEST_CASE("what is not HTTP is answered with 400 and the connection closed") {
    Running running;
    for (const char* garbage : {"\x01\x02\x03 what is this\r\n\r\n", "POST\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
                                "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "POST / HTTP/9.9\r\n\r\n"}) {
        INFO(garbage);
        Plain client(running.server.port());
        client.write(garbage);
        CHECK(contains(client.read_to_end(), "HTTP/1.1 400 "));
    }
    Plain endless(running.server.port());
    endless.write("GET / HTTP/1.1\r\nX: " + std::string(17 * 1024, 'x'));
    CHECK(contains(endless.read_to_end(), "HTTP/1.1 431 "));
    Plain chunked(running.server.port());
    chunked.write("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    CHECK(contains(chunked.read_to_end(), "HTTP/1.1 411 "));
    CHECK(running.server.stats().requests == 0);
}

TEST_CASE("a client that asks before it sends its body is told to go on") {
    Running running;
    Plain client(running.server.port());
    client.write("POST /e HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
    CHECK(client.read_some() == "HTTP/1.1 100 Continue\r\n\r\n");
    client.write("hi");
    CHECK(contains(client.read_to_end(), "\r\n\r\nhi"));
}

TEST_CASE("a handler is told how long its request was on the way") {
    std::atomic<std::uint64_t> waited{0};
    Running running(options(), [&](const HttpRequest& request) {
        waited = request.waited_ms;
        return echo(request);
    });
    using Clock = std::chrono::steady_clock;
    const auto ms_since = [](Clock::time_point then) {
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - then).count());
    };
    // Time has to pass on a real socket; how long the rest takes is measured, not guessed.
    static constexpr std::uint64_t kPauseMs = 100;
    const auto pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(kPauseMs)); };
    HttpsTransport quick(running.url(), authority().certificate_pem);
    quick.open();
    pause();  // an open connection is no request yet
    const Clock::time_point asked = Clock::now();
    CHECK(quick.send(post("x")).status == 200);
    CHECK(waited <= ms_since(asked));
    CHECK(quick.connections() == 1);
    Plain slow(running.server.port());
    slow.write("POST /e HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
    CHECK(slow.read_some() == "HTTP/1.1 100 Continue\r\n\r\n");  // the head is there
    pause();
    slow.write("hi");
    CHECK(contains(slow.read_to_end(), "\r\n\r\nhi"));
    CHECK(waited >= kPauseMs);
    CHECK(waited <= ms_since(asked));
}

TEST_CASE("TLS 1.2 is not spoken") {
    Running running;
    CHECK_FALSE(Plain(running.server.port(), TLS1_2_VERSION).agreed());
    CHECK(Plain(running.server.port(), TLS1_3_VERSION).agreed());
}

TEST_CASE("a client that does not go on is hung up on") {
    auto o = options();
    o.request_timeout_s = 1;
    Running running(o);
    Plain silent(running.server.port());
    Plain halfway(running.server.port());
    halfway.write("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf");
    CHECK(silent.read_to_end().empty());
    CHECK(halfway.read_to_end().empty());
}

TEST_CASE("what a handler throws stays inside") {
    std::promise<std::string> told;
    auto o = options();
    o.on_failure = [&](const std::string& what) { told.set_value(what); };
    Running running(o, [](const HttpRequest&) -> HttpResponse { fail(ErrorCode::io, "secret path"); });
    HttpsTransport transport(running.url(), authority().certificate_pem);
    const HttpResponse response = transport.send(post("x"));
    CHECK(response.status == 500);
    CHECK(response.body == "Internal Server Error\n");
    CHECK(told.get_future().get() == "secret path");
}

TEST_CASE("when too many requests wait for a worker, the next is told to come back") {
    std::promise<void> entered;
    std::promise<void> release;
    std::shared_future<void> released = release.get_future().share();
    std::atomic<int> calls{0};
    auto o = options();
    o.worker_threads = 1;
    o.max_waiting = 1;
    Running running(o, [&](const HttpRequest& request) {
        if (calls++ == 0) entered.set_value();
        released.wait();
        return echo(request);
    });
    const auto ask = [&] { return HttpsTransport(running.url(), authority().certificate_pem).send(post("x")); };
    auto served = std::async(std::launch::async, ask);
    entered.get_future().wait();
    auto waiting = std::async(std::launch::async, ask);
    while (running.server.stats().waiting == 0) std::this_thread::yield();
    const HttpResponse refused = ask();
    CHECK(refused.status == 503);
    CHECK(find_header(refused.headers, "retry-after") != nullptr);
    release.set_value();
    CHECK(served.get().status == 200);
    CHECK(waiting.get().status == 200);
}

TEST_CASE("bodies beyond the octets that may be held together are refused") {
    auto o = options();
    o.max_held_octets = 100'000;
    Running running(o);
    HttpsTransport transport(running.url(), authority().certificate_pem);
    CHECK(transport.send(post(Bytes(100'000, 'x'))).status == 200);
    CHECK(transport.send(post(Bytes(100'001, 'x'))).status == 503);
    // What was held is let go once its answer is written, which the asker may hear of a moment earlier.
    int status = 503;
    for (int tries = 0; tries < 1'000 && status == 503; ++tries) status = transport.send(post("x")).status;
    CHECK(status == 200);
}

TEST_CASE("a full house makes room by closing the longest idle connection") {
    auto o = options();
    o.max_connections = 2;
    Running running(o);
    HttpsTransport first(running.url(), authority().certificate_pem);
    HttpsTransport second(running.url(), authority().certificate_pem);
    HttpsTransport third(running.url(), authority().certificate_pem);
    for (int round = 0; round < 3; ++round) {
        CHECK(first.send(post("x")).status == 200);
        CHECK(second.send(post("x")).status == 200);
        CHECK(third.send(post("x")).status == 200);
    }
}

TEST_CASE("stopping finishes the request in flight, then refuses") {
    std::promise<void> entered;
    std::promise<void> release;
    Running running(options(), [&](const HttpRequest& request) {
        entered.set_value();
        release.get_future().wait();
        return echo(request);
    });
    const std::string url = running.url();
    HttpsTransport transport(url, authority().certificate_pem);
    auto response = std::async(std::launch::async, [&] { return transport.send(post("last words")); });
    entered.get_future().wait();
    running.server.stop();
    HttpsTransport late(url, authority().certificate_pem);
    release.set_value();
    CHECK(response.get().body == "last words");
    running.stop();
    CHECK(contains(network_error(late), "connection refused"));
}

TEST_CASE("stopping does not wait for idle or half-spoken connections longer than the drain timeout") {
    auto o = options();
    o.drain_timeout_s = 0;
    Running running(o);
    HttpsTransport idle(running.url(), authority().certificate_pem);
    CHECK(idle.send(post("x")).status == 200);
    Plain halfway(running.server.port());
    halfway.write("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf");
    running.stop();
    CHECK(running.server.stats().connections == 0);
    CHECK(halfway.read_to_end().empty());
}

TEST_CASE("a client goes on with a server that was restarted in between") {
    auto o = options();
    auto before = std::make_unique<Running>(o);
    o.port = before->server.port();
    HttpsTransport transport(before->url(), authority().certificate_pem);
    CHECK(transport.send(post("x")).status == 200);
    before.reset();
    Running after(o);
    CHECK(transport.send(post("y")).body == "y");
    CHECK(transport.connections() == 2);
}

TEST_CASE("a kept connection that closes without a word is replaced once") {
    Listener listener;
    std::thread server([&] {
        {
            Plain first(listener.fd(), nullptr);
            first.read_until("\r\n\r\n");
            first.write(kOk);
            first.read_until("\r\n\r\n");  // the second request: no answer
        }
        Plain second(listener.fd(), nullptr);
        second.read_until("\r\n\r\n");
        second.write(kOk);
        second.read_until("\r\n\r\n");
        second.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    });
    HttpsTransport transport(listener.url(), authority().certificate_pem);
    HttpRequest get;
    get.method = "GET";
    get.path = "/";
    CHECK(transport.send(get).body == "ok");
    CHECK(transport.send(get).body == "ok");
    CHECK(transport.connections() == 2);
    try {
        transport.send(get);
        FAIL("half an answer was taken for a whole one");
    } catch (const Error& e) {
        CHECK(contains(e.what(), "cut in the middle"));
    }
    CHECK(transport.connections() == 2);
    server.join();
}

TEST_CASE("a fresh connection that closes without a word is an error, not a second try") {
    Listener listener;
    std::thread server([&] {
        Plain only(listener.fd(), nullptr);
        only.read_until("\r\n\r\n");
    });
    HttpsTransport transport(listener.url(), authority().certificate_pem);
    CHECK(contains(network_error(transport), "cut in the middle"));
    CHECK(transport.connections() == 1);
    server.join();
}

TEST_CASE("a server that says nothing is given up on") {
    Listener listener;
    posix::HttpsTimeouts timeouts;
    timeouts.connect_ms = 50;
    HttpsTransport transport(listener.url(), authority().certificate_pem, timeouts);
    CHECK(contains(network_error(transport), "timed out"));
}

TEST_CASE("addresses that lead nowhere are told apart") {
    std::string closed;
    {
        Listener listener;
        closed = listener.url();
    }
    HttpsTransport refused(closed, authority().certificate_pem);
    CHECK(contains(network_error(refused), "connection refused"));
    HttpsTransport unknown("https://no-such-host.invalid", authority().certificate_pem);
    CHECK(contains(network_error(unknown), "cannot resolve no-such-host.invalid"));
    for (const char* url : {"http://localhost", "https://", "https://host:port", "https://host:", "https://host/path", "https://[::1",
                            "localhost", "https://user@host", "https://host:123456"}) {
        INFO(url);
        CHECK_THROWS_AS(HttpsTransport(url, authority().certificate_pem), Error);
    }
    CHECK_THROWS_AS(HttpsTransport("https://localhost", "no certificate"), Error);
}

TEST_CASE("requests that HTTP cannot carry are refused before they leave") {
    Running running;
    HttpsTransport transport(running.url(), authority().certificate_pem);
    for (const char* path : {"", "echo", "/a b", "/a\r\nX: y"}) CHECK_THROWS_AS(transport.send(post("x", path)), Error);
    HttpRequest request = post("x");
    request.headers = {{"X-Split", "a\r\nX-Other: b"}};
    CHECK_THROWS_AS(transport.send(request), Error);
    CHECK(transport.bytes_sent() == 0);
}

TEST_CASE("the certificates read as ordinary tools expect") {
    BIO* pem = BIO_new_mem_buf(certificate().certificate_pem.data(), -1);
    X509* x = PEM_read_bio_X509(pem, nullptr, nullptr, nullptr);
    REQUIRE(x != nullptr);
    CHECK(X509_check_host(x, "localhost", 0, 0, nullptr) == 1);
    CHECK(X509_check_host(x, "kopdarbs.example", 0, 0, nullptr) == 1);
    CHECK(X509_check_host(x, "other.example", 0, 0, nullptr) == 0);
    CHECK(X509_check_ip_asc(x, "127.0.0.1", 0) == 1);
    CHECK(X509_check_ip_asc(x, "::1", 0) == 1);
    CHECK(X509_check_ip_asc(x, "192.0.2.7", 0) == 1);
    int days = 0;
    int seconds = 0;
    CHECK(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(x), X509_get0_notAfter(x)) == 1);
    CHECK(days > 36 * 365);
    X509_free(x);
    BIO_free(pem);
    CHECK_THROWS_AS(posix::make_server_certificate(authority(), {"a,DNS:b"}, kNow), Error);
    CHECK_THROWS_AS(posix::make_server_certificate({"x", "y"}, {}, kNow), Error);
    CHECK_THROWS_AS(posix::make_authority("", kNow), Error);
}
