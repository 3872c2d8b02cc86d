// How strong a user's secret must be, and how it becomes a key.
//
// A stolen vault can be attacked offline, one scrypt evaluation a guess; README tells the cost. The estimate below is deliberately
// plain. A word (four or more letters that are not mixed in case) counts as one choice among 8192, however long it is; every other
// character counts by the size of the alphabet that the secret draws from, repeats and runs hardly at all.
#pragma once

#include <string_view>

namespace kopdarbs {

constexpr double kMinSecretBits = 50;
constexpr std::size_t kMaxSecretBytes = 1024;

/// Estimated bits of a secret.
double secret_bits(std::string_view secret);
/// Throws Error{invalid} saying what is missing.
void check_secret(std::string_view secret);

}  // namespace kopdarbs
