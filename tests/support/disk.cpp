#include "tests/support/disk.h"

#include <sqlite3.h>

#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace kopdarbs::test {
namespace {

constexpr const char* kName = "kopdarbs-sim";
constexpr std::size_t kSector = 512;

/// A write that is not synced yet.
struct Write {
    std::size_t offset;
    std::string before;  ///< shorter than `after` when the file grew
    std::string after;
};

struct Machine {
    bool dead = false, full = false, armed = false;
    std::uint64_t writes_left = 0;
};

struct State {
    std::mutex mutex;
    sqlite3_vfs* below = nullptr;
    std::map<std::string, Machine> machines;
    std::map<std::string, std::vector<Write>> unsynced;  ///< by path

    /// Null for a file of no machine.
    Machine* machine_of(const std::string& path) {
        for (auto& [name, machine] : machines)
            if (path.compare(0, name.size(), name) == 0) return &machine;
        return nullptr;
    }
};

State& state() {
    static State all;
    return all;
}

struct File {
    sqlite3_file base;
    const char* path;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File* file_of(sqlite3_file* f) {
    return reinterpret_cast<File*>(f);
}

bool is_dead(const char* path) {
    const std::lock_guard lock(state().mutex);
    const Machine* machine = path == nullptr ? nullptr : state().machine_of(path);
    return machine != nullptr && machine->dead;
}

int close_file(sqlite3_file* f) {
    return file_of(f)->real()->pMethods->xClose(file_of(f)->real());
}

int read_file(sqlite3_file* f, void* to, int size, sqlite3_int64 offset) {
    if (is_dead(file_of(f)->path)) return SQLITE_IOERR_READ;
    return file_of(f)->real()->pMethods->xRead(file_of(f)->real(), to, size, offset);
}

int write_file(sqlite3_file* f, const void* from, int size, sqlite3_int64 offset) {
    sqlite3_file* real = file_of(f)->real();
    if (file_of(f)->path != nullptr) {
        const std::lock_guard lock(state().mutex);
        if (Machine* machine = state().machine_of(file_of(f)->path)) {
            if (machine->armed && machine->writes_left-- == 0) machine->dead = true, machine->armed = false;
            if (machine->dead) return SQLITE_IOERR_WRITE;
            if (machine->full) return SQLITE_FULL;
            sqlite3_int64 length = 0;
            real->pMethods->xFileSize(real, &length);
            Write write{static_cast<std::size_t>(offset), {}, std::string(static_cast<const char*>(from), static_cast<std::size_t>(size))};
            const sqlite3_int64 there = std::max<sqlite3_int64>(0, std::min<sqlite3_int64>(size, length - offset));
            write.before.resize(static_cast<std::size_t>(there));
            if (there > 0) real->pMethods->xRead(real, write.before.data(), static_cast<int>(there), offset);
            state().unsynced[file_of(f)->path].push_back(std::move(write));
        }
    }
    return real->pMethods->xWrite(real, from, size, offset);
}

int truncate_file(sqlite3_file* f, sqlite3_int64 size) {
    if (is_dead(file_of(f)->path)) return SQLITE_IOERR_TRUNCATE;
    if (file_of(f)->path != nullptr) {
        const std::lock_guard lock(state().mutex);
        state().unsynced.erase(file_of(f)->path);
    }
    return file_of(f)->real()->pMethods->xTruncate(file_of(f)->real(), size);
}

/// The files lie in memory: to have synced is to have forgotten what was before.
int sync_file(sqlite3_file* f, int) {
    if (is_dead(file_of(f)->path)) return SQLITE_IOERR_FSYNC;
    if (file_of(f)->path != nullptr) {
        const std::lock_guard lock(state().mutex);
        state().unsynced.erase(file_of(f)->path);
    }
    return SQLITE_OK;
}

int size_of_file(sqlite3_file* f, sqlite3_int64* size) {
    return file_of(f)->real()->pMethods->xFileSize(file_of(f)->real(), size);
}
int lock_file(sqlite3_file* f, int level) {
    return file_of(f)->real()->pMethods->xLock(file_of(f)->real(), level);
}
int unlock_file(sqlite3_file* f, int level) {
    return file_of(f)->real()->pMethods->xUnlock(file_of(f)->real(), level);
}
int check_reserved(sqlite3_file* f, int* out) {
    return file_of(f)->real()->pMethods->xCheckReservedLock(file_of(f)->real(), out);
}
int control(sqlite3_file* f, int op, void* argument) {
    return file_of(f)->real()->pMethods->xFileControl(file_of(f)->real(), op, argument);
}
int sector_size(sqlite3_file* f) {
    return file_of(f)->real()->pMethods->xSectorSize(file_of(f)->real());
}
int characteristics(sqlite3_file* f) {
    return file_of(f)->real()->pMethods->xDeviceCharacteristics(file_of(f)->real());
}
int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
    return file_of(f)->real()->pMethods->xShmMap(file_of(f)->real(), page, size, extend, out);
}
int shm_lock(sqlite3_file* f, int offset, int n, int flags) {
    return file_of(f)->real()->pMethods->xShmLock(file_of(f)->real(), offset, n, flags);
}
void shm_barrier(sqlite3_file* f) {
    file_of(f)->real()->pMethods->xShmBarrier(file_of(f)->real());
}
int shm_unmap(sqlite3_file* f, int remove) {
    return file_of(f)->real()->pMethods->xShmUnmap(file_of(f)->real(), remove);
}

const sqlite3_io_methods kMethods = {2,         close_file,  read_file,      write_file, truncate_file, sync_file,       size_of_file,
                                     lock_file, unlock_file, check_reserved, control,    sector_size,   characteristics, shm_map,
                                     shm_lock,  shm_barrier, shm_unmap,      nullptr,    nullptr};

int open_file(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* f, int flags, int* out) {
    file_of(f)->base.pMethods = nullptr;
    file_of(f)->path = name;
    if (is_dead(name)) return SQLITE_CANTOPEN;
    const int code = state().below->xOpen(state().below, name, file_of(f)->real(), flags, out);
    if (code == SQLITE_OK) file_of(f)->base.pMethods = &kMethods;
    return code;
}

int delete_file(sqlite3_vfs*, const char* name, int sync) {
    if (is_dead(name)) return SQLITE_IOERR_DELETE;
    {
        const std::lock_guard lock(state().mutex);
        state().unsynced.erase(name);
    }
    return state().below->xDelete(state().below, name, sync);
}

/// What may lie on the disk: the file before its unsynced writes, and some of these.
void settle(const std::string& path, const std::vector<Write>& writes, const std::function<std::uint32_t(std::uint32_t)>& below) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return;
    std::ostringstream whole;
    whole << in.rdbuf();
    std::string content = whole.str();
    for (auto w = writes.rbegin(); w != writes.rend(); ++w) {
        if (w->before.size() < w->after.size() && w->offset + w->after.size() >= content.size())
            content.resize(std::min(content.size(), w->offset + w->before.size()));
        if (!w->before.empty()) content.replace(w->offset, w->before.size(), w->before);
    }
    for (std::size_t i = 0; i < writes.size(); ++i) {
        const Write& w = writes[i];
        if (below(2) == 0) continue;
        std::size_t size = w.after.size();
        if (i + 1 == writes.size()) size = std::min(size, kSector * below(static_cast<std::uint32_t>(size / kSector + 1)));
        if (size == 0) continue;
        if (content.size() < w.offset + size) content.resize(w.offset + size, '\0');
        content.replace(w.offset, size, w.after, 0, size);
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

}  // namespace

Disk& Disk::install() {
    static Disk disk;
    static sqlite3_vfs vfs;
    if (state().below != nullptr) return disk;
    sqlite3_initialize();
    state().below = sqlite3_vfs_find("unix");
    if (state().below == nullptr) throw std::runtime_error("no VFS to stand on");
    vfs = *state().below;
    vfs.iVersion = 1;
    vfs.szOsFile = static_cast<int>(sizeof(File)) + state().below->szOsFile;
    vfs.zName = kName;
    vfs.pNext = nullptr;
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK || sqlite3mc_vfs_create(kName, 1) != SQLITE_OK)
        throw std::runtime_error("the simulated disk cannot be registered");
    return disk;
}

void Disk::die_after(const std::string& machine, std::uint64_t writes) {
    const std::lock_guard lock(state().mutex);
    Machine& m = state().machines[machine];
    m.armed = true;
    m.writes_left = writes;
}

bool Disk::is_dead(const std::string& machine) {
    const std::lock_guard lock(state().mutex);
    return state().machines[machine].dead;
}

void Disk::restart(const std::string& machine) {
    const std::lock_guard lock(state().mutex);
    Machine& m = state().machines[machine];
    m.dead = m.armed = false;
}

void Disk::restart_after_power_cut(const std::string& machine, const std::function<std::uint32_t(std::uint32_t)>& below) {
    {
        const std::lock_guard lock(state().mutex);
        for (auto it = state().unsynced.begin(); it != state().unsynced.end();) {
            if (it->first.compare(0, machine.size(), machine) != 0) {
                ++it;
                continue;
            }
            settle(it->first, it->second, below);
            it = state().unsynced.erase(it);
        }
    }
    restart(machine);
}

void Disk::set_full(const std::string& machine, bool full) {
    const std::lock_guard lock(state().mutex);
    state().machines[machine].full = full;
}

void Disk::forget(const std::string& machine) {
    const std::lock_guard lock(state().mutex);
    state().machines.erase(machine);
    for (auto it = state().unsynced.begin(); it != state().unsynced.end();)
        it = it->first.compare(0, machine.size(), machine) == 0 ? state().unsynced.erase(it) : std::next(it);
}

}  // namespace kopdarbs::test
