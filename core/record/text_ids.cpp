#include "core/record/text_ids.h"

#include <algorithm>

namespace kopdarbs::text {

void ReplicaChars::append(std::uint64_t counter, std::uint32_t size, std::uint32_t count) {
    if (!runs_.empty() && runs_.back().size == size && runs_.back().counter + runs_.back().count == counter) {
        runs_.back().count += count;
    } else {
        runs_.push_back({counter, chars_, size, count});
    }
    chars_ += size * count;
}

std::uint32_t ReplicaChars::insert(std::uint64_t counter, std::uint32_t size) {
    if (runs_.empty() || counter > last_counter()) {
        append(counter, size);
        return chars_ - size;
    }
    std::vector<ChangeRun> runs;
    runs.swap(runs_);
    chars_ = 0;
    std::uint32_t key = 0;
    bool placed = false;
    for (const ChangeRun& run : runs) {
        if (!placed && counter < run.counter) {
            key = chars_;
            append(counter, size);
            placed = true;
        }
        append(run.counter, run.size, run.count);
    }
    return key;
}

const ChangeRun* ReplicaChars::run_of_change(std::uint64_t counter) const {
    if (runs_.empty()) return nullptr;
    const ChangeRun* run = &runs_.back();
    if (counter < run->counter) {
        const auto after =
            std::upper_bound(runs_.begin(), runs_.end(), counter, [](std::uint64_t c, const ChangeRun& r) { return c < r.counter; });
        if (after == runs_.begin()) return nullptr;
        run = &*(after - 1);
    }
    return counter - run->counter < run->count ? run : nullptr;
}

const ChangeRun& ReplicaChars::run_of_key(std::uint32_t key) const {
    if (key >= runs_.back().key) return runs_.back();
    const auto after = std::upper_bound(runs_.begin(), runs_.end(), key, [](std::uint32_t k, const ChangeRun& r) { return k < r.key; });
    return *(after - 1);
}

CharId ReplicaChars::id_of(std::uint32_t key) const {
    const ChangeRun& run = run_of_key(key);
    const std::uint32_t past = key - run.key;
    if (run.size == 1) return {{id_, run.counter + past}, 0};
    return {{id_, run.counter + past / run.size}, past % run.size};
}

std::uint32_t ReplicaChars::chars_up_to(std::uint64_t counter) const {
    const auto after =
        std::upper_bound(runs_.begin(), runs_.end(), counter, [](std::uint64_t c, const ChangeRun& r) { return c < r.counter; });
    if (after == runs_.begin()) return 0;
    const ChangeRun& run = *(after - 1);
    const std::uint64_t changes = std::min<std::uint64_t>(counter - run.counter + 1, run.count);
    return run.key + run.size * static_cast<std::uint32_t>(changes);
}

std::uint32_t CharIds::number_of(const ReplicaId& id) const {
    for (std::uint32_t i = 1; i < replicas_.size(); ++i)
        if (replicas_[i].is(id)) return i;
    return 0;
}

std::uint32_t CharIds::number_or_add(const ReplicaId& id) {
    const std::uint32_t number = number_of(id);
    if (number != 0) return number;
    replicas_.emplace_back(id);
    return replicas() - 1;
}

bool CharIds::find(const CharId& id, Ref& ref) const {
    if (id.dot.is_zero()) {
        ref = {};
        return id.offset == 0;
    }
    const std::uint32_t number = number_of(id.dot.replica);
    if (number == 0) return false;
    const ChangeRun* run = replicas_[number].run_of_change(id.dot.counter);
    if (run == nullptr || id.offset >= run->size) return false;
    ref = {number, run->key + static_cast<std::uint32_t>(id.dot.counter - run->counter) * run->size + id.offset};
    return true;
}

std::vector<std::uint32_t> CharIds::in_order() const {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t i = 1; i < replicas_.size(); ++i) numbers.push_back(i);
    std::sort(numbers.begin(), numbers.end(), [this](std::uint32_t a, std::uint32_t b) { return replicas_[a].id() < replicas_[b].id(); });
    return numbers;
}

std::uint64_t CharIds::total() const {
    std::uint64_t sum = 0;
    for (std::uint32_t i = 1; i < replicas_.size(); ++i) sum += replicas_[i].chars();
    return sum;
}

}  // namespace kopdarbs::text
