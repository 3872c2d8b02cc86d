#include "sync/frame/compression.h"

#include <zstd.h>

#include <memory>

#include "core/base/error.h"

namespace kopdarbs::sync {
namespace {
constexpr int kLevel = 3;
constexpr int kMaxWindowLog = 23;  // 8 MiB: what decompression may hold beside the message itself
}  // namespace

Bytes compress(BytesView message) {
    const std::size_t most = ZSTD_compressBound(message.size());
    const std::unique_ptr<char[]> frame(new char[most]);  // not filled: most of it is never touched
    static thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);  // what was damaged on its way is never taken for another message
    const std::size_t size = ZSTD_compress2(context.get(), frame.get(), most, message.data(), message.size());
    if (ZSTD_isError(size) != 0) fail(ErrorCode::io, "compression failed");
    return {frame.get(), size};
}

Bytes decompress(BytesView frame, std::size_t max_bytes) {
    const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > max_bytes ||
        ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size())
        fail(ErrorCode::corrupt, "not a frame of ours, or too large");
    static thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
    ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
    Bytes message(static_cast<std::size_t>(size), '\0');
    const std::size_t got = ZSTD_decompressDCtx(context.get(), message.data(), message.size(), frame.data(), frame.size());
    if (ZSTD_isError(got) != 0 || got != message.size()) fail(ErrorCode::corrupt, "a damaged frame");
    return message;
}

}  // namespace kopdarbs::sync
