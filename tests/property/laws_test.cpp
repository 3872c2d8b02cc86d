// The laws on small histories, all of them: what three changes by three replicas can be, whatever each had seen of the others.
//
// A history is a record that is there already, and changes laid on it: what each asks for (one of kAsks), and of which of the changes
// before it its author knew. Seven such views of three changes are closed under causality; of four changes, some are drawn.
#include <array>
#include <functional>
#include <numeric>
#include <set>
#include <sstream>

#include "core/record/rules.h"
#include "platform/posix/openssl_crypto.h"
#include "tests/support/catch.h"
#include "tests/support/record_claims.h"

using namespace kopdarbs;
using namespace kopdarbs::test;

namespace {

using Ask = void (*)(Draft&, const RecordState&, std::size_t author);

void edit(Draft& draft, const RecordState& state, const Splice& splice) {
    draft.edit_text("note", {splice}, state.text("note"));
}

std::vector<ReviewItem> items_of(const RecordState& state) {
    static posix::OpenSslCrypto crypto;
    return review_items(crypto, RecordId{}, state, &world_type());
}

/// Of the histories that are laid, those whose every ask the rules allow.
constexpr std::size_t kHistories = 19'114;

enum : std::size_t { kDelete = 12, kRestore, kSign, kDecide, kAsks };

/// Every kind of operation. Where two authors ask the same of one field, they ask for different values, but for sets and removals.
constexpr std::array<Ask, kAsks> kAsk{
    +[](Draft& d, const RecordState&, std::size_t n) { d.put("name", text_value("name" + std::to_string(n))); },
    +[](Draft& d, const RecordState&, std::size_t n) { d.put("phone", n == 2 ? null_value() : text_value("phone" + std::to_string(n))); },
    +[](Draft& d, const RecordState&, std::size_t n) { d.put("risk", text_value(n % 2 == 0 ? "high" : "immediate")); },
    +[](Draft& d, const RecordState&, std::size_t n) { d.put("number", int_value(static_cast<std::int64_t>(n))); },
    +[](Draft& d, const RecordState&, std::size_t) { d.add_element("tags", text_value("divi")); },
    +[](Draft& d, const RecordState&, std::size_t) { d.remove_element("tags", text_value("viens")); },
    +[](Draft& d, const RecordState&, std::size_t n) {
        d.put_row("lines", "a", value_from_json(R"({"amount":)" + std::to_string(n) + "}"));
    },
    +[](Draft& d, const RecordState&, std::size_t) { d.remove_row("lines", "a"); },
    +[](Draft& d, const RecordState&, std::size_t n) { d.count("visits", static_cast<std::int64_t>(n)); },
    +[](Draft& d, const RecordState& s, std::size_t n) { edit(d, s, {1, 1, std::string(n, 'x')}); },
    +[](Draft& d, const RecordState& s, std::size_t n) { edit(d, s, {0, 0, "line " + std::to_string(n) + "\n"}); },
    +[](Draft& d, const RecordState& s, std::size_t) { edit(d, s, {0, s.text("note").length(), ""}); },
    +[](Draft& d, const RecordState&, std::size_t) { d.remove(); },
    +[](Draft& d, const RecordState&, std::size_t) { d.restore(); },
    +[](Draft& d, const RecordState& s, std::size_t n) {
        RecordState::Document document = shown_document(s, &world_type());
        if (!is_sealed(s)) return d.seal(document);
        for (auto& [field, value] : document)
            if (field == "name") value = text_value("amended" + std::to_string(n));
        d.amend(document);
    },
    +[](Draft& d, const RecordState& s, std::size_t n) {
        const auto items = items_of(s);
        if (items.empty()) return;
        const ReviewItem& item = items[n % items.size()];
        const bool of_life = item.kind == ReviewKind::sealed && item.path.is(PathKind::life);
        d.resolve(item, of_life ? bool_value(false) : item.values[n % item.values.size()].value);
    },
};

/// One bit a change that the author knew, besides the record as it was.
using View = std::uint32_t;
struct Step {
    std::size_t ask;
    View view;
};

bool is_closed(const std::vector<Step>& steps, View part) {
    for (std::size_t i = 0; i < steps.size(); ++i)
        if ((part >> i & 1) != 0 && (steps[i].view & ~part) != 0) return false;
    return true;
}

std::string printed(const std::vector<Step>& steps) {
    std::ostringstream out;
    for (const Step& s : steps) out << "ask " << s.ask << " knowing " << s.view << "; ";
    return out.str();
}

class History {
public:
    History(const std::vector<Step>& steps, std::uint32_t clocks) : steps_(steps), clocks_(clocks) {
        write(0, Side{}, [](Draft& d, const RecordState& s) {
            d.create();
            d.put("name", text_value("first"));
            d.put("tags", value_from_json(R"(["viens"])"));
            d.put_row("lines", "a", value_from_json(R"({"amount":9})"));
            d.count("visits", 1);
            d.edit_text("note", {{0, 0, "abc\ndef"}}, s.text("note"));
        });
        for (std::size_t i = 0; i < steps.size(); ++i)
            write(i + 1, of(steps[i].view), [&](Draft& d, const RecordState& s) { kAsk[steps[i].ask](d, s, i + 1); });
    }

    /// Whether every ask wrote something that the rules allow: what is not there cannot be removed, what is sealed not edited.
    bool whole() const { return changes_.size() == steps_.size() + 1; }

    /// The laws of the whole; its parts are histories of their own.
    void check() const {
        const View all = (1U << steps_.size()) - 1;
        std::map<View, RecordState> parts;
        for (View part = 0; part < all; ++part)
            if (is_closed(steps_, part)) parts.emplace(part, of(part).state);
        const Side whole = of(all);
        same(whole, "the history");
        any_order(whole);
        kept(whole);
        const auto items = items_of(whole.state);
        claim(as_plain(items) == plain_review(whole.model, world_type()), "other review items");
        const RecordState::Document document = shown_document(whole.state, &world_type());
        claim(PlainDocument(document.begin(), document.end()) == plain_document(whole.model, world_type()), "another document");
        for (const ReviewItem& item : items) can_be_closed(whole.state, item);
        for (const auto& [x, part] : parts) {
            none_closes_by_itself(items_of(part), all & ~x, whole.state);
            claim_equal(joined(part, whole.state), whole.state, "the whole joined with a part is not the whole");
            for (const auto& [y, other] : parts)
                if ((x | y) == all) claim_equal(joined(part, other), whole.state, "join is not the union");
        }
    }

private:
    static Writer writer(const std::string& user) {
        Writer writer;
        writer.user = user;
        writer.roles = {"worker", "supervisor"};
        writer.section = "visits";
        return writer;
    }

    template <class Work>
    void write(std::size_t author, const Side& view, Work ask) {
        if (changes_.size() != author) return;
        const Dot dot{replica_id(static_cast<std::uint8_t>(7 * author % 5 + 1)), author == 0 ? 1U : 2U};
        Draft draft(view.state, world_type(), dot, std::nullopt);
        try {
            ask(draft, view.state);
        } catch (const Error&) {
            return;
        }
        if (draft.empty()) return;
        Change change;
        change.dot = dot;
        change.seen = draft.seen();
        change.prev = view.state.context().at(dot.replica);
        change.ops = draft.take();
        change.author = "user" + std::to_string(author);
        change.type = "world";
        // Clocks agree with the order of writing, contradict it, or stand.
        const std::uint64_t clock = clocks_ == 0 ? author : clocks_ == 1 ? 9 - author : 5;
        change.stamp = Stamp::from_ms(1000 + clock);
        encode_change(change);
        if (judge_change(change, view.state, &world_type(), writer(change.author), nullptr)) return;
        changes_.push_back(decode_change(change.header, BytesView(change.content)));
    }

    void apply(Side& side, std::size_t i) const {
        claim(side.state.apply(changes_[i], changes_[i].stamp) == Applied::applied, "a change that fits was not applied");
        side.model.add(i, changes_[i], changes_[i].stamp);
    }

    Side of(View part) const {
        Side side;
        if (changes_.empty()) return side;
        apply(side, 0);
        for (std::size_t i = 0; i + 1 < changes_.size(); ++i)
            if ((part >> i & 1) != 0) apply(side, i + 1);
        return side;
    }

    /// Every order that causality allows, each change twice: equal bytes; what comes too early changes nothing.
    void any_order(const Side& side) const {
        std::vector<std::size_t> order(steps_.size());
        std::iota(order.begin(), order.end(), 0);
        do {
            RecordState state;
            (void)state.apply(changes_[0], changes_[0].stamp);
            View here = 0;
            bool causal = true;
            for (std::size_t i : order) {
                const Change& change = changes_[i + 1];
                causal = (steps_[i].view & ~here) == 0;
                const Value before = causal ? Value() : state.encode();
                claim(state.apply(change, change.stamp) == (causal ? Applied::applied : Applied::early),
                      "applied too early, or not at all");
                if (!causal) {
                    claim(state.encode() == before, "what came too early left something behind");
                    break;
                }
                claim(state.apply(change, change.stamp) == Applied::duplicate, "a change did something twice");
                here |= 1U << i;
            }
            if (causal) claim_equal(state, side.state, "another order, other bytes");
        } while (std::next_permutation(order.begin(), order.end()));
    }

    static void kept(const Side& side) {
        for (const auto& [path, live] : side.model.unseen_by_all()) {
            const Register* reg = side.state.find(path);
            claim(reg != nullptr && std::any_of(reg->siblings.begin(), reg->siblings.end(),
                                                [&l = live](const Sibling& s) { return s.dot == l.dot && s.value == l.value; }),
                  "what nobody had seen is gone");
        }
    }

    /// Whichever value a person picks, the rules allow it, the item is gone afterwards, and no other one comes of it.
    void can_be_closed(const RecordState& state, const ReviewItem& item) const {
        const auto open = items_of(state);
        for (const Candidate& candidate : item.values) {
            Change decision;
            decision.dot = {replica_id(99), 1};
            Draft draft(state, world_type(), decision.dot, std::nullopt);
            // What was signed is not deleted: there the only answer is that it stays.
            const bool of_life = item.kind == ReviewKind::sealed && item.path.is(PathKind::life);
            draft.resolve(item, of_life ? bool_value(false) : candidate.value);
            decision.seen = draft.seen();
            decision.ops = draft.take();
            decision.author = "vija";
            decision.stamp = Stamp::from_ms(2000);
            const auto problem = judge_change(decision, state, &world_type(), writer("vija"), nullptr);
            claim(!problem, "a decision that the rules refuse: " + (problem ? problem->reason.en : ""));
            RecordState after = state;
            claim(after.apply(decision, decision.stamp) == Applied::applied, "a decision does not apply");
            const auto left = items_of(after);
            claim(std::none_of(left.begin(), left.end(), [&](const ReviewItem& i) { return i.path == item.path; }),
                  "a question outlives its answer: " + test::printed(item.path));
            for (const ReviewItem& other : open) {
                // Text and its lines are one question; so is a deletion about all that it had not seen.
                if (other.path == item.path || other.path.field == item.path.field || item.kind == ReviewKind::deleted) continue;
                claim(std::any_of(left.begin(), left.end(), [&](const ReviewItem& i) { return i.path == other.path; }),
                      "an answer closed another question: " + test::printed(other.path));
            }
            if (item.kind != ReviewKind::sealed) continue;
            require_shown(after, item, candidate.value);
        }
    }

    /// What was answered in a signed record stands in its document.
    static void require_shown(const RecordState& after, const ReviewItem& item, const Value& value) {
        const RecordState::Document document = shown_document(after, &world_type());
        const auto at = std::find_if(document.begin(), document.end(), [&](const auto& m) { return m.first == item.path.field; });
        const Value shown = at == document.end() ? null_value() : at->second;
        const std::string json = to_json(shown);
        if (item.path.is(PathKind::scalar)) claim(shown == value, "another value than the answer is shown");
        if (item.path.is(PathKind::element))
            claim((json.find(to_json(item.path.key)) != json.npos) == (value == bool_value(true)), "an element is not as it was answered");
        if (item.path.is(PathKind::column)) claim(is_null(value) || json.find(to_json(value)) != json.npos, "a column is not as answered");
        if (item.path.is(PathKind::text) || item.path.is(PathKind::line))
            claim(shown == text_value(after.text(item.path.field).text()), "the text is not the one that lives");
    }

    /// An item whose values nobody decided between is there still. A change that has seen two differing values and just writes spares both;
    /// one that has seen but one of them overwrites it.
    void none_closes_by_itself(const std::vector<ReviewItem>& items, View came, const RecordState& later) const {
        const auto now = items_of(later);
        for (const ReviewItem& item : items) {
            std::set<Value> values;
            std::vector<Dot> kept;
            for (const Candidate& c : item.values)
                if (!c.dot.is_zero() && nobody_decided(item, c, came)) kept.push_back(c.dot), values.insert(c.value);
            const bool is_choice = item.kind != ReviewKind::deleted && item.kind != ReviewKind::sealed;
            if (kept.empty() || (is_choice && values.size() < 2) || (!is_choice && kept.size() < item.values.size() - zero_dots(item)))
                continue;
            const bool there = std::any_of(now.begin(), now.end(), [&](const ReviewItem& n) {
                return n.path == item.path && std::all_of(kept.begin(), kept.end(), [&](const Dot& dot) {
                           return !is_choice ||
                                  std::any_of(n.values.begin(), n.values.end(), [&](const Candidate& m) { return m.dot == dot; });
                       });
            });
            claim(there, "an item closed by itself: " + test::printed(item.path));
        }
    }

    static std::size_t zero_dots(const ReviewItem& item) {
        return static_cast<std::size_t>(
            std::count_if(item.values.begin(), item.values.end(), [](const Candidate& c) { return c.dot.is_zero(); }));
    }

    bool nobody_decided(const ReviewItem& item, const Candidate& candidate, View came) const {
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if ((came >> i & 1) == 0) continue;
            const Change& change = changes_[i + 1];
            if (!change.seen.covers(candidate.dot)) continue;
            if (steps_[i].ask == kSign || steps_[i].ask == kDecide || steps_[i].ask == kDelete || steps_[i].ask == kRestore) return false;
            const bool saw_two = std::any_of(item.values.begin(), item.values.end(),
                                             [&](const Candidate& c) { return c.value != candidate.value && change.seen.covers(c.dot); });
            const bool writes_here =
                std::any_of(change.ops.begin(), change.ops.end(), [&](const Op& op) { return op.path.field == item.path.field; });
            if (writes_here && !saw_two) return false;
        }
        return true;
    }

    const std::vector<Step>& steps_;
    std::uint32_t clocks_;
    std::vector<Change> changes_;
};

/// Plays the history under clocks that agree with its order, contradict it, and stand; whether every ask could be written.
bool holds(const std::vector<Step>& steps) {
    bool whole = false;
    for (std::uint32_t clocks = 0; clocks < 3; ++clocks) {
        try {
            const History history(steps, clocks);
            whole = history.whole();
            if (whole) history.check();
        } catch (const std::exception& e) {
            FAIL(printed(steps) << "clocks " << clocks << ": " << e.what());
        }
    }
    return whole;
}

}  // namespace

TEST_CASE("every history of one, two and three changes by as many replicas keeps the laws") {
    std::size_t histories = 0;
    std::array<std::size_t, kAsks> last{};  // histories that end with each ask
    std::vector<Step> steps;
    const std::function<void(std::size_t)> lay = [&](std::size_t left) {
        if (!steps.empty() && holds(steps)) ++histories, ++last[steps.back().ask];
        if (left == 0) return;
        for (std::size_t ask = 0; ask < kAsks; ++ask)
            for (View view = 0; view < 1U << steps.size(); ++view) {
                if (!is_closed(steps, view)) continue;
                steps.push_back({ask, view});
                lay(left - 1);
                steps.pop_back();
            }
    };
    lay(3);
    INFO(histories);
    for (std::size_t ask = 0; ask < kAsks; ++ask) {
        INFO("ask " << ask << ": " << last[ask]);
        CHECK(last[ask] > 50);
    }
    CHECK(histories == kHistories);
}

TEST_CASE("histories of four changes keep the laws") {
    Random random(4);
    std::size_t histories = 0;
    for (int n = 0; n < 2'000; ++n) {
        std::vector<Step> steps;
        while (steps.size() < 4) {
            const View view = random.below(1U << steps.size());
            if (is_closed(steps, view)) steps.push_back({random.below(kAsks), view});
        }
        histories += holds(steps) ? 1U : 0U;
    }
    CHECK(histories > 700);
}
