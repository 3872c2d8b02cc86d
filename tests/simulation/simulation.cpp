#include "tests/simulation/simulation.h"

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "core/base/error.h"
#include "core/record/json.h"
#include "sync/frame/compression.h"
#include "sync/protocol/messages.h"

namespace kopdarbs::test {
namespace {

constexpr std::uint64_t kMinuteMs = 60'000, kDayMs = 24 * 60 * kMinuteMs;
constexpr int kRoundsToConverge = 6;
constexpr std::size_t kLongestName = 10;  // so the number of devices is bounded

constexpr int kLastSchema = 6;

/// A visit with a field of each kind. Version 2 knows one field more; in even versions only the supervisor writes about the housing.
std::string visit_type(int version) {
    const auto field = [](const char* name, const char* rest) {
        return std::string("\"") + name + "\":{\"labels\":{\"lv\":\"" + name + "\",\"en\":\"" + name + "\"}," + rest + "}";
    };
    std::string fields = field("place", R"("type":"string","merge":"latest")") + "," +
                         field("housing", version % 2 == 0 ? R"("type":"string","merge":"review","write":["supervisor"])"
                                                           : R"("type":"string","merge":"review")") +
                         "," + field("risk", R"("type":"string","merge":"highest","enum":["low","high","immediate"])") + "," +
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
    town_.provision(assignments, {visit_type(schema_)});
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

void Simulation::work(Device& device, bool where_she_wrote_last) {
    const std::string target = device.user == "rita" ? "H-18" : "H-17";
    std::vector<RecordId> here;
    for (const RecordId& id : records_)
        if (device.phone->holds(id)) here.push_back(id);
    try {
        if (where_she_wrote_last && !device.words.empty() && device.phone->holds(device.words.back().record)) {
            write(device, device.words.back().record);
        } else if (device.user == "anna") {
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
            if (std::exchange(first, false)) work(device, random_.chance(50));
        };
    const auto arrived = [&] { device.phone->line.on_the_way = nullptr; };
    try {
        (void)device.phone->sync();
        arrived();
        ++outcome_.syncs;
        say(device.name + " synced");
        if (!device.doubled) require_shown(device);
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
    switch (random_.below(11)) {
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
            if (schema_ == kLastSchema) break;
            ++schema_;
            provisioned_ = false;
            say("schema " + std::to_string(schema_));
            break;
        case 8:
            if (present(device) && random_.chance(40)) copy_vault(device);
            break;
        case 9:
            if (present(device) && random_.chance(60)) set_back(device);
            break;
        default: bring_again(device); break;
    }
    if (provisioned_ || disk_.is_dead(town_.database())) return;
    try {
        provision();
    } catch (const Error&) {
        // A full disk, or one that died just now.
    }
}

/// A request comes once more, long after it was answered: as the line kept it, or as somebody recorded it. Only a retry of the last is
/// taken.
void Simulation::bring_again(Device& device) {
    const auto& taken = device.phone->line.taken();
    if (taken.empty() || disk_.is_dead(town_.database())) return;
    const auto nonce_of = [](const sync::HttpRequest& request) {
        return sync::decode_request(sync::decompress(request.body, sync::kMaxMessageBytes)).nonce;
    };
    const sync::HttpRequest& again = random_.pick(taken);
    const bool retry = nonce_of(again) == nonce_of(taken.back());
    say(device.name + (retry ? "'s last request comes once more" : "'s older request comes once more"));
    const int status = town_.server().handle(again).status;
    require(retry || status != 200, device.name + ": a request from before its last was taken once more");
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

}  // namespace kopdarbs::test
