// A disk that can be filled, and machines on it that can die: a VFS between SQLite and the files.
//
// A machine is all files whose path begins with its name. It can be told to die at a coming write; from then on nothing of it can be read
// or written until it is restarted. A process that dies leaves what the system had taken; a power cut also loses what was not synced: of
// the writes since a file's last sync some reach it, in any combination, and the last is torn within its sectors.
//
// Invariants
//  1. What a write replaced is kept until the file is synced, so a cut gives any state that a disk may have had.
//  2. Deleting and truncating are durable at once.
// Threading: any thread; the server writes on one of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace kopdarbs::test {

class Disk {
public:
    /// Puts itself under every database that this process opens from now on.
    static Disk& install();

    /// The machine dies at the write after `writes` more.
    void die_after(const std::string& machine, std::uint64_t writes);
    bool is_dead(const std::string& machine);
    /// Files as the system has them. All of the machine's databases are closed before.
    void restart(const std::string& machine);
    /// The same after a power cut. `below(n)` draws a number from 0 to n - 1.
    void restart_after_power_cut(const std::string& machine, const std::function<std::uint32_t(std::uint32_t)>& below);
    void set_full(const std::string& machine, bool full);
    /// Forgets the machine and its files.
    void forget(const std::string& machine);

private:
    Disk() = default;
};

}  // namespace kopdarbs::test
