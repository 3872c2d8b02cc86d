// One person on one device with one record: drafts on what is seen, and hears what others made.
#pragma once

#include <functional>

#include "tests/support/record_world.h"

namespace kopdarbs::test {

struct Person {
    explicit Person(std::uint8_t n) : id(replica_id(n)) {}

    /// Saves at `ms`; `base` is the version of an older view. The change is applied here.
    Change save(std::uint64_t ms, const std::function<void(Draft&)>& ask, const std::optional<Version>& base = std::nullopt) {
        Change change = draft(ms, ask, base);
        if (state.apply(change, change.stamp) != Applied::applied) throw std::logic_error("an own change was not applied");
        return change;
    }

    Change draft(std::uint64_t ms, const std::function<void(Draft&)>& ask, const std::optional<Version>& base = std::nullopt) {
        Change change;
        change.dot = {id, ++counter};
        Draft d(state, type(), change.dot, base);
        if (state.empty()) d.create();
        ask(d);
        change.prev = state.context().at(id);
        change.wall_ms = ms;
        change.stamp = Stamp::from_ms(ms);
        change.author = "user" + std::to_string(id.octets[0]);
        change.type = "world";
        change.seen = d.seen();
        change.ops = d.take();
        encode_change(change);
        return change;
    }

    Applied hear(const Change& change) { return state.apply(change, change.stamp); }

    static const TypeSchema& type() { return world_type(); }
    Version version() const { return version_of(state, &type()); }
    RecordState::Document document() const { return shown_document(state, &type()); }
    /// As JSON, empty when it is absent.
    std::string shown(std::string_view field) const {
        for (const auto& [name, value] : document())
            if (name == field) return to_json(value);
        return {};
    }
    const Register* at(const Path& path) const { return state.find(path); }
    /// Values at a path, as JSON, sorted.
    std::vector<std::string> values(const Path& path) const {
        std::vector<std::string> all;
        if (const Register* reg = state.find(path))
            for (const Sibling& s : reg->siblings) all.push_back(to_json(s.value));
        std::sort(all.begin(), all.end());
        return all;
    }
    std::vector<ReviewItem> review(Crypto& crypto) const { return review_items(crypto, RecordId{}, state, &type()); }

    ReplicaId id;
    std::uint64_t counter = 0;
    RecordState state;
};

/// A record that everybody has: made by the first, heard by the others.
inline Change shared(Person& author, std::initializer_list<Person*> others, const std::function<void(Draft&)>& ask = [](Draft&) {}) {
    const Change birth = author.save(1'000, ask);
    for (Person* other : others) (void)other->hear(birth);
    return birth;
}

}  // namespace kopdarbs::test
