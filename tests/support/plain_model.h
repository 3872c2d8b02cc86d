// The merge rule as DESIGN.md words it, and nothing clever: all changes in one flat list, every answer computed from it anew.
//
// It knows no joins and no bytes. What the engine keeps after any mixture of applying and joining has to be what this says. What is
// shown of it is plain_views.h's business. Only Text is borrowed: tests/property/text_property_test.cpp has a model of that.
// Threading: values.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/record/state.h"

namespace kopdarbs::test {

/// An operation that nothing dominates.
struct Live {
    Dot dot;
    Value value;
    Stamp stamp;
};
/// By path; each sorted by dot, none empty.
using LiveRegisters = std::map<Path, std::vector<Live>>;

inline bool is_delete(const Value& value) {
    return CborReader(value).peek() == CborType::map;
}

/// The n-th part of a seal's or an amendment's value.
inline Value part_of(const Value& value, int n) {
    CborReader in(value);
    (void)in.array();
    for (; n > 0; --n) in.skip();
    return Value(in.item());
}

/// What a delete, a seal or an amendment says that its author had seen, and the change itself.
inline Context seen_by(const Live& live) {
    const Value own = is_delete(live.value) ? live.value : part_of(live.value, 0);
    CborReader in(own);
    Context seen = read_context(in);
    seen.add(live.dot);
    return seen;
}

inline std::vector<Live> at_path(const LiveRegisters& live, PathKind kind) {
    const auto found = live.find(record_path(kind));
    return found == live.end() ? std::vector<Live>() : found->second;
}

class PlainModel {
public:
    /// `order` is the change's place in some order that causality allows; `change` outlives the model.
    void add(std::size_t order, const Change& change, Stamp stamp) { facts_.emplace(order, Fact{&change, stamp}); }
    void join(const PlainModel& other) { facts_.insert(other.facts_.begin(), other.facts_.end()); }

    /// The part that someone had seen who had seen `seen`.
    PlainModel at(const Context& seen) const {
        PlainModel part;
        for (const auto& [order, fact] : facts_)
            if (seen.covers(fact.change->dot)) part.facts_.emplace(order, fact);
        return part;
    }

    Context context() const {
        Context all;
        for (const auto& [order, fact] : facts_) {
            all.join(fact.change->seen);
            all.add(fact.change->dot);
        }
        return all;
    }

    LiveRegisters registers() const {
        LiveRegisters result;
        for (const auto& [order, x] : facts_)
            for (const Op& op : x.change->ops)
                if (!op.path.is(PathKind::text) && !is_dominated(*x.change, op))
                    result[op.path].push_back({x.change->dot, op.value, x.stamp});
        for (auto& [path, all] : result) std::sort(all.begin(), all.end(), [](const Live& a, const Live& b) { return a.dot < b.dot; });
        return result;
    }

    std::map<std::string, Text> texts() const {
        std::map<std::string, Text> result;
        for (const auto& [order, x] : facts_)
            for (const Op& op : x.change->ops)
                if (op.path.is(PathKind::text)) result[op.path.field].apply(x.change->dot, decode_text_ops(op.value, x.change->dot));
        return result;
    }

    /// An undominated delete has seen every other live op and every run of text that is shown.
    bool deleted() const {
        const LiveRegisters live = registers();
        for (const Live& d : at_path(live, PathKind::life))
            if (is_delete(d.value) && sees_all(live, seen_by(d))) return true;
        return false;
    }

    /// Operations that nobody's `seen` covers: nothing may take these away.
    std::vector<std::pair<Path, Live>> unseen_by_all() const {
        std::vector<std::pair<Path, Live>> result;
        for (const auto& [order, x] : facts_) {
            const Dot dot = x.change->dot;
            const auto covers = [&dot](const auto& entry) { return entry.second.change->seen.covers(dot); };
            if (std::any_of(facts_.begin(), facts_.end(), covers)) continue;
            for (const Op& op : x.change->ops)
                if (!op.path.is(PathKind::text)) result.emplace_back(op.path, Live{dot, op.value, x.stamp});
        }
        return result;
    }

private:
    struct Fact {
        const Change* change;
        Stamp stamp;
    };

    /// X is dominated by Y at the same path when Y's `seen` holds X's dot and Y does not spare it.
    bool is_dominated(const Change& x, const Op& op) const {
        if (op.path.is(PathKind::seal) || op.path.is(PathKind::amendment) || op.path.is(PathKind::birth)) return false;
        for (const auto& [order, y] : facts_)
            if (y.change->seen.covers(x.dot))
                for (const Op& other : y.change->ops)
                    if (other.path == op.path && std::count(other.spares.begin(), other.spares.end(), x.dot) == 0) return true;
        return false;
    }

    bool sees_all(const LiveRegisters& live, const Context& seen) const {
        for (const auto& [path, all] : live)
            for (const Live& l : all)
                if (!(path.is(PathKind::life) && is_delete(l.value)) && !seen.covers(l.dot)) return false;
        for (const auto& [field, text] : texts())
            if (!text.shown_is_within(seen)) return false;
        return true;
    }

    std::map<std::size_t, Fact> facts_;
};

}  // namespace kopdarbs::test
