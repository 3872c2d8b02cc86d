// What tests claim of a record's state, held against the plain model. A claim that does not hold throws, so that whoever looks for the
// smallest history that breaks it can go on.
// Threading: pure functions.
#pragma once

#include <stdexcept>

#include "tests/support/record_world.h"

namespace kopdarbs::test {

struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline void claim(bool holds, const std::string& what) {
    if (!holds) throw Broken(what);
}

inline std::string printed(const Path& path) {
    CborWriter w;
    write_path(w, path);
    return to_json(w.bytes());
}

inline void same_registers(const RecordState& state, const LiveRegisters& live, const std::string& where) {
    auto expected = live.begin();
    for (const Register& reg : state.registers()) {
        claim(expected != live.end() && expected->first == reg.path, where + ": a register that should not be here: " + printed(reg.path));
        claim(expected->second.size() == reg.siblings.size(), where + ": other siblings at " + printed(reg.path));
        for (std::size_t i = 0; i < reg.siblings.size(); ++i) {
            const Live& l = expected->second[i];
            claim(l.dot == reg.siblings[i].dot && l.value == reg.siblings[i].value, where + ": another sibling at " + printed(reg.path));
            claim(state.written(l.dot).stamp == l.stamp, where + ": another stamp at " + printed(reg.path));
        }
        ++expected;
    }
    claim(expected == live.end(), where + ": a register is missing");
}

inline void same(const Side& side, const std::string& where) {
    claim(side.state.context() == side.model.context(), where + ": another context");
    same_registers(side.state, side.model.registers(), where);
    const auto texts = side.model.texts();
    claim(texts.size() == side.state.texts().size(), where + ": other texts");
    for (const auto& [field, text] : texts) {
        claim(side.state.text(field).text() == text.text(), where + ": another text");
        claim(side.state.text(field).encode() == text.encode(), where + ": a text of another structure");
    }
    claim(side.state.deleted() == side.model.deleted(), where + ": deleted or not");
}

inline std::set<PlainItem> as_plain(const std::vector<ReviewItem>& items) {
    std::set<PlainItem> result;
    for (const ReviewItem& item : items) {
        std::vector<std::pair<Dot, Value>> values;
        for (const Candidate& c : item.values) values.emplace_back(c.dot, c.value);
        result.insert({item.kind, item.path, values});
    }
    return result;
}

inline RecordState joined(RecordState a, const RecordState& b) {
    a.join(b);
    return a;
}

inline void claim_equal(const RecordState& a, const RecordState& b, const std::string& what) {
    claim(a.encode() == b.encode(), what);
}

}  // namespace kopdarbs::test
