// One client of the server's door: its requests, one after another. Private to https_server.cpp.
//
// Owns the socket, the TLS state and the request being read. Invariants
//  1. Everything of a connection happens on its own strand; other threads only post to it and read idle_since().
//  2. What a connection counts towards the shared bounds, it takes back when it ends, however it ends.
// Threading: as said; `HttpsShared` is constant but for its atomics.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "sync/server/https_server.h"

namespace kopdarbs::sync {

/// What all connections of one server have in common. Outlives them.
struct HttpsShared {
    HttpsShared(HttpsServer::Options with, HttpsServer::Handler calling, boost::asio::ssl::context securely)
        : options(std::move(with)), handler(std::move(calling)), tls(std::move(securely)), workers(options.worker_threads) {}

    const HttpsServer::Options options;
    const HttpsServer::Handler handler;
    boost::asio::ssl::context tls;
    boost::asio::thread_pool workers;

    std::atomic<bool> stopping{false};         ///< no request is begun any more
    std::atomic<bool> abandoned{false};        ///< requests that still wait for a worker are not handled any more
    std::atomic<std::size_t> waiting{0};       ///< requests that wait for a worker
    std::atomic<std::size_t> held{0};          ///< octets of bodies in memory
    std::atomic<std::uint64_t> idle_turns{0};  ///< how often any connection became idle: a clock for "longest"
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> bytes_received{0};
    std::atomic<std::uint64_t> bytes_sent{0};
};

class HttpsConnection {
public:
    /// Shared by the coroutine that serves it and the register through which stop() reaches it.
    using Ptr = std::shared_ptr<HttpsConnection>;

    /// Serves `socket` on the socket's executor, a strand. `on_end` is called there, once, after the last octet.
    static Ptr start(HttpsShared& shared, boost::asio::ip::tcp::socket socket, std::function<void(const Ptr&)> on_end);
    virtual ~HttpsConnection() = default;

    /// Since which idle turn it may be closed without harm; 0 while a request is in flight.
    std::uint64_t idle_since() const { return idle_since_; }
    /// Closes it soon, whatever it does; it no longer counts as idle.
    virtual void hang_up() = 0;
    virtual void hang_up_if_idle() = 0;

protected:
    std::atomic<std::uint64_t> idle_since_{0};
};

}  // namespace kopdarbs::sync
