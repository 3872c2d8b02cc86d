// Full-text search: an index that no save waits for, and that no search finds stale.
//
// `head.indexed` is the last record that was ever indexed; a save marks earlier ones in `unindexed`. index() writes the words of marked
// records and of new ones, in bounded transactions. A search runs index() first. After a crash all of it is still there.
#include <algorithm>

#include "core/base/error.h"
#include "core/record/json.h"
#include "core/store/store.h"

namespace kopdarbs {
namespace {

constexpr int kRecordsPerTransaction = 2000;
constexpr std::size_t kMaxWords = 16;

/// The strings inside a value, each followed by a line break.
void append_words(std::string& out, CborReader& in) {
    switch (in.peek()) {
        case CborType::text: out.append(in.text()).append("\n"); break;
        case CborType::array:
            for (std::size_t n = in.array(); n > 0; --n) append_words(out, in);
            break;
        case CborType::map:
            for (std::size_t n = in.map(); n > 0; --n) {
                in.skip();
                append_words(out, in);
            }
            break;
        default: in.skip();
    }
}

std::string words_of(const std::string& doc, const TypeSchema* type) {
    std::string words;
    for (const auto& [field, value] : document_from_json(doc)) {
        const FieldSchema* schema = type == nullptr ? nullptr : type->field(field);
        if (schema == nullptr || !schema->searched) continue;
        CborReader in(value);
        append_words(words, in);
    }
    return words;
}

/// Each word quoted, all of them required, `word*` for what begins so: no operator of FTS5's language gets through.
std::string match_of(std::string_view words) {
    std::string match, word;
    std::size_t count = 0;
    const auto close = [&](bool prefix) {
        if (word.empty() || ++count > kMaxWords) return;
        // Side by side means all of them; unlike AND, it passes over a word of which the tokenizer leaves nothing (a dash).
        match += (match.empty() ? "\"" : " \"") + word + (prefix ? "\"*" : "\"");
        word.clear();
    };
    for (char c : words) {
        const auto u = static_cast<unsigned char>(c);
        const bool part = u >= 0x80 || (u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z');
        part ? word.push_back(c) : close(c == '*');
    }
    close(false);
    return match;
}

}  // namespace

void Vault::index() {
    Store& store = parts_->store;
    (void)store.scopes();
    for (;;) {
        std::vector<std::int64_t> rows;
        {
            Query q(store.db,
                    "SELECT record FROM unindexed UNION ALL "
                    "SELECT no FROM record WHERE no > (SELECT indexed FROM head WHERE scope = 0) ORDER BY 1 LIMIT ?");
            q.bind(kRecordsPerTransaction);
            while (q.next()) rows.push_back(q.integer(0));
        }
        if (rows.empty()) return;
        Transaction transaction(store.db);
        for (std::int64_t no : rows) {
            const auto stored = store.find(no);
            Query(store.db, "DELETE FROM words WHERE rowid = ?").bind(no).run();
            if (stored) {
                const std::string words = words_of(stored->doc, store.schema.type(stored->type));
                Query(store.db, "INSERT INTO words(rowid, body) VALUES (?, ?)").bind(no).text(words).run();
            }
            Query(store.db, "DELETE FROM unindexed WHERE record = ?").bind(no).run();
        }
        store.heads.set_indexed(rows.back());
        transaction.commit();
    }
}

void Vault::search(std::string_view words, std::string_view type, std::uint64_t limit, const std::function<bool(const Shown&)>& each) {
    Store& store = parts_->store;
    if (!is_utf8(words) || words.size() > 1024) fail(ErrorCode::invalid, "search: at most 1024 bytes of UTF-8");
    const std::string match = match_of(words);
    if (match.empty()) fail(ErrorCode::invalid, "search: no word to look for");
    index();
    Query q(store.db,
            "SELECT r.id, r.scope, r.type, r.doc, r.meta, r.flags FROM words w JOIN record r ON r.no = w.rowid "
            "WHERE words MATCH ?1 AND r.flags & 2 = 0 AND (?2 = '' OR r.type = ?2) LIMIT ?3");
    q.text(match).text(type).bind(static_cast<std::int64_t>(std::min<std::uint64_t>(limit, 1'000'000)));
    Shown shown;
    while (q.next()) {
        shown.id = q.id<RecordId>(0);
        shown.scope = store.scope(q.integer(1)).info.name;
        shown.type = q.bytes(2);
        shown.fields = q.bytes(3);
        shown.meta = q.bytes(4);
        shown.sealed = (q.integer(5) & kSealed) != 0;
        if (!each(shown)) return;
    }
}

}  // namespace kopdarbs
