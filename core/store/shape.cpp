#include "core/store/shape.h"

#include <algorithm>

namespace kopdarbs {
namespace {

/// Whether anything in a state may wait for a person: the common case is decided without looking at policies.
bool may_need_review(const RecordState& state) {
    return is_sealed(state) || state.has_delete() ||
           std::any_of(state.registers().begin(), state.registers().end(), [](const Register& r) { return r.siblings.size() > 1; });
}

Value key_of(const RecordState::Document& document, const TypeSchema* type, std::size_t place) {
    if (type == nullptr || type->list_by().size() <= place) return {};
    const auto it = std::lower_bound(document.begin(), document.end(), type->list_by()[place],
                                     [](const auto& m, const auto& f) { return m.first < f; });
    return it != document.end() && it->first == type->list_by()[place] ? it->second : Value();
}

Shape marks_of(Crypto& crypto, const RecordId& id, const RecordState& state, const TypeSchema* type,
               const RecordState::Document& document) {
    Shape shape;
    shape.flags = (is_sealed(state) ? kSealed : std::int64_t{0}) | (state.deleted() ? kDeleted : std::int64_t{0});
    if (may_need_review(state)) shape.review = static_cast<std::int64_t>(review_items(crypto, id, state, type).size());
    shape.k1 = key_of(document, type, 0);
    shape.k2 = key_of(document, type, 1);
    return shape;
}

}  // namespace

Shape shape_of(Crypto& crypto, const RecordId& id, const RecordState& state, const TypeSchema* type) {
    const RecordState::Document document = shown_document(state, type);
    Shape shape = marks_of(crypto, id, state, type, document);
    shape.doc = document_to_json(document);
    shape.meta = state.encode_beside(document);
    return shape;
}

Shape shape_as_sent(Crypto& crypto, const RecordId& id, const RecordState& state, const TypeSchema* type,
                    const RecordState::Document& document, const std::string& doc, const Bytes& meta) {
    Shape shape = marks_of(crypto, id, state, type, document);
    shape.doc = doc;
    shape.meta = meta;
    return shape;
}

}  // namespace kopdarbs
