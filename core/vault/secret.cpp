#include "core/vault/secret.h"

#include <cmath>
#include <set>
#include <string>

#include "core/base/bytes.h"
#include "core/base/error.h"

namespace kopdarbs {

namespace {

constexpr double kBitsOfWord = 13;
constexpr std::size_t kShortestWord = 4;

bool is_wide(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}
bool is_lower(char c) {
    return (c >= 'a' && c <= 'z') || is_wide(c);
}
bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

/// Octets from `at` on that look like a word: lower-case letters, the first perhaps a capital, or all capitals.
std::size_t word_at(std::string_view secret, std::size_t at) {
    std::size_t end = at;
    if (end < secret.size() && is_upper(secret[end])) ++end;
    while (end < secret.size() && is_lower(secret[end])) ++end;
    if (end > at + 1) return end - at;
    while (end < secret.size() && is_upper(secret[end])) ++end;
    return end - at;
}

double alphabet_of(std::string_view secret) {
    bool lower = false, upper = false, digit = false, other = false, wide = false;
    std::set<char> distinct;
    for (char c : secret) {
        distinct.insert(c);
        wide = wide || is_wide(c);
        lower = lower || (c >= 'a' && c <= 'z');
        upper = upper || is_upper(c);
        digit = digit || (c >= '0' && c <= '9');
        other = other || !(is_wide(c) || is_lower(c) || is_upper(c) || (c >= '0' && c <= '9'));
    }
    const double all = (lower ? 26 : 0) + (upper ? 26 : 0) + (digit ? 10 : 0) + (other ? 20 : 0) + (wide ? 30 : 0);
    // Few distinct characters cannot draw on a large alphabet.
    return std::fmin(all, 3.0 * static_cast<double>(distinct.size()));
}

}  // namespace

double secret_bits(std::string_view secret) {
    const double alphabet = alphabet_of(secret);
    if (alphabet < 2) return 0;
    double bits = 0;
    std::set<std::string_view> words;
    for (std::size_t at = 0; at < secret.size();) {
        const std::size_t word = word_at(secret, at);
        if (word >= kShortestWord) {
            if (words.insert(secret.substr(at, word)).second) bits += kBitsOfWord;
            at += word;
            continue;
        }
        const int step = at == 0 ? 99 : static_cast<unsigned char>(secret[at]) - static_cast<unsigned char>(secret[at - 1]);
        if (secret[at] != ' ') bits += (step >= -1 && step <= 1 ? 0.25 : 1) * std::log2(alphabet);
        ++at;
    }
    return bits;
}

void check_secret(std::string_view secret) {
    if (secret.size() > kMaxSecretBytes) fail(ErrorCode::invalid, "secret: longer than 1024 bytes");
    if (!is_utf8(secret)) fail(ErrorCode::invalid, "secret: not UTF-8");
    if (secret.substr(0, 9) == "recovery:") fail(ErrorCode::invalid, "secret: may not begin with 'recovery:'");
    if (secret_bits(secret) < kMinSecretBits)
        fail(ErrorCode::invalid, "secret: too easy to guess; use at least four words, or twelve mixed characters without runs and repeats");
}

}  // namespace kopdarbs
