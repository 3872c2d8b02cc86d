// A municipality for some days, decided by one seed: who works on what, what the line, the disks and the clocks do to them, and what must
// hold all the same. All code is the real one; only clock, entropy, network and disk are made up.
//
// While faults last
//  1. A save that was acknowledged is on its device after any restart, power cuts included.
//  2. A vault or a store that can't be opened, or that says it is damaged, is a failure.
//  3. Nobody holds a record of a scope that was never theirs.
//  4. What was added is shown after each sync, unless the server refused it: then a letter has it.
//  5. A request that comes once more after a later one was taken is refused.
// Once faults have healed
//  6. All devices have nothing unsent after a bounded number of syncs, and show one state of what they share.
//  7. Each acknowledged save is in the server's history of its record, or among its device's letters; what was only added, exactly once.
//  8. What was only ever added (words to texts, elements to sets) is shown.
//  9. verify finds nothing on any side.
// 10. The server's row of each record, what devices show of it and what they ask about it are what the plain model makes of its changes.
// The one exception is a device that was copied or set back: the server finds it out, and what only it had is its owner's loss.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/disk.h"
#include "tests/support/record_world.h"
#include "tests/support/town.h"

namespace kopdarbs::test {

struct Outcome {
    std::uint64_t seed = 0;
    std::string failure;  ///< empty when all held
    std::string hash;     ///< of everybody's final state
    std::size_t devices = 0, steps = 0;
    std::uint64_t saves = 0, syncs = 0, faults = 0;
    /// 40 saves and 3 syncs are what a device does in a day.
    double device_days() const { return std::min(static_cast<double>(saves) / 40, static_cast<double>(syncs) / 3); }
};

class Simulation {
public:
    /// `tell`: each step is printed to stderr.
    Simulation(std::uint64_t seed, std::size_t steps, bool tell);
    Outcome run();

private:
    /// What somebody saved, found again by a word that occurs nowhere else.
    struct Word {
        RecordId record;
        std::string text;
        bool added;  ///< nothing ever takes it away
    };
    struct Device {
        std::string user;
        std::unique_ptr<Phone> phone;
        std::vector<Word> words;
        std::string older_file;  ///< a copy made earlier, with `older_words` saves
        std::size_t older_words = 0;
        bool doubled = false;  ///< another device has the same vault, or this one was set back
        bool gone = false;
        std::string name;
    };

    void step();
    void work(Device& device, bool where_she_wrote_last = false);
    void write(Device& device, const RecordId& record);
    void sync(Device& device);
    void disturb();
    void repair();
    void restart(Device& device);
    void restart_server();
    void calm(Device& device);
    void copy_vault(Device& device);
    void set_back(Device& device);
    void replace(Device& device);
    void bring_again(Device& device);
    void provision();
    void saved(Device& device, const Saved& saved, const RecordId& record, const std::string& word, bool added);
    void require_kept(Device& device);
    void require_shown(Device& device);
    void heal();
    void require_promises();
    void require_as_the_model_has_it();
    void require(bool holds, const std::string& what) const;
    void say(const std::string& what) const;
    std::string fresh_word();
    std::string hash_of_all();
    bool present(const Device& device) const { return !device.gone; }

    std::uint64_t seed_;
    std::size_t steps_;
    bool tell_;
    Random random_;
    Disk& disk_;
    Town town_;
    std::vector<std::unique_ptr<Device>> devices_;
    std::vector<RecordId> records_;
    std::uint64_t words_ = 0;
    bool maris_assigned_ = true;
    int schema_ = 1;
    bool provisioned_ = false;  ///< the server knows both
    Outcome outcome_;
};

}  // namespace kopdarbs::test
