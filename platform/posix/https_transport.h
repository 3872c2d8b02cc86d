// The client's line to its server: HTTP/1.1 over TLS 1.3, to a pinned authority.
//
// Owns one connection, opened at the first request and kept alive. Invariants
//  1. The server's certificate chains to the given authority and is one for servers, or nothing is sent. That authority signs nothing
//     but this one server, so its name proves nothing more and is not checked: a server may move. Nor are dates: clocks are not
//     trusted, and a revoked server means a new authority.
//  2. A request is sent a second time only when a kept-alive connection turned out to be closed before any octet of a response; the
//     server may have acted on the first, so requests are built to be repeated (nonces, dots).
//  3. Every Error{network} says what was being done and why it failed; the connection is then closed.
// Threading: send() by one thread at a time; counters from any thread.
#pragma once

#include <memory>
#include <string>

#include "sync/client/transport.h"

namespace kopdarbs::posix {

struct HttpsTimeouts {
    std::uint32_t connect_ms = 15'000;  ///< for TCP and again for TLS; looking up the name takes as long as the system lets it
    std::uint32_t idle_ms = 60'000;     ///< without one octet of progress, waiting for the server's answer included
};

class HttpsTransport : public sync::Transport {
public:
    static constexpr std::size_t kMaxResponseBody = std::size_t{64} << 20;

    /// `url` is https://HOST or https://HOST:PORT; `ca_pem` the authority, nothing else is trusted. Does not connect.
    /// Throws Error{invalid}.
    HttpsTransport(const std::string& url, const std::string& ca_pem, HttpsTimeouts timeouts = {});
    ~HttpsTransport() override;

    void open() override;
    /// Adds Host and Content-Length, nothing more.
    sync::HttpResponse send(const sync::HttpRequest& request) override;
    std::uint64_t bytes_sent() const override;
    std::uint64_t bytes_received() const override;
    std::uint64_t socket_bytes() const override;
    /// TCP connections opened since construction.
    std::uint64_t connections() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kopdarbs::posix
