// From what a person asks to the operations of one change.
//
// A draft is made on a view: the record's state, and the version that was seen when a form was opened, if that was earlier. What
// was seen is covered; siblings that differed there are spared, unless the change is a resolve. Asking for what is shown already writes
// nothing, so that a routine save of a whole form neither closes nor feeds a conflict.
// Threading: values. Everything throws Error{invalid} for input that does not fit the field.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/record/view.h"

namespace kopdarbs {

class Draft {
public:
    /// `base`: what the caller had seen, absent for all that is here. Throws Error{invalid} when it is no version of this record.
    Draft(const RecordState& state, const TypeSchema& type, const Dot& dot, std::optional<Version> base);

    /// The record does not exist yet.
    void create();
    /// A scalar, a set whole (array), rows by id (object; null removes one) or a text whole, as the field's kind says.
    void put(std::string_view field, BytesView value, const Text* text_at_base = nullptr);
    void add_element(std::string_view field, BytesView element);
    void remove_element(std::string_view field, BytesView element);
    void put_row(std::string_view field, std::string_view row, BytesView columns);
    void remove_row(std::string_view field, std::string_view row);
    /// Adds `n` to this replica's total.
    void count(std::string_view field, std::int64_t n);
    /// Positions are those of `at_base`, the text that the caller saw.
    void edit_text(std::string_view field, const std::vector<Splice>& splices, Text at_base);
    void remove();
    void restore();
    void seal(const RecordState::Document& document);
    /// Decides what is open about the fields that `document` shows otherwise than before, and leaves the rest open.
    void amend(const RecordState::Document& document);
    /// Decides between an item's values: `value` is the field's, true or false for a deleted record, the line's text for a line.
    void resolve(const ReviewItem& item, BytesView value);

    const Context& seen() const { return seen_; }
    std::vector<Op> take() { return std::move(ops_); }
    /// For RecordState::apply of these operations to the state that they were drafted on.
    RecordState::Texts take_texts() { return std::move(texts_); }
    bool empty() const { return ops_.empty(); }

private:
    const FieldSchema& field_of(std::string_view field, Kind kind) const;
    void write(Path path, BytesView value, bool covering = false);
    bool had_element(const Path& path) const;
    void put_scalar(Path path, BytesView value);
    void put_set(std::string_view field, BytesView array);
    void resolve_line(const ReviewItem& item, BytesView value);
    void write_signed(PathKind kind, const RecordState::Document& document, const std::vector<Path>& left);
    RecordState::Document settled(const ReviewItem& item, BytesView value) const;
    Value field_settled(const ReviewItem& item, BytesView value, const Value& before) const;
    const RecordState& state_;
    const TypeSchema& type_;
    Dot dot_;
    std::optional<Version> base_;
    Context seen_;
    std::vector<Op> ops_;
    RecordState::Texts texts_;
};

/// The id of a line, as the third part of its path.
Value line_key(const CharId& newline);
CharId line_of(const Path& path);

}  // namespace kopdarbs
