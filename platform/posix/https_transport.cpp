#include "platform/posix/https_transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <cerrno>
#include <chrono>
#include <optional>

#include "core/base/error.h"

namespace kopdarbs::posix {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using sync::HttpRequest;
using sync::HttpResponse;

constexpr std::uint32_t kMaxResponseHeader = 64 * 1024;
constexpr std::size_t kReadChunk = 64 * 1024;

struct Counters {
    std::atomic<std::uint64_t> sent{0};
    std::atomic<std::uint64_t> received{0};
    std::atomic<std::uint64_t> socket{0};
    std::atomic<std::uint64_t> connections{0};
};

/// A Beast rate policy that limits nothing and counts what passes the socket.
class CountingPolicy {
public:
    explicit CountingPolicy(Counters& counters) : counters_(&counters) {}

private:
    friend class beast::rate_policy_access;
    static constexpr std::size_t kAll = static_cast<std::size_t>(-1);
    std::size_t available_read_bytes() const noexcept { return kAll; }
    std::size_t available_write_bytes() const noexcept { return kAll; }
    void transfer_read_bytes(std::size_t n) const noexcept { counters_->socket += n; }
    void transfer_write_bytes(std::size_t n) const noexcept { counters_->socket += n; }
    void on_timer() const noexcept {}
    Counters* counters_;
};

using Line = beast::basic_stream<tcp, asio::any_io_executor, CountingPolicy>;
using Stream = beast::ssl_stream<Line>;
using Parser = http::response_parser<http::string_body>;
using Message = http::request<http::span_body<const char>>;

struct Address {
    std::string host;
    std::string port = "443";
    std::string authority;  ///< as the Host header has it
};

Address parse_url(const std::string& url) {
    constexpr std::string_view scheme = "https://";
    std::string_view rest = url;
    const auto require = [&](bool good, const char* why) {
        if (!good) fail(ErrorCode::invalid, "server address " + url + ": " + why);
    };
    require(rest.substr(0, scheme.size()) == scheme, "does not begin with https://");
    rest.remove_prefix(scheme.size());
    if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
    const auto is_plain = [](char c) { return c > 0x20 && c < 0x7f && c != '/' && c != '?' && c != '#' && c != '@'; };
    require(!rest.empty() && std::all_of(rest.begin(), rest.end(), is_plain), "not of the form https://HOST:PORT");
    Address address;
    address.authority = rest;
    const bool bracketed = rest.front() == '[';
    const std::size_t end = std::min(rest.find(bracketed ? ']' : ':'), rest.size());
    require(!bracketed || end < rest.size(), "a bracket is not closed");
    address.host = bracketed ? rest.substr(1, end - 1) : rest.substr(0, end);
    require(!address.host.empty(), "there is no host");
    const std::string_view after = rest.substr(bracketed ? end + 1 : end);
    if (after.empty()) return address;
    address.port = after.substr(1);
    const bool number = after.size() > 1 && after.size() <= 6 && address.port.find_first_not_of("0123456789") == std::string::npos;
    require(after[0] == ':' && number, "the port is no number");
    return address;
}

/// Called for every certificate of a chain: the leaf must say itself that it is a server's.
bool check_certificate(bool chained, ssl::verify_context& context) {
    X509_STORE_CTX* store = context.native_handle();
    if (!chained || X509_STORE_CTX_get_error_depth(store) != 0) return chained;
    X509* leaf = X509_STORE_CTX_get_current_cert(store);
    const bool says_so = (X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE) != 0;  // without, the next call answers "all"
    if (says_so && (X509_get_extended_key_usage(leaf) & XKU_SSL_SERVER) != 0) return true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_PURPOSE);
    return false;
}

ssl::context make_context(const std::string& ca_pem) {
    ssl::context context(ssl::context::tlsv13_client);
    SSL_CTX* native = context.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    error_code ec;
    context.add_certificate_authority(asio::buffer(ca_pem), ec);
    if (ec || ca_pem.empty()) fail(ErrorCode::invalid, "the server's authority is no certificate in PEM form");
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(native), X509_V_FLAG_NO_CHECK_TIME);
    context.set_verify_mode(ssl::verify_peer);
    context.set_verify_callback(check_certificate);
    return context;
}

/// The other side (or something between) ended the connection.
bool is_closed(const error_code& ec) {
    return ec == asio::error::eof || ec == asio::error::connection_reset || ec == asio::error::connection_aborted ||
           ec == asio::error::broken_pipe || ec == asio::error::not_connected || ec == ssl::error::stream_truncated ||
           ec == http::error::end_of_stream || ec == http::error::partial_message;
}

std::string explain(const error_code& ec) {
    if (ec == beast::error::timeout || ec == asio::error::timed_out) return "timed out";
    if (ec == asio::error::connection_refused) return "connection refused, nothing listens there";
    const bool tls = ec.category() == asio::error::get_ssl_category();
    if (tls && ERR_GET_REASON(static_cast<unsigned long>(ec.value())) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        return "its certificate is not from this server's authority";
    }
    if (is_closed(ec)) return "the connection was cut in the middle";
    if (ec == http::error::body_limit || ec == http::error::header_limit) return "the answer is larger than allowed";
    if (ec.category() == make_error_code(http::error::bad_version).category()) return "the answer is not HTTP (" + ec.message() + ")";
    if (tls) return "no TLS 1.3 could be agreed (" + ec.message() + ")";
    return ec.message();
}

}  // namespace

class HttpsTransport::Impl {
public:
    Impl(const std::string& url, const std::string& ca_pem, HttpsTimeouts timeouts)
        : url_(url), address_(parse_url(url)), timeouts_(timeouts), tls_(make_context(ca_pem)) {}

    void open() {
        if (stream_ && is_stale()) stream_.reset();
        if (!stream_) connect();
    }

    HttpResponse send(const HttpRequest& request) {
        if (!is_well_formed(request)) fail(ErrorCode::invalid, "HTTP request: a method, path or header that HTTP cannot carry");
        for (;;) {
            open();
            const bool kept_alive = was_used_;
            Parser parser;
            const error_code ec = exchange(message_of(request), parser);
            was_used_ = true;
            if (!ec) return response_of(parser);
            const bool unheard = !parser.got_some() && buffer_.size() == 0;
            stream_.reset();
            if (!kept_alive || !unheard || !is_closed(ec)) fail(ErrorCode::network, "request to " + url_ + ": " + explain(ec));
        }
    }

    const Counters& counters() const { return counters_; }

private:
    /// Runs one asynchronous operation to its end; what remains of `ioc_` afterwards is empty.
    template <class Start>
    error_code wait(Start start) {
        error_code result;
        start([&result](error_code ec, auto&&...) { result = ec; });
        ioc_.restart();
        ioc_.run();
        return result;
    }

    /// The same for a read or write within the idle timeout; counts its octets.
    template <class Start>
    error_code transfer(std::atomic<std::uint64_t>& count, Start start) {
        line().expires_after(std::chrono::milliseconds(timeouts_.idle_ms));
        return wait([&](auto done) {
            start([&count, done](error_code ec, std::size_t n) {
                count += n;
                done(ec);
            });
        });
    }

    Line& line() { return beast::get_lowest_layer(*stream_); }

    /// Between two requests nothing should be there to read: an end, or anything else, means a connection not to be used again.
    bool is_stale() {
        char octet = 0;
        return buffer_.size() != 0 || ::recv(line().socket().native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
               (errno != EAGAIN && errno != EWOULDBLOCK);
    }

    void connect() {
        error_code ec;
        tcp::resolver resolver(ioc_);
        const auto endpoints = resolver.resolve(address_.host, address_.port, ec);
        if (ec) fail(ErrorCode::network, "connect to " + url_ + ": cannot resolve " + address_.host + " (" + ec.message() + ")");
        buffer_.clear();
        buffer_.reserve(kReadChunk);
        was_used_ = false;
        stream_.emplace(Line(CountingPolicy(counters_), ioc_), tls_);
        const std::chrono::milliseconds patience(timeouts_.connect_ms);
        line().expires_after(patience);
        ec = wait([&](auto done) { line().async_connect(endpoints, done); });
        if (!ec) {
            ++counters_.connections;
            line().socket().set_option(tcp::no_delay(true), ec);
            name_server();
            line().expires_after(patience);
            ec = wait([&](auto done) { stream_->async_handshake(ssl::stream_base::client, done); });
        }
        if (!ec) return;
        stream_.reset();
        fail(ErrorCode::network, "connect to " + url_ + ": " + explain(ec));
    }

    /// The server's name for anything between that routes by it; addresses may not be named (RFC 6066 section 3).
    void name_server() {
        std::string name = address_.host;
        error_code not_an_address;
        (void)asio::ip::make_address(name, not_an_address);
        if (not_an_address) SSL_ctrl(stream_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    }

    Message message_of(const HttpRequest& request) const {
        Message message;
        message.method_string(request.method);
        message.target(request.path);
        message.version(11);
        message.set(http::field::host, address_.authority);
        for (const auto& [name, value] : request.headers) message.insert(name, value);
        message.body() = {request.body.data(), request.body.size()};
        message.prepare_payload();
        return message;
    }

    error_code exchange(const Message& message, Parser& parser) {
        http::request_serializer<http::span_body<const char>> serializer(message);
        error_code written;
        while (!written && !serializer.is_done()) {
            written = transfer(counters_.sent, [&](auto done) { http::async_write_some(*stream_, serializer, done); });
        }
        if (written == beast::error::timeout) return written;
        // A server that refuses a large request answers before it hangs up, so the answer is read even when writing failed.
        parser.header_limit(kMaxResponseHeader);
        parser.body_limit(kMaxResponseBody);
        parser.skip(message.method() == http::verb::head);
        error_code read;
        while (!read && !parser.is_done()) {
            read = transfer(counters_.received, [&](auto done) { http::async_read_some(*stream_, buffer_, parser, done); });
        }
        return read && written ? written : read;
    }

    HttpResponse response_of(Parser& parser) {
        if (!parser.keep_alive()) stream_.reset();
        auto message = parser.release();
        HttpResponse response;
        response.status = static_cast<int>(message.result_int());
        for (const auto& field : message) response.headers.emplace_back(field.name_string(), field.value());
        response.body = std::move(message.body());
        return response;
    }

    const std::string url_;
    const Address address_;
    const HttpsTimeouts timeouts_;
    Counters counters_;
    ssl::context tls_;
    asio::io_context ioc_{1};
    beast::flat_buffer buffer_{kMaxResponseHeader + kReadChunk};
    std::optional<Stream> stream_;
    bool was_used_ = false;  ///< the connection has carried a request
};

HttpsTransport::HttpsTransport(const std::string& url, const std::string& ca_pem, HttpsTimeouts timeouts)
    : impl_(std::make_unique<Impl>(url, ca_pem, timeouts)) {}
HttpsTransport::~HttpsTransport() = default;

void HttpsTransport::open() {
    impl_->open();
}
HttpResponse HttpsTransport::send(const HttpRequest& request) {
    return impl_->send(request);
}
std::uint64_t HttpsTransport::bytes_sent() const {
    return impl_->counters().sent;
}
std::uint64_t HttpsTransport::bytes_received() const {
    return impl_->counters().received;
}
std::uint64_t HttpsTransport::socket_bytes() const {
    return impl_->counters().socket;
}
std::uint64_t HttpsTransport::connections() const {
    return impl_->counters().connections;
}

}  // namespace kopdarbs::posix
