#include "sync/server/https_connection.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <optional>
#include <vector>

namespace kopdarbs::sync {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using Parser = http::request_parser<http::string_body>;

constexpr std::uint32_t kMaxHeader = 16 * 1024;
constexpr std::size_t kReadChunk = 64 * 1024;
constexpr std::size_t kFirstRead = 4 * 1024;       ///< what an idle connection keeps ready
constexpr std::size_t kMinOctetsPerSecond = 2048;  ///< a body may take as long as a line of this speed needs, beyond the timeout
constexpr seconds kHandshakeTimeout{10};
constexpr seconds kLingerTimeout{5};
constexpr int kHangUp = -1;  ///< beside HTTP statuses: there is nobody to answer
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

HttpResponse plain(int status) {
    const auto reason = http::obsolete_reason(static_cast<http::status>(status));
    HttpResponse response{status, {{"Content-Type", "text/plain"}}, std::string(reason.data(), reason.size()) + "\n"};
    if (status == 503) response.headers.emplace_back("Retry-After", "2");
    return response;
}

/// The status that answers a request which could not be read.
int refusal_of(const error_code& ec) {
    if (ec == http::error::body_limit) return 413;
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow) return 431;
    if (ec == http::error::end_of_stream || ec == http::error::partial_message) return kHangUp;
    return ec.category() == make_error_code(http::error::bad_method).category() ? 400 : kHangUp;
}

HttpRequest request_of(Parser& parser) {
    auto message = parser.release();
    HttpRequest request;
    request.method = std::string(message.method_string());
    request.path = std::string(message.target());
    for (const auto& field : message) request.headers.emplace_back(field.name_string(), field.value());
    request.body = std::move(message.body());
    return request;
}

/// A place in the queue for a worker; given back when dropped.
class Place {
public:
    explicit Place(std::atomic<std::size_t>& waiting) : waiting_(&waiting) { ++waiting; }
    Place(Place&& other) noexcept : waiting_(std::exchange(other.waiting_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place() { leave(); }
    void leave() {
        if (waiting_) --*std::exchange(waiting_, nullptr);
    }

private:
    std::atomic<std::size_t>* waiting_;
};

class Connection final : public HttpsConnection, public std::enable_shared_from_this<Connection> {
public:
    Connection(HttpsShared& shared, tcp::socket socket)
        : shared_(shared), patience_(shared.options.request_timeout_s), stream_(std::move(socket), shared.tls) {
        idle_since_ = ++shared_.idle_turns;
    }

    void start(std::function<void(const Ptr&)> on_end) {
        const auto ended = [self = shared_from_this(), on_end = std::move(on_end)](const std::exception_ptr&) {
            self->hold(0);
            self->line().close();
            on_end(self);
        };
        asio::co_spawn(stream_.get_executor(), serve(), ended);
    }

    void hang_up() override {
        idle_since_ = 0;
        asio::post(stream_.get_executor(), [self = shared_from_this()] { self->line().close(); });
    }

    void hang_up_if_idle() override {
        asio::post(stream_.get_executor(), [self = shared_from_this()] {
            if (self->idle_since_ != 0) self->line().close();
        });
    }

private:
    beast::tcp_stream& line() { return beast::get_lowest_layer(stream_); }

    asio::awaitable<void> serve() {
        line().expires_after(kHandshakeTimeout);
        auto [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kToken);
        bool more = !ec;
        while (more) {
            more = co_await exchange();
            parser_.reset();
            hold(0);
        }
    }

    /// One request and its response; whether another may follow.
    asio::awaitable<bool> exchange() {
        const bool begun = co_await await_request();
        if (!begun) co_return false;
        const int refusal = co_await read_request();
        if (refusal == kHangUp) co_return false;
        if (refusal != 0) {
            const bool told = co_await write(plain(refusal), false, false);
            if (told) co_await linger();
            co_return false;
        }
        const bool keep_alive = parser_->keep_alive();
        const bool head = parser_->get().method() == http::verb::head;
        HttpResponse response = plain(503);
        if (shared_.waiting < shared_.options.max_waiting) {
            ++shared_.requests;
            asio::awaitable<HttpResponse> work = answer(request_of(*parser_), Place(shared_.waiting));
            response = co_await asio::co_spawn(shared_.workers.get_executor(), std::move(work), asio::use_awaitable);
        }
        hold(response.body.size());
        const bool written = co_await write(std::move(response), keep_alive, head);
        co_return written&& keep_alive;
    }

    /// Idle until the first octet of a request.
    asio::awaitable<bool> await_request() {
        if (buffer_.size() != 0) co_return !shared_.stopping;
        buffer_.shrink_to_fit();
        idle_since_ = ++shared_.idle_turns;
        if (shared_.stopping) co_return false;  // after idle_since_: either stop() is seen here, or stop() sees that
        line().expires_after(patience_);
        auto [ec, n] = co_await stream_.async_read_some(buffer_.prepare(kFirstRead), kToken);
        idle_since_ = 0;
        buffer_.commit(n);
        co_return !ec;
    }

    /// Reads a request into parser_. 0, or the status that refuses it, or kHangUp.
    asio::awaitable<int> read_request() {
        Parser& parser = parser_.emplace();
        parser.header_limit(kMaxHeader);
        parser.body_limit(shared_.options.max_body);
        const auto start = steady_clock::now();
        line().expires_after(patience_);
        auto [ec, n] = co_await http::async_read_header(stream_, buffer_, parser, kToken);
        shared_.bytes_received += n;
        if (ec) co_return refusal_of(ec);
        head_here_ = steady_clock::now();
        if (parser.chunked()) co_return 411;
        if (shared_.waiting >= shared_.options.max_waiting || !hold(0)) co_return 503;
        if (!parser.is_done() && parser.get()[http::field::expect] == "100-continue" && buffer_.size() == 0) {
            auto [failed, sent] = co_await asio::async_write(stream_, asio::buffer(kContinue), kToken);
            shared_.bytes_sent += sent;
            if (failed) co_return kHangUp;
        }
        if (!parser.is_done()) buffer_.reserve(kReadChunk);
        while (!parser.is_done()) {
            allow(start, parser.get().body().size());
            auto [failed, read] = co_await http::async_read_some(stream_, buffer_, parser, kToken);
            shared_.bytes_received += read;
            if (failed) co_return refusal_of(failed);
            if (!hold(parser.get().body().size())) co_return 503;
        }
        co_return 0;
    }

    /// On a worker thread.
    asio::awaitable<HttpResponse> answer(HttpRequest request, Place place) {
        place.leave();
        request.waited_ms = static_cast<std::uint64_t>(duration_cast<milliseconds>(steady_clock::now() - head_here_).count());
        if (shared_.abandoned) co_return plain(503);
        std::string what;
        try {
            HttpResponse response = shared_.handler(request);
            if (response.status >= 200 && response.status <= 599) co_return response;
            what = "a response with a status that is none";
        } catch (const std::exception& e) {
            what = e.what();
        } catch (...) {
            what = "an exception of an unknown kind";
        }
        if (shared_.options.on_failure) shared_.options.on_failure(what);
        co_return plain(500);
    }

    /// Whether all of it went out.
    asio::awaitable<bool> write(HttpResponse response, bool keep_alive, bool head) {
        http::response<http::string_body> message(static_cast<http::status>(response.status), 11);
        for (const auto& [name, value] : response.headers) message.insert(name, value);
        message.keep_alive(keep_alive && !shared_.stopping);
        if (response.status != 204 && response.status != 304) message.content_length(response.body.size());
        message.body() = std::move(response.body);
        const auto start = steady_clock::now();
        std::size_t done = 0;
        http::response_serializer<http::string_body> serializer(message);
        serializer.split(head);
        while (head ? !serializer.is_header_done() : !serializer.is_done()) {
            allow(start, done);
            auto [ec, n] = co_await http::async_write_some(stream_, serializer, kToken);
            shared_.bytes_sent += n;
            done += n;
            if (ec) co_return false;
        }
        co_return true;
    }

    /// Time for the next piece of a transfer: the timeout, and over all no more than a line of the least speed would need.
    void allow(steady_clock::time_point start, std::size_t done) {
        const auto overall = start + patience_ + seconds(done / kMinOctetsPerSecond);
        line().expires_at(std::min(overall, steady_clock::now() + patience_));
    }

    /// Lets a client that still writes read its refusal: closing at once would reset the connection under it.
    asio::awaitable<void> linger() {
        idle_since_ = ++shared_.idle_turns;
        if (shared_.stopping) co_return;
        error_code ignored;
        line().socket().shutdown(tcp::socket::shutdown_send, ignored);
        line().expires_after(kLingerTimeout);
        std::vector<char> scratch(kReadChunk);
        std::size_t left = 2 * shared_.options.max_body + kReadChunk;
        while (left > 0) {
            auto [ec, n] = co_await line().async_read_some(asio::buffer(scratch), kToken);
            if (ec) co_return;
            left -= std::min(left, n);
        }
    }

    /// Sets what this connection's bodies count for; whether those of all connections together are within bounds.
    bool hold(std::size_t octets) {
        shared_.held += octets;
        shared_.held -= held_;
        held_ = octets;
        return shared_.held <= shared_.options.max_held_octets;
    }

    HttpsShared& shared_;
    const seconds patience_;
    beast::ssl_stream<beast::tcp_stream> stream_;
    beast::flat_buffer buffer_{kMaxHeader + kReadChunk};
    std::optional<Parser> parser_;
    steady_clock::time_point head_here_;
    std::size_t held_ = 0;  ///< its part of HttpsShared::held
};

}  // namespace

HttpsConnection::Ptr HttpsConnection::start(HttpsShared& shared, tcp::socket socket, std::function<void(const Ptr&)> on_end) {
    const auto connection = std::make_shared<Connection>(shared, std::move(socket));
    connection->start(std::move(on_end));
    return connection;
}

}  // namespace kopdarbs::sync
