// Headers by columns: who writes what is said once in a table of origins, a record once in a table of records with what its first change
// here had seen; numbers and times are differences, and `seen` is mostly what the changes before lead one to expect.
//
// Threading: values of one message's writing or reading. Errors: Error{corrupt} when reading.
#pragma once

#include <array>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "core/log/change.h"
#include "sync/protocol/budget.h"
#include "sync/protocol/column.h"

namespace kopdarbs::sync {

/// What a replica wrote last in this message.
struct LastOfReplica {
    std::uint64_t counter = 0, wall_ms = 0, heard = 0;
};

/// What the next change of a record will probably have seen: all that this message has of the record, or what its author's last change had.
/// What all have seen grows no longer where it might come to name more replicas than a context may: a hostile message could make it
/// endless.
class Expectation {
public:
    explicit Expectation(std::vector<Context> first) : all_(std::move(first)), first_(all_) {}
    const Context& all(std::size_t record) const { return all_[record]; }
    const Context& own(std::size_t record, std::size_t replica) const;
    void add(std::size_t record, std::size_t replica, const Change& change);

private:
    std::vector<Context> all_, first_;
    std::map<std::pair<std::size_t, std::size_t>, Context> own_;  // by record and replica
};

/// In the order in which they travel. The last three are the contexts': how many entries, whose, and counters as differences to the last
/// of that replica.
enum HeaderColumn : std::size_t {
    kRow,
    kRecord,
    kCounter,
    kPrev,
    kWall,
    kStamp,
    kHeard,
    kSeen,
    kSizes,
    kReplicas,
    kCounters,
    kHeaderColumns
};

class HeaderWriter {
public:
    /// `changes`: decoded headers, null where one stands whole. Borrowed.
    explicit HeaderWriter(const std::vector<const Change*>& changes);
    void write(CborWriter& out) const;

private:
    using Origin = std::tuple<std::size_t, std::string, ScopeId, std::string, std::uint32_t>;  // replica, author, scope, type, version
    std::size_t number_of(const ReplicaId& replica);
    std::size_t origin_of(const Change& change);
    void put(const Context& context);
    void put(const Change& change, std::size_t record, Expectation& expected);

    std::vector<ReplicaId> replicas_;
    std::map<ReplicaId, std::size_t> replica_numbers_;
    std::vector<const Change*> origins_;
    std::map<Origin, std::size_t> origin_numbers_;
    std::vector<RecordId> records_;
    std::vector<LastOfReplica> last_;
    std::vector<std::uint64_t> last_in_context_;
    std::array<ColumnWriter, kHeaderColumns> columns_;
};

class HeaderReader {
public:
    explicit HeaderReader(CborReader& in, Budget& budget);
    /// Whether the next header stands whole.
    bool next_stands_whole();
    /// The next one otherwise, of a change whose content has `content_bytes` octets.
    Bytes next(std::size_t content_bytes, Budget& budget);
    void finish() const;

private:
    Context context(Budget& budget);

    /// What all changes of an origin have alike.
    struct Origin {
        std::size_t replica = 0;
        std::string author;
        ScopeId scope;
        std::string type;
        std::uint32_t type_version = 0;
    };

    std::vector<ReplicaId> replicas_;
    std::vector<Origin> origins_;
    std::vector<RecordId> records_;
    std::vector<LastOfReplica> last_;
    std::vector<std::uint64_t> last_in_context_;
    Expectation expected_{{}};
    std::size_t origin_ = 0;
    std::array<ColumnReader, kHeaderColumns> columns_;
};

}  // namespace kopdarbs::sync
