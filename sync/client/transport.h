// How a client reaches its server: one request out, one response back.
//
// Invariants: send() either returns a whole response or throws; what it counted stays counted, failed attempts included.
// Threading: send() is called by one thread at a time; the counters may be read from any thread.
#pragma once

#include <cstdint>

#include "sync/protocol/http.h"

namespace kopdarbs::sync {

class Transport {
public:
    virtual ~Transport() = default;
    /// Connects unless that is done, so that a request which says what time it is can be made when nothing is left but to send it.
    /// Throws Error{network}.
    virtual void open() {}
    /// Throws Error{network} when no whole response came, Error{invalid} for a request that is not well-formed.
    virtual HttpResponse send(const HttpRequest& request) = 0;
    /// HTTP octets since construction: start lines, headers and bodies, without TLS.
    virtual std::uint64_t bytes_sent() const = 0;
    virtual std::uint64_t bytes_received() const = 0;
    /// Octets on the socket both ways since construction: the HTTP octets and what TLS adds.
    virtual std::uint64_t socket_bytes() const = 0;
};

}  // namespace kopdarbs::sync
