// The state of one record: the antichain of operations that nothing dominates, at each path. The one rule lives here.
//
// Invariants
//  1. A register holds the operations that nothing dominates: X is dominated by Y at the same path when Y's `seen` covers X's dot and
//     Y does not spare it. Seals, amendments and births are never dominated.
//  2. A change applies only when its `seen` and its replica's change before it (`prev`) lie within `context` (else `early`: the caller
//     holds it).
//  3. apply and join commute, are idempotent and agree: state(X) joined with state(Y) is state(X ∪ Y). Changes are applied, whole states
//     are joined; a change is not a small state.
//  4. No policy is known here: what is *shown* is view.h's business, and no value leaves a register for being a loser.
// Threading: values. Sources: observed-remove registers and dotted causal containers (Almeida, Shoker, Baquero, 2018).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/log/change.h"
#include "core/record/text.h"

namespace kopdarbs {

/// One undominated operation in a register.
struct Sibling {
    Dot dot;
    Value value;
};

/// Siblings are sorted by dot.
struct Register {
    Path path;
    std::vector<Sibling> siblings;
    bool differs() const;  ///< at least two siblings with different values
};

/// Who wrote a dot, and when (effective once the server has decided, the author's until then).
struct Written {
    Dot dot;
    Stamp stamp;
    std::string author;
};

enum class Applied { applied, duplicate, early };

class RecordState {
public:
    using Texts = std::map<std::string, Text, std::less<>>;

    /// Applies `change` at hybrid time `stamp`. Throws Error{corrupt}, changing nothing, for text operations that cannot be.
    /// `texts`: what its text operations make of the texts here, where whoever made them has that already.
    Applied apply(const Change& change, Stamp stamp, Texts texts = {});
    void join(const RecordState& other);

    /// The server has decided when `dot` was written.
    void restamp(const Dot& dot, Stamp stamp);
    /// What of this state someone had seen who had seen `seen`: exact while nothing seen was dominated by something unseen.
    RecordState within(const Context& seen) const;

    bool empty() const { return context_.empty(); }
    const Context& context() const { return context_; }
    const std::vector<Register>& registers() const { return registers_; }
    const Texts& texts() const { return texts_; }
    /// Null when nothing is there.
    const Register* find(const Path& path) const;
    /// Of a dot that a sibling here carries.
    const Written& written(const Dot& dot) const;
    const std::vector<Written>& dots() const { return dots_; }
    Text text(std::string_view field) const;

    /// Whether an undominated delete has seen everything else that is here.
    bool deleted() const;
    /// Deletes that are here, whether or not they hold.
    bool has_delete() const;

    /// Canonical CBOR of the whole state: equal states, equal bytes.
    Value encode() const;
    static RecordState decode(BytesView bytes);

    /// The same without what `document` shows already (store.h: a record is `doc` and `meta`): `document` is the fields' canonical
    /// CBOR, sorted by field. decode_beside needs the same document.
    using Document = std::vector<std::pair<std::string, Value>>;
    Value encode_beside(const Document& document) const;
    static RecordState decode_beside(BytesView meta, const Document& document);

private:
    friend class StateCodec;
    Register& at(const Path& path);
    void apply_text(const Change& change, Texts& texts);
    void drop_unused_dots();
    Context context_;
    std::vector<Written> dots_;        // sorted by dot; exactly those that siblings carry
    std::vector<Register> registers_;  // sorted by path, none empty
    Texts texts_;
};

/// Whether nothing may dominate operations of this kind.
bool is_permanent(const Path& path);

}  // namespace kopdarbs
