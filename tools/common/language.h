// In which language validation messages are told.
// Threading: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/schema/schema.h"

namespace kopdarbs::tools {

enum class Language { lv, en };

/// From `--lang` if it was given, else from LC_ALL, LC_MESSAGES or LANG: Latvian when that begins with "lv".
/// Throws UsageError for a language that is neither.
Language choose_language(const std::string& option);
/// A refusal that the core or the server tells in both languages, "FIELD: ENGLISH / LATVIAN", in one; anything else as it is.
std::string in_language(std::string_view message, Language language);
const std::string& pick(const Label& label, Language language);

}  // namespace kopdarbs::tools
