// The server's door: HTTP/1.1 over TLS 1.3, one handler for every request.
//
// Owns the listening socket, the connections and the threads. Invariants
//  1. Memory is bounded: connections, header size, body size, requests that wait for a worker, and all octets of bodies together. What
//     does not fit is answered (413, 431, 503 with Retry-After) before it is read.
//  2. A connection that makes no progress ends by itself, whatever it is doing.
//  3. Malformed HTTP is answered with 400 and the connection closed; an exception of the handler with 500 and a fixed text.
//  4. Every message has its length, so the end of a connection says nothing; it is closed without further ceremony.
//  5. Responses carry what the handler gave and Content-Length; no Server, no Date. Requests with chunked bodies are refused (411).
// Threading: the handler is called by up to `worker_threads` threads at once and may block; run() by one thread, the rest by any.
// Signal handlers proper may not call stop(); a thread in sigwait() may.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sync/protocol/http.h"

namespace kopdarbs::sync {

class HttpsServer {
public:
    struct Options {
        std::string host = "127.0.0.1";
        std::uint16_t port = 0;  ///< 0: any free one
        std::string certificate_pem;
        std::string key_pem;
        std::size_t max_body = std::size_t{32} << 20;
        std::size_t max_connections = 2048;
        std::size_t max_waiting = 256;                         ///< requests that wait for a worker
        std::size_t max_held_octets = std::size_t{256} << 20;  ///< bodies of all requests and responses in memory
        unsigned io_threads = 2;
        unsigned worker_threads = 16;
        unsigned request_timeout_s = 60;  ///< without progress, and between two requests of a connection
        unsigned drain_timeout_s = 20;    ///< how long stop() lets requests in flight finish
        /// Told of what a handler threw; may be empty. Called from worker threads.
        std::function<void(const std::string&)> on_failure;
    };
    struct Stats {
        std::size_t connections;
        std::size_t waiting;
        std::uint64_t requests;        ///< handed to the handler
        std::uint64_t bytes_received;  ///< HTTP octets
        std::uint64_t bytes_sent;
    };
    using Handler = std::function<HttpResponse(const HttpRequest&)>;

    /// Listens from here on. Throws Error{network} when the address cannot be had, Error{invalid} for a bad certificate or key.
    HttpsServer(const Options& options, Handler handler);
    /// run() must have returned, or never been called.
    ~HttpsServer();

    std::uint16_t port() const;
    /// Serves until stop(), once. Returns when every connection is closed and no handler runs any more: one that blocks for ever
    /// would hold it, as it uses what belongs to the caller.
    void run();
    /// Stops accepting, closes idle connections, lets requests in flight finish within the drain timeout. Returns at once.
    void stop();
    Stats stats() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kopdarbs::sync
