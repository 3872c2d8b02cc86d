// Messages to and from a newer version: whatever it appended to a part of a message is passed over.
#include "sync/protocol/messages.h"

#include <functional>

#include "core/base/error.h"
#include "tests/support/catch.h"
#include "tests/support/town.h"

using namespace kopdarbs;
using namespace kopdarbs::sync;
using namespace kopdarbs::test;

namespace {

/// Copies an item; the array that `left` counts down to is given one more element, null.
void lengthen(CborReader& in, CborWriter& out, std::size_t& left) {
    if (in.peek() != CborType::array) return out.raw(in.item());
    const bool here = left-- == 0;
    const std::size_t count = in.array();
    out.array(count + (here ? 1 : 0));
    for (std::size_t i = 0; i < count; ++i) lengthen(in, out, left);
    if (here) out.null();
}

/// How many of a message's arrays may be longer, and read as if they were not. `again` reads a message and writes it.
std::size_t open_ended(BytesView message, const std::function<Bytes(BytesView)>& again) {
    REQUIRE(again(message) == message);
    std::size_t count = 0;
    for (std::size_t number = 0;; ++number) {
        CborReader in(message);
        CborWriter out;
        std::size_t left = number;
        lengthen(in, out, left);
        if (out.bytes() == message) return count;
        Bytes read;
        try {
            read = again(out.bytes());
        } catch (const Error& e) {
            CHECK(e.code() == ErrorCode::corrupt);
            continue;
        }
        if (read == message) ++count;  // else it is of a change, whose parts are kept, known or not
    }
}

}  // namespace

TEST_CASE("what a newer version appends to a message, or to a part of one, is passed over") {
    Town town;
    const auto ilze = town.enrol("ilze");
    ilze->create("home_visit", "H-17", R"({"place":"A"})");
    std::uint64_t last = 0;

    SyncRequest request;
    request.cursors = ilze->vault().replica().cursors();
    request.cursors->resize(1);
    request.feeds = ilze->vault().replica().outgoing(0, 1'000'000, last);
    REQUIRE(request.feeds.size() == 1);
    const auto request_again = [](BytesView bytes) { return encode(decode_request(bytes)); };
    SyncRequest bare = request;
    bare.feeds.clear();
    CHECK(open_ended(encode(bare), request_again) == 2);     // itself and its cursor
    CHECK(open_ended(encode(request), request_again) == 5);  // its feed too, and two arrays of its block of changes

    SyncResponse response;
    response.incoming.decision.emplace();
    response.incoming.pages.emplace_back();
    response.incoming.scopes.emplace(1);
    const auto response_again = [](BytesView bytes) { return encode(decode_response(bytes)); };
    CHECK(open_ended(encode(response), response_again) == 6);  // itself, its decision, states, page with entries, and grant

    const auto problem_again = [](BytesView bytes) { return encode(decode_problem(bytes)); };
    CHECK(open_ended(encode(ProblemDocument{"invalid", "no"}), problem_again) == 1);
    const auto introduction_again = [](BytesView bytes) { return encode(decode_introduction(bytes)); };
    CHECK(open_ended(encode(ServerIntroduction{}), introduction_again) == 1);
    const auto enrol_again = [](BytesView bytes) { return encode(decode_enrol_request(bytes)); };
    CHECK(open_ended(encode(EnrolRequest{"code", {}}), enrol_again) == 1);
    const auto enrolled_again = [](BytesView bytes) { return encode(decode_enrol_response(bytes)); };
    CHECK(open_ended(encode(EnrolResponse{}), enrolled_again) == 1);
}
