// The workload is drawn by mulberry32 (Tommy Ettinger) from the seeds 7 and 1000 to 1004, as programs in other languages can draw it too.
#include "tools/bench/records.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/record/draft.h"
#include "core/record/json.h"
#include "sync/frame/compression.h"
#include "sync/protocol/messages.h"

namespace kopdarbs::bench {
namespace {

constexpr std::size_t kFields = 10, kReplicas = 5;
constexpr std::size_t kPageEntries = 20'000;

class Chance {
public:
    explicit Chance(std::uint32_t seed) : state_(seed) {}
    double next() {
        state_ += 0x6d2b79f5;
        std::uint32_t t = (state_ ^ state_ >> 15) * (1 | state_);
        t = (t + (t ^ t >> 7) * (61 | t)) ^ t;
        return (t ^ t >> 14) / 4294967296.0;
    }
    std::uint32_t below(double n) { return static_cast<std::uint32_t>(std::floor(next() * n)); }
    std::string word(std::size_t length) {
        std::string text;
        for (; length > 0; --length) text += static_cast<char>('a' + below(26));
        return text;
    }

private:
    std::uint32_t state_;
};

Value value_of(Chance& chance, std::size_t field) {
    switch (field) {
        case 0: {
            const std::string first = chance.word(6);
            return text_value(first + ' ' + chance.word(8));
        }
        case 1: return text_value(std::string("village-").append(std::to_string(chance.below(200))));
        case 2: {
            char day[32];
            const unsigned month = 1 + chance.below(12);
            std::snprintf(day, sizeof day, "2026-%02u-%02u", month, 1 + chance.below(28));
            return text_value(day);
        }
        case 3: return int_value(chance.below(100));
        case 4: return bool_value(chance.next() < 0.5);
        case 5: return value_from_json(std::to_string(std::round(chance.next() * 1000) / 10));
        case 6: return text_value(chance.word(3));
        case 7: return int_value(1'700'000'000 + static_cast<std::int64_t>(chance.below(9e7)));
        case 8:
            return text_value(
                std::string("+").append(std::to_string(10'000'000'000 + static_cast<std::int64_t>(std::floor(chance.next() * 9e9)))));
        default: return text_value(std::array<const char*, 4>{"new", "open", "due", "done"}[chance.below(4)]);
    }
}

struct Edit {
    std::size_t record, field;
    Value value;
};

std::string name_of(std::size_t field) {
    std::string name(1, 'f');
    return name.append(std::to_string(field));
}

const TypeSchema& type() {
    static const SchemaSet set = [] {
        std::string fields;
        for (std::size_t f = 0; f < kFields; ++f) {
            const char* kind = f == 3 || f == 7 ? "integer" : f == 4 ? "boolean" : f == 5 ? "number" : "string";
            fields.append(f == 0 ? "\"" : ",\"").append(name_of(f)).append(R"(":{"type":")").append(kind).append(R"(","merge":"review"})");
        }
        SchemaSet all;
        all.add(R"({"$id":"urn:kopdarbs:type:bench_record","type":"object","version":1,"write":["worker"],"properties":{)" + fields + "}}");
        return all;
    }();
    return *set.type("bench_record");
}

ReplicaId replica_of(std::size_t n) {
    ReplicaId id;
    for (std::size_t i = 0; i < ReplicaId::size; ++i) id.octets[i] = static_cast<std::uint8_t>((n + 1) * 37 + i * 11);
    return id;
}

/// Records are made over an hour, one after the other, as their ids say.
RecordId record_of(std::size_t n) {
    std::array<std::uint8_t, 10> chance{};
    Chance random(static_cast<std::uint32_t>(n) + 77'777);
    for (std::uint8_t& octet : chance) octet = static_cast<std::uint8_t>(random.below(256));
    return make_record_id(1'795'600'000'000 + 360 * n, chance);
}

class Replica {
public:
    Replica(std::size_t n, std::vector<RecordState> records)
        : id_(replica_of(n)), author_(std::string("user").append(std::to_string(n))), records_(std::move(records)) {}

    /// One field edit as a change; the ask is a form's.
    Change change(std::size_t record, const std::function<void(Draft&)>& ask) {
        RecordState& state = records_[record];
        Change change;
        change.dot = {id_, ++counter_};
        Draft draft(state, type(), change.dot, std::nullopt);
        ask(draft);
        change.prev = state.context().at(id_);
        change.wall_ms = 1'795'700'000'000 + 7'000 * counter_;
        change.stamp = Stamp::from_ms(change.wall_ms);
        change.author = author_;
        change.record = record_of(record);
        change.type = type().name();
        change.type_version = 1;
        change.seen = draft.seen();
        change.ops = draft.take();
        if (change.ops.empty()) {  // what was asked for is there already
            --counter_;
            return change;
        }
        encode_change(change);
        (void)state.apply(change, change.stamp);
        return change;
    }
    std::vector<RecordState>& records() { return records_; }

private:
    ReplicaId id_;
    std::string author_;
    std::vector<RecordState> records_;
    std::uint64_t counter_ = 0;
};

double cpu_ms() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double timed(const std::function<void()>& work) {
    const double started = cpu_ms();
    work();
    return cpu_ms() - started;
}

struct Row {
    std::string doc;
    Value meta;
};

std::vector<Row> rows_of(const std::vector<RecordState>& records) {
    std::vector<Row> rows;
    rows.reserve(records.size());
    for (const RecordState& state : records) {
        const RecordState::Document document = shown_document(state, &type());
        rows.push_back({document_to_json(document), state.encode_beside(document)});
    }
    return rows;
}

std::size_t bytes_of(const std::vector<Row>& rows) {
    std::size_t bytes = 0;
    for (const Row& row : rows) bytes += row.doc.size() + row.meta.size();
    return bytes;
}

struct Sent {
    std::size_t record, replica;
    Bytes header, content;
};

std::size_t frame_bytes(const std::vector<Sent>& sent) {
    std::size_t bytes = 0;
    for (std::size_t at = 0; at < sent.size(); at += kPageEntries) {
        sync::SyncResponse response;
        ScopePage page;
        for (std::size_t i = at; i < std::min(sent.size(), at + kPageEntries); ++i) {
            Entry entry;
            entry.header = sent[i].header;
            entry.content = sent[i].content;
            page.entries.push_back(std::move(entry));
        }
        response.incoming.pages.push_back(std::move(page));
        bytes += sync::compress(sync::encode(response)).size();
    }
    return bytes;
}

void hear(RecordState& state, const Sent& sent) {
    const Change change = decode_change(sent.header, BytesView(sent.content));
    if (state.apply(change, change.stamp) != Applied::applied) throw std::runtime_error("a change was not applied");
}

/// What a store of rows does: each record is read from its row, hears what is new, and is written again.
std::vector<Row> merge_rows(const std::vector<Row>& rows, const std::vector<Sent>& sent) {
    std::vector<std::vector<const Sent*>> by_record(rows.size());
    for (const Sent& s : sent) by_record[s.record].push_back(&s);
    std::vector<Row> merged;
    merged.reserve(rows.size());
    for (std::size_t n = 0; n < rows.size(); ++n) {
        if (by_record[n].empty()) {
            merged.push_back(rows[n]);
            continue;
        }
        RecordState state = RecordState::decode_beside(rows[n].meta, document_from_json(rows[n].doc));
        for (const Sent* s : by_record[n]) hear(state, *s);
        const RecordState::Document document = shown_document(state, &type());
        merged.push_back({document_to_json(document), state.encode_beside(document)});
    }
    return merged;
}

/// The edits that go into one change: one in mode `each`, all that a replica does to a record in mode `docs`.
std::vector<std::vector<const Edit*>> changes_of(const std::vector<Edit>& edits, bool docs) {
    std::vector<std::vector<const Edit*>> changes;
    std::map<std::size_t, std::size_t> place;
    for (const Edit& e : edits) {
        const auto [it, fresh] = place.try_emplace(e.record, changes.size());
        if (!docs || fresh) changes.emplace_back();
        (docs ? changes[it->second] : changes.back()).push_back(&e);
    }
    return changes;
}

/// One run; whether the check holds.
bool run(const char* mode, std::size_t records, bool docs) {
    Chance base_chance(7);
    std::vector<std::vector<Value>> base(records);
    for (auto& record : base)
        for (std::size_t f = 0; f < kFields; ++f) record.push_back(value_of(base_chance, f));
    std::vector<std::vector<Edit>> edits(kReplicas);
    for (std::size_t k = 0; k < kReplicas; ++k) {
        Chance chance(static_cast<std::uint32_t>(1000 + k));
        for (std::size_t i = 0; i < records; ++i) {
            const std::size_t record = chance.below(static_cast<double>(records)), field = chance.below(kFields);
            edits[k].push_back({record, field, value_of(chance, field)});
        }
    }

    Replica author(100, std::vector<RecordState>(records));
    const double create_ms = timed([&] {
        for (std::size_t n = 0; n < records; ++n)
            (void)author.change(n, [&](Draft& d) {
                d.create();
                for (std::size_t f = 0; f < kFields; ++f) d.put(name_of(f), base[n][f]);
            });
    });
    const std::vector<RecordState> made = author.records();
    const std::vector<Row> base_rows = rows_of(made);

    std::vector<Sent> sent;
    std::map<std::pair<std::size_t, std::string>, std::map<std::size_t, Value>> last;  // by field: each replica's last word
    std::size_t update_bytes = 0;
    double edit_ms = 0;
    for (std::size_t k = 0; k < kReplicas; ++k) {
        Replica replica(k, made);
        const auto asked = changes_of(edits[k], docs);
        std::vector<Change> changes;
        changes.reserve(asked.size());
        edit_ms += timed([&] {
            for (const auto& group : asked)
                changes.push_back(replica.change(group.front()->record, [&](Draft& d) {
                    std::map<std::size_t, const Edit*> form;  // a form says each field once
                    for (const Edit* e : group) form[e->field] = e;
                    for (const auto& [field, e] : form) d.put(name_of(field), e->value);
                }));
        });
        for (std::size_t i = 0; i < changes.size(); ++i) {
            for (const Op& op : changes[i].ops) last[{asked[i].front()->record, op.path.field}][k] = op.value;
            if (changes[i].ops.empty()) continue;
            update_bytes += changes[i].header.size() + changes[i].content.size();
            sent.push_back({asked[i].front()->record, k, changes[i].header, changes[i].content});
        }
    }

    std::vector<RecordState> merged = made, back = made;
    std::vector<Row> rows;
    const double merge_ms = timed([&] {
        if (docs)
            rows = merge_rows(base_rows, sent);
        else
            for (const Sent& s : sent) hear(merged[s.record], s);
    });
    if (docs)
        for (std::size_t n = 0; n < records; ++n) merged[n] = RecordState::decode_beside(rows[n].meta, document_from_json(rows[n].doc));
    else
        rows = rows_of(merged);
    std::size_t read = 0, loaded = 0;
    const double read_ms = timed([&] {
        for (const RecordState& state : merged) read += document_to_json(shown_document(state, &type())).size();
    });
    const double load_ms = timed([&] {
        for (const Row& row : rows) loaded += RecordState::decode_beside(row.meta, document_from_json(row.doc)).registers().size();
    });
    for (std::size_t k = kReplicas; k-- > 0;)  // the last replica first, each in its own order
        for (const Sent& s : sent)
            if (s.replica == k) hear(back[s.record], s);
    bool converged = loaded > 0 && read > 0;
    std::size_t conflicts = 0, conflicting = 0;
    for (std::size_t n = 0; n < records; ++n) {
        converged = converged && merged[n].encode() == back[n].encode();
        for (const Register& reg : merged[n].registers()) conflicts += reg.differs() ? 1U : 0U;
    }
    for (const auto& [field, by_replica] : last) {
        std::set<Value> values;
        for (const auto& [k, value] : by_replica) values.insert(value);
        conflicting += values.size() > 1 ? 1U : 0U;
    }
    std::printf(
        "{\"mode\":\"%s\",\"records\":%zu,\"edits\":%zu,\"changes\":%zu,\"create_ms\":%.2f,\"edit_ms\":%.2f,\"merge_ms\":%.2f,\"read_ms\":%"
        "."
        "2f,\"load_ms\":%.2f,\"update_bytes\":%zu,\"frame_bytes\":%zu,\"base_bytes\":%zu,\"final_bytes\":%zu,\"fields_conflicting\":%zu,"
        "\"conflicts\":%zu,\"converged\":%s}\n",
        mode, records, records * kReplicas, sent.size(), create_ms, edit_ms, merge_ms, read_ms, load_ms, update_bytes, frame_bytes(sent),
        bytes_of(base_rows), bytes_of(rows), conflicting, conflicts, converged ? "true" : "false");
    return converged && conflicts == conflicting;
}

}  // namespace

int bench_records() {
    const bool each = run("each", 10'000, false), docs = run("docs", 2'000, true);
    return each && docs ? 0 : 1;
}

}  // namespace kopdarbs::bench
