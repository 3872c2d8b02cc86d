// The public face: opening and writing. Reading is in vault_read.cpp.
#include "core/base/error.h"
#include "core/record/json.h"
#include "core/store/identity.h"
#include "core/store/store.h"
#include "core/vault/slots.h"

namespace kopdarbs {
namespace {

void bound(std::string_view input, const char* what) {
    if (input.size() > kMaxInputBytes) fail(ErrorCode::invalid, std::string(what) + ": larger than 6 MiB");
    if (!is_utf8(input)) fail(ErrorCode::invalid, std::string(what) + ": not UTF-8");
}

const TypeSchema& known_type(Store& store, std::string_view name) {
    const TypeSchema* type = store.schema.type(name);
    if (type == nullptr) fail(ErrorCode::invalid, "no such type: '" + std::string(name.substr(0, kMaxNameBytes)) + "'");
    return *type;
}

Stored known_record(Store& store, const RecordId& id) {
    auto stored = store.find(id);
    if (!stored) fail(ErrorCode::not_found, "no record " + to_string(id) + " here");
    return std::move(*stored);
}

/// Runs a save in its transaction and tells the observers.
Saved transact(Store& store, const std::function<Saved()>& work) {
    Turn turn(store);
    Saved saved = work();
    turn.commit();
    store.notify(Origin::save);
    return saved;
}

using Fill = std::function<void(Draft&, const RecordState&)>;

Saved change_record(Store& store, const RecordId& id, Vault::Base base, const Fill& fill) {
    return transact(store, [&] {
        const Stored stored = known_record(store, id);
        return store.save(&stored, id, known_type(store, stored.type), store.scope(stored.scope), base, fill);
    });
}

}  // namespace

Vault::Vault(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Vault::~Vault() = default;

std::unique_ptr<Vault> Vault::create(const std::string& database, std::string_view secret, const Enrolment& enrolment, Env env,
                                     Bytes& slots) {
    Bytes key = env.entropy.bytes(kVaultKeyBytes);
    const WipeAtEnd wiped(key);
    slots = make_slots(enrolment.device, key, secret, enrolment.recovery_key, env);
    auto parts = std::make_unique<Parts>(database, Database::Mode::create, key, env);
    Transaction transaction(parts->store.db);
    write_identity(parts->store, enrolment);
    parts->store.log("enrolled as " + enrolment.user);
    transaction.commit();
    parts->store.enrolment = enrolment;
    parts->store.reload();
    return std::unique_ptr<Vault>(new Vault(std::move(parts)));
}

std::unique_ptr<Vault> Vault::open(const std::string& database, BytesView slots, std::string_view secret, Env env) {
    Bytes key = open_slots(slots, secret, env.crypto);
    const WipeAtEnd wiped(key);
    auto parts = [&] {
        try {
            return std::make_unique<Parts>(database, Database::Mode::open, key, env);
        } catch (const Error& e) {
            // A recovery secret that fits another vault opens no page; the user's own secret was proved by its slot.
            if (e.code() == ErrorCode::corrupt && secret.substr(0, 9) == "recovery:")
                fail(ErrorCode::wrong_secret, "the recovery secret does not open this vault");
            throw;
        }
    }();
    parts->store.enrolment = read_identity(parts->store);
    parts->store.reload();
    return std::unique_ptr<Vault>(new Vault(std::move(parts)));
}

const Enrolment& Vault::enrolment() const {
    return parts_->store.enrolment;
}
const SchemaSet& Vault::schema() const {
    return parts_->store.schema;
}
ReplicaStore& Vault::replica() {
    return parts_->replica;
}

Saved Vault::put(std::string_view type, std::optional<RecordId> id, std::string_view scope, std::string_view fields, Base base) {
    bound(fields, "fields");
    const Value object = value_from_json(fields);
    CborReader in(object);
    if (in.peek() != CborType::map) fail(ErrorCode::invalid, "fields: not a JSON object");
    RecordState::Document document;
    for (std::size_t n = in.map(); n > 0; --n) {
        std::string field(in.text());
        if (field.size() > kMaxNameBytes) fail(ErrorCode::invalid, "fields: a name longer than 128 bytes");
        document.emplace_back(std::move(field), Value(in.item()));
    }
    return put(type, id, scope, document, base);
}

Saved Vault::put(std::string_view type, std::optional<RecordId> id, std::string_view scope, const RecordState::Document& fields,
                 Base base) {
    Store& store = parts_->store;
    return transact(store, [&] {
        const TypeSchema& schema = known_type(store, type);
        std::optional<Stored> stored = id ? store.find(*id) : std::nullopt;
        if (stored && stored->type != type)
            fail(ErrorCode::invalid, to_string(*id) + ": is a " + stored->type + ", not a " + schema.name());
        const RecordId record = id ? *id : store.make_id();
        const ScopeRow& where = stored ? store.scope(stored->scope) : store.scope_for(scope, schema);
        const std::optional<Version> version = store.version_given(base, stored ? &*stored : nullptr);
        return store.save(stored ? &*stored : nullptr, record, schema, where, base, [&](Draft& draft, const RecordState& state) {
            for (const auto& [field, value] : fields) {
                const FieldSchema* known = stored && version ? schema.field(field) : nullptr;
                if (known != nullptr && known->kind() == Kind::text) {
                    const Text at_base = store.text_at(*stored, state, field, version);
                    draft.put(field, value, &at_base);
                } else {
                    draft.put(field, value);
                }
            }
        });
    });
}

Saved Vault::edit(const RecordId& id, std::string_view field, const std::vector<Splice>& splices, Base base) {
    Store& store = parts_->store;
    for (const Splice& s : splices) bound(s.inserted, "text");
    return transact(store, [&] {
        const Stored stored = known_record(store, id);
        const std::optional<Version> version = store.version_given(base, &stored);
        return store.save(
            &stored, id, known_type(store, stored.type), store.scope(stored.scope), base,
            [&](Draft& draft, const RecordState& state) { draft.edit_text(field, splices, store.text_at(stored, state, field, version)); });
    });
}

Saved Vault::edit(const RecordId& id, std::string_view field, std::string_view text, Base base) {
    Store& store = parts_->store;
    bound(text, "text");
    return transact(store, [&] {
        const Stored stored = known_record(store, id);
        const std::optional<Version> version = store.version_given(base, &stored);
        return store.save(&stored, id, known_type(store, stored.type), store.scope(stored.scope), base,
                          [&](Draft& draft, const RecordState& state) {
                              const Text at_base = store.text_at(stored, state, field, version);
                              draft.edit_text(field, diff_words(at_base.text(), text), at_base);
                          });
    });
}

Saved Vault::add(const RecordId& id, std::string_view field, std::string_view element, Base base) {
    bound(element, "value");
    const Value value = value_from_json(element);
    return change_record(parts_->store, id, base, [&](Draft& d, const RecordState&) { d.add_element(field, value); });
}

Saved Vault::remove(const RecordId& id, std::string_view field, std::string_view element, Base base) {
    bound(element, "value");
    const Value value = value_from_json(element);
    return change_record(parts_->store, id, base, [&](Draft& d, const RecordState&) { d.remove_element(field, value); });
}

Saved Vault::count(const RecordId& id, std::string_view field, std::int64_t n, Base base) {
    return change_record(parts_->store, id, base, [&](Draft& d, const RecordState&) { d.count(field, n); });
}

Saved Vault::put_row(const RecordId& id, std::string_view field, std::string_view row, std::string_view columns, Base base,
                     std::string* row_out) {
    bound(columns, "row");
    const Value value = value_from_json(columns);
    const std::string name = row.empty() ? to_base32(view(parts_->store.env.entropy.octets<10>())) : std::string(row);
    if (row_out != nullptr) *row_out = name;
    return change_record(parts_->store, id, base, [&](Draft& d, const RecordState&) { d.put_row(field, name, value); });
}

Saved Vault::remove_row(const RecordId& id, std::string_view field, std::string_view row, Base base) {
    return change_record(parts_->store, id, base, [&](Draft& d, const RecordState&) { d.remove_row(field, row); });
}

Saved Vault::erase(const RecordId& id, Base base) {
    return change_record(parts_->store, id, base, [](Draft& d, const RecordState&) { d.remove(); });
}

Saved Vault::restore(const RecordId& id, Base base) {
    return change_record(parts_->store, id, base, [](Draft& d, const RecordState& state) {
        if (!state.has_delete()) fail(ErrorCode::refused, "the record is not deleted");
        d.restore();
    });
}

Saved Vault::seal(const RecordId& id, Base base) {
    Store& store = parts_->store;
    return change_record(store, id, base, [&](Draft& d, const RecordState& state) {
        const TypeSchema* type = store.schema.type(known_record(store, id).type);
        // One signs what is here: what arrived since the form was opened has to be read first.
        if (!d.seen().covers(state.context()))
            fail(ErrorCode::stale, "the record changed since that version: read it again before sealing");
        d.seal(shown_document(state, type));
    });
}

Saved Vault::amend(const RecordId& id, std::string_view fields, Base base) {
    Store& store = parts_->store;
    bound(fields, "fields");
    const RecordState::Document amended = document_from_value(value_from_json(fields));
    return change_record(store, id, base, [&](Draft& d, const RecordState& state) {
        RecordState::Document document = shown_document(state, store.schema.type(known_record(store, id).type));
        for (const auto& [field, value] : amended) {
            auto it = std::lower_bound(document.begin(), document.end(), field, [](const auto& m, const auto& f) { return m.first < f; });
            const bool present = it != document.end() && it->first == field;
            if (present && is_null(value))
                document.erase(it);
            else if (present)
                it->second = value;
            else if (!is_null(value))
                document.insert(it, {field, value});
        }
        d.amend(document);
    });
}

namespace {

Decision open_item(const Vault& vault, std::string_view item) {
    for (Decision& decision : vault.review())
        if (decision.item.id == item) return std::move(decision);
    fail(ErrorCode::stale,
         "no open review item '" + std::string(item.substr(0, 64)) + "': it may have been decided, or new values came; see `review`");
}

}  // namespace

Saved Vault::resolve(std::string_view item, std::string_view value) {
    bound(value, "value");
    const Decision decision = open_item(*this, item);
    const Value decided = value_from_json(value);
    return change_record(parts_->store, decision.record, std::nullopt,
                         [&](Draft& d, const RecordState&) { d.resolve(decision.item, decided); });
}

Saved Vault::resolve(std::string_view item, std::size_t pick) {
    const Decision decision = open_item(*this, item);
    if (pick >= decision.item.values.size())
        fail(ErrorCode::invalid, "--pick: the item has " + std::to_string(decision.item.values.size()) + " values, counted from 0");
    const Value& decided = decision.item.values[pick].value;
    return change_record(parts_->store, decision.record, std::nullopt,
                         [&](Draft& d, const RecordState&) { d.resolve(decision.item, decided); });
}

void Vault::batch(const std::function<void()>& work) {
    Store& store = parts_->store;
    {
        Turn turn(store);
        struct Depth {
            int& depth;
            ~Depth() { --depth; }
        } guard{++store.batch_depth};
        work();
        turn.commit();
    }
    store.notify(Origin::save);
}

std::size_t Vault::observe(Observer observer) {
    parts_->store.observers.emplace(parts_->store.next_observer, std::move(observer));
    return parts_->store.next_observer++;
}

void Vault::unobserve(std::size_t handle) {
    parts_->store.observers.erase(handle);
}

Bytes Vault::change_secret(BytesView slots, std::string_view secret) {
    Bytes changed = rewrap_slots(slots, parts_->key, secret, parts_->store.env);
    Transaction transaction(parts_->store.db);
    parts_->store.log("secret changed");
    transaction.commit();
    return changed;
}

}  // namespace kopdarbs
