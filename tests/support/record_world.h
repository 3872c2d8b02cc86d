// A small world for one record: three replicas and a server, each with the engine's state and the plain model beside it.
//
// Every choice comes from one seed, so a history is (seed, number of steps). Devices draft on what they see, sometimes on an older base;
// push, and are sometimes refused, which cuts their line; pull pages or join snapshots, some of it twice.
//
// Invariants
//  1. `log` is the server's order; what a device has confirmed was sequenced before.
//  2. needs[i] is what a replica has to hold before change i means anything: its `seen` and, for text that was authored again, what it
//  hangs on.
// Threading: one world, one thread.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <stdexcept>

#include "core/base/error.h"
#include "core/record/draft.h"
#include "core/record/reauthor.h"
#include "tests/support/plain_views.h"

namespace kopdarbs::test {

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U + 1) {}
    std::uint32_t below(std::uint32_t bound) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::uint32_t>((state_ >> 33) % bound);
    }
    bool chance(std::uint32_t percent) { return below(100) < percent; }
    template <class Container>
    const auto& pick(const Container& from) {
        return from[below(static_cast<std::uint32_t>(std::size(from)))];
    }

private:
    std::uint64_t state_;
};

inline const TypeSchema& world_type() {
    static const SchemaSet set = [] {
        SchemaSet all;
        all.add(
            R"({"$id": "urn:kopdarbs:type:world", "type": "object", "version": 1, "write": ["worker"], "seal": ["worker"], "document": true,
            "properties": {
                "name": {"type": "string", "merge": "latest"},
                "phone": {"type": "string", "merge": "review"},
                "risk": {"type": "string", "merge": "highest", "enum": ["low", "high", "immediate"]},
                "number": {"type": "integer", "merge": "latest", "once": true},
                "tags": {"type": "array", "merge": "set", "items": {"type": "string"}},
                "lines": {"type": "object", "merge": "rows",
                          "columns": {"amount": {"type": "integer", "merge": "review"}, "kind": {"type": "string", "merge": "latest"}}},
                "visits": {"type": "integer", "merge": "counter"},
                "note": {"type": "string", "merge": "text"}}})");
        return all;
    }();
    return *set.type("world");
}

inline ReplicaId replica_id(std::uint8_t n) {
    ReplicaId id;
    id.octets[0] = n;
    id.octets[7] = static_cast<std::uint8_t>(0xff - n);
    return id;
}

inline bool has_text(const Change& change) {
    return std::any_of(change.ops.begin(), change.ops.end(), [](const Op& op) { return op.path.is(PathKind::text); });
}

/// The engine and the model, kept in step.
struct Side {
    RecordState state;
    PlainModel model;
};

class World {
public:
    struct Base {
        Version version;
        Text note;
    };
    struct Replica {
        ReplicaId id;
        Side confirmed;
        std::vector<std::size_t> pending;
        std::uint64_t counter = 0;
        std::size_t cursor = 0;
        std::vector<Base> bases;
    };

    explicit World(std::uint64_t seed) : random(seed) {
        for (std::size_t i = 0; i < replicas.size(); ++i) replicas[i].id = replica_id(static_cast<std::uint8_t>(3 * i + 1));
    }

    void step() {
        Replica& r = replicas[random.below(static_cast<std::uint32_t>(replicas.size()))];
        const std::uint32_t what = random.below(100);
        if (what < 50) {
            write(r);
        } else if (what < 68) {
            push(r);
        } else if (what < 92) {
            pull(r);
        } else {
            adopt(r);
        }
    }

    /// What a device shows: what is confirmed, with its own unsent changes laid over it.
    Side shown(const Replica& r) const {
        Side side = r.confirmed;
        for (std::size_t i : r.pending) apply(side, i);
        return side;
    }

    /// Applies change `i`; it must be new and fit.
    void apply(Side& side, std::size_t i) const {
        if (side.state.apply(changes[i], stamps[i]) != Applied::applied) throw std::logic_error("a change that fits was not applied");
        side.model.add(i, changes[i], stamps[i]);
    }

    bool fits(const RecordState& state, std::size_t i) const {
        return state.context().covers(needs[i]) && state.context().at(changes[i].dot.replica) >= changes[i].prev;
    }

    Random random;
    std::deque<Change> changes;  // every change that was ever made, also the refused: addresses stay
    std::vector<Stamp> stamps;   // effective
    std::vector<Context> needs;
    std::vector<std::size_t> origin;  // of work that was authored again: what it was before; else itself
    std::vector<std::int64_t> steps;  // what the change was asked to add to the counter
    std::vector<std::size_t> log;
    Side server;
    std::array<Replica, 3> replicas;

private:
    void write(Replica& r) {
        const Side view = shown(r);
        if (view.state.empty() && (&r != &replicas[0] || !r.pending.empty()) && random.chance(80)) return;  // concurrent births are rare
        const Dot dot{r.id, ++r.counter};
        std::optional<Base> base;
        if (!r.bases.empty() && random.chance(25)) base = random.pick(r.bases);
        counted_ = 0;
        Draft draft(view.state, world_type(), dot, base ? std::optional<Version>(base->version) : std::nullopt);
        if (view.state.empty()) draft.create();
        try {
            ask(draft, view.state, base, r.id);
        } catch (const Error&) {
            // Asked for something that this view has not (an element that is gone): nothing is written.
            return;
        }
        Change change;
        change.dot = dot;
        change.prev = view.state.context().at(r.id);
        change.seen = draft.seen();
        change.ops = draft.take();
        if (change.ops.empty() || writes_twice(change)) return;
        if (random.chance(10)) spare_at_random(change, view.state);
        const Context needed = change.seen;
        r.pending.push_back(add(std::move(change), needed, changes.size(), counted_));
        const Side now = shown(r);
        if (random.chance(40)) r.bases.push_back({version_of(now.state, &world_type()), now.state.text("note")});
    }

    static bool writes_twice(const Change& change) {
        std::set<Path> paths;
        return std::any_of(change.ops.begin(), change.ops.end(), [&](const Op& op) { return !paths.insert(op.path).second; });
    }

    std::size_t add(Change change, const Context& needed, std::size_t from, std::int64_t step) {
        change.author = "user" + std::to_string(change.dot.replica.octets[0]);
        change.type = "world";
        change.stamp = Stamp::from_ms(1'000 + random.below(20));
        encode_change(change);
        changes.push_back(decode_change(change.header, BytesView(change.content)));
        stamps.push_back(Stamp{Stamp::from_ms(1'000 + random.below(12)).packed + random.below(2)});
        needs.push_back(needed);
        origin.push_back(from);
        steps.push_back(step);
        return changes.size() - 1;
    }

    void ask(Draft& draft, const RecordState& state, const std::optional<Base>& base, const ReplicaId&) {
        static const std::array<const char*, 4> words{"viens", "divi", "trīs", ""};
        if (is_sealed(state) && random.chance(70)) {
            RecordState::Document document = shown_document(state, &world_type());
            document.erase(std::remove_if(document.begin(), document.end(), [](const auto& m) { return m.first == "name"; }),
                           document.end());
            document.emplace_back("name", text_value(random.pick(words)));
            std::sort(document.begin(), document.end());
            return draft.amend(document);
        }
        for (std::uint32_t n = 1 + random.below(3); n > 0; --n) switch (random.below(19)) {
                case 0:
                case 1: draft.put("name", random.chance(10) ? null_value() : text_value(random.pick(words))); break;
                case 2:
                case 3: draft.put("phone", random.chance(10) ? null_value() : text_value(random.pick(words))); break;
                case 4: draft.put("risk", text_value(random.pick(std::array<const char*, 3>{"low", "high", "immediate"}))); break;
                case 5: draft.put("number", int_value(random.below(3))); break;
                case 6: draft.add_element("tags", text_value(random.chance(70) ? "divi" : "trīs")); break;
                case 7: draft.remove_element("tags", text_value("divi")); break;
                case 8:
                    draft.put("tags", value_from_json(random.pick(std::array<const char*, 3>{R"(["divi"])", R"(["viens","trīs"])", "[]"})));
                    break;
                case 9:
                case 10:
                    draft.put_row("lines", random.chance(80) ? "a" : "b",
                                  value_from_json(random.chance(50) ? R"({"amount":)" + std::to_string(random.below(3)) + "}"
                                                                    : R"({"kind":"alga"})"));
                    break;
                case 11: draft.remove_row("lines", random.chance(80) ? "a" : "b"); break;
                case 12:
                    counted_ = 1 + random.below(3);
                    draft.count("visits", counted_);
                    break;
                case 13:
                case 14:
                case 15: {
                    const Text at_base = base ? base->note : state.text("note");
                    const std::uint32_t length = at_base.length(), position = random.below(length + 1);
                    static const std::array<const char*, 5> pieces{"ā", "\n", "rinda\n", "x\ny", ""};
                    draft.edit_text("note", {{position, random.below(std::min(4U, length - position + 1)), random.pick(pieces)}}, at_base);
                    return;  // a text once a change
                }
                case 16: return random.chance(50) ? draft.remove() : draft.restore();
                case 17:
                    if (random.chance(60) && !base) draft.seal(shown_document(state, &world_type()));
                    return;
                default:
                    if (!base) resolve(draft, state);
                    return;
            }
    }

    void resolve(Draft& draft, const RecordState& state) {
        for (const Register& r : state.registers()) {
            if (!r.differs() || !spares_siblings(r.path, &world_type()) || !random.chance(50)) continue;
            ReviewItem item;
            item.kind = r.path.is(PathKind::line) ? ReviewKind::text : ReviewKind::value;
            item.path = r.path;
            return draft.resolve(item, random.pick(r.siblings).value);
        }
    }

    /// Any set of spares is legal; drafts only ever make all or none.
    void spare_at_random(Change& change, const RecordState& state) {
        for (Op& op : change.ops) {
            const Register* reg = state.find(op.path);
            if (reg == nullptr) continue;
            op.spares.clear();
            for (const Sibling& s : reg->siblings)
                if (random.chance(50)) op.spares.push_back(s.dot);
        }
    }

    /// The server takes a prefix of what is unsent; a refusal cuts the line, and what follows is authored again.
    void push(Replica& r) {
        const std::vector<std::size_t> line = r.pending;
        const RecordState line_base = r.confirmed.state;
        std::size_t taken = 0;
        bool cut = false;
        for (; taken < line.size() && !random.chance(20); ++taken) {
            if (random.chance(15)) {
                cut = true;
                break;
            }
            apply(server, line[taken]);
            log.push_back(line[taken]);
            apply(r.confirmed, line[taken]);
        }
        r.pending.assign(line.begin() + static_cast<std::ptrdiff_t>(taken), line.end());
        if (!cut) return;
        // The authoritative state comes with the verdict.
        r.confirmed.state.join(server.state);
        r.confirmed.model.join(server.model);
        r.pending.clear();
        RecordState old = line_base, onto = r.confirmed.state;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const RecordState before = old;
            (void)old.apply(changes[line[i]], stamps[line[i]]);
            if (i <= taken) continue;  // accepted, or the one that was refused
            Change again = reauthored(changes[line[i]], {r.id, ++r.counter}, before, old, onto, &world_type());
            if (again.ops.empty()) continue;
            Context needed = again.seen;
            if (has_text(again)) needed.join(onto.context());
            const std::size_t number = add(std::move(again), needed, line[i], steps[line[i]]);
            if (onto.apply(changes[number], stamps[number]) != Applied::applied) throw std::logic_error("re-authored work does not fit");
            r.pending.push_back(number);
        }
        const std::uint64_t live = r.confirmed.state.context().at(r.id);
        r.bases.erase(std::remove_if(r.bases.begin(), r.bases.end(), [&](const Base& b) { return b.version.seen.at(r.id) > live; }),
                      r.bases.end());
    }

    void pull(Replica& r) {
        for (std::uint32_t n = random.below(5); n > 0 && r.cursor < log.size(); --n) {
            const std::size_t i = log[r.cursor++];
            if (r.confirmed.state.context().covers(changes[i].dot)) {
                twice(r, i);
            } else {
                apply(r.confirmed, i);
            }
        }
        if (!log.empty() && random.chance(20)) {
            const std::size_t i = random.pick(log);
            if (r.confirmed.state.context().covers(changes[i].dot)) twice(r, i);
        }
    }

    void twice(Replica& r, std::size_t i) const {
        const Value before = r.confirmed.state.encode();
        if (r.confirmed.state.apply(changes[i], stamps[i]) != Applied::duplicate || r.confirmed.state.encode() != before)
            throw std::logic_error("a change that was here did something again");
    }

    std::int64_t counted_ = 0;

    /// A snapshot of the server, or another device's confirmed state, joined whole.
    void adopt(Replica& r) {
        const Side& from = random.chance(60) ? server : replicas[random.below(3)].confirmed;
        r.confirmed.state.join(RecordState::decode(from.state.encode()));
        r.confirmed.model.join(from.model);
    }
};

}  // namespace kopdarbs::test
