// The workload's data: records as JSON fields, ids, edits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/ids.h"

namespace kopdarbs::bench {

using Row = std::vector<std::string>;

/// The lines of a file, split at tabs. Throws std::runtime_error when it cannot be read.
std::vector<Row> read_tsv(const std::string& path);
/// The record type of the workload, as a municipality would provision it.
std::string home_visit_type();
/// The workload's 22-character id (an index and 80 random bits) as a record id.
RecordId record_id(const std::string& id);
/// All fields but id and type as a JSON object.
std::string fields_json(const Row& row);
/// One field as a JSON object: integers and booleans as the type has them.
std::string field_json(const std::string& field, const std::string& value);
/// The name that a column of the workload has in the record type.
std::string field_name(const std::string& column);
bool is_integer(const std::string& field);

}  // namespace kopdarbs::bench
