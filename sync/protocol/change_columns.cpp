#include "sync/protocol/change_columns.h"

#include "core/log/change.h"
#include "sync/protocol/content_columns.h"
#include "sync/protocol/header_columns.h"

namespace kopdarbs::sync {
namespace {

constexpr std::size_t kParts = 20;
constexpr std::size_t kOctetsOfChange = 64;  // what a change costs its reader beside its two strings

/// The header as our own encoding has it, or nothing: then it stands whole.
std::optional<Change> usual(const ChangeView& change) {
    try {
        Change read = decode_change(change.header, std::nullopt);
        read.header.clear();
        if (encode_header(read, change.content.size()) == change.header && !read.group) return read;
        return std::nullopt;
    } catch (const Error&) {
        return std::nullopt;  // of a newer shape, or none at all
    }
}

}  // namespace

void write_changes(CborWriter& out, const std::vector<ChangeView>& changes) {
    std::vector<std::optional<Change>> decoded;
    std::vector<const Change*> headers;
    decoded.reserve(changes.size());
    headers.reserve(changes.size());
    for (const ChangeView& c : changes) decoded.push_back(usual(c)), headers.push_back(decoded.back() ? &*decoded.back() : nullptr);
    CborWriter whole;
    ContentWriter contents;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (headers[i] == nullptr) whole.octets(changes[i].header);
        contents.add(changes[i].content, whole);
    }
    out.array(kParts);
    out.uint(changes.size());
    HeaderWriter(headers).write(out);
    contents.write(out);
    out.octets(whole.bytes());
}

std::vector<ChangeBytes> read_changes(CborReader& in, std::size_t max, Budget& budget) {
    const std::size_t parts = in.array();
    if (parts < kParts) fail(ErrorCode::corrupt, "message: changes with too few columns");
    const auto count = static_cast<std::size_t>(in.uint(max));
    HeaderReader headers(in, budget);
    ContentReader contents(in);
    CborReader whole(in.octets());
    for (std::size_t i = kParts; i < parts; ++i) in.skip();
    std::vector<ChangeBytes> changes;
    for (std::size_t i = 0; i < count; ++i) {
        ChangeBytes& change = changes.emplace_back();
        const bool stands_whole = headers.next_stands_whole();
        budget.spend(kOctetsOfChange);
        if (stands_whole) {
            change.header = whole.octets();
            budget.spend(change.header.size());
        }
        change.content = contents.next(whole, budget);
        if (!stands_whole) change.header = headers.next(change.content.size(), budget);
    }
    headers.finish();
    contents.finish();
    whole.finish();
    return changes;
}

}  // namespace kopdarbs::sync
