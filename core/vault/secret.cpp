#include "core/vault/secret.h"

#include <cctype>
#include <cmath>
#include <set>
#include <string>

#include "core/base/bytes.h"
#include "core/base/error.h"

namespace kopdarbs {

double secret_bits(std::string_view secret) {
    double alphabet = 0;
    bool lower = false, upper = false, digit = false, other = false, wide = false;
    double counted = 0;
    std::set<char> distinct;
    for (std::size_t i = 0; i < secret.size(); ++i) {
        const auto c = static_cast<unsigned char>(secret[i]);
        if (c >= 0x80) {
            wide = true;
            if ((c & 0xc0) == 0x80) continue;
        } else if (std::islower(c) != 0) {
            lower = true;
        } else if (std::isupper(c) != 0) {
            upper = true;
        } else if (std::isdigit(c) != 0) {
            digit = true;
        } else {
            other = true;
        }
        distinct.insert(secret[i]);
        const int step = i == 0 ? 99 : static_cast<int>(c) - static_cast<unsigned char>(secret[i - 1]);
        counted += step >= -1 && step <= 1 ? 0.25 : 1;  // repeats and runs (aaa, 123) hardly count
    }
    alphabet = (lower ? 26 : 0) + (upper ? 26 : 0) + (digit ? 10 : 0) + (other ? 20 : 0) + (wide ? 30 : 0);
    // Few distinct characters cannot draw on a large alphabet.
    alphabet = std::fmin(alphabet, 3.0 * static_cast<double>(distinct.size()));
    return alphabet < 2 ? 0 : counted * std::log2(alphabet);
}

void check_secret(std::string_view secret) {
    if (secret.size() > kMaxSecretBytes) fail(ErrorCode::invalid, "secret: longer than 1024 bytes");
    if (!is_utf8(secret)) fail(ErrorCode::invalid, "secret: not UTF-8");
    if (secret.substr(0, 9) == "recovery:") fail(ErrorCode::invalid, "secret: may not begin with 'recovery:'");
    if (secret_bits(secret) < kMinSecretBits)
        fail(ErrorCode::invalid, "secret: too easy to guess; use at least four words, or twelve mixed characters without runs and repeats");
}

}  // namespace kopdarbs
