// sync/protocol/http_signature: headers of a stranger's request. The input is `name: value` lines, an empty line, and a body.
#include "platform/posix/openssl_crypto.h"
#include "sync/protocol/http_signature.h"
#include "tests/fuzz/fuzz.h"

using namespace kopdarbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static posix::OpenSslCrypto crypto;
    static const PublicKey key;
    BytesView rest = fuzz::input_of(data, size);
    sync::HttpRequest request;
    request.path = "/1/sync";
    while (!rest.empty()) {
        const BytesView line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (line.empty()) break;
        const std::size_t colon = line.find(": ");
        if (colon == BytesView::npos) continue;
        request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
        if (line.substr(0, colon) == "path") request.path = line.substr(colon + 2);
    }
    request.body = rest;
    return fuzz::only_errors([&] {
        (void)sync::signature_keyid(request);
        fuzz::must(!sync::verify_request(request, key, crypto));
        for (const auto& [name, value] : request.headers) (void)sync::signature_base(request, value);
    });
}
