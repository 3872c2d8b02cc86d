#include "core/record/view.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/record/json.h"

namespace kopdarbs {
namespace {

using Document = RecordState::Document;

/// [context, document] of a seal or an amendment.
/// A seal or an amendment.
struct Signed {
    const Sibling* sibling = nullptr;
    bool amends = false;
    Context seen;  // and itself
    BytesView document;
    std::vector<Path> left;  ///< late work that it left open
    bool leaves(const Path& path) const { return std::find(left.begin(), left.end(), path) != left.end(); }
};

Signed read_signed(const Sibling& s, bool amends = false) {
    CborReader in(s.value);
    const std::size_t parts = in.array();
    if (parts < 2) fail(ErrorCode::corrupt, "a seal of another shape");
    Signed result;
    result.sibling = &s;
    result.amends = amends;
    result.seen = read_context(in);
    result.seen.add(s.dot);
    result.document = in.item();
    if (parts > 2)
        for (std::size_t n = in.array(); n > 0; --n) result.left.push_back(read_path(in));
    return result;
}

std::vector<Signed> signatures_of(const RecordState& state) {
    std::vector<Signed> all;
    for (PathKind kind : {PathKind::seal, PathKind::amendment})
        if (const Register* reg = state.find(record_path(kind)))
            for (const Sibling& s : reg->siblings) all.push_back(read_signed(s, kind == PathKind::amendment));
    return all;
}

/// What signatures have settled at `path`: what their authors had seen, but for those that left it open.
Context settled_at(const std::vector<Signed>& signatures, const Path& path) {
    Context settled;
    for (const Signed& s : signatures)
        if (!s.leaves(path)) settled.join(s.seen);
    return settled;
}

/// The signed documents that no amendment has overtaken; empty when they do not differ.
std::vector<const Signed*> differing_documents(const std::vector<Signed>& signatures) {
    std::vector<const Signed*> heads;
    for (const Signed& s : signatures) {
        const auto overtakes = [&](const Signed& a) {
            return a.amends && a.sibling != s.sibling && a.seen.covers(s.sibling->dot) && !a.leaves(record_path(PathKind::seal));
        };
        if (std::none_of(signatures.begin(), signatures.end(), overtakes)) heads.push_back(&s);
    }
    const auto same = [&](const Signed* s) { return s->document == heads.front()->document; };
    if (std::all_of(heads.begin(), heads.end(), same)) heads.clear();
    return heads;
}

/// By stamp, then replica, then counter.
bool older(const RecordState& state, const Sibling& a, const Sibling& b) {
    const Stamp x = state.written(a.dot).stamp, y = state.written(b.dot).stamp;
    return x != y ? x < y : a.dot < b.dot;
}

const Sibling& newest(const RecordState& state, const Register& reg) {
    return *std::max_element(reg.siblings.begin(), reg.siblings.end(),
                             [&](const Sibling& a, const Sibling& b) { return older(state, a, b); });
}

bool any_true(const Register& reg) {
    return std::any_of(reg.siblings.begin(), reg.siblings.end(), [](const Sibling& s) { return s.value == bool_value(true); });
}

using Iterator = std::vector<Register>::const_iterator;

Value shown_set(Iterator begin, Iterator end) {
    std::vector<std::pair<std::string, BytesView>> elements;
    for (auto it = begin; it != end; ++it)
        if (any_true(*it)) elements.emplace_back(to_json(it->path.key), it->path.key);
    if (elements.empty()) return {};
    std::sort(elements.begin(), elements.end());
    CborWriter out;
    out.array(elements.size());
    for (const auto& [json, element] : elements) out.raw(element);
    return out.take();
}

Value shown_rows(const RecordState& state, Iterator begin, Iterator end, const TypeSchema* type) {
    CborWriter rows;
    std::size_t row_count = 0;
    for (auto it = begin; it != end; ++it) {
        if (!it->path.is(PathKind::row) || !any_true(*it)) continue;
        CborWriter columns;
        std::size_t column_count = 0;
        for (auto c = begin; c != end; ++c) {
            if (!c->path.is(PathKind::column) || c->path.key != it->path.key) continue;
            const Value& value = shown_sibling(state, *c, type).value;
            if (is_null(value)) continue;
            columns.raw(c->path.sub);
            columns.raw(value);
            ++column_count;
        }
        rows.raw(it->path.key);
        rows.map(column_count);
        rows.raw(columns.bytes());
        ++row_count;
    }
    if (row_count == 0) return {};
    CborWriter out;
    out.map(row_count);
    out.raw(rows.bytes());
    return out.take();
}

Value shown_counter(Iterator begin, Iterator end) {
    std::int64_t total = 0;
    for (auto it = begin; it != end; ++it) {
        // The path is one replica's: its highest counter is its last word, whatever its clock did.
        CborReader in(it->siblings.back().value);
        const CborType type = in.peek();
        if (type != CborType::uint && type != CborType::negative) continue;
        // Totals are bounded far below overflow by the schema; a hostile one saturates.
        if (__builtin_add_overflow(total, in.integer(), &total)) total = INT64_MAX;
    }
    return int_value(total);
}

Value shown_field(const RecordState& state, Iterator begin, Iterator end, const TypeSchema* type) {
    for (auto it = begin; it != end; ++it) switch (it->path.kind) {
            case static_cast<std::uint32_t>(PathKind::scalar): {
                const Value& value = shown_sibling(state, *it, type).value;
                return is_null(value) ? Value() : value;
            }
            case static_cast<std::uint32_t>(PathKind::element): return shown_set(begin, end);
            case static_cast<std::uint32_t>(PathKind::row):
            case static_cast<std::uint32_t>(PathKind::column): return shown_rows(state, begin, end, type);
            case static_cast<std::uint32_t>(PathKind::counter): return shown_counter(begin, end);
            default: break;
        }
    return {};
}

std::string printed_field(const Path& path) {
    std::string field = path.field;
    if (path.is(PathKind::column) || path.is(PathKind::row)) field += "." + std::string(text_of(path.key));
    if (path.is(PathKind::column)) field += "." + std::string(text_of(path.sub));
    return field;
}

class ReviewList {
public:
    ReviewList(Crypto& crypto, const RecordId& record, const RecordState& state) : crypto_(crypto), record_(record), state_(state) {}

    void add(ReviewKind kind, const Path& path, std::vector<Candidate> values) {
        std::sort(values.begin(), values.end(),
                  [](const Candidate& a, const Candidate& b) { return a.stamp != b.stamp ? a.stamp < b.stamp : a.dot < b.dot; });
        ReviewItem item;
        item.kind = kind;
        item.path = path;
        item.field = printed_field(path);
        item.values = std::move(values);
        item.id = id_of(item);
        items_.push_back(std::move(item));
    }
    Candidate candidate(const Sibling& s, Value value) const {
        const Written& w = state_.written(s.dot);
        return {std::move(value), w.author, w.stamp, s.dot};
    }
    void add(ReviewKind kind, const Register& reg) {
        std::vector<Candidate> values;
        for (const Sibling& s : reg.siblings) values.push_back(candidate(s, s.value));
        add(kind, reg.path, std::move(values));
    }
    std::vector<ReviewItem> take() { return std::move(items_); }

private:
    std::string id_of(const ReviewItem& item) const {
        // The set of dots, not their order by stamp: stamps may still change when the server decides, the question does not.
        std::vector<Bytes> names;
        for (const Candidate& c : item.values) {
            CborWriter w;
            write_dot(w, c.dot);
            // What has no dot of its own is named by its value.
            if (c.dot.is_zero()) w.raw(c.value);
            names.push_back(w.take());
        }
        std::sort(names.begin(), names.end());
        CborWriter w;
        w.octets(record_.bytes());
        w.uint(static_cast<std::uint64_t>(item.kind));
        write_path(w, item.path);
        for (const Bytes& name : names) w.raw(name);
        return to_base32(crypto_.sha256(w.bytes()).bytes().substr(0, 16));
    }

    Crypto& crypto_;
    const RecordId& record_;
    const RecordState& state_;
    std::vector<ReviewItem> items_;
};

void add_deleted_item(ReviewList& list, const RecordState& state) {
    if (!state.has_delete() || state.deleted()) return;
    const Register& life = *state.find(record_path(PathKind::life));
    std::vector<Candidate> values;
    Context seen;
    bool first = true;
    for (const Sibling& s : life.siblings) {
        CborReader in(s.value);
        const bool is_delete = in.peek() == CborType::map;
        values.push_back(list.candidate(s, bool_value(is_delete)));
        if (!is_delete) continue;
        Context this_one = read_context(in);
        this_one.add(s.dot);
        if (first)
            seen = this_one;
        else
            seen.join(this_one);
        first = false;
    }
    // What no delete had seen speaks for keeping the record: one candidate a change, however many fields it wrote.
    for (const Written& w : state.dots())
        if (!seen.covers(w.dot)) values.push_back({bool_value(false), w.author, w.stamp, w.dot});
    std::sort(values.begin(), values.end(), [](const Candidate& a, const Candidate& b) { return a.dot < b.dot; });
    values.erase(std::unique(values.begin(), values.end(), [](const Candidate& a, const Candidate& b) { return a.dot == b.dot; }),
                 values.end());
    list.add(ReviewKind::deleted, record_path(PathKind::life), std::move(values));
}

/// What no signature has settled at one path: siblings, or a text as a whole.
struct Late {
    Path path;
    std::vector<const Sibling*> siblings;
    const Text* text = nullptr;
};

std::vector<Late> late_work(const RecordState& state, const std::vector<Signed>& signatures) {
    std::vector<Late> all;
    for (const Register& r : state.registers()) {
        if (is_permanent(r.path)) continue;
        const Context settled = settled_at(signatures, r.path);
        Late late{r.path, {}, nullptr};
        for (const Sibling& s : r.siblings)
            if (!settled.covers(s.dot)) late.siblings.push_back(&s);
        if (!late.siblings.empty()) all.push_back(std::move(late));
    }
    for (const auto& [field, text] : state.texts())
        if (!text.shown_is_within(settled_at(signatures, text_path(field)))) all.push_back({text_path(field), {}, &text});
    return all;
}

/// Signed documents that differ, and what nobody signed.
void add_sealed_items(ReviewList& list, const RecordState& state) {
    const std::vector<Signed> signatures = signatures_of(state);
    std::vector<Candidate> documents;
    for (const Signed* s : differing_documents(signatures)) documents.push_back(list.candidate(*s->sibling, Value(s->document)));
    if (!documents.empty()) list.add(ReviewKind::sealed, record_path(PathKind::seal), std::move(documents));
    for (const Late& late : late_work(state, signatures)) {
        const bool of_life = late.path.is(PathKind::life);
        std::vector<Candidate> values;
        for (const Sibling* s : late.siblings) values.push_back(list.candidate(*s, of_life ? bool_value(!is_null(s->value)) : s->value));
        // What was signed is not deleted: that it stays is the one answer.
        if (of_life) values.push_back({bool_value(false), {}, {}, {}});
        if (late.text != nullptr) values.push_back({text_value(late.text->text()), {}, {}, {}});
        list.add(ReviewKind::sealed, late.path, std::move(values));
    }
}

}  // namespace

const char* to_string(ReviewKind kind) {
    switch (kind) {
        case ReviewKind::value: return "value";
        case ReviewKind::text: return "text";
        case ReviewKind::once: return "once";
        case ReviewKind::deleted: return "deleted";
        case ReviewKind::sealed: return "sealed";
    }
    return "value";
}

const FieldSchema* schema_of(const Path& path, const TypeSchema* type) {
    const FieldSchema* field = type == nullptr || path.field.empty() ? nullptr : type->field(path.field);
    if (field == nullptr || !path.is(PathKind::column)) return field;
    const auto column = field->columns.find(std::string(text_of(path.sub)));
    return column == field->columns.end() ? nullptr : &column->second;
}

Merge policy_of(const Path& path, const TypeSchema* type) {
    switch (path.kind) {
        case static_cast<std::uint32_t>(PathKind::element):
        case static_cast<std::uint32_t>(PathKind::row): return Merge::set;
        case static_cast<std::uint32_t>(PathKind::counter): return Merge::counter;
        case static_cast<std::uint32_t>(PathKind::text):
        case static_cast<std::uint32_t>(PathKind::line): return Merge::text;
        case static_cast<std::uint32_t>(PathKind::scalar):
        case static_cast<std::uint32_t>(PathKind::column): {
            const FieldSchema* field = schema_of(path, type);
            if (field == nullptr || kind_of(field->merge) != Kind::scalar) return Merge::review;
            return field->once && field->merge == Merge::latest ? Merge::review : field->merge;
        }
        default: return Merge::latest;
    }
}

bool spares_siblings(const Path& path, const TypeSchema* type) {
    const Merge merge = policy_of(path, type);
    return merge == Merge::review || merge == Merge::highest || path.is(PathKind::line);
}

const Sibling& shown_sibling(const RecordState& state, const Register& reg, const TypeSchema* type) {
    KOPDARBS_ASSERT(!reg.siblings.empty());
    if (reg.siblings.size() == 1) return reg.siblings.front();
    const FieldSchema* field = policy_of(reg.path, type) == Merge::highest ? schema_of(reg.path, type) : nullptr;
    const auto lesser = [&](const Sibling& a, const Sibling& b) {
        const int x = field == nullptr ? 0 : field->rank(a.value), y = field == nullptr ? 0 : field->rank(b.value);
        return x != y ? x < y : older(state, a, b);
    };
    return *std::max_element(reg.siblings.begin(), reg.siblings.end(), lesser);
}

bool is_sealed(const RecordState& state) {
    return state.find(record_path(PathKind::seal)) != nullptr;
}

std::vector<Path> open_in_sealed(const RecordState& state) {
    const std::vector<Signed> signatures = signatures_of(state);
    std::vector<Path> open;
    for (Late& late : late_work(state, signatures)) open.push_back(std::move(late.path));
    if (!differing_documents(signatures).empty()) open.push_back(record_path(PathKind::seal));
    std::sort(open.begin(), open.end());
    return open;
}

Document shown_document(const RecordState& state, const TypeSchema* type) {
    for (PathKind kind : {PathKind::amendment, PathKind::seal})
        if (const Register* reg = state.find(record_path(kind))) return document_from_value(read_signed(newest(state, *reg)).document);
    Document document;
    document.reserve(state.registers().size());
    const auto& all = state.registers();
    auto text = state.texts().begin();
    const auto put_texts_before = [&](const std::string* field) {
        for (; text != state.texts().end() && (field == nullptr || text->first < *field); ++text)
            if (!text->second.untouched()) document.emplace_back(text->first, text_value(text->second.text()));
    };
    for (auto it = all.begin(); it != all.end();) {
        auto end = it;
        while (end != all.end() && end->path.field == it->path.field) ++end;
        put_texts_before(&it->path.field);
        const bool is_text = text != state.texts().end() && text->first == it->path.field;
        if (!is_text && !it->path.field.empty()) {
            Value value = shown_field(state, it, end, type);
            if (!value.empty()) document.emplace_back(it->path.field, std::move(value));
        }
        it = end;
    }
    put_texts_before(nullptr);
    return document;
}

std::string document_to_json(const Document& document) {
    std::size_t size = 2;
    for (const auto& [field, value] : document) size += field.size() + value.size() + 6;
    std::string out;
    out.reserve(size + size / 16);
    out += '{';
    for (const auto& [field, value] : document) {
        if (out.size() > 1) out += ',';
        append_json_string(out, field);
        out += ':';
        append_json(out, value);
    }
    out += '}';
    return out;
}

Value document_to_value(const Document& document) {
    std::vector<const Document::value_type*> members;
    for (const auto& member : document) members.push_back(&member);
    std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) {
        return a->first.size() != b->first.size() ? a->first.size() < b->first.size() : a->first < b->first;
    });
    CborWriter out;
    out.map(members.size());
    for (const auto* member : members) {
        out.text(member->first);
        out.raw(member->second);
    }
    return out.take();
}

Document document_from_value(BytesView value) {
    CborReader in(value);
    Document document;
    for (std::size_t n = in.map(); n > 0; --n) {
        std::string field(in.text(kMaxNameBytes));
        document.emplace_back(std::move(field), Value(in.item()));
    }
    in.finish();
    std::sort(document.begin(), document.end());
    return document;
}

std::vector<ReviewItem> review_items(Crypto& crypto, const RecordId& record, const RecordState& state, const TypeSchema* type) {
    ReviewList list(crypto, record, state);
    if (state.deleted()) return {};
    if (is_sealed(state)) {  // a deletion that its signers had not seen is among what nobody signed: it can only be amended away
        add_sealed_items(list, state);
        return list.take();
    }
    add_deleted_item(list, state);
    for (const Register& r : state.registers()) {
        if (!r.differs() || !spares_siblings(r.path, type)) continue;
        const FieldSchema* field = schema_of(r.path, type);
        list.add(r.path.is(PathKind::line) ? ReviewKind::text : field != nullptr && field->once ? ReviewKind::once : ReviewKind::value, r);
    }
    return list.take();
}

Version version_of(const RecordState& state, const TypeSchema* type) {
    Version version;
    version.seen = state.context();
    for (const Register& r : state.registers()) {
        if (!r.differs() || !spares_siblings(r.path, type)) continue;
        for (const Sibling& s : r.siblings) version.contested[r.path].push_back(s.dot);
    }
    return version;
}

std::string to_string(const Version& version) {
    CborWriter w;
    w.array(2);
    write_context(w, version.seen);
    w.array(version.contested.size());
    for (const auto& [path, dots] : version.contested) {
        w.array(2);
        write_path(w, path);
        w.array(dots.size());
        for (const Dot& dot : dots) write_dot(w, dot);
    }
    return to_base64(w.bytes());
}

Version parse_version(std::string_view text) {
    try {
        const Bytes bytes = from_base64(text);
        CborReader in(bytes);
        Version version;
        if (in.array() != 2) fail(ErrorCode::invalid, "");
        version.seen = read_context(in);
        for (std::size_t n = in.array(); n > 0; --n) {
            if (in.array() != 2) fail(ErrorCode::invalid, "");
            std::vector<Dot>& dots = version.contested[read_path(in)];
            for (std::size_t k = in.array(); k > 0; --k) dots.push_back(read_dot(in));
        }
        in.finish();
        return version;
    } catch (const Error&) {
        fail(ErrorCode::invalid, "not a version as `get` prints it");
    }
}

}  // namespace kopdarbs
