// What must hold of a simulated municipality: while faults last, and once they have healed.
#include "core/base/error.h"
#include "core/record/json.h"
#include "sync/server/storage/storage.h"
#include "tests/simulation/simulation.h"
#include "tests/support/record_claims.h"

namespace kopdarbs::test {
namespace {

/// What a change's operations wrote, from what history and letters print of them: text operations are printed as octets, and lines only
/// repeat what these inserted.
std::string words_of(const std::string& ops) {
    std::string all;
    for (const Json& op : Json::parse(ops)) {
        if (op["path"][0] == static_cast<int>(PathKind::line)) continue;
        all += op["path"][0] == static_cast<int>(PathKind::text) ? from_base64(op["value"].get<std::string>()) : op.dump();
    }
    return all + "\n";
}

std::size_t times(const std::string& all, const std::string& word) {
    std::size_t count = 0;
    for (std::size_t at = all.find(word); at != all.npos; at = all.find(word, at + 1)) ++count;
    return count;
}

}  // namespace

/// The last saves are there: earlier ones were, after the restarts before.
void Simulation::require_kept(Device& device) {
    const std::size_t recent = std::min<std::size_t>(device.words.size(), 4);
    std::string letters;
    for (const Letter& letter : device.phone->vault().letters()) letters += words_of(letter.ops);
    for (std::size_t i = device.words.size() - recent; i < device.words.size(); ++i) {
        const Word& word = device.words[i];
        std::string all = letters;
        if (device.phone->holds(word.record)) {
            bool complete = false;
            for (const Event& event : device.phone->vault().history(word.record, complete)) all += words_of(event.ops);
        }
        require(all.find(word.text) != std::string::npos, device.name + ": " + word.text + " was acknowledged and is not on the device");
    }
}

/// What somebody added stays before her eyes until the server refuses it; then a letter has it.
void Simulation::require_shown(Device& device) {
    const std::size_t recent = std::min<std::size_t>(device.words.size(), 4);
    for (std::size_t i = device.words.size() - recent; i < device.words.size(); ++i) {
        const Word& word = device.words[i];
        if (!word.added || !device.phone->holds(word.record)) continue;
        if (device.phone->vault().get(word.record).fields.find(word.text) != std::string::npos) continue;
        std::string letters;
        for (const Letter& letter : device.phone->vault().letters()) letters += words_of(letter.ops);
        require(letters.find(word.text) != std::string::npos, device.name + ": " + word.text + " is shown no more after a sync");
    }
}

void Simulation::require_promises() {
    for (const Damage& damage : town_.server().verify().damage) require(false, "server: " + damage.where + ": " + damage.what);
    std::map<RecordId, std::pair<std::string, std::string>> shown;  // by whom first, and what
    for (const auto& device : devices_) {
        if (!present(*device)) continue;
        Vault& vault = device->phone->vault();
        for (const Damage& damage : vault.verify().damage) require(false, device->name + ": " + damage.where + ": " + damage.what);
        require(vault.status().unsent == 0, device->name + " still has something unsent");
        for (const RecordId& id : records_) {
            if (!device->phone->holds(id)) continue;
            const std::string state = device->phone->state(id);
            const auto [first, fresh] = shown.try_emplace(id, device->name, state);
            require(first->second.second == state,
                    device->name + " and " + first->second.first + " show " + to_string(id) + " differently");
            if (device->user == "rita") require(vault.get(id).scope.find("H-17") == std::string::npos, "rita holds what is not hers");
        }
    }
    require_as_the_model_has_it();
    Device& anna = *devices_[4];
    require(anna.user == "anna" && present(anna), "anna is here");
    std::map<RecordId, std::string> histories;
    for (const auto& device : devices_) {
        std::string letters;
        if (present(*device))
            for (const Letter& letter : device->phone->vault().letters()) letters += words_of(letter.ops);
        for (const Word& word : device->words) {
            auto history = histories.find(word.record);
            if (history == histories.end()) {
                std::string all;
                try {
                    for (const Event& event : sync::fetch_history(anna.phone->vault(), word.record, anna.phone->line, anna.phone->env()))
                        all += words_of(event.ops);
                } catch (const Error& e) {
                    if (e.code() != ErrorCode::not_found) throw;
                }
                history = histories.emplace(word.record, all).first;
            }
            const bool accepted = history->second.find(word.text) != std::string::npos;
            const bool kept = letters.find(word.text) != std::string::npos;
            // A vault that was given up took its letters with it.
            require(accepted || kept || device->gone, device->name + ": " + word.text + " was acknowledged and is nowhere");
            require(!word.added || times(history->second, word.text) <= 1, device->name + ": " + word.text + " arrived twice");
            if (accepted && word.added)
                require(anna.phone->vault().get(word.record).fields.find(word.text) != std::string::npos,
                        device->name + ": " + word.text + " was added and is not shown");
        }
    }
}

/// Each record's accepted changes, given to the plain model: the server's row, what devices show and what they ask have to be the same.
void Simulation::require_as_the_model_has_it() {
    const auto storage = sync::open_sqlite_storage(town_.database(), false);
    SchemaSet types = SchemaSet::built_in();
    for (const std::string& source : storage->types()) types.add(source);
    for (const RecordId& id : records_) {
        const auto row = storage->record(id);
        if (!row) continue;
        std::vector<std::pair<Change, Stamp>> changes;
        for (const sync::AcceptedRow& accepted : storage->changes_of(row->no))
            changes.emplace_back(decode_change(accepted.change.header, BytesView(accepted.change.content)), accepted.stamp);
        Side side{RecordState::decode_beside(row->meta, document_from_json(row->doc)), {}};
        for (std::size_t i = 0; i < changes.size(); ++i) side.model.add(i, changes[i].first, changes[i].second);
        same(side, "the server's " + to_string(id));
        const TypeSchema& type = *types.type(row->type);
        const PlainDocument document = plain_document(side.model, type);
        const std::set<PlainItem> asked = plain_review(side.model, type);
        for (const auto& device : devices_) {
            if (!present(*device) || !device->phone->holds(id)) continue;
            const Record shown = device->phone->vault().get(id);
            const RecordState::Document fields = document_from_json(shown.fields);
            require(PlainDocument(fields.begin(), fields.end()) == document,
                    device->name + " shows another " + to_string(id) + " than the model");
            require(as_plain(shown.review) == asked, device->name + " asks something else about " + to_string(id) + " than the model");
        }
    }
}

std::string Simulation::hash_of_all() {
    std::string all;
    for (const auto& device : devices_)
        if (present(*device))
            for (const RecordId& id : records_) all += device->name + " " + to_string(id) + " " + device->phone->state(id) + "\n";
    return to_hex(town_.crypto.sha256(all).bytes()).substr(0, 16);
}

}  // namespace kopdarbs::test
