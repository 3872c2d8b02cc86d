#include "sync/protocol/http_signature.h"

#include <algorithm>
#include <vector>

namespace kopdarbs::sync {
namespace {

constexpr std::size_t kMaxSignatureField = 1024;
constexpr std::size_t kMaxComponents = 8;
constexpr std::size_t kMaxParameters = 6;
constexpr std::size_t kMaxKeyId = 64;
constexpr std::size_t kMaxPath = 4096;
constexpr const char* kLabel = "sig1";
constexpr const char* kRequired[] = {"@method", "@path", "content-digest"};

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_key_char(char c) {
    return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
}
bool is_keyid_char(char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == ':';
}
bool is_printable(char c) {
    return c >= 0x20 && c < 0x7f;
}
bool is_visible(char c) {
    return c > 0x20 && c < 0x7f;
}

template <class Predicate>
bool all(std::string_view text, Predicate predicate) {
    return std::all_of(text.begin(), text.end(), predicate);
}

bool is_keyid(std::string_view text) {
    return !text.empty() && text.size() <= kMaxKeyId && all(text, is_keyid_char);
}

/// Reads a structured field (RFC 8941) in its canonical form from the front; each call says whether it found what it looked for.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    bool done() const { return rest_.empty(); }
    std::string_view rest() const { return rest_; }

    bool literal(char c) {
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool key(std::string_view& out) {
        out = take(is_key_char);
        return !out.empty() && (is_lower(out[0]) || out[0] == '*');
    }
    /// A string without escapes.
    bool quoted(std::string_view& out) {
        if (!literal('"')) return false;
        out = take([](char c) { return is_printable(c) && c != '"' && c != '\\'; });
        return literal('"');
    }
    /// A string or a number without sign, as its text.
    bool bare(std::string_view& out) {
        if (!rest_.empty() && rest_[0] == '"') return quoted(out);
        out = take(is_digit);
        return !out.empty() && out.size() <= 15;
    }

private:
    template <class Predicate>
    std::string_view take(Predicate predicate) {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), predicate);
        const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(taken.size());
        return taken;
    }
    std::string_view rest_;
};

/// One member of Signature-Input; borrows its text.
struct Input {
    std::string_view label;
    std::string_view params;  ///< from the opening parenthesis to the end, as received
    std::vector<std::string_view> components;
    std::vector<std::pair<std::string_view, std::string_view>> parameters;

    bool covers(std::string_view component) const { return std::find(components.begin(), components.end(), component) != components.end(); }
    std::string_view parameter(std::string_view name) const {
        for (const auto& p : parameters) {
            if (p.first == name) return p.second;
        }
        return {};
    }
};

/// `("a" "b");x="y";z=1` to the end of the text; false when it is anything else.
bool parse_params(std::string_view text, Input& input) {
    input.params = text;
    Scanner scanner(text);
    if (!scanner.literal('(')) return false;
    while (!scanner.literal(')')) {
        std::string_view component;
        if (!input.components.empty() && !scanner.literal(' ')) return false;
        if (!scanner.quoted(component) || component.empty() || input.covers(component)) return false;
        input.components.push_back(component);
        if (input.components.size() > kMaxComponents) return false;
    }
    while (!scanner.done()) {
        std::string_view name;
        std::string_view value;
        if (!scanner.literal(';') || !scanner.key(name) || !scanner.literal('=') || !scanner.bare(value)) return false;
        const auto same = [&](const auto& p) { return p.first == name; };
        if (std::any_of(input.parameters.begin(), input.parameters.end(), same)) return false;
        input.parameters.emplace_back(name, value);
        if (input.parameters.size() > kMaxParameters) return false;
    }
    return true;
}

/// The value of the header that is there exactly once, and printable; null otherwise.
const std::string* only_header(const HttpRequest& request, std::string_view name) {
    const std::string* found = nullptr;
    for (const auto& header : request.headers) {
        if (!same_header_name(header.first, name)) continue;
        if (found) return nullptr;
        found = &header.second;
    }
    return found && all(*found, is_printable) ? found : nullptr;
}

/// Signature-Input of the one form that this protocol speaks.
bool parse_input(const HttpRequest& request, Input& input) {
    const std::string* field = only_header(request, "signature-input");
    if (!field || field->size() > kMaxSignatureField) return false;
    Scanner scanner(*field);
    if (!scanner.key(input.label) || !scanner.literal('=') || !parse_params(scanner.rest(), input)) return false;
    for (const char* required : kRequired) {
        if (!input.covers(required)) return false;
    }
    return input.parameters.size() == 2 && input.parameter("alg") == "ed25519" && is_keyid(input.parameter("keyid"));
}

std::optional<Signature> parse_signature(const HttpRequest& request, std::string_view label) {
    const std::string* field = only_header(request, "signature");
    if (!field || field->size() > kMaxSignatureField) return std::nullopt;
    const std::string opening = std::string(label) + "=:";
    if (field->size() <= opening.size() || field->compare(0, opening.size(), opening) != 0 || field->back() != ':') return std::nullopt;
    try {
        const Bytes octets = from_base64(std::string_view(*field).substr(opening.size(), field->size() - opening.size() - 1));
        if (octets.size() != Signature::size) return std::nullopt;
        return Signature::from_bytes(octets);
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::string content_digest(const HttpRequest& request, Crypto& crypto) {
    return "sha-256=:" + to_base64(crypto.sha256(request.body).bytes()) + ":";
}

/// An absolute path and nothing after it: a query would travel unsigned.
bool is_plain_path(std::string_view path) {
    return !path.empty() && path[0] == '/' && path.size() <= kMaxPath && path.find_first_of("?#") == path.npos && all(path, is_visible);
}

bool is_method(std::string_view method) {
    return !method.empty() && method.size() <= 16 && all(method, is_upper);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

bool append_component(const HttpRequest& request, std::string_view component, std::string& out) {
    if (component == "@method") {
        if (!is_method(request.method)) return false;
        out += request.method;
        return true;
    }
    if (component == "@path") {
        const std::string_view path = std::string_view(request.path).substr(0, request.path.find('?'));
        if (!is_plain_path(path)) return false;
        out += path;
        return true;
    }
    const bool authority = component == "@authority";
    if (!authority && !all(component, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; })) return false;
    const std::string* value = only_header(request, authority ? "host" : component);
    if (!value) return false;
    for (const char c : trimmed(*value)) out += authority && is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    return true;
}

std::optional<std::string> make_base(const HttpRequest& request, const Input& input) {
    std::string base;
    for (const std::string_view component : input.components) {
        base.append("\"").append(component).append("\": ");
        if (!append_component(request, component, base)) return std::nullopt;
        base += '\n';
    }
    return base.append("\"@signature-params\": ").append(input.params);
}

}  // namespace

std::optional<std::string> signature_base(const HttpRequest& request, std::string_view signature_params) {
    Input input;
    if (signature_params.size() > kMaxSignatureField || !parse_params(signature_params, input)) return std::nullopt;
    return make_base(request, input);
}

void sign_request(HttpRequest& request, const std::string& keyid, const KeyPair& key, Crypto& crypto) {
    if (!is_method(request.method) || !is_plain_path(request.path) || !is_keyid(keyid)) {
        fail(ErrorCode::invalid, "sign a request: a method, path or key id that a signature cannot cover");
    }
    auto& headers = request.headers;
    const auto ours = [](const auto& header) {
        return same_header_name(header.first, "content-digest") || same_header_name(header.first, "signature-input") ||
               same_header_name(header.first, "signature");
    };
    headers.erase(std::remove_if(headers.begin(), headers.end(), ours), headers.end());
    headers.emplace_back("Content-Digest", content_digest(request, crypto));
    const std::string params = R"(("@method" "@path" "content-digest");keyid=")" + keyid + R"(";alg="ed25519")";
    const std::optional<std::string> base = signature_base(request, params);
    KOPDARBS_ASSERT(base.has_value());
    const Signature signature = crypto.sign(key, *base);
    headers.emplace_back("Signature-Input", std::string(kLabel) + "=" + params);
    headers.emplace_back("Signature", std::string(kLabel) + "=:" + to_base64(signature.bytes()) + ":");
}

std::optional<std::string> signature_keyid(const HttpRequest& request) {
    Input input;
    if (!parse_input(request, input)) return std::nullopt;
    return std::string(input.parameter("keyid"));
}

bool verify_request(const HttpRequest& request, const PublicKey& key, Crypto& crypto) {
    Input input;
    if (!is_plain_path(request.path) || !parse_input(request, input)) return false;
    const std::string* digest = only_header(request, "content-digest");
    if (!digest || *digest != content_digest(request, crypto)) return false;
    const std::optional<Signature> signature = parse_signature(request, input.label);
    const std::optional<std::string> base = make_base(request, input);
    return signature && base && crypto.verify(key, *base, *signature);
}

}  // namespace kopdarbs::sync
