#include "tools/common/shapes.h"

#include "tools/common/json_object.h"

namespace kopdarbs::tools {

std::string time_or_never(std::uint64_t unix_ms) {
    return unix_ms == 0 ? std::string() : to_rfc3339(unix_ms);
}

std::string to_json(const Candidate& value) {
    return JsonObject()
        .raw("value", kopdarbs::to_json(value.value))
        .text("author", value.author)
        .text("stamp", to_string(value.stamp))
        .text("dot", to_string(value.dot))
        .str();
}

std::string to_json(const RecordId& record, const std::string& type, const ReviewItem& item) {
    return JsonObject()
        .text("item", item.id)
        .text("record", to_string(record))
        .text("type", type)
        .text("field", item.field)
        .text("kind", to_string(item.kind))
        .raw("values", json_array(item.values, [](const Candidate& value) { return to_json(value); }))
        .str();
}

std::string to_json(const Record& record) {
    const auto item_json = [&record](const ReviewItem& item) { return to_json(record.id, record.type, item); };
    return JsonObject()
        .text("id", to_string(record.id))
        .text("type", record.type)
        .text("scope", record.scope)
        .raw("fields", record.fields)
        .text("version", record.version)
        .boolean("sealed", record.sealed)
        .boolean("deleted", record.deleted)
        .raw("review", json_array(record.review, item_json))
        .str();
}

std::string to_json(const Saved& saved, const std::string& row) {
    JsonObject json;
    json.text("id", to_string(saved.id))
        .text_or_null("dot", saved.dot.is_zero() ? std::string() : to_string(saved.dot))
        .text("version", saved.version);
    if (!row.empty()) json.text("row", row);
    return json.str();
}

std::string to_json(const Event& event) {
    return JsonObject()
        .text("dot", to_string(event.dot))
        .text("author", event.author)
        .text("stamp", to_string(event.stamp))
        .raw("ops", event.ops)
        .str();
}

std::string to_json(const Letter& letter) {
    return JsonObject()
        .text("dot", to_string(letter.dot))
        .text("record", to_string(letter.record))
        .text("type", letter.type)
        .text("scope", letter.scope)
        .text("stamp", to_string(letter.stamp))
        .text("reason", letter.reason)
        .raw("ops", letter.ops)
        .str();
}

std::string to_json(const ScopeInfo& scope) {
    return JsonObject()
        .text("name", scope.name)
        .text("label", scope.label)
        .text("section", scope.section)
        .text("target", scope.target)
        .raw("roles", json_array(scope.roles, json_string))
        .str();
}

std::string to_json(const Status& status) {
    return JsonObject()
        .text("replica", to_string(status.replica))
        .text("server_key", to_base64(status.server_key.bytes()))
        .text("user", status.user)
        .raw("scopes", json_array(status.scopes, [](const ScopeInfo& scope) { return to_json(scope); }))
        .number("records", status.records)
        .number("unsent", status.unsent)
        .number("refused", status.refused)
        .number("review", status.review)
        .text_or_null("last_sync", time_or_never(status.last_sync_ms))
        .str();
}

std::string to_json(const Verified& verified) {
    const auto damage_json = [](const Damage& damage) { return JsonObject().text("where", damage.where).text("what", damage.what).str(); };
    return JsonObject()
        .number("changes", verified.changes)
        .number("records", verified.records)
        .number("feeds", verified.feeds)
        .raw("damage", json_array(verified.damage, damage_json))
        .str();
}

std::string to_json(const LogLine& line) {
    return JsonObject().text("at", to_rfc3339(line.at_ms)).text("what", line.what).str();
}

std::string to_json(const sync::SyncReport& report) {
    return JsonObject()
        .number("pushed", report.pushed)
        .number("accepted", report.accepted)
        .number("refused", report.refused)
        .number("quarantined", report.quarantined)
        .number("again", report.again)
        .number("pulled", report.pulled)
        .number("round_trips", report.round_trips)
        .number("bytes_sent", report.bytes_sent)
        .number("bytes_received", report.bytes_received)
        .number("duration_ms", report.duration_ms)
        .str();
}

}  // namespace kopdarbs::tools
