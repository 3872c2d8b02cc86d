#include "platform/posix/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "core/base/bytes.h"
#include "core/base/error.h"

namespace kopdarbs::posix {
namespace {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

const utf8proc_uint8_t* octets(std::string_view text) {
    return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

}  // namespace

std::string to_nfc(std::string_view text) {
    if (is_ascii(text)) return std::string(text);
    if (!is_utf8(text)) fail(ErrorCode::invalid, "text that is not UTF-8");
    utf8proc_uint8_t* mapped = nullptr;
    const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    const utf8proc_ssize_t size = utf8proc_map(octets(text), static_cast<utf8proc_ssize_t>(text.size()), &mapped, options);
    const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owned(mapped, std::free);
    if (size < 0) fail(ErrorCode::invalid, std::string("text that has no normal form: ") + utf8proc_errmsg(size));
    return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
}

std::size_t display_width(std::string_view text) {
    if (is_ascii(text)) return text.size();
    std::size_t width = 0;
    while (!text.empty()) {
        utf8proc_int32_t scalar = 0;
        const utf8proc_ssize_t size = utf8proc_iterate(octets(text), static_cast<utf8proc_ssize_t>(text.size()), &scalar);
        if (size <= 0) return width + text.size();
        width += static_cast<std::size_t>(std::max(0, utf8proc_charwidth(scalar)));
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    return width;
}

}  // namespace kopdarbs::posix
