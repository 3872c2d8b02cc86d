#include "tests/simulation/simulation.h"

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "core/base/error.h"
#include "core/record/json.h"
#include "sync/server/storage/storage.h"
#include "tests/support/record_claims.h"

namespace kopdarbs::test {
namespace {

constexpr std::uint64_t kMinuteMs = 60'000, kDayMs = 24 * 60 * kMinuteMs;
constexpr int kRoundsToConverge = 6;
constexpr std::size_t kLongestName = 10;  // so the number of devices is bounded

/// A visit with a field of each kind. Version 2 knows one field more.
std::string visit_type(int version) {
    const auto field = [](const char* name, const char* rest) {
        return std::string("\"") + name + "\":{\"labels\":{\"lv\":\"" + name + "\",\"en\":\"" + name + "\"}," + rest + "}";
    };
    std::string fields = field("place", R"("type":"string","merge":"latest")") + "," +
                         field("housing", R"("type":"string","merge":"review")") + "," +
                         field("risk", R"("type":"string","merge":"highest","enum":["low","high","immediate"])") + "," +
                         field("present", R"("type":"array","merge":"set","items":{"type":"string"})") + "," +
                         field("visits", R"("type":"integer","merge":"counter")") + "," +
                         field("costs", R"("type":"object","merge":"rows","columns":{"what":{"type":"string","merge":"review"}})") + "," +
                         field("note", R"("type":"string","merge":"text")");
    if (version > 1) fields += "," + field("mood", R"("type":"string","merge":"latest")");
    return R"({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"urn:kopdarbs:type:sim_visit","title":"Visit","type":"object",)"
           R"("version":)" +
           std::to_string(version) +
           R"(,"labels":{"lv":"Apmeklējums","en":"Visit"},"section":{"file":"visits"},"write":["case_worker","organiser"],)"
           R"("resolve":["supervisor"],"properties":{)" +
           fields + "}}";
}

std::string quoted(const std::string& text) {
    std::string json;
    append_json_string(json, text);
    return json;
}

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

/// What a save may be answered with where nothing is wrong with us.
bool is_ordinary(ErrorCode code) {
    return code == ErrorCode::refused || code == ErrorCode::stale || code == ErrorCode::not_found || code == ErrorCode::io;
}

}  // namespace

Simulation::Simulation(std::uint64_t seed, std::size_t steps, bool tell)
    : seed_(seed), steps_(steps), tell_(tell), random_(seed), disk_(Disk::install()), town_(seed) {
    outcome_.seed = seed;
    provision();
    for (const char* user : {"ilze", "ilze", "maris", "rita", "anna"}) {
        devices_.push_back(std::make_unique<Device>());
        devices_.back()->user = user;
        devices_.back()->name = std::string(user) + std::to_string(devices_.size());
        devices_.back()->phone = town_.enrol(user);
    }
}

Outcome Simulation::run() {
    try {
        for (outcome_.steps = 0; outcome_.steps < steps_; ++outcome_.steps) step();
        heal();
        require_promises();
        outcome_.hash = hash_of_all();
    } catch (const std::exception& e) {
        outcome_.failure = "step " + std::to_string(outcome_.steps) + ": " + e.what();
    }
    for (const auto& device : devices_) {
        disk_.restart(device->phone->path());
        device->phone->close();
        disk_.forget(device->phone->path());
    }
    disk_.restart(town_.database());
    town_.stop();
    disk_.forget(town_.database());
    outcome_.devices = devices_.size();
    return outcome_;
}

void Simulation::require(bool holds, const std::string& what) const {
    if (!holds) throw std::runtime_error(what);
}

void Simulation::say(const std::string& what) const {
    if (tell_) std::fprintf(stderr, "%4zu %s\n", outcome_.steps, what.c_str());
}

std::string Simulation::fresh_word() {
    return "w" + std::to_string(seed_) + "x" + std::to_string(++words_) + "z";
}

void Simulation::provision() {
    std::string assignments = Town::usual_assignments();
    if (!maris_assigned_) {
        const std::size_t at = assignments.find(R"("until":null)", assignments.find("maris"));
        assignments.replace(at, 12, R"("until":"2026-11-01")");
    }
    town_.provision(assignments, {visit_type(newer_schema_ ? 2 : 1)});
    provisioned_ = true;
}

void Simulation::step() {
    town_.pass(random_.below(4 * kMinuteMs));
    Device& device = *devices_[random_.below(static_cast<std::uint32_t>(devices_.size()))];
    const std::uint32_t what = random_.below(100);
    if (what < 78) {
        if (present(device)) work(device);
    } else if (what < 88) {
        if (present(device)) sync(device);
    } else {
        disturb();
    }
    repair();
}

void Simulation::work(Device& device) {
    const std::string target = device.user == "rita" ? "H-18" : "H-17";
    std::vector<RecordId> here;
    for (const RecordId& id : records_)
        if (device.phone->holds(id)) here.push_back(id);
    try {
        if (device.user == "anna") {
            // The supervisor decides what waits for her.
            const auto waiting = device.phone->vault().review();
            if (waiting.empty()) return;
            const Decision& d = random_.pick(waiting);
            (void)device.phone->vault().resolve(d.item.id, random_.below(static_cast<std::uint32_t>(d.item.values.size())));
            // She may take one version of a line, and with that leave out words of the other.
            if (d.item.kind == ReviewKind::text)
                for (const auto& other : devices_)
                    for (Word& word : other->words) word.added = word.added && word.record != d.record;
            ++outcome_.saves;
            say(device.name + " decides " + d.item.field);
        } else if (here.size() < 3 || random_.chance(8)) {
            const std::string word = fresh_word();
            const Saved made = device.phone->vault().put("sim_visit", std::nullopt, target,
                                                         R"({"place":)" + quoted(word) + R"(,"note":"Pirmā rinda.\nOtrā rinda."})");
            records_.push_back(made.id);
            saved(device, made, made.id, word, false);
        } else {
            write(device, random_.pick(here));
        }
    } catch (const Error& e) {
        require(is_ordinary(e.code()), device.name + ": a save was answered with " + e.what());
        say(device.name + " could not save: " + e.what());
    }
}

void Simulation::write(Device& device, const RecordId& record) {
    Vault& vault = device.phone->vault();
    const std::string word = fresh_word();
    std::optional<std::string> base;
    if (random_.chance(20)) base = vault.get(record).version;
    const Vault::Base seen = base ? Vault::Base(*base) : Vault::Base();
    switch (random_.below(9)) {
        case 0: saved(device, vault.put("sim_visit", record, {}, R"({"place":)" + quoted(word) + "}", seen), record, word, false); break;
        case 1: saved(device, vault.put("sim_visit", record, {}, R"({"housing":)" + quoted(word) + "}", seen), record, word, false); break;
        case 2: {
            static const std::vector<std::string> risks = {"low", "high", "immediate"};
            saved(device, vault.put("sim_visit", record, {}, R"({"risk":)" + quoted(random_.pick(risks)) + "}", seen), record, {}, false);
            break;
        }
        case 3: saved(device, vault.add(record, "present", quoted(word), seen), record, word, true); break;
        case 4: saved(device, vault.count(record, "visits", 1 + random_.below(3)), record, {}, false); break;
        case 5: saved(device, vault.put_row(record, "costs", "", R"({"what":)" + quoted(word) + "}"), record, word, true); break;
        default: {
            const Value shown = value_from_json(device.phone->field(record, "note"));
            const std::string note(text_of(shown));
            const auto length = static_cast<std::uint32_t>(utf8_length(note));
            const std::uint32_t position = random_.below(length + 1);
            // Between words only, so that no word is split by another.
            std::size_t at = utf8_offset(note, position);
            while (at < note.size() && note[at] != ' ' && note[at] != '\n') ++at;
            const auto gap = static_cast<std::uint32_t>(utf8_length(std::string_view(note).substr(0, at)));
            saved(device, vault.edit(record, "note", std::vector<Splice>{{gap, 0, " " + word + (random_.chance(15) ? "\n" : "")}}), record,
                  word, true);
        }
    }
}

void Simulation::saved(Device& device, const Saved& saved, const RecordId& record, const std::string& word, bool added) {
    if (saved.dot.counter == 0) return;
    ++outcome_.saves;
    if (!word.empty()) device.words.push_back({record, word, added});
    say(device.name + " saved " + to_string(saved.dot) + " " + word);
}

void Simulation::sync(Device& device) {
    static const std::vector<Fault> faults = {Fault::lose_request,    Fault::lose_response,    Fault::repeat_request,
                                              Fault::corrupt_request, Fault::corrupt_response, Fault::cut_request,
                                              Fault::cut_response,    Fault::late_request,     Fault::none};
    device.phone->line.faults.clear();
    if (random_.chance(30)) {
        ++outcome_.faults;
        for (std::uint32_t n = 1 + random_.below(3); n > 0; --n) device.phone->line.faults.push_back(random_.pick(faults));
    }
    // People go on working while the answer is on its way.
    if (random_.chance(25))
        device.phone->line.on_the_way = [&, first = true]() mutable {
            if (std::exchange(first, false)) work(device);
        };
    const auto arrived = [&] { device.phone->line.on_the_way = nullptr; };
    try {
        (void)device.phone->sync();
        arrived();
        ++outcome_.syncs;
        say(device.name + " synced");
    } catch (const Error& e) {
        arrived();
        say(device.name + " could not sync: " + e.what());
        if (e.code() == ErrorCode::fork) {
            require(device.doubled, device.name + ": taken for a copy, and is none: " + e.what());
            replace(device);
        }
    }
}

void Simulation::disturb() {
    ++outcome_.faults;
    Device& device = *devices_[random_.below(static_cast<std::uint32_t>(devices_.size()))];
    switch (random_.below(10)) {
        case 0:
        case 1:
            say(device.name + " will die soon");
            disk_.die_after(device.phone->path(), random_.below(60));
            break;
        case 2:
            say("the server will die soon");
            disk_.die_after(town_.database(), random_.below(120));
            break;
        case 3: {
            const bool full = random_.chance(50);
            say(device.name + (full ? "'s disk is full" : "'s disk has room"));
            disk_.set_full(device.phone->path(), full);
            break;
        }
        case 4: {
            const bool full = random_.chance(50);
            disk_.set_full(town_.database(), full);
            break;
        }
        case 5: {
            static const std::vector<std::int64_t> jumps = {0, 73 * 365, -27 * 365, 1, -1, 30};
            WrongClock& clock = device.phone->clock;
            clock.frozen_at.reset();
            clock.offset_ms = random_.pick(jumps) * static_cast<std::int64_t>(kDayMs);
            if (random_.chance(30)) clock.frozen_at = clock.wall_ms();
            say(device.name + (clock.frozen_at ? "'s clock jumps and stands" : "'s clock jumps"));
            break;
        }
        case 6:
            maris_assigned_ = !maris_assigned_;
            provisioned_ = false;
            say(maris_assigned_ ? "maris is assigned" : "maris is assigned no more");
            break;
        case 7:
            provisioned_ = provisioned_ && newer_schema_;
            newer_schema_ = true;
            break;
        case 8:
            if (present(device) && random_.chance(40)) copy_vault(device);
            break;
        default:
            if (present(device) && random_.chance(60)) set_back(device);
            break;
    }
    if (provisioned_ || disk_.is_dead(town_.database())) return;
    try {
        provision();
    } catch (const Error&) {
        // A full disk, or one that died just now.
    }
}

/// People notice that a machine is dead, and start it again; somebody makes room on a full disk before long.
void Simulation::repair() {
    for (const auto& device : devices_)
        if (random_.chance(10)) disk_.set_full(device->phone->path(), false);
    if (random_.chance(15)) disk_.set_full(town_.database(), false);
    for (const auto& device : devices_)
        if (disk_.is_dead(device->phone->path())) restart(*device);
    if (disk_.is_dead(town_.database())) restart_server();
}

void Simulation::restart(Device& device) {
    device.phone->close();
    if (random_.chance(50)) {
        say(device.name + " lost power");
        disk_.restart_after_power_cut(device.phone->path(), [&](std::uint32_t n) { return random_.below(n); });
    } else {
        say(device.name + " was killed");
        disk_.restart(device.phone->path());
    }
    disk_.set_full(device.phone->path(), false);
    device.phone->reopen();
    require_kept(device);
}

void Simulation::restart_server() {
    town_.stop();
    if (random_.chance(50)) {
        say("the server lost power");
        disk_.restart_after_power_cut(town_.database(), [&](std::uint32_t n) { return random_.below(n); });
    } else {
        say("the server was killed");
        disk_.restart(town_.database());
    }
    disk_.set_full(town_.database(), false);
    town_.start();
}

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

/// Nothing happens to the machine while its vault is closed: a closed vault is one whole file.
void Simulation::calm(Device& device) {
    disk_.set_full(device.phone->path(), false);
    disk_.restart(device.phone->path());
}

void Simulation::copy_vault(Device& device) {
    if (device.doubled || device.user == "anna") return;
    say(device.name + "'s vault is copied to another device");
    calm(device);
    auto copy = std::make_unique<Device>();
    copy->user = device.user;
    copy->name = device.name + "'";
    copy->phone = town_.copy(*device.phone);
    device.doubled = copy->doubled = true;
    device.older_words = device.words.size();
    devices_.push_back(std::move(copy));
}

void Simulation::set_back(Device& device) {
    if (device.doubled || device.user == "anna") return;
    calm(device);
    if (device.older_file.empty()) {
        device.phone->close();
        device.older_file = read_whole(device.phone->path());
        device.older_words = device.words.size();
        device.phone->reopen();
        return;
    }
    say(device.name + " is set back to an older file");
    device.phone->close();
    write_whole(device.phone->path(), device.older_file);
    device.phone->reopen();
    device.doubled = true;
    device.words.resize(device.older_words);
}

/// A vault that the server knows to be a copy is given up, and its owner enrols anew: what was not sent by then is lost with it.
void Simulation::replace(Device& device) {
    say(device.name + " is a copy, and enrols anew");
    device.words.resize(std::min(device.words.size(), device.older_words));
    device.phone->close();
    disk_.forget(device.phone->path());
    device.gone = true;
    if (outcome_.steps == steps_ || device.name.size() > kLongestName) return;
    auto anew = std::make_unique<Device>();
    anew->user = device.user;
    anew->name = device.name + "+";
    try {
        anew->phone = town_.enrol(device.user);
    } catch (const Error&) {
        return;  // the server is down: another day
    }
    devices_.push_back(std::move(anew));
}

void Simulation::heal() {
    say("everything heals");
    for (const auto& device : devices_) {
        disk_.set_full(device->phone->path(), false);
        device->phone->clock.offset_ms = 0;
        device->phone->clock.frozen_at.reset();
        device->phone->line.faults.clear();
        if (disk_.is_dead(device->phone->path())) restart(*device);
        disk_.restart(device->phone->path());
    }
    if (disk_.is_dead(town_.database())) restart_server();
    disk_.restart(town_.database());
    disk_.set_full(town_.database(), false);
    maris_assigned_ = true;
    provision();
    for (int round = 0; round < kRoundsToConverge; ++round)
        for (const auto& device : devices_)
            if (present(*device)) {
                try {
                    (void)device->phone->sync();
                } catch (const Error& e) {
                    require(e.code() == ErrorCode::fork && device->doubled, device->name + " does not sync when all is well: " + e.what());
                    replace(*device);
                }
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
