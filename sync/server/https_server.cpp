#include "sync/server/https_server.h"

#include <openssl/ssl.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "sync/server/https_connection.h"

namespace kopdarbs::sync {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

ssl::context make_context(const HttpsServer::Options& options) {
    ssl::context context(ssl::context::tlsv13_server);
    SSL_CTX* native = context.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(native, 0);  // nobody resumes; tickets would only cost octets
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    error_code ec;
    context.use_certificate_chain(asio::buffer(options.certificate_pem), ec);
    if (!ec) context.use_private_key(asio::buffer(options.key_pem), ssl::context::pem, ec);
    if (ec || SSL_CTX_check_private_key(native) != 1) {
        fail(ErrorCode::invalid, "HTTPS: the certificate and key do not read or do not match");
    }
    return context;
}

}  // namespace

class HttpsServer::Impl {
public:
    Impl(const Options& options, Handler handler) : shared_(options, std::move(handler), make_context(options)) {
        KOPDARBS_ASSERT(options.io_threads > 0 && options.worker_threads > 0 && options.request_timeout_s > 0);
        error_code ec;
        tcp::resolver resolver(ioc_);
        const auto found = resolver.resolve(options.host, std::to_string(options.port), tcp::resolver::passive, ec);
        if (!ec) listen(found.begin()->endpoint(), ec);
        if (ec) fail(ErrorCode::network, "listen on " + options.host + ":" + std::to_string(options.port) + ": " + ec.message());
        port_ = acceptor_.local_endpoint().port();
    }

    std::uint16_t port() const { return port_; }

    void run() {
        asio::co_spawn(acceptor_.get_executor(), accept(), asio::detached);
        std::vector<std::thread> threads;
        for (unsigned i = 0; i < shared_.options.io_threads; ++i) {
            threads.emplace_back([this] { ioc_.run(); });
        }
        drain();
        for (std::thread& thread : threads) thread.join();
        shared_.workers.join();
    }

    void stop() {
        const std::lock_guard lock(mutex_);
        shared_.stopping = true;
        changed_.notify_all();
    }

    Stats stats() const {
        const std::lock_guard lock(mutex_);
        return {connections_.size(), shared_.waiting, shared_.requests, shared_.bytes_received, shared_.bytes_sent};
    }

private:
    using Ptr = HttpsConnection::Ptr;

    void listen(const tcp::endpoint& endpoint, error_code& ec) {
        acceptor_.open(endpoint.protocol(), ec);
        if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
        if (!ec) acceptor_.bind(endpoint, ec);
        if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    }

    asio::awaitable<void> accept() {
        asio::steady_timer pause(acceptor_.get_executor());
        while (!shared_.stopping) {
            const asio::any_io_executor strand = asio::make_strand(ioc_);
            auto [ec, socket] = co_await acceptor_.async_accept(strand, kToken);
            if (!ec && admit(std::move(socket))) continue;
            // Out of descriptors or memory, most likely: a moment for others to give some back.
            pause.expires_after(kAcceptPause);
            if (!shared_.stopping) co_await pause.async_wait(kToken);
        }
    }

    /// Takes a new client in; false when memory is short. A full house sends away whoever has been idle longest, or else the newcomer.
    bool admit(tcp::socket socket) {
        try {
            error_code ignored;
            socket.set_option(tcp::no_delay(true), ignored);
            const std::lock_guard lock(mutex_);
            if (shared_.stopping || (connections_.size() >= shared_.options.max_connections && !evict())) return true;
            // Under the lock, so that it is in the register before it can end.
            connections_.insert(HttpsConnection::start(shared_, std::move(socket), [this](const Ptr& c) { forget(c); }));
            return true;
        } catch (const std::exception&) {
            return false;
        }
    }

    bool evict() {
        Ptr oldest;
        for (const Ptr& c : connections_) {
            if (c->idle_since() != 0 && (!oldest || c->idle_since() < oldest->idle_since())) oldest = c;
        }
        if (oldest) oldest->hang_up();
        return oldest != nullptr;
    }

    void forget(const Ptr& c) {
        const std::lock_guard lock(mutex_);
        connections_.erase(c);
        if (connections_.empty()) changed_.notify_all();
    }

    /// Waits for stop(), then for the connections to end, and ends those that take too long.
    void drain() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return shared_.stopping.load(); });
        asio::post(acceptor_.get_executor(), [this] {
            error_code ignored;
            acceptor_.close(ignored);
        });
        for (const Ptr& c : connections_) c->hang_up_if_idle();
        const std::chrono::seconds patience(shared_.options.drain_timeout_s);
        if (changed_.wait_for(lock, patience, [this] { return connections_.empty(); })) return;
        shared_.abandoned = true;
        for (const Ptr& c : connections_) c->hang_up();
    }

    HttpsShared shared_;
    asio::io_context ioc_;
    tcp::acceptor acceptor_{asio::make_strand(ioc_)};
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;  ///< guards connections_, and that a change of `stopping` is not missed
    std::condition_variable changed_;
    std::set<Ptr> connections_;
};

HttpsServer::HttpsServer(const Options& options, Handler handler) : impl_(std::make_unique<Impl>(options, std::move(handler))) {}
HttpsServer::~HttpsServer() = default;

std::uint16_t HttpsServer::port() const {
    return impl_->port();
}
void HttpsServer::run() {
    impl_->run();
}
void HttpsServer::stop() {
    impl_->stop();
}
HttpsServer::Stats HttpsServer::stats() const {
    return impl_->stats();
}

}  // namespace kopdarbs::sync
