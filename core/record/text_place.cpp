// Where a new child comes among concurrent siblings: the slow path of a remote insertion.
//
// Without siblings on its side a right child directly follows its parent, and a left child directly precedes it. Otherwise it comes
// after the subtrees of all lesser siblings, which are found by walking: a replica gives a character at most one child on a side,
// so that siblings are few, and each run of text meets them once.
#include "core/base/error.h"
#include "core/record/text_tree.h"

namespace kopdarbs::text {

Place Sequence::place_child(const Place& parent, bool left, const Ref& child) const {
    const Span& span = parent.in();
    if (left) return parent.offset == 0 && span.has_left ? place_left(parent, child) : previous(parent);
    return parent.offset + 1 < span.length || span.has_right ? place_right(parent, child) : parent;
}

/// Walks to the right over the subtrees of lesser siblings. The first character of a subtree may be a left child whose subtree is
/// recognised only at a later character, the right child above it: until then the boundary is `pending`.
Place Sequence::place_right(const Place& parent, const Ref& child) const {
    const Ref above = parent.ref();
    Place pending;
    Place last = parent;  // the character before `at`
    for (Place at = next(parent); at.leaf != nullptr;) {
        const Span& span = at.in();
        const bool head = at.offset == 0;
        const Ref of = head ? span.parent : at.ref().plus(0xffffffffU);
        const Place boundary = pending.leaf != nullptr ? pending : last;
        if (head && span.left) {
            pending = boundary;
        } else if (of == above) {
            if (ids.precedes(child, at.ref())) return boundary;
            pending = {};
        } else {
            const Place parent_of = find(of);
            if (!before(parent, parent_of)) return boundary;
            // A parent up to the boundary is known to be in a lesser sibling's subtree, and so is all that waited.
            if (pending.leaf != nullptr && !before(pending, parent_of)) pending = {};
        }
        last = {at.leaf, at.span, span.length - 1};
        at = next(last);
    }
    return pending.leaf != nullptr ? pending : last;
}

/// The top of the chain of right children that `place` belongs to: a left child, or the root.
Place Sequence::top_of_right_chain(Place place) const {
    for (;;) {
        const Span& span = place.in();
        if (span.left || span.first.is_root()) return {place.leaf, place.span, 0};
        place = find(span.parent);
    }
}

/// Walks to the left over the subtrees of greater siblings: what directly precedes the start of a subtree is the end of the subtree
/// of some left child, and that left child's parent tells where it belongs.
Place Sequence::place_left(const Place& parent, const Ref& child) const {
    const Ref above = parent.ref();
    Place at = parent;  // what comes after the new child, as far as is known, starts here
    for (;;) {
        const Place last = previous(at);
        const Place top = top_of_right_chain(last);
        if (top.ref().is_root()) return last;
        const Ref of = top.in().parent;
        if (of == above ? ids.precedes(top.ref(), child) : !before(find(of), parent)) return last;
        at = top;
    }
}

}  // namespace kopdarbs::text
