// The quick way in for documents that we wrote ourselves: JSON exactly as document_to_json prints it.
//
// Every edit, every pulled record and every view of a state reads a document; nearly all were printed by document_to_json, which has one
// way to print each. What differs from that by an octet is left to the JSON library, which has the last word on what JSON is.
// Threading: a function of its argument.
#pragma once

#include <string_view>

#include "core/record/state.h"

namespace kopdarbs {

/// How deep values nest, and the largest integer either way: exact in every host's numbers.
constexpr int kMaxJsonDepth = kMaxCborDepth - 4;
constexpr std::int64_t kMaxJsonInteger = (std::int64_t{1} << 53) - 1;

/// Fills `document`, whole or in part; false when `json` is not such a text, and then `document` means nothing.
bool read_printed_document(std::string_view json, RecordState::Document& document);

}  // namespace kopdarbs
