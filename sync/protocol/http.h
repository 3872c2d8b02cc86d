// One HTTP request and one response as plain values: what a transport carries and a server answers.
//
// Invariants: header names compare without case (ASCII); Host, Content-Length and Connection belong to whoever writes the message
// to a socket and are not put here by callers. Nothing here knows a socket.
// Threading: values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.h"

namespace kopdarbs::sync {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method = "POST";
    /// The target as it stands in the request line: an absolute path, with "?…" if there is a query.
    std::string path;
    HttpHeaders headers;
    Bytes body;
    /// At a server: how long its body and its turn have taken since its head was here.
    std::uint64_t waited_ms = 0;
};

struct HttpResponse {
    int status = 0;
    HttpHeaders headers;
    Bytes body;
};

/// Equality of header names: ASCII letters match without case.
inline bool same_header_name(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

/// Whether HTTP/1.1 can carry this request: an upper-case method, an absolute path, header names and values that end no line early.
inline bool is_well_formed(const HttpRequest& request) {
    const auto each = [](std::string_view text, auto predicate) { return std::all_of(text.begin(), text.end(), predicate); };
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto is_name = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    if (request.method.empty() || !each(request.method, is_upper)) return false;
    if (request.path.empty() || request.path[0] != '/' || !each(request.path, [](char c) { return c > 0x20 && c < 0x7f; })) return false;
    for (const auto& header : request.headers) {
        if (header.first.empty() || !each(header.first, is_name)) return false;
        if (!each(header.second, [](char c) { return c >= 0x20 && c < 0x7f; })) return false;
    }
    return true;
}

/// The value of the first header called `name`, or null; borrowed from `headers`.
inline const std::string* find_header(const HttpHeaders& headers, std::string_view name) {
    for (const auto& header : headers) {
        if (same_header_name(header.first, name)) return &header.second;
    }
    return nullptr;
}

}  // namespace kopdarbs::sync
