// What is shown of a plain model, and what waits for a person: each policy of DESIGN.md in its plainest form.
//
// Only the schema is borrowed (which policy a field has, and a value's rank).
// Threading: pure functions.
#pragma once

#include <set>
#include <tuple>

#include "core/record/json.h"
#include "core/record/view.h"
#include "tests/support/plain_model.h"

namespace kopdarbs::test {

/// (kind, path, dots and values by stamp, then dot)
using PlainItem = std::tuple<ReviewKind, Path, std::vector<std::pair<Dot, Value>>>;
using PlainDocument = std::map<std::string, Value>;

inline void sort_by_stamp(std::vector<Live>& all) {
    std::sort(all.begin(), all.end(),
              [](const Live& a, const Live& b) { return std::tie(a.stamp.packed, a.dot) < std::tie(b.stamp.packed, b.dot); });
}

inline Live newest(std::vector<Live> all) {
    sort_by_stamp(all);
    return all.back();
}

inline bool any_true(const std::vector<Live>& all) {
    return std::any_of(all.begin(), all.end(), [](const Live& l) { return l.value == bool_value(true); });
}

inline bool differ(const std::vector<Live>& all) {
    return std::any_of(all.begin(), all.end(), [&](const Live& l) { return l.value != all.front().value; });
}

inline Value shown(const Path& path, const std::vector<Live>& all, const TypeSchema& type) {
    if (policy_of(path, &type) != Merge::highest) return newest(all).value;
    std::map<int, std::vector<Live>> by_rank;
    for (const Live& l : all) by_rank[schema_of(path, &type)->rank(l.value)].push_back(l);
    return newest(by_rank.rbegin()->second).value;
}

inline Value array_of(const std::map<std::string, Value>& elements) {
    CborWriter w;
    w.array(elements.size());
    for (const auto& [json, element] : elements) w.raw(element);
    return w.take();
}

inline Value map_of(const std::map<Value, Value>& members) {
    CborWriter w;
    w.map(members.size());
    for (const auto& [key, value] : members) w.raw(key), w.raw(value);
    return w.take();
}

inline PlainDocument plain_document(const PlainModel& model, const TypeSchema& type) {
    const LiveRegisters live = model.registers();
    PlainDocument result;
    for (PathKind kind : {PathKind::amendment, PathKind::seal}) {
        const std::vector<Live> all = at_path(live, kind);
        if (all.empty()) continue;
        for (const auto& [name, value] : document_from_value(part_of(newest(all).value, 1))) result.emplace(name, value);
        return result;
    }
    std::map<std::string, std::map<std::string, Value>> sets;             // by field and JSON
    std::map<std::string, std::map<Value, std::map<Value, Value>>> rows;  // by field, row and column
    std::map<std::string, std::int64_t> sums;
    for (const auto& [path, all] : live) {
        if (path.is(PathKind::scalar) && !is_null(shown(path, all, type))) result[path.field] = shown(path, all, type);
        if (path.is(PathKind::element) && any_true(all)) sets[path.field][to_json(path.key)] = path.key;
        if (path.is(PathKind::row) && any_true(all)) rows[path.field][path.key];
        // A replica writes its own total only, so its last word is its highest counter, whatever the stamps say.
        if (path.is(PathKind::counter)) sums[path.field] += CborReader(all.back().value).integer();
    }
    for (const auto& [path, all] : live)
        if (path.is(PathKind::column) && rows[path.field].count(path.key) != 0 && !is_null(shown(path, all, type)))
            rows[path.field][path.key][path.sub] = shown(path, all, type);
    for (const auto& [field, sum] : sums) result[field] = int_value(sum);
    for (const auto& [field, elements] : sets) result[field] = array_of(elements);
    for (const auto& [field, of_field] : rows) {
        std::map<Value, Value> encoded;
        for (const auto& [row, columns] : of_field) encoded[row] = map_of(columns);
        if (!encoded.empty()) result[field] = map_of(encoded);
    }
    for (const auto& [field, text] : model.texts())
        if (!text.untouched()) result[field] = text_value(text.text());
    return result;
}

inline PlainItem plain_item(ReviewKind kind, const Path& path, std::vector<Live> all) {
    sort_by_stamp(all);
    std::vector<std::pair<Dot, Value>> values;
    for (const Live& l : all) values.emplace_back(l.dot, l.value);
    return {kind, path, values};
}

/// A delete that does not hold, and all that it has not seen.
inline void add_deleted(std::set<PlainItem>& items, const LiveRegisters& live) {
    const std::vector<Live> life = at_path(live, PathKind::life);
    Context seen;
    std::map<Dot, Live> sides;
    for (const Live& l : life) {
        sides[l.dot] = {l.dot, bool_value(is_delete(l.value)), l.stamp};
        if (is_delete(l.value)) seen.join(seen_by(l));
    }
    if (seen.empty()) return;
    for (const auto& [path, all] : live)
        for (const Live& l : all)
            if (!seen.covers(l.dot)) sides[l.dot] = {l.dot, bool_value(false), l.stamp};
    std::vector<Live> listed;
    for (const auto& [dot, l] : sides) listed.push_back(l);
    items.insert(plain_item(ReviewKind::deleted, record_path(PathKind::life), listed));
}

/// Whether a signature left open what `path` asks.
inline bool leaves(const Live& live, const Path& path) {
    CborReader in(live.value);
    if (in.array() < 3) return false;
    in.skip();
    in.skip();
    for (std::size_t n = in.array(); n > 0; --n)
        if (read_path(in) == path) return true;
    return false;
}

/// Signed documents that differ and that no amendment has seen, and what nobody signed.
inline void add_sealed(std::set<PlainItem>& items, const LiveRegisters& live, const std::map<std::string, Text>& texts) {
    std::vector<Live> all = at_path(live, PathKind::seal), amendments = at_path(live, PathKind::amendment), heads;
    all.insert(all.end(), amendments.begin(), amendments.end());
    const auto settled = [&](const Path& path) {
        Context context;
        for (const Live& l : all)
            if (!leaves(l, path)) context.join(seen_by(l));
        return context;
    };
    for (const Live& l : all) {
        const auto overtakes = [&](const Live& a) {
            return a.dot != l.dot && seen_by(a).covers(l.dot) && !leaves(a, record_path(PathKind::seal));
        };
        if (std::none_of(amendments.begin(), amendments.end(), overtakes)) heads.push_back({l.dot, part_of(l.value, 1), l.stamp});
    }
    if (differ(heads)) items.insert(plain_item(ReviewKind::sealed, record_path(PathKind::seal), heads));
    for (const auto& [path, ops] : live) {
        std::vector<Live> late;
        const Context seen = settled(path);
        for (const Live& l : ops)
            if (!is_permanent(path) && !seen.covers(l.dot))
                late.push_back({l.dot, path.is(PathKind::life) ? bool_value(is_delete(l.value)) : l.value, l.stamp});
        if (!late.empty() && path.is(PathKind::life)) late.push_back({{}, bool_value(false), {}});
        if (!late.empty()) items.insert(plain_item(ReviewKind::sealed, path, late));
    }
    for (const auto& [field, text] : texts)
        if (!text.shown_is_within(settled(text_path(field))))
            items.insert(plain_item(ReviewKind::sealed, text_path(field), {{{}, text_value(text.text()), {}}}));
}

/// Whether different values here wait for a person.
inline bool asks(const Path& path, const TypeSchema& type) {
    if (path.is(PathKind::line)) return true;
    if (!path.is(PathKind::scalar) && !path.is(PathKind::column)) return false;
    const FieldSchema* field = schema_of(path, &type);
    return field == nullptr || field->once || field->merge != Merge::latest;
}

inline std::set<PlainItem> plain_review(const PlainModel& model, const TypeSchema& type) {
    std::set<PlainItem> items;
    if (model.deleted()) return items;
    const LiveRegisters live = model.registers();
    if (!at_path(live, PathKind::seal).empty()) {
        add_sealed(items, live, model.texts());
        return items;
    }
    add_deleted(items, live);
    for (const auto& [path, all] : live) {
        if (!differ(all) || !asks(path, type)) continue;
        const FieldSchema* field = schema_of(path, &type);
        const bool once = field != nullptr && field->once;
        items.insert(plain_item(path.is(PathKind::line) ? ReviewKind::text : once ? ReviewKind::once : ReviewKind::value, path, all));
    }
    return items;
}

}  // namespace kopdarbs::test
