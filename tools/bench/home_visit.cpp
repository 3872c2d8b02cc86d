#include "tools/bench/home_visit.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

#include "core/record/json.h"

namespace kopdarbs::bench {
namespace {

constexpr std::array<const char*, 21> kColumns{"id",
                                               "type",
                                               "clientId",
                                               "workerId",
                                               "parish",
                                               "visitDate",
                                               "startTime",
                                               "status",
                                               "reason",
                                               "outcome",
                                               "riskLevel",
                                               "mobility",
                                               "durationMin",
                                               "travelKm",
                                               "householdSize",
                                               "painScore",
                                               "consentGiven",
                                               "medicationChecked",
                                               "followUpNeeded",
                                               "tags",
                                               "narrative"};

/// durationMin -> duration_min: field names here have no capitals.
std::string our_name(const std::string& field) {
    std::string name;
    for (char c : field) c >= 'A' && c <= 'Z' ? name.append({'_', static_cast<char>(c - 'A' + 'a')}) : name.append(1, c);
    return name;
}

bool is_boolean(const std::string& field) {
    return field == "consentGiven" || field == "medicationChecked" || field == "followUpNeeded";
}

void append_field(std::string& out, const std::string& field, const std::string& value) {
    append_json_string(out, our_name(field));
    out += ':';
    if (is_boolean(field))
        out += value == "1" || value == "true" ? "true" : "false";
    else if (is_integer(field) || field == "tags")
        out += value;
    else
        append_json_string(out, value);
}

}  // namespace

std::string field_name(const std::string& column) {
    return our_name(column);
}

bool is_integer(const std::string& field) {
    return field == "durationMin" || field == "travelKm" || field == "householdSize" || field == "painScore";
}

std::vector<Row> read_tsv(const std::string& path) {
    std::ifstream in(path);
    if (!in) throw std::runtime_error(path + ": cannot be read");
    std::vector<Row> rows;
    for (std::string line; std::getline(in, line);) {
        Row row;
        for (std::size_t from = 0;;) {
            const std::size_t tab = line.find('\t', from);
            row.push_back(line.substr(from, tab == std::string::npos ? tab : tab - from));
            if (tab == std::string::npos) break;
            from = tab + 1;
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::string home_visit_type() {
    std::string out =
        R"({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"urn:kopdarbs:type:bench_visit","title":"Benchmark visit","type":"object","version":1,)"
        R"("labels":{"lv":"Mērījuma apmeklējums","en":"Benchmark visit"},"section":{"file":"visits"},"write":["case_worker"],"list_by":["client_id","visit_date"],"properties":{)";
    for (std::size_t i = 2; i < kColumns.size(); ++i) {
        const std::string field = kColumns[i];
        if (i > 2) out += ',';
        append_json_string(out, our_name(field));
        out.append(R"(:{"labels":{"lv":")").append(field).append(R"(","en":")").append(field).append(R"("},)");
        if (field == "tags")
            out += R"("type":"array","items":{"type":"string","maxLength":100},"merge":"set"})";
        else if (field == "narrative")
            out += R"("type":"string","merge":"text","search":true})";
        else if (is_integer(field))
            out += R"("type":"integer","minimum":0,"maximum":1000000,"merge":"review"})";
        else if (is_boolean(field))
            out += R"("type":"boolean","merge":"review"})";
        else
            out += R"("type":"string","maxLength":200,"merge":"review"})";
    }
    return out + "}}";
}

RecordId record_id(const std::string& id) {
    static const std::string digits = "0123456789abcdefghjkmnpqrstvwxyz";
    const std::uint64_t index = std::stoull(id.substr(1, 5), nullptr, 36);
    std::array<std::uint8_t, 10> random{};
    std::uint32_t buffer = 0;
    int bits = 0;
    std::size_t at = 0;
    for (char c : id.substr(6)) {
        buffer = buffer << 5 | static_cast<std::uint32_t>(digits.find(c));
        for (bits += 5; bits >= 8; bits -= 8) random[at++] = static_cast<std::uint8_t>(buffer >> (bits - 8));
    }
    return make_record_id(1'700'000'000'000 + index, random);
}

std::string fields_json(const Row& row) {
    std::string out = "{";
    for (std::size_t i = 2; i < kColumns.size(); ++i) {
        if (i > 2) out += ',';
        append_field(out, kColumns[i], row[i]);
    }
    return out + "}";
}

std::string field_json(const std::string& field, const std::string& value) {
    std::string out = "{";
    append_field(out, field, value);
    return out + "}";
}

}  // namespace kopdarbs::bench
