// Records, review items and states as text for people.
// Threading: for the program's main thread.
#pragma once

#include <string>

#include "core/kopdarbs.h"

namespace kopdarbs::tools {

void show_record(const Record& record);
void show_item(const RecordId& record, const std::string& type, const ReviewItem& item);
void show_status(const Status& status);

/// "sealed", "deleted" or both; empty for an ordinary record.
std::string state_of(const Shown& shown);
/// The values of the fields by which the type is listed, else of its first searched fields.
std::string summary_of(const SchemaSet& schema, const Shown& shown);
/// A value on one line: a text without quotes, anything else as JSON.
std::string value_line(BytesView value);

/// A change's operations, `ops` of an event or a letter, in short: "place = Kalna iela 3; present + Līga".
std::string ops_line(const std::string& ops);

}  // namespace kopdarbs::tools
