// The laws of text fields, over random histories of three replicas, against a naive model: a plain tree of characters whose text is
// its in-order walk.
#include <algorithm>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/record/text.h"
#include "tests/support/catch.h"

namespace kopdarbs {
namespace {

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U + 1) {}
    std::uint32_t below(std::uint32_t bound) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::uint32_t>((state_ >> 33) % bound);
    }
    bool chance(std::uint32_t percent) { return below(100) < percent; }

private:
    std::uint64_t state_;
};

ReplicaId replica(std::uint8_t n) {
    ReplicaId id;
    id.octets[0] = n;
    return id;
}

std::vector<std::string> scalars(const std::string& text) {
    std::vector<std::string> all;
    for (char c : text) {
        if ((static_cast<std::uint8_t>(c) & 0xc0) != 0x80) all.emplace_back();
        all.back() += c;
    }
    return all;
}

/// Fugue as it is defined: every character a node, and nothing clever.
class Model {
public:
    using Lines = std::map<CharId, std::vector<CharId>>;  // by the newline that opens a line, its characters

    void walk(const CharId& from, std::vector<CharId>& out) const {
        visit(from, false, out);
        out.push_back(from);
        visit(from, true, out);
    }
    std::vector<CharId> all() const {
        std::vector<CharId> out;
        walk({}, out);
        return out;
    }
    std::vector<CharId> shown() const {
        std::vector<CharId> out;
        for (const CharId& id : all())
            if (!id.dot.is_zero() && deleted_.count(id) == 0) out.push_back(id);
        return out;
    }
    std::string content(const std::vector<CharId>& ids) const {
        std::string text;
        for (const CharId& id : ids) text += content_.at(id);
        return text;
    }
    std::string text() const { return content(shown()); }
    Lines lines() const {
        Lines lines{{CharId{}, {}}};
        CharId line;
        for (const CharId& id : shown()) {
            if (content_.at(id) == "\n") {
                line = id;
                lines[line];
            } else {
                lines[line].push_back(id);
            }
        }
        return lines;
    }
    void apply(const Dot& dot, const std::vector<TextOp>& ops) {
        CharId next{dot, 0};
        for (const TextOp& op : ops) {
            for (std::uint32_t i = 0; i < op.deleted; ++i)
                deleted_.insert(op.by_change ? CharId{{op.at.dot.replica, op.at.dot.counter + i}, 0} : CharId{op.at.dot, op.at.offset + i});
            CharId parent = op.at;
            bool right = op.right;
            for (const std::string& scalar : scalars(op.text)) {
                children_[{parent, right}].insert(next);
                content_[next] = scalar;
                parent = next;
                right = true;
                ++next.offset;
            }
        }
    }
    /// Where text inserted at `position` hangs.
    TextOp insertion(std::uint32_t position, const std::string& text) const {
        const CharId before = position == 0 ? CharId{} : shown()[position - 1];
        if (children_.count({before, true}) == 0) return {before, true, text, 0, false};
        const std::vector<CharId> ids = all();
        return {*(std::find(ids.begin(), ids.end(), before) + 1), false, text, 0, false};
    }

private:
    void visit(const CharId& from, bool right, std::vector<CharId>& out) const {
        const auto found = children_.find({from, right});
        if (found == children_.end()) return;
        for (const CharId& child : found->second) walk(child, out);
    }
    std::map<std::pair<CharId, bool>, std::set<CharId>> children_;
    std::map<CharId, std::string> content_;
    std::set<CharId> deleted_;
};

struct Change {
    Dot dot;
    std::vector<TextOp> ops;
    std::vector<std::size_t> seen;  ///< how many changes of each replica came before
};

struct Replica {
    Text text;
    Model model;
    std::uint64_t counter = 0;
    std::vector<std::size_t> seen = std::vector<std::size_t>(3);
};

class History {
public:
    explicit History(std::uint64_t seed) : random(seed) {}

    void edit(std::size_t at) {
        Replica& r = replicas[at];
        r.counter += 1 + random.below(4) / 3;
        const Dot dot{replica(static_cast<std::uint8_t>(7 - 2 * at)), r.counter};
        std::vector<Splice> splices;
        std::uint32_t length = r.text.length();
        for (std::uint32_t n = random.chance(80) ? 1 : 1 + random.below(3); n > 0; --n) {
            Splice s;
            s.position = random.chance(40) ? std::min(cursor_, length) : random.chance(30) ? length : random.below(length + 1);
            if (random.chance(35)) s.deleted = std::min(length - s.position, random.chance(80) ? 1 + random.below(3) : random.below(30));
            if (s.deleted == 0 || random.chance(20)) s.inserted = some_text();
            cursor_ = s.position + static_cast<std::uint32_t>(scalars(s.inserted).size());
            length = length - s.deleted + static_cast<std::uint32_t>(scalars(s.inserted).size());
            splices.push_back(s);
        }
        const Model before = r.model;
        const TextEdit edit = r.text.splice(dot, splices);
        check_splices(r, dot, splices, edit.ops);
        check_lines(before, r.model, dot, edit.lines);
        REQUIRE(encode_text_ops(decode_text_ops(encode_text_ops(edit.ops))) == encode_text_ops(edit.ops));
        REQUIRE(encode_text_ops(decode_text_ops(encode_text_ops(edit.ops, dot), dot), dot) == encode_text_ops(edit.ops, dot));
        changes[at].push_back({dot, edit.ops, r.seen});
        ++r.seen[at];
    }

    /// The next change of one replica that another lacks, if what it depends on is there.
    void deliver(std::size_t from, std::size_t to) {
        Replica& r = replicas[to];
        if (r.seen[from] == changes[from].size()) return;
        const Change& change = changes[from][r.seen[from]];
        for (std::size_t i = 0; i < 3; ++i)
            if (r.seen[i] < change.seen[i]) return;
        r.text.apply(change.dot, change.ops);
        r.model.apply(change.dot, change.ops);
        ++r.seen[from];
    }

    void repeat(std::size_t from, std::size_t to) {
        Replica& r = replicas[to];
        if (r.seen[from] == 0) return;
        const Change& change = changes[from][random.below(static_cast<std::uint32_t>(r.seen[from]))];
        const Value bytes = r.text.encode();
        r.text.apply(change.dot, change.ops);
        REQUIRE(r.text.encode() == bytes);
    }

    void join(std::size_t from, std::size_t to) {
        Replica& r = replicas[to];
        Text other = replicas[from].text;
        other.join(r.text);
        r.text.join(replicas[from].text);
        REQUIRE(other.encode() == r.text.encode());
        REQUIRE(other.text() == r.text.text());
        for (std::size_t i = 0; i < 3; ++i) {
            for (; r.seen[i] < replicas[from].seen[i]; ++r.seen[i]) r.model.apply(changes[i][r.seen[i]].dot, changes[i][r.seen[i]].ops);
        }
    }

    void check(std::size_t at) {
        const Replica& r = replicas[at];
        REQUIRE(r.text.text() == r.model.text());
        REQUIRE(r.text.length() == scalars(r.text.text()).size());
        const Value bytes = r.text.encode();
        Text again = Text::decode(bytes, r.text.text());
        REQUIRE(again.encode() == bytes);
        REQUIRE(again.text() == r.text.text());
        REQUIRE(Text(r.text).encode() == bytes);
        REQUIRE(r.text.structure() == bytes);
        REQUIRE(again.structure() == bytes);
        if (random.chance(20)) replicas[at].text = std::move(again);
        for (const Replica& other : replicas) REQUIRE((other.seen != r.seen || other.text.encode() == bytes));
        for (const auto& [newline, ids] : r.model.lines()) {
            std::string line;
            REQUIRE(r.text.line(newline, line));
            REQUIRE(line == r.model.content(ids));
        }
    }

    /// A text that hears every change, in some causal order.
    Text fresh() {
        Replica r;
        while (r.seen != std::vector<std::size_t>{changes[0].size(), changes[1].size(), changes[2].size()}) {
            const std::size_t from = random.below(3);
            if (r.seen[from] == changes[from].size()) continue;
            const Change& change = changes[from][r.seen[from]];
            bool ready = true;
            for (std::size_t i = 0; i < 3; ++i) ready = ready && r.seen[i] >= change.seen[i];
            if (!ready) continue;
            r.text.apply(change.dot, change.ops);
            ++r.seen[from];
        }
        return std::move(r.text);
    }

    Random random;
    std::vector<Replica> replicas = std::vector<Replica>(3);
    std::vector<std::vector<Change>> changes = std::vector<std::vector<Change>>(3);

private:
    std::string some_text() {
        static const std::vector<std::string> kPieces = {"a",  "b",  "c",   "d",   "\n",  "ā",        "€",
                                                         "😀", "ab", "xyz", "q\n", "\nr", "l1\nl2\n", "one two three"};
        std::string text = kPieces[random.below(random.chance(60) ? 4 : static_cast<std::uint32_t>(kPieces.size()))];
        if (random.chance(1)) text += std::string(700, 'w');
        return text;
    }

    /// The operations are those that the model would write; then the model takes them.
    static void check_splices(Replica& r, const Dot& dot, const std::vector<Splice>& splices, const std::vector<TextOp>& ops) {
        std::vector<TextOp> expected;
        std::string text = r.model.text();
        Model model = r.model;
        for (const Splice& s : splices) {
            const std::vector<CharId> shown = model.shown();
            std::vector<std::string> all = scalars(model.text());
            std::vector<TextOp> step;
            for (std::uint32_t i = 0; i < s.deleted; ++i) step.push_back({shown[s.position + i], true, {}, 1, false});
            model.apply({}, step);
            all.erase(all.begin() + s.position, all.begin() + s.position + s.deleted);
            expected.insert(expected.end(), step.begin(), step.end());
            text.clear();
            for (std::size_t i = 0; i <= all.size(); ++i) text += (i == s.position ? s.inserted : "") + (i < all.size() ? all[i] : "");
            if (s.inserted.empty()) continue;
            TextOp op = model.insertion(s.position, s.inserted);
            if (s.inserted.back() == '\n' && s.position > 0 && all[s.position - 1] == "\n")
                op = model.insertion(s.position - 1, "\n" + s.inserted.substr(0, s.inserted.size() - 1));
            expected.push_back(op);
            Model whole = r.model;
            whole.apply(dot, expected);
            model = whole;
        }
        r.model.apply(dot, ops);
        REQUIRE(r.model.all() == [&] {
            Model m = model;
            return m.all();
        }());
        REQUIRE(r.model.shown() == model.shown());
        REQUIRE(r.text.text() == text);
    }

    static void check_lines(const Model& before, const Model& after, const Dot& dot, const std::vector<AlteredLine>& lines) {
        std::map<CharId, std::pair<bool, std::string>> expected;
        const Model::Lines old_lines = before.lines(), new_lines = after.lines();
        for (const auto& [newline, ids] : old_lines) {
            const auto now = new_lines.find(newline);
            if (now == new_lines.end()) {
                expected[newline] = {true, ""};
            } else if (before.content(ids) != after.content(now->second)) {
                expected[newline] = {false, after.content(now->second)};
            }
        }
        for (const auto& [newline, ids] : new_lines) {
            bool older = false;
            for (const CharId& id : ids) older = older || id.dot != dot;
            if (newline.dot == dot && older) expected[newline] = {false, after.content(ids)};
        }
        std::map<CharId, std::pair<bool, std::string>> actual;
        for (const AlteredLine& line : lines) REQUIRE(actual.emplace(line.newline, std::make_pair(line.gone, line.text)).second);
        REQUIRE(actual == expected);
    }

    std::uint32_t cursor_ = 0;
};

}  // namespace

TEST_CASE("any history gives what the naive model gives, by edits, deliveries in any causal order, repetitions and joins") {
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        CAPTURE(seed);
        History history(seed);
        for (int step = 0; step < 120; ++step) {
            const std::size_t at = history.random.below(3), other = (at + 1 + history.random.below(2)) % 3;
            const std::uint32_t dice = history.random.below(100);
            if (dice < 50) {
                history.edit(at);
            } else if (dice < 90) {
                for (std::uint32_t n = history.random.below(12); n > 0; --n) history.deliver(other, at);
            } else if (dice < 96) {
                history.repeat(other, at);
            } else {
                history.join(other, at);
            }
            history.check(at);
        }
        for (std::size_t i = 1; i < 3; ++i) history.join(i, 0);
        const Value bytes = history.replicas[0].text.encode();
        const Text one = history.fresh(), two = history.fresh();
        REQUIRE(one.encode() == bytes);
        REQUIRE(two.encode() == bytes);
        REQUIRE(one.text() == history.replicas[0].text.text());
        REQUIRE(one.text() == history.replicas[0].model.text());
    }
}

TEST_CASE("joining is commutative, associative and idempotent") {
    for (std::uint64_t seed = 100; seed <= 140; ++seed) {
        CAPTURE(seed);
        History history(seed);
        for (int step = 0; step < 80; ++step) {
            const std::size_t at = history.random.below(3);
            history.edit(at);
            if (history.random.chance(30)) history.deliver((at + 1) % 3, at);
        }
        const Text &a = history.replicas[0].text, &b = history.replicas[1].text, &c = history.replicas[2].text;
        Text ab = a, bc = b, ab_c = a, ba = b;
        ab.join(b);
        ba.join(a);
        REQUIRE(ab.encode() == ba.encode());
        bc.join(c);
        Text a_bc = a;
        a_bc.join(bc);
        ab_c.join(b);
        ab_c.join(c);
        REQUIRE(a_bc.encode() == ab_c.encode());
        REQUIRE(a_bc.text() == ab_c.text());
        Text again = a_bc;
        again.join(b);
        again.join(again);
        REQUIRE(again.encode() == a_bc.encode());
    }
}

TEST_CASE("a damaged structure is refused or read as another text, and never worse") {
    History history(7);
    for (int step = 0; step < 150; ++step) {
        const std::size_t at = history.random.below(3);
        history.edit(at);
        history.deliver((at + 1) % 3, at);
    }
    history.join(1, 0);
    const Value bytes = history.replicas[0].text.encode();
    const std::string shown = history.replicas[0].text.text();
    ReplicaId stranger;
    stranger.octets.fill(0xff);
    for (int trial = 0; trial < 20000; ++trial) {
        Value damaged = bytes;
        for (std::uint32_t n = 1 + history.random.below(3); n > 0; --n)
            damaged[history.random.below(static_cast<std::uint32_t>(damaged.size()))] = static_cast<char>(history.random.below(256));
        if (history.random.chance(10)) damaged.resize(history.random.below(static_cast<std::uint32_t>(damaged.size())));
        try {
            Text text = Text::decode(damaged, shown);
            REQUIRE(text.encode() == damaged);
            REQUIRE(text.text() == shown);
            text.splice({stranger, 1}, {{text.length() / 2, 1, "x\n"}});
            text.join(history.replicas[1].text);
        } catch (const Error& error) {
            REQUIRE(error.code() == ErrorCode::corrupt);
        }
    }
}

TEST_CASE("damaged operations are refused and change nothing, or are read as other operations") {
    History history(8);
    for (int step = 0; step < 120; ++step) history.edit(history.random.below(3));
    for (std::size_t at = 0; at < 3; ++at) {
        for (const Change& change : history.changes[at]) {
            const Value good = encode_text_ops(change.ops, change.dot);
            for (int trial = 0; trial < 40; ++trial) {
                Value damaged = good;
                damaged[history.random.below(static_cast<std::uint32_t>(damaged.size()))] = static_cast<char>(history.random.below(256));
                Text text = history.replicas[at].text;
                const Value state = text.encode();
                try {
                    const std::vector<TextOp> ops = decode_text_ops(damaged, change.dot);
                    REQUIRE(encode_text_ops(ops, change.dot) == damaged);
                    const Dot dot{replica(7), 1000};
                    text.apply(dot, ops);
                    const Value once = text.encode();
                    text.apply(dot, ops);
                    REQUIRE(text.encode() == once);
                    REQUIRE(Text::decode(once, text.text()).encode() == once);
                } catch (const Error& error) {
                    REQUIRE(error.code() == ErrorCode::corrupt);
                    REQUIRE(text.encode() == state);
                }
            }
        }
    }
}

TEST_CASE("a difference by words or by letters, applied, gives the new text") {
    Random random(3);
    const std::vector<std::string> words = {"one", "two", " ", "  ", "\n", ".", "Zaļā", "Zaļa", "māja", "😀", "😁", "x"};
    for (int trial = 0; trial < 3000; ++trial) {
        std::string before, after;
        for (std::uint32_t n = random.below(40); n > 0; --n) {
            const std::string& word = words[random.below(static_cast<std::uint32_t>(words.size()))];
            if (!random.chance(10)) before += word;
            if (!random.chance(10)) after += word;
            if (random.chance(5)) after += words[random.below(static_cast<std::uint32_t>(words.size()))];
        }
        for (const auto& diff : {diff_words, diff_letters}) {
            Text text;
            if (!before.empty()) text.splice({replica(1), 1}, {{0, 0, before}});
            const std::vector<Splice> splices = diff(before, after);
            text.splice({replica(1), 2}, splices);
            REQUIRE(text.text() == after);
            if (before == after) REQUIRE(splices.empty());
        }
    }
}

}  // namespace kopdarbs
