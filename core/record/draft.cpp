#include "core/record/draft.h"

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/record/json.h"

namespace kopdarbs {
namespace {

constexpr std::size_t kUsualOps = 48;
constexpr std::int64_t kMaxCount = std::int64_t{1} << 40;

[[noreturn]] void invalid(std::string_view field, const char* what) {
    fail(ErrorCode::invalid, std::string(field) + ": " + what);
}

/// The members of a CBOR map by their encoded keys; none for null.
std::map<Value, Value> members_of(const Value& map) {
    std::map<Value, Value> members;
    if (is_null(map)) return members;
    CborReader in(map);
    for (std::size_t n = in.map(); n > 0; --n) {
        Value key(in.item());
        members[std::move(key)] = in.item();
    }
    return members;
}

Value map_of(const std::map<Value, Value>& members) {
    CborWriter w;
    w.map(members.size());
    for (const auto& [key, value] : members) {
        w.raw(key);
        w.raw(value);
    }
    return w.take();
}

/// What nobody could read again, a row's id that is not UTF-8 say, is kept by nobody. Texts were looked at when they were spliced.
bool can_be_read(const Path& path, BytesView value) {
    if (path.is(PathKind::text) || path.is(PathKind::line)) return true;
    try {
        for (BytesView part : {BytesView(path.key), BytesView(path.sub), value})
            for (CborReader in(part); !in.done();) in.skip();
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

Value line_key(const CharId& newline) {
    CborWriter w;
    w.array(3);
    w.octets(newline.dot.replica.bytes());
    w.uint(newline.dot.counter);
    w.uint(newline.offset);
    return w.take();
}

CharId line_of(const Path& path) {
    CborReader in(path.key);
    if (in.array() != 3) fail(ErrorCode::corrupt, "a line without its id");
    CharId id;
    id.dot.replica = ReplicaId::from_bytes(in.octets(ReplicaId::size));
    id.dot.counter = in.uint(kMaxCounter);
    id.offset = static_cast<std::uint32_t>(in.uint(UINT32_MAX));
    return id;
}

Draft::Draft(const RecordState& state, const TypeSchema& type, const Dot& dot, std::optional<Version> base)
    : state_(state), type_(type), dot_(dot), base_(std::move(base)), seen_(base_ ? base_->seen : state.context()) {
    ops_.reserve(kUsualOps);
    if (!state.context().covers(seen_)) fail(ErrorCode::invalid, "--base is no version of this record here");
}

const FieldSchema& Draft::field_of(std::string_view field, Kind kind) const {
    const FieldSchema* schema = type_.field(field);
    if (schema == nullptr) invalid(field.substr(0, kMaxNameBytes), (type_.name() + " has no such field").c_str());
    if (schema->kind() != kind) invalid(field, "this command does not fit a field of this kind");
    return *schema;
}

void Draft::write(Path path, BytesView value, bool covering) {
    if (!can_be_read(path, value)) invalid(path.field, "it could not be read again: text that is not UTF-8, or nested too deep");
    std::vector<Dot> spares;
    if (!covering) {
        if (base_) {
            const auto contested = base_->contested.find(path);
            if (contested != base_->contested.end() && spares_siblings(path, &type_)) spares = contested->second;
        } else if (const Register* reg = state_.find(path); reg != nullptr && reg->differs() && spares_siblings(path, &type_)) {
            for (const Sibling& s : reg->siblings) spares.push_back(s.dot);
        }
    }
    Op& op = ops_.emplace_back();
    op.path = std::move(path);
    op.value = value;
    op.spares = std::move(spares);
}

void Draft::create() {
    write(record_path(PathKind::birth), bool_value(true));
}

void Draft::put(std::string_view field, BytesView value, const Text* text_at_base) {
    const FieldSchema* schema = type_.field(field);
    if (schema == nullptr) invalid(field.substr(0, kMaxNameBytes), (type_.name() + " has no such field").c_str());
    const CborType kind = CborReader(value).peek();
    switch (schema->kind()) {
        case Kind::scalar: put_scalar(scalar_path(field), value); break;
        case Kind::set: put_set(field, value); break;
        case Kind::counter: invalid(field, "a counter is added to with `count`, not set");
        case Kind::rows: {
            if (kind != CborType::map) invalid(field, "rows are an object by row id");
            CborReader in(value);
            for (std::size_t n = in.map(); n > 0; --n) {
                const std::string_view row = in.text();
                const BytesView columns = in.item();
                is_null(columns) ? remove_row(field, row) : put_row(field, row, columns);
            }
            break;
        }
        case Kind::text: {
            if (kind != CborType::text && kind != CborType::null) invalid(field, "a text is a string");
            Text here = text_at_base != nullptr ? *text_at_base : state_.text(field);
            const std::vector<Splice> splices = diff_words(here.text(), text_of(value));
            edit_text(field, splices, std::move(here));
            break;
        }
    }
}

void Draft::put_scalar(Path path, BytesView value) {
    const Register* reg = state_.find(path);
    if (reg == nullptr ? is_null(value) : shown_sibling(state_, *reg, &type_).value == value) return;
    write(std::move(path), value);
}

/// Whether the caller's view had the element: someone it has seen put it there, or someone it has not seen took it away since.
bool Draft::had_element(const Path& path) const {
    const Register* reg = state_.find(path);
    if (reg == nullptr) return false;
    return std::any_of(reg->siblings.begin(), reg->siblings.end(),
                       [&](const Sibling& s) { return (s.value == bool_value(true)) == seen_.covers(s.dot); });
}

void Draft::put_set(std::string_view field, BytesView array) {
    std::vector<Value> wanted;
    if (!is_null(array)) {
        CborReader in(array);
        if (in.peek() != CborType::array) invalid(field, "a set is an array");
        for (std::size_t n = in.array(); n > 0; --n) wanted.emplace_back(in.item());
    }
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    for (const Value& element : wanted)
        if (!had_element(element_path(field, element))) write(element_path(field, element), bool_value(true));
    for (const Register& r : state_.registers()) {
        if (!r.path.is(PathKind::element) || r.path.field != field || std::binary_search(wanted.begin(), wanted.end(), r.path.key))
            continue;
        if (had_element(r.path)) write(r.path, bool_value(false));
    }
}

void Draft::add_element(std::string_view field, BytesView element) {
    (void)field_of(field, Kind::set);
    if (!had_element(element_path(field, element))) write(element_path(field, element), bool_value(true));
}

void Draft::remove_element(std::string_view field, BytesView element) {
    (void)field_of(field, Kind::set);
    if (!had_element(element_path(field, element))) fail(ErrorCode::not_found, std::string(field) + ": no such element");
    write(element_path(field, element), bool_value(false));
}

void Draft::put_row(std::string_view field, std::string_view row, BytesView columns) {
    const FieldSchema& schema = field_of(field, Kind::rows);
    if (row.empty() || row.size() > 64) invalid(field, "a row's id has 1 to 64 characters");
    CborReader in(columns);
    if (in.peek() != CborType::map) invalid(field, "a row is an object");
    const std::size_t before = ops_.size();
    for (std::size_t n = in.map(); n > 0; --n) {
        const std::string column(in.text());
        const BytesView value = in.item();
        if (schema.columns.count(column) == 0) invalid(field, ("rows have no column '" + column.substr(0, kMaxNameBytes) + "'").c_str());
        put_scalar(column_path(field, row, column), value);
    }
    // Every write to a row also writes that it is there, so that a concurrent removal does not hide it.
    const Register* presence = state_.find(row_path(field, row));
    const bool absent = presence == nullptr || std::none_of(presence->siblings.begin(), presence->siblings.end(),
                                                            [](const Sibling& s) { return s.value == bool_value(true); });
    if (ops_.size() > before || absent) write(row_path(field, row), bool_value(true));
}

void Draft::remove_row(std::string_view field, std::string_view row) {
    (void)field_of(field, Kind::rows);
    if (state_.find(row_path(field, row)) == nullptr) fail(ErrorCode::not_found, std::string(field) + ": no such row");
    write(row_path(field, row), bool_value(false));
}

void Draft::count(std::string_view field, std::int64_t n) {
    (void)field_of(field, Kind::counter);
    if (n < -kMaxCount || n > kMaxCount) invalid(field, "a step of at most 2^40");
    const Path path = counter_path(field, dot_.replica);
    std::int64_t total = n;
    if (const Register* reg = state_.find(path)) {
        CborReader in(reg->siblings.back().value);
        total += in.integer();
    }
    if (total < -kMaxCount || total > kMaxCount) invalid(field, "a total of at most 2^40");
    write(path, int_value(total));
}

void Draft::edit_text(std::string_view field, const std::vector<Splice>& splices, Text at_base) {
    (void)field_of(field, Kind::text);
    const TextEdit edit = at_base.splice(dot_, splices);
    if (edit.empty()) return;
    write(text_path(field), encode_text_ops(edit.ops, dot_));
    if (!base_ || base_->seen.covers(state_.context())) texts_.insert_or_assign(std::string(field), std::move(at_base));
    for (const AlteredLine& line : edit.lines) {
        Path path{static_cast<std::uint32_t>(PathKind::line), std::string(field), line_key(line.newline), {}};
        write(path, line.gone ? null_value() : text_value(line.text));
    }
}

void Draft::remove() {
    CborWriter w;
    write_context(w, seen_);
    write(record_path(PathKind::life), w.bytes());
}

void Draft::restore() {
    write(record_path(PathKind::life), null_value());
}

void Draft::write_signed(PathKind kind, const RecordState::Document& document, const std::vector<Path>& left) {
    CborWriter w;
    w.array(left.empty() ? 2 : 3);
    write_context(w, seen_);
    w.raw(document_to_value(document));
    if (!left.empty()) {
        w.array(left.size());
        for (const Path& path : left) write_path(w, path);
    }
    write(record_path(kind), w.bytes());
}

void Draft::seal(const RecordState::Document& document) {
    write_signed(PathKind::seal, document, {});
}

void Draft::amend(const RecordState::Document& document) {
    const RecordState::Document before = shown_document(state_, &type_);
    const auto value_in = [](const RecordState::Document& in, const std::string& field) {
        const auto at = std::find_if(in.begin(), in.end(), [&](const auto& m) { return m.first == field; });
        return at == in.end() ? null_value() : at->second;
    };
    std::vector<Path> left = open_in_sealed(state_);
    const auto decided = [&](const Path& path) { return value_in(before, path.field) != value_in(document, path.field); };
    left.erase(std::remove_if(left.begin(), left.end(), decided), left.end());
    write_signed(PathKind::amendment, document, left);
}

void Draft::resolve(const ReviewItem& item, BytesView value) {
    switch (item.kind) {
        case ReviewKind::value:
        case ReviewKind::once:
            write(item.path, value, true);
            // As with every write to a row: a concurrent removal does not hide it.
            if (item.path.is(PathKind::column)) write(row_path(item.path.field, text_of(item.path.key)), bool_value(true));
            break;
        case ReviewKind::text: resolve_line(item, value); break;
        case ReviewKind::deleted:
            if (value != bool_value(true) && value != bool_value(false))
                fail(ErrorCode::invalid, "true keeps the deletion, false the record");
            value == bool_value(true) ? remove() : restore();
            break;
        case ReviewKind::sealed: {
            std::vector<Path> left = open_in_sealed(state_);
            left.erase(std::remove(left.begin(), left.end(), item.path), left.end());
            write_signed(PathKind::amendment, settled(item, value), left);
            break;
        }
    }
}

/// A sealed record's document with the answer to what one path asks; what was signed stays where the answer is what it says already.
RecordState::Document Draft::settled(const ReviewItem& item, BytesView value) const {
    if (item.path.is(PathKind::seal)) return document_from_value(value);
    RecordState::Document document = shown_document(state_, &type_);
    if (item.path.is(PathKind::life)) {
        if (value != bool_value(false)) fail(ErrorCode::invalid, "a signed document is not deleted; false keeps it as it is");
        return document;
    }
    const auto at =
        std::lower_bound(document.begin(), document.end(), item.path.field, [](const auto& m, const auto& f) { return m.first < f; });
    const bool present = at != document.end() && at->first == item.path.field;
    const Value after = field_settled(item, value, present ? at->second : null_value());
    if (is_null(after) && present)
        document.erase(at);
    else if (present)
        at->second = after;
    else if (!is_null(after))
        document.insert(at, {item.path.field, after});
    return document;
}

/// What a field of a signed document becomes: `before` as it is there.
Value Draft::field_settled(const ReviewItem& item, BytesView value, const Value& before) const {
    const Path& path = item.path;
    switch (path.kind) {
        case static_cast<std::uint32_t>(PathKind::element): {
            std::map<std::string, Value> elements;  // as documents show them: sorted by their JSON
            if (!is_null(before)) {
                CborReader in(before);
                for (std::size_t n = in.array(); n > 0; --n) {
                    Value element(in.item());
                    elements.emplace(to_json(element), std::move(element));
                }
            }
            elements.erase(to_json(path.key));
            if (value == bool_value(true)) elements.emplace(to_json(path.key), path.key);
            if (elements.empty()) return null_value();
            CborWriter w;
            w.array(elements.size());
            for (const auto& [json, element] : elements) w.raw(element);
            return w.take();
        }
        case static_cast<std::uint32_t>(PathKind::row):
        case static_cast<std::uint32_t>(PathKind::column): {
            std::map<Value, Value> rows = members_of(before);
            std::map<Value, Value> columns = rows.count(path.key) != 0 ? members_of(rows[path.key]) : std::map<Value, Value>();
            const bool whole_row = path.is(PathKind::row);
            if (!whole_row) columns.erase(path.sub);
            if (!whole_row && !is_null(value)) columns[path.sub] = value;
            rows.erase(path.key);
            if (!whole_row || value == bool_value(true)) rows[path.key] = map_of(columns);
            return rows.empty() ? null_value() : map_of(rows);
        }
        case static_cast<std::uint32_t>(PathKind::counter): {
            // A pick is one replica's total; what counts is the sum that lives. Any other number is taken as it is.
            const auto picked = [&](const Candidate& c) { return c.value == value; };
            if (std::none_of(item.values.begin(), item.values.end(), picked)) return Value(value);
            std::int64_t sum = 0;
            for (const Register& r : state_.registers())
                if (r.path.is(PathKind::counter) && r.path.field == path.field) sum += CborReader(r.siblings.back().value).integer();
            return int_value(sum);
        }
        case static_cast<std::uint32_t>(PathKind::line): return text_value(state_.text(path.field).text());
        default: return Value(value);
    }
}

void Draft::resolve_line(const ReviewItem& item, BytesView value) {
    const std::string field = item.path.field;
    Text text = state_.text(field);
    const std::string wanted(text_of(value));
    if (!is_null(value) && CborReader(value).peek() != CborType::text) invalid(field, "a line is a string");
    if (wanted.find('\n') != wanted.npos) invalid(field, "a line has no line break");
    const CharId newline = line_of(item.path);
    std::string shown;
    std::uint32_t start = 0;
    std::vector<Splice> splices;
    if (text.line(newline, shown) && text.line_start(newline, start)) {
        splices = diff_words(shown, wanted);
        for (Splice& s : splices) s.position += start;
    } else if (!wanted.empty() && text.text().find(wanted) == std::string::npos) {
        // The newline that opened the line is gone: the chosen words come back as a line of their own.
        splices.push_back({text.length(), 0, "\n" + wanted});
    }
    const TextEdit edit = text.splice(dot_, splices);
    if (!edit.empty()) write(text_path(field), encode_text_ops(edit.ops, dot_));
    bool written = false;
    for (const AlteredLine& line : edit.lines) {
        const Path path{static_cast<std::uint32_t>(PathKind::line), field, line_key(line.newline), {}};
        written = written || path == item.path;
        write(path, line.gone ? null_value() : text_value(line.text), path == item.path);
    }
    if (!written) write(item.path, text.line(newline, shown) ? text_value(shown) : null_value(), true);
}

}  // namespace kopdarbs
