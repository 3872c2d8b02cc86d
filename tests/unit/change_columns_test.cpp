// Changes by columns: whatever was signed comes out as it went in, little is said twice, and no message becomes more than it may.
#include "sync/protocol/change_columns.h"

#include "core/base/error.h"
#include "sync/protocol/column.h"
#include "sync/protocol/content_columns.h"
#include "sync/protocol/entries.h"
#include "sync/protocol/messages.h"
#include "tests/support/catch.h"
#include "tests/support/record_world.h"

using namespace kopdarbs;
using kopdarbs::sync::ChangeBytes;
using kopdarbs::sync::ChangeView;
using kopdarbs::test::Random;
using kopdarbs::test::replica_id;

namespace {

Bytes written(const std::vector<ChangeBytes>& changes) {
    std::vector<ChangeView> views;
    for (const ChangeBytes& c : changes) views.push_back({c.header, c.content});
    CborWriter out;
    sync::write_changes(out, views);
    return out.take();
}

std::vector<ChangeBytes> read(BytesView bytes, std::size_t octets = sync::kMaxMessageBytes) {
    CborReader in(bytes);
    sync::Budget budget(octets);
    std::vector<ChangeBytes> changes = sync::read_changes(in, 1'000'000, budget);
    in.finish();
    return changes;
}

bool comes_back(const std::vector<ChangeBytes>& changes) {
    const std::vector<ChangeBytes> back = read(written(changes));
    return std::equal(back.begin(), back.end(), changes.begin(), changes.end(),
                      [](const ChangeBytes& a, const ChangeBytes& b) { return a.header == b.header && a.content == b.content; });
}

Change edit(std::uint64_t counter, std::uint64_t record) {
    Change c;
    c.dot = {replica_id(1), counter};
    c.wall_ms = 1'795'255'323'004 + 7'001 * counter;
    c.stamp = Stamp::from_ms(c.wall_ms);
    c.author = "ilze";
    c.type = "home_visit";
    c.record.octets = {1, 2, 3, 4, 5, 6, 7, 8, static_cast<std::uint8_t>(record >> 8), static_cast<std::uint8_t>(record)};
    c.seen.add({replica_id(2), record + 1});
    c.ops = {{scalar_path("heating"), text_value("broken"), {}}};
    return c;
}

ReplicaId replica_of(std::uint64_t n) {
    ReplicaId id;
    id.octets[0] = static_cast<std::uint8_t>(n >> 8);
    id.octets[1] = static_cast<std::uint8_t>(n);
    id.octets[7] = 1;
    return id;
}

ChangeBytes bytes_of(Change c) {
    encode_change(c);
    return {c.header, c.content};
}

bool is_corrupt(BytesView bytes, std::size_t budget = sync::kMaxMessageBytes) {
    try {
        (void)read(bytes, budget);
        return false;
    } catch (const Error& e) {
        return e.code() == ErrorCode::corrupt;
    }
}

/// The block by its parts, so that one of them can be another.
std::vector<Value> parts_of(BytesView block) {
    std::vector<Value> parts;
    CborReader in(block);
    for (std::size_t n = in.array(); n > 0; --n) parts.emplace_back(in.item());
    return parts;
}

Bytes block_of(const std::vector<Value>& parts) {
    CborWriter w;
    w.array(parts.size());
    for (const Value& part : parts) w.raw(part);
    return w.take();
}

Value octets(BytesView bytes) {
    CborWriter w;
    w.octets(bytes);
    return w.take();
}

Value octets(std::initializer_list<int> values) {
    Bytes bytes;
    for (int v : values) bytes += static_cast<char>(v);
    return octets(bytes);
}

}  // namespace

TEST_CASE("any history comes back by columns as it was signed") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        test::World world(seed);
        for (int i = 0; i < 120; ++i) world.step();
        Random random(seed);
        std::vector<ChangeBytes> changes;
        for (const Change& c : world.changes) {
            if (random.chance(10)) continue;  // a message need not have everything
            changes.push_back({c.header, c.content});
            if (random.chance(5)) changes.push_back(changes[random.below(static_cast<std::uint32_t>(changes.size()))]);
        }
        REQUIRE(comes_back(changes));
        for (ChangeBytes& c : changes) {
            Bytes& target = random.chance(50) ? c.header : c.content;
            if (!random.chance(30)) continue;
            switch (random.below(4)) {
                case 0: target.clear(); break;
                case 1: target.resize(random.below(static_cast<std::uint32_t>(target.size() + 1))); break;
                case 2: target += static_cast<char>(random.below(256)); break;
                default:
                    if (!target.empty())
                        target[random.below(static_cast<std::uint32_t>(target.size()))] ^= static_cast<char>(1 + random.below(255));
            }
        }
        REQUIRE(comes_back(changes));
    }
}

TEST_CASE("what is not of the usual shape stands whole and comes back") {
    Change grouped = edit(1, 1);
    grouped.group = GroupId();
    Change far = edit(kMaxCounter, 2);
    far.prev = kMaxCounter - 1;
    far.wall_ms = kMaxCounter;
    far.stamp.packed = 0;
    far.heard.packed = kMaxStampMs << 16;
    Change spares = edit(3, 1);
    spares.ops[0].spares = {{replica_id(2), 2}};
    Change line = edit(4, 1);
    line.ops.push_back({{static_cast<std::uint32_t>(PathKind::line), "note", line_key({{replica_id(1), 4}, 2}), {}}, null_value(), {}});
    Change unknown = edit(5, 1);
    unknown.ops.push_back({{77, "", text_value("later"), int_value(3)}, int_value(4), {}});
    ChangeBytes newer = bytes_of(edit(6, 1));
    newer.header[0] = static_cast<char>(newer.header[0] + 1);  // sixteen parts
    newer.header += '\xf6';
    ChangeBytes other_length = bytes_of(edit(7, 1));
    other_length.content += '\xf6';
    const std::vector<ChangeBytes> all = {bytes_of(grouped), bytes_of(far),
                                          bytes_of(spares),  bytes_of(line),
                                          bytes_of(unknown), newer,
                                          other_length,      {"", ""},
                                          {"\xff", "\x81"},  {"\x8f", "\x81\x81\x82\x80\xf6"}};
    CHECK(comes_back(all));
    for (const ChangeBytes& one : all) CHECK(comes_back({one}));
    CHECK(comes_back({}));
}

TEST_CASE("more paths than a message has columns for are written out with their operations") {
    std::vector<ChangeBytes> changes;
    for (std::uint64_t i = 1; i <= 1'500; ++i) {
        Change c = edit(i, i);
        c.ops[0].path = scalar_path("field" + std::to_string(i));
        changes.push_back(bytes_of(c));
    }
    CHECK(comes_back(changes));
}

TEST_CASE("an edit that follows from those before costs its value, its record and a few octets") {
    std::vector<ChangeBytes> changes;
    std::map<std::uint64_t, std::uint64_t> last;
    for (std::uint64_t i = 1; i <= 5'000; ++i) {
        Change c = edit(i, i * 7 % 100);
        std::uint64_t& before = last[i * 7 % 100];
        if (before != 0) c.seen.add({replica_id(1), before});
        c.prev = before;
        before = i;
        changes.push_back(bytes_of(c));
    }
    const std::size_t value = text_value("broken").size();
    const std::size_t affordable = 5'000 * (value + 15) + 3'000;
    CHECK(written(changes).size() <= affordable);
    CHECK(CborReader(parts_of(written(changes))[13]).octets().size() == 100);  // one context a record: what its first change has seen
    CHECK(comes_back(changes));
    // What each has seen is what the other did before: nothing has to be said of it either.
    std::vector<ChangeBytes> turns;
    Context seen;
    for (std::uint64_t i = 1; i <= 1'000; ++i) {
        Change c = edit((i + 1) / 2, 1);
        c.dot.replica = replica_id(1 + i % 2);
        c.seen = seen;
        c.prev = seen.at(c.dot.replica);
        seen.add(c.dot);
        turns.push_back(bytes_of(c));
    }
    const std::vector<Value> parts = parts_of(written(turns));
    CHECK(CborReader(parts[13]).octets().size() == 1);  // one context: the first
    CHECK(comes_back(turns));
}

TEST_CASE("a path that other records have too is said once, and one of a single record with each change") {
    const auto cost = [](const Path& path) {
        const auto size = [&](std::uint64_t count) {
            std::vector<ChangeBytes> changes;
            for (std::uint64_t i = 1; i <= count; ++i) {
                Change c = edit(i, i);
                c.ops = {{path, bool_value(true), {}}};
                changes.push_back(bytes_of(c));
            }
            CHECK(comes_back(changes));
            return written(changes).size();
        };
        return size(100) - size(50);
    };
    const std::size_t least = cost(scalar_path("heating"));
    for (const Path& path : {element_path("needs", text_value("home care")), text_path("notes"), record_path(PathKind::life),
                             record_path(PathKind::seal), record_path(PathKind::amendment), record_path(PathKind::birth)}) {
        INFO(path.kind);
        CHECK(cost(path) == least);
    }
    for (const Path& path : {row_path("members", "r1"), column_path("members", "r1", "name"), counter_path("hours", replica_id(1)),
                             Path{static_cast<std::uint32_t>(PathKind::line), "notes", line_key({{replica_id(1), 1}, 0}), {}},
                             Path{static_cast<std::uint32_t>(PathKind::birth) + 1, {}, {}, {}}}) {
        INFO(path.kind);
        CHECK(cost(path) > least);
    }
}

TEST_CASE("columns that point at nothing, end too early or too late are corrupt") {
    const std::vector<ChangeBytes> changes = {bytes_of(edit(1, 1)), bytes_of(edit(2, 2))};
    const Bytes block = written(changes);
    const std::vector<Value> good = parts_of(block);
    REQUIRE(good.size() == 20);
    REQUIRE(read(block_of(good)).size() == 2);
    const auto with = [&](std::size_t part, Value value) {
        std::vector<Value> parts = good;
        parts[part] = std::move(value);
        return block_of(parts);
    };
    CHECK(is_corrupt(with(0, int_value(1))));           // rows are left over
    CHECK(is_corrupt(with(0, int_value(3))));           // rows are missing
    CHECK(is_corrupt(with(0, int_value(1'000'001))));   // more than the caller takes
    CHECK(is_corrupt(with(1, octets({1, 2, 3}))));      // half a replica
    CHECK(is_corrupt(with(1, octets({}))));             // origins and contexts name replicas that are not there
    CHECK(is_corrupt(with(4, octets({1, 2, 3}))));      // half a record
    CHECK(is_corrupt(with(5, octets({1, 2}))));         // an origin that is not there
    CHECK(is_corrupt(with(6, octets({0, 2}))));         // a record that is not there
    CHECK(is_corrupt(with(12, octets({0, 3}))));        // nobody can have seen that
    CHECK(is_corrupt(with(13, octets({1, 2}))));        // a context longer than its columns
    CHECK(is_corrupt(with(16, octets({1, 1, 1, 3}))));  // a shape that was not met
    CHECK(is_corrupt(with(16, octets({1, 1, 2, 2}))));  // a path that is not there
    CHECK(is_corrupt(with(19, octets({0x41}))));        // octets cut short, or nobody's
    for (std::size_t part = 1; part < good.size(); ++part) {
        CAPTURE(part);
        if (part == 2 || part == 17 || part == 18) continue;  // no octets
        Bytes longer(CborReader(good[part]).octets());
        longer += '\1';
        CHECK(is_corrupt(with(part, octets(longer))));
    }
    std::vector<Value> fewer = good, more = good;
    fewer.pop_back();
    more.push_back(null_value());
    CHECK(is_corrupt(block_of(fewer)));
    CHECK(read(block_of(more)).size() == 2);  // what a newer version appended
}

TEST_CASE("a context by columns is in order, names each replica once, and holds no zero") {
    Change c = edit(1, 1);
    c.seen.add({replica_id(3), 4});
    const std::vector<Value> good = parts_of(written({bytes_of(c)}));
    const Bytes replicas(CborReader(good[14]).octets()), counters(CborReader(good[15]).octets());
    REQUIRE(replicas.size() == 2);
    const auto with = [&](std::size_t part, Value value) {
        std::vector<Value> parts = good;
        parts[part] = std::move(value);
        return block_of(parts);
    };
    CHECK(is_corrupt(with(14, octets({replicas[1], replicas[0]}))));
    CHECK(is_corrupt(with(14, octets({replicas[0], replicas[0]}))));
    CHECK(is_corrupt(with(15, octets({0, counters[1]}))));
    CHECK(read(block_of(good)).size() == 1);
}

TEST_CASE("entries come back in their order, and are as many and of the kinds that they say") {
    Entry change, state;
    change.header = bytes_of(edit(1, 1)).header;
    change.content = bytes_of(edit(1, 1)).content;
    change.stamp = Stamp::from_ms(7);
    state.kind = Entry::Kind::state;
    state.type = "home_visit";
    state.doc = "{}";
    state.meta = "x";
    const auto read_back = [](BytesView bytes) {
        CborReader in(bytes);
        sync::Budget budget(sync::kMaxMessageBytes);
        std::vector<Entry> entries = sync::read_entries(in, budget);
        in.finish();
        return entries;
    };
    CborWriter out;
    sync::write_entries(out, {state, change, state, change});
    const std::vector<Entry> back = read_back(out.bytes());
    REQUIRE(back.size() == 4);
    CHECK(back[0].kind == Entry::Kind::state);
    CHECK(back[0].doc == "{}");
    CHECK(back[3].kind == Entry::Kind::change);
    CHECK(back[3].stamp == change.stamp);
    CHECK(back[3].header == change.header);
    const std::vector<Value> good = parts_of(out.bytes());
    std::vector<Value> base = good;
    const auto is_refused = [&](std::size_t part, Value value) {
        std::vector<Value> parts = base;
        parts[part] = std::move(value);
        try {
            (void)read_back(block_of(parts));
            return false;
        } catch (const Error& e) {
            return e.code() == ErrorCode::corrupt;
        }
    };
    CHECK(is_refused(0, octets({2, 1, 2})));
    CHECK(is_refused(0, octets({2, 1, 1, 2, 1})));
    CHECK(is_refused(0, octets({2, 1, 2, 2})));
    CHECK(is_refused(0, octets({2, 1, 3, 1})));
    sync::ColumnWriter late, more;
    for (std::uint64_t stamp : {std::uint64_t{1}, (kMaxStampMs << 16 | 0xffff) + 1}) late.put(stamp);
    for (std::uint64_t stamp : {1U, 2U, 3U}) more.put(stamp);
    CHECK(is_refused(1, octets(late.octets())));
    CHECK(is_refused(1, octets(more.octets())));
    CHECK(is_refused(2, null_value()));
    // One of the changes neither named nor dated: it would be dropped without a word.
    sync::ColumnWriter one;
    one.put(1);
    base[1] = octets(one.octets());
    CHECK(is_refused(0, octets({2, 1, 2})));
}

TEST_CASE("a small message does not become a large one") {
    // One long path, many values of one octet: each operation would be 200 octets.
    std::vector<ChangeBytes> changes;
    for (std::uint64_t i = 1; i <= 2'000; ++i) {
        Change c = edit(i, 1);
        c.ops[0] = {element_path("tags", text_value(std::string(180, 'x'))), bool_value(true), {}};
        changes.push_back(bytes_of(c));
    }
    const Bytes block = written(changes);
    std::size_t whole = 0;
    for (const ChangeBytes& c : changes) whole += c.header.size() + c.content.size();
    CHECK(block.size() * 10 < whole);
    CHECK(is_corrupt(block, whole / 2));
    CHECK(read(block, whole * 2).size() == 2'000);
}

TEST_CASE("a context said once does not become a thousand for nothing") {
    Change c = edit(1, 1);
    for (std::uint64_t i = 0; i < 4'000; ++i) c.seen.add({replica_of(i), 1});
    std::vector<ChangeBytes> changes;
    for (std::uint64_t i = 1; i <= 200; ++i) {
        c.dot = {replica_of(65'535), i};
        c.prev = i - 1;
        changes.push_back(bytes_of(c));
        c.seen.add(c.dot);
    }
    const Bytes block = written(changes);
    std::size_t whole = 0;
    for (const ChangeBytes& one : changes) whole += one.header.size() + one.content.size();
    CHECK(block.size() * 50 < whole);
    CHECK(is_corrupt(block, whole - 1));
    CHECK(read(block, whole + 200 * 100 + 4'001 * 100).size() == 200);
}

TEST_CASE("what all have seen stops growing at what a context may hold") {
    Change first = edit(1, 1), second = edit(1, 1), third = edit(1, 1);
    first.seen = second.seen = Context();
    for (unsigned i = 0; i < 30; ++i)
        for (unsigned k = 0; k < 100; ++k) {
            first.seen.add({replica_of(i * 100U + k), 1});
            second.seen.add({replica_of(10'000U + i * 100U + k), 1});
        }
    first.dot.replica = replica_of(60'001);
    second.dot.replica = replica_of(60'002);
    third.dot.replica = replica_of(60'003);
    third.seen = first.seen;
    third.seen.add(first.dot);
    const std::vector<ChangeBytes> changes = {bytes_of(first), bytes_of(second), bytes_of(third)};
    CHECK(CborReader(parts_of(written(changes))[12]).octets() == Bytes("\x00\x02\x01", 3));
    CHECK(comes_back(changes));
}

TEST_CASE("the most that a context, a content and a table may have comes back, and so does what is more") {
    Change many_ops = edit(1, 1), too_many_ops = edit(2, 1), wide = edit(3, 1);
    many_ops.ops.resize(kMaxOps, many_ops.ops[0]);
    too_many_ops.ops.resize(kMaxOps + 1, many_ops.ops[0]);
    wide.seen = Context();
    for (std::size_t i = 0; i < kMaxReplicasInContext; ++i) wide.seen.add({replica_of(i), 1});
    Change wider = wide;
    wider.dot.counter = 4;
    wider.seen.add({replica_of(65'281), 1});
    const std::vector<ChangeBytes> changes = {bytes_of(many_ops), bytes_of(too_many_ops), bytes_of(wide), bytes_of(wider)};
    CHECK(comes_back(changes));
    const std::vector<Value> parts = parts_of(written(changes));
    CHECK(CborReader(parts[5]).octets() == Bytes("\x01\x01\x01\x00", 4));  // only the widest header stands whole
    CHECK(CborReader(parts[19]).octets().size() > bytes_of(too_many_ops).content.size());
    // An origin to which a newer version appended something.
    std::vector<Value> newer = parts;
    CborReader origins(newer[2]);
    REQUIRE(origins.array() == 1);
    REQUIRE(origins.array() == 5);
    CborWriter longer;
    longer.array(1);
    longer.array(6);
    for (int i = 0; i < 5; ++i) longer.raw(origins.item());
    longer.null();
    newer[2] = longer.take();
    CHECK(read(block_of(newer)).size() == 4);
}

TEST_CASE("numbers of a column come back, and only in their shortest form") {
    const std::vector<std::uint64_t> numbers = {0, 1, 127, 128, 300, 16'383, 16'384, UINT64_MAX >> 1, UINT64_MAX - 1, UINT64_MAX};
    sync::ColumnWriter out;
    for (std::uint64_t n : numbers) out.put(n);
    for (std::uint64_t from : numbers)
        for (std::uint64_t to : numbers) out.put_from(from, to);
    sync::ColumnReader in(out.octets());
    for (std::uint64_t n : numbers) REQUIRE(in.next() == n);
    for (std::uint64_t from : numbers)
        for (std::uint64_t to : numbers) REQUIRE(in.next_from(from) == to);
    in.finish();
    sync::ColumnWriter near;
    near.put_from(10, 9);
    near.put_from(10, 11);
    CHECK(near.octets() == Bytes("\x01\x02"));
    for (const Bytes& bad : {Bytes(), Bytes("\x80", 1), Bytes("\x80\x00", 2), Bytes(9, '\xff') + '\x02', Bytes(10, '\xff') + '\x01'}) {
        CAPTURE(to_hex(bad));
        CHECK_THROWS_AS(sync::ColumnReader(bad).next(), Error);
    }
    CHECK(sync::ColumnReader(Bytes(9, '\xff') + '\x01').next() == UINT64_MAX);
}
