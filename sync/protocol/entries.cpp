#include "sync/protocol/entries.h"

#include "core/base/error.h"
#include "sync/protocol/change_columns.h"
#include "sync/protocol/column.h"

namespace kopdarbs::sync {
namespace {

constexpr std::size_t kMaxEntries = 200'000;  // of each kind

[[noreturn]] void corrupt(const char* what) {
    fail(ErrorCode::corrupt, std::string("message: ") + what);
}

void write_state(CborWriter& out, const Entry& e) {
    out.array(4);
    out.octets(e.record.bytes());
    out.text(e.type);
    out.text(e.doc);
    out.octets(e.meta);
}

Entry read_state(CborReader& in) {
    Entry e;
    const std::size_t parts = in.array();
    if (parts < 4) corrupt("a state with too few parts");
    e.kind = Entry::Kind::state;
    e.record = RecordId::from_bytes(in.octets());
    e.type = in.text(kMaxNameBytes);
    e.doc = in.text();
    e.meta = in.octets();
    for (std::size_t i = 4; i < parts; ++i) in.skip();
    return e;
}

}  // namespace

void write_entries(CborWriter& out, const std::vector<Entry>& entries) {
    Bytes kinds;
    ColumnWriter stamps;
    std::vector<ChangeView> changes;
    for (const Entry& e : entries) {
        kinds += static_cast<char>(e.kind);
        if (e.kind != Entry::Kind::change) continue;
        stamps.put(e.stamp.packed);
        changes.push_back({e.header, e.content});
    }
    out.array(4);
    out.octets(kinds);
    out.octets(stamps.octets());
    changes.empty() ? out.null() : write_changes(out, changes);
    out.array(entries.size() - changes.size());
    for (const Entry& e : entries)
        if (e.kind == Entry::Kind::state) write_state(out, e);
}

std::vector<Entry> read_entries(CborReader& in, Budget& budget) {
    const std::size_t parts = in.array();
    if (parts < 4) corrupt("entries with too few parts");
    const BytesView kinds = in.octets();
    ColumnReader stamps(in.octets());
    std::vector<ChangeBytes> changes;
    if (in.peek() == CborType::null)
        in.null();
    else
        changes = read_changes(in, kMaxEntries, budget);
    std::size_t states = in.array(kMaxEntries), next = 0;
    if (kinds.size() != changes.size() + states) corrupt("other entries than their kinds say");
    std::vector<Entry> entries;
    entries.reserve(kinds.size());
    for (const char kind : kinds) {
        if (kind == static_cast<char>(Entry::Kind::state) && states > 0) {
            entries.push_back(read_state(in));
            --states;
        } else if (kind == static_cast<char>(Entry::Kind::change) && next < changes.size()) {
            Entry& e = entries.emplace_back();
            e.stamp.packed = stamps.next();
            if (e.stamp.packed > (kMaxStampMs << 16 | 0xffff)) corrupt("a stamp out of bounds");
            e.header = std::move(changes[next].header);
            e.content = std::move(changes[next++].content);
        } else {
            corrupt("an entry of a kind that this version does not know; update Kopdarbs");
        }
    }
    stamps.finish();
    for (std::size_t i = 4; i < parts; ++i) in.skip();
    return entries;
}

}  // namespace kopdarbs::sync
