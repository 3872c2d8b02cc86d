// Many records at once. What a new record's first change says and how its row looks is worked out apart from the store and from the other
// records, so two threads do: the caller's, which also writes what is ready, in order, and `Env::helper`, which goes on while a transaction
// is committed. Anything else is put by itself: a record that is here already, a large one, or one that may not be
// saved, which says why.
#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "core/record/rules.h"
#include "core/store/store.h"

namespace kopdarbs {
namespace {

constexpr std::size_t kAhead = 512;        ///< entries that may be worked out and not written yet
constexpr std::size_t kAtOnce = 32;        ///< are given to the helper, which is woken for less only at the end
constexpr std::size_t kLarge = 64 * 1024;  ///< octets of an entry; such are not held worked out
constexpr std::size_t kMostAlone = 63;     ///< entries that are put by themselves before it is tried again

/// A new record. `change` is begun; what follows is worked out by whoever comes first, and looks at nothing that may change meanwhile.
struct First {
    const Vault::Entry* entry = nullptr;
    const TypeSchema* type = nullptr;  ///< null: not to be worked out
    const Writer* writer = nullptr;
    std::int64_t scope = 0;
    Change change;

    RecordState state;
    Shape shape;
    Salted salted{};
    Saved saved;
    bool good = false;
    std::atomic<bool> ready = false;

    void work_out(const Env& env) noexcept {
        try {
            good = type != nullptr && is_worked_out(env);
        } catch (const std::exception&) {
            good = false;
        }
        ready = true;
        ready.notify_one();
    }

private:
    bool is_worked_out(const Env& env) {
        const RecordState nothing;
        Draft draft(nothing, *type, change.dot, std::nullopt);
        draft.create();
        for (const auto& [field, value] : entry->fields) draft.put(field, value);
        change.seen = draft.seen();
        change.ops = draft.take();
        saved = {change.record, change.dot, {}, {}};
        if (judge_change(change, nothing, type, *writer, &saved.warnings)) return false;
        state = nothing;
        if (state.apply(change, change.stamp, draft.take_texts()) != Applied::applied) return false;
        shape = shape_of(env.crypto, change.record, state, type);
        saved.version = to_string(version_of(state, type));
        salted = encode_salted(change, env);
        return true;
    }
};

bool is_large(const Vault::Entry& entry) {
    std::size_t octets = 0;
    for (const auto& [field, value] : entry.fields) octets += field.size() + value.size();
    return octets > kLarge;
}

/// New records of consecutive entries, in a ring. The writer takes entries in and writes them out; both threads work them out.
class Firsts {
public:
    Firsts(Store& store, std::span<const Vault::Entry> entries)
        : store_(store),
          entries_(entries),
          schema_(store.schema),
          next_changes_(store),
          database_version_(store.db.data_version()),
          turn_(store.turns) {
        if (store.env.helper == nullptr || entries.size() < 2) return;
        store.env.helper->start([this, help = help_] {
            Help queued = Help::queued;
            if (!help->compare_exchange_strong(queued, Help::given)) return;
            work_out_all();
            *help = Help::over;
            help->notify_one();
        });
    }
    /// Waits for the helper only where it is at these, and not for what it was given besides.
    ~Firsts() {
        tell(kOver);
        Help queued = Help::queued;
        if (!help_->compare_exchange_strong(queued, Help::over)) help_->wait(Help::given);
    }
    Firsts(const Firsts&) = delete;
    Firsts& operator=(const Firsts&) = delete;

    /// Whether the numbers, scopes and types that they were begun with are still so: nobody has written since the last transaction, no
    /// other process and, between two of these, no observer. To be asked as a transaction begins.
    bool stand() {
        const std::uint64_t before = std::exchange(turn_, store_.turns);
        return turn_ - before <= 1 && store_.db.data_version() == database_version_;
    }

    /// Writes the next one; false when it is none that can be written so, and then they stand no more.
    bool write_next() {
        take_in();
        First& first = at(written_);
        while (!first.ready)
            if (!work_out_next()) first.ready.wait(false);
        if (!first.good) return false;
        KOPDARBS_ASSERT(first.change.dot.counter == store_.heads.counter() + 1);
        const auto no = store_.insert_new(first.change.record, first.scope, first.change.type, first.state, first.shape);
        if (!no) return false;
        store_.append(first.change, first.salted, *no, first.scope);
        return true;
    }
    /// What write_next() wrote; goes on to the next.
    Saved take_out() { return std::move(at(written_++).saved); }

private:
    enum class Help { queued, given, over };
    static constexpr std::size_t kOver = SIZE_MAX;

    First& at(std::size_t place) { return ring_[place % kAhead]; }

    void take_in() {
        std::size_t taken = taken_;
        const std::size_t all = std::min(entries_.size(), written_ + kAhead);
        if (taken > written_ && all - taken < kAtOnce && all < entries_.size()) return;
        for (; taken < all; ++taken) {
            First& first = at(taken);
            first.entry = &entries_[taken];
            first.type = is_large(*first.entry) ? nullptr : schema_.type(first.entry->type);
            const ScopeRow* scope = first.type == nullptr ? nullptr : store_.find_scope(first.entry->scope, *first.type);
            if (scope == nullptr) {
                first.type = nullptr;
            } else {
                first.scope = scope->no;
                const auto [writer, fresh] = writers_.try_emplace(scope->no);
                if (fresh) writer->second = store_.writer_on(*scope);
                first.writer = &writer->second;
                first.change = next_changes_.to(first.entry->id ? *first.entry->id : store_.make_id(), *first.type, *scope);
            }
            first.ready = false;
        }
        tell(taken);
    }

    void tell(std::size_t taken) {
        if (taken_.exchange(taken) != taken) taken_.notify_one();
    }

    void work_out_all() {
        for (;;) {
            const std::size_t taken = taken_;
            if (taken == kOver) return;
            if (!work_out_next()) taken_.wait(taken);
        }
    }

    bool work_out_next() {
        std::size_t mine = next_;
        do {
            const std::size_t taken = taken_;
            if (mine >= taken || taken == kOver) return false;
        } while (!next_.compare_exchange_weak(mine, mine + 1));
        at(mine).work_out(store_.env);
        return true;
    }

    Store& store_;
    const std::span<const Vault::Entry> entries_;
    const SchemaSet schema_;                  ///< of its own, so that the types stay
    std::map<std::int64_t, Writer> writers_;  ///< by scope; they do not look at other records
    NextChanges next_changes_;
    const std::int64_t database_version_;
    std::uint64_t turn_;
    std::array<First, kAhead> ring_;
    std::size_t written_ = 0;
    std::atomic<std::size_t> next_ = 0, taken_ = 0;  ///< written_ <= next_ <= taken_ <= written_ + kAhead
    /// Outlives these, for a helper that comes to it too late.
    const std::shared_ptr<std::atomic<Help>> help_ = std::make_shared<std::atomic<Help>>(Help::queued);
};

}  // namespace

void Vault::put_all(std::span<const Entry> entries, std::size_t per_transaction, const std::function<void(const Saved&)>& each) {
    Store& store = parts_->store;
    std::unique_ptr<Firsts> firsts;
    // Where one was put by itself, others soon are: what is worked out for them would be thrown away.
    std::size_t at = 0, alone = 0, last_alone = 0, in_a_row = 0;
    const auto save_next = [&] {
        const Entry& entry = entries[at++];
        if (alone == 0) {
            if (!firsts) firsts = std::make_unique<Firsts>(store, entries.subspan(at - 1));
            if (firsts->write_next()) {
                if (++in_a_row > last_alone) last_alone = 0;
                return firsts->take_out();
            }
            firsts.reset();
            alone = last_alone = std::min(2 * last_alone + 1, kMostAlone);
            in_a_row = 0;
        }
        --alone;
        return put(entry.type, entry.id, entry.scope, entry.fields);
    };
    while (at < entries.size()) {
        const std::size_t end = at + std::min(std::max<std::size_t>(per_transaction, 1), entries.size() - at);
        batch([&] {
            if (firsts && !firsts->stand()) firsts.reset();
            while (at < end) {
                const Saved saved = save_next();
                const std::uint64_t counter = store.heads.counter();
                each(saved);
                if (store.heads.counter() != counter) fail(ErrorCode::invalid, "nothing else is saved while many are put");
            }
        });
    }
}

}  // namespace kopdarbs
