// The replay of traces: reading them, making the changes on states that hold just their parents, delivering them in several orders.
//
// A sequential trace is one replica's; in a concurrent one each transaction names its parents, and an author's id sorts as the
// author's number does.
#include "tools/bench/text.h"

#include <openssl/evp.h>
#include <sys/resource.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "core/record/text.h"

namespace kopdarbs::bench {
namespace {

struct Transaction {
    std::vector<std::size_t> parents;
    std::size_t children = 0;
    std::uint32_t agent = 0;
    std::vector<Splice> splices;
};

struct Trace {
    bool concurrent = false;
    std::string end;
    std::vector<Transaction> transactions;
    std::size_t edits = 0;
};

[[noreturn]] void no_trace(const char* why) {
    throw std::runtime_error(std::string("not a trace: ") + why);
}

/// Reads JSON straight into a trace: a document tree of a large one would be most of the memory measured.
class TraceReader {
public:
    explicit TraceReader(const std::string& json) : at_(json.data()), end_(at_ + json.size()) {}

    Trace read() {
        Trace trace;
        object([&](const std::string& key) {
            if (key == "kind") {
                trace.concurrent = string() == "concurrent";
            } else if (key == "startContent") {
                if (!string().empty()) no_trace("a start that is not empty");
            } else if (key == "endContent") {
                trace.end = string();
            } else if (key == "txns") {
                array([&] { trace.transactions.push_back(transaction(trace.edits)); });
            } else {
                skip();
            }
        });
        return trace;
    }

private:
    Transaction transaction(std::size_t& edits) {
        Transaction t;
        object([&](const std::string& key) {
            if (key == "parents") {
                array([&] { t.parents.push_back(number()); });
            } else if (key == "numChildren") {
                t.children = number();
            } else if (key == "agent") {
                t.agent = static_cast<std::uint32_t>(number());
            } else if (key == "patches") {
                array([&] { t.splices.push_back(patch()); });
            } else {
                skip();
            }
        });
        edits += t.splices.size();
        return t;
    }

    Splice patch() {
        Splice splice;
        expect('[');
        splice.position = static_cast<std::uint32_t>(number());
        expect(',');
        splice.deleted = static_cast<std::uint32_t>(number());
        expect(',');
        splice.inserted = string();
        expect(']');
        return splice;
    }

    char peek() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
        if (at_ == end_) no_trace("it ends too early");
        return *at_;
    }
    char take() {
        if (at_ == end_) no_trace("it ends too early");
        return *at_++;
    }
    void expect(char c) {
        if (peek() != c) no_trace("unexpected JSON");
        ++at_;
    }
    template <class Each>
    void array(Each each) {
        expect('[');
        for (bool first = true; peek() != ']'; first = false) {
            if (!first) expect(',');
            each();
        }
        expect(']');
    }
    template <class Each>
    void object(Each each) {
        expect('{');
        for (bool first = true; peek() != '}'; first = false) {
            if (!first) expect(',');
            const std::string key = string();
            expect(':');
            each(key);
        }
        expect('}');
    }
    void skip() {
        switch (peek()) {
            case '{': object([&](const std::string&) { skip(); }); break;
            case '[': array([&] { skip(); }); break;
            case '"': string(); break;
            default:
                while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']') ++at_;
        }
    }
    std::size_t number() {
        std::size_t value = 0;
        if (peek() < '0' || *at_ > '9') no_trace("a number was expected");
        while (at_ != end_ && *at_ >= '0' && *at_ <= '9') value = value * 10 + static_cast<std::size_t>(*at_++ - '0');
        return value;
    }
    std::uint32_t hex4() {
        std::uint32_t value = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = take();
            value = value << 4 | static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        }
        return value;
    }
    void put_scalar(std::uint32_t c, std::string& out) {
        if (c < 0x80) {
            out += static_cast<char>(c);
        } else if (c < 0x800) {
            out += {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
        } else if (c < 0x10000) {
            out += {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
        } else {
            out += {static_cast<char>(0xf0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)), static_cast<char>(0x80 | (c >> 6 & 63)),
                    static_cast<char>(0x80 | (c & 63))};
        }
    }
    std::string string() {
        expect('"');
        std::string out;
        for (char c = take(); c != '"'; c = take()) {
            if (c != '\\') {
                out += c;
                continue;
            }
            c = take();
            const std::string_view from = "nrtbf", to = "\n\r\t\b\f";
            if (c == 'u') {
                std::uint32_t scalar = hex4();
                if (scalar >= 0xd800 && scalar < 0xdc00 && take() == '\\' && take() == 'u')
                    scalar = 0x10000 + ((scalar - 0xd800) << 10) + (hex4() - 0xdc00);
                put_scalar(scalar, out);
            } else {
                out += from.find(c) == from.npos ? c : to[from.find(c)];
            }
        }
        return out;
    }

    const char* at_;
    const char* end_;
};

std::string read_file(const std::string& file) {
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(gzopen(file.c_str(), "rb"), gzclose);  // reads plain files too
    if (!in) throw std::runtime_error("cannot open " + file);
    std::string all;
    std::array<char, 1 << 16> buffer;
    for (int size = 0; (size = gzread(in.get(), buffer.data(), buffer.size())) != 0;) {
        if (size < 0) throw std::runtime_error("cannot read " + file);
        all.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return all;
}

class CpuClock {
public:
    double seconds() const { return now() - start_; }
    /// What reading the clock adds to each measurement: it counts where single edits are measured.
    static double cost_s() {
        constexpr int kReadings = 1000;
        double sum = 0;
        for (int i = 0; i < kReadings; ++i) sum += CpuClock().seconds();
        return sum / kReadings;
    }

private:
    static double now() {
        timespec t{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
    }
    double start_ = now();
};

struct Change {
    Dot dot;
    Value ops;
};

ReplicaId replica_of(std::uint32_t agent) {
    ReplicaId id;
    for (std::size_t i = 0; i < 4; ++i) id.octets[7 - i] = static_cast<std::uint8_t>((agent + 1) >> (8 * i));
    id.octets[0] = 0x5e;
    return id;
}

/// Makes every transaction a change, on a text that holds what its parents hold.
class Authors {
public:
    explicit Authors(const Trace& trace) : trace_(trace) {
        changes.reserve(trace.transactions.size());
        std::map<std::uint32_t, std::uint64_t> counters;
        for (const Transaction& t : trace.transactions) changes.push_back({{replica_of(t.agent), ++counters[t.agent]}, {}});
    }

    void run() { trace_.concurrent ? run_concurrent() : run_sequential(); }

    std::vector<Change> changes;
    Text text;
    double cpu_s = 0;

private:
    void run_sequential() {
        const CpuClock clock;
        for (std::size_t i = 0; i < changes.size(); ++i) make(i, text);
        cpu_s = clock.seconds();
    }

    void run_concurrent() {
        std::map<std::size_t, State> states;
        const double clock_cost_s = CpuClock::cost_s();
        for (std::size_t i = 0; i < changes.size(); ++i) {
            const Transaction& t = trace_.transactions[i];
            Text at = merged(t.parents, states);
            const CpuClock clock;
            make(i, at);
            cpu_s += std::max(0.0, clock.seconds() - clock_cost_s);
            if (t.children == 0) {
                text.join(at);
            } else {
                states.emplace(i, State{std::move(at), t.children});
            }
        }
    }

    struct State {
        Text text;
        std::size_t readers;  ///< transactions that still start from it
    };

    static Text merged(const std::vector<std::size_t>& parents, std::map<std::size_t, State>& states) {
        Text all;
        for (std::size_t parent : parents) {
            const auto found = states.find(parent);
            if (found == states.end()) no_trace("a parent that does not exist");
            if (--found->second.readers > 0) {
                all.join(found->second.text);
                continue;
            }
            if (all.untouched()) {
                all = std::move(found->second.text);
            } else {
                all.join(found->second.text);
            }
            states.erase(found);
        }
        return all;
    }

    void make(std::size_t i, Text& at) {
        const TextEdit edit = at.splice(changes[i].dot, trace_.transactions[i].splices);
        changes[i].ops = encode_text_ops(edit.ops, changes[i].dot);
    }

    const Trace& trace_;
};

/// Orders in which a replica may hear the changes: as recorded, the newest that is ready first, and any that is ready.
std::vector<std::vector<std::size_t>> causal_orders(const Trace& trace) {
    const std::size_t count = trace.transactions.size();
    std::vector<std::vector<std::size_t>> orders(1);
    for (std::size_t i = 0; i < count; ++i) orders[0].push_back(i);
    if (!trace.concurrent) return orders;
    std::vector<std::vector<std::size_t>> children(count);
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t parent : trace.transactions[i].parents) children[parent].push_back(i);
    std::mt19937 random(1);
    for (const bool newest : {true, false}) {
        std::vector<std::size_t> missing, ready, order;
        for (std::size_t i = 0; i < count; ++i) {
            missing.push_back(trace.transactions[i].parents.size());
            if (missing.back() == 0) ready.push_back(i);
        }
        while (!ready.empty()) {
            if (!newest) std::swap(ready[random() % ready.size()], ready.back());
            const std::size_t next = ready.back();
            ready.pop_back();
            order.push_back(next);
            for (std::size_t child : children[next])
                if (--missing[child] == 0) ready.push_back(child);
        }
        orders.push_back(order);
    }
    return orders;
}

Text hear(const std::vector<Change>& changes, const std::vector<std::size_t>& order) {
    Text text;
    for (std::size_t i : order) text.apply(changes[i].dot, decode_text_ops(changes[i].ops, changes[i].dot));
    return text;
}

double hear_batch(const std::vector<Change>& changes, const std::vector<std::size_t>& order, const Text& expected) {
    const CpuClock clock;
    const Text text = hear(changes, order);
    const std::string shown = text.text();
    const double cpu_s = clock.seconds();
    return shown == expected.text() && text.encode() == expected.encode() ? cpu_s : -1;
}

double hear_each(const std::vector<Change>& changes, const std::vector<std::size_t>& order, const Text& expected) {
    const CpuClock clock;
    Text text;
    std::string line;
    std::uint64_t length = 0;
    for (std::size_t i : order) {
        text.apply(changes[i].dot, decode_text_ops(changes[i].ops, changes[i].dot));
        text.line({}, line);
        length += text.length();
    }
    const double cpu_s = clock.seconds();
    return length > 0 && text.encode() == expected.encode() ? cpu_s : -1;
}

/// The median of several runs.
template <class Run>
double median_cpu_s(Run run) {
    std::vector<double> times;
    for (int i = 0; i < 21; ++i) {
        const CpuClock clock;
        run();
        times.push_back(clock.seconds());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

std::string sha256_hex(const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) throw std::runtime_error("SHA-256 failed");
    return to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace

int bench_text(const std::string& file) {
    const Trace trace = TraceReader(read_file(file)).read();
    Authors authors(trace);
    authors.run();
    std::size_t ops_bytes = 0;
    for (const Change& change : authors.changes) ops_bytes += change.ops.size();

    const std::vector<std::vector<std::size_t>> orders = causal_orders(trace);
    bool equal = true;
    for (const auto& order : orders) equal = hear_batch(authors.changes, order, authors.text) >= 0 && equal;
    const double batch_cpu_s = hear_batch(authors.changes, orders[0], authors.text);
    const double each_cpu_s = hear_each(authors.changes, orders[0], authors.text);

    const std::string text = authors.text.text();
    const Value structure = authors.text.encode();
    const double load_s = median_cpu_s([&] { (void)Text::decode(structure, text); });
    const Dot next{replica_of(0), authors.changes.size() + 1};
    const double load_edit_s = median_cpu_s([&] {
        Text loaded = Text::decode(structure, text);
        (void)encode_text_ops(loaded.splice(next, {{loaded.length() / 2, 0, "x"}}).ops, next);
    });
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const bool matches = text == trace.end;
    std::printf(
        "{\"edits\":%zu,\"local_cpu_s\":%.6f,\"remote_batch_cpu_s\":%.6f,\"remote_each_cpu_s\":%.6f,\"ops_bytes\":%zu,\"state_bytes\":%zu,"
        "\"load_s\":%.6f,\"load_edit_s\":%.6f,\"peak_kib\":%ld,\"length\":%u,\"sha256\":\"%s\",\"matches\":%s,\"replicas_equal\":%s}\n",
        trace.edits, authors.cpu_s, batch_cpu_s, each_cpu_s, ops_bytes, structure.size() + text.size(), load_s, load_edit_s,
        usage.ru_maxrss, authors.text.length(), sha256_hex(text).c_str(), matches ? "true" : "false", equal ? "true" : "false");
    return matches && equal && batch_cpu_s >= 0 && each_cpu_s >= 0 ? 0 : 1;
}

}  // namespace kopdarbs::bench
