// The JSON shapes of the command line (DESIGN.md, "JSON"): scripts depend on them.
//
// A dot is "REPLICA:COUNTER", a stamp RFC 3339 with milliseconds and "+counter"; a time that never was is null.
// Threading: pure functions.
#pragma once

#include <string>

#include "core/kopdarbs.h"
#include "sync/client/engine.h"

namespace kopdarbs::tools {

/// {value, author, stamp, dot}
std::string to_json(const Candidate& value);
/// {item, record, type, field, kind, values}: a line of `review`, and an item of `get`.
std::string to_json(const RecordId& record, const std::string& type, const ReviewItem& item);
/// {id, type, scope, fields, version, sealed, deleted, review}
std::string to_json(const Record& record);
/// {id, dot, version}, with {row} when it is not empty; `dot` is null when nothing had to be written.
std::string to_json(const Saved& saved, const std::string& row = {});
/// {dot, author, stamp, ops}
std::string to_json(const Event& event);
/// {dot, record, type, scope, stamp, reason, ops}
std::string to_json(const Letter& letter);
/// {name, label, section, target, roles}
std::string to_json(const ScopeInfo& scope);
/// {replica, user, scopes, records, unsent, refused, review, last_sync}
std::string to_json(const Status& status);
/// {changes, records, feeds, damage: [{where, what}]}
std::string to_json(const Verified& verified);
/// {at, what}
std::string to_json(const LogLine& line);
/// {pushed, accepted, refused, quarantined, again, pulled, round_trips, bytes_sent, bytes_received, duration_ms}
std::string to_json(const sync::SyncReport& report);

/// RFC 3339, or "" for 0, which means never.
std::string time_or_never(std::uint64_t unix_ms);

}  // namespace kopdarbs::tools
