#include "probe/held_spans.h"

#include <gtest/gtest.h>

namespace tachostat::probe {
namespace {

using trace::Kind;

void put(HeldSpans& held, std::uint64_t begin, std::uint64_t end, std::uint32_t thread, Kind kind) {
  held.inbox().names = {"name"};
  held.inbox().spans.push_back({.begin_ns = begin, .end_ns = end, .thread = thread, .kind = kind});
}

HeldSpans::Looked request(std::uint64_t begin, std::uint64_t end, std::uint32_t thread,
                          bool alone = true) {
  return {.mark = {.session = 1, .thread = thread, .begin_ns = begin, .end_ns = end, .bucket = ""},
          .alone = alone};
}

HeldSpans::Known ended(std::vector<HeldSpans::Looked> requests) {
  return {.requests = std::move(requests)};
}

TEST(HeldSpans, NothingGivesNothing) {
  HeldSpans held;
  const trace::Trace trace = held.take({});
  EXPECT_TRUE(trace.spans.empty());
  EXPECT_TRUE(trace.marks.empty());
}

TEST(HeldSpans, TheEdgesOfAMarkBelongToIt) {
  HeldSpans held;
  put(held, 100, 200, 1, Kind::kRequest);
  put(held, 99, 200, 1, Kind::kRequest);
  put(held, 100, 201, 1, Kind::kRequest);
  put(held, 120, 130, 2, Kind::kRequest);  // another thread
  EXPECT_EQ(held.take(ended({request(100, 200, 1)})).spans.size(), 1u);
}

TEST(HeldSpans, TellsRequestsApartThatTouch) {
  HeldSpans held;
  put(held, 100, 200, 1, Kind::kLayer);
  put(held, 200, 300, 1, Kind::kLayer);
  put(held, 150, 250, 1, Kind::kLayer);  // across both: of neither
  EXPECT_EQ(held.take(ended({request(200, 300, 1), request(100, 200, 1)})).spans.size(), 2u);
}

TEST(HeldSpans, WorkersCountOnlyForRequestsAlone) {
  for (const bool alone : {true, false}) {
    HeldSpans held;
    put(held, 110, 120, 1, Kind::kWorker);
    put(held, 110, 120, 9, Kind::kWorker);
    put(held, 110, 120, 9, Kind::kPrimitive);
    put(held, 110, 120, 1, Kind::kPrimitive);
    put(held, 110, 120, 1, Kind::kLayer);
    EXPECT_EQ(held.take(ended({request(100, 200, 1, alone)})).spans.size(), alone ? 5u : 2u);
  }
}

TEST(HeldSpans, KeepsAWorkersSpanThatReachesBeyondItsRequest) {
  HeldSpans held;
  put(held, 150, 260, 9, Kind::kWorker);
  put(held, 90, 300, 8, Kind::kWorker);
  put(held, 200, 260, 9, Kind::kWorker);
  put(held, 90, 100, 8, Kind::kWorker);
  const trace::Trace trace = held.take(ended({request(100, 200, 1, true)}));
  ASSERT_EQ(trace.spans.size(), 2u);
  EXPECT_EQ(trace.spans[0].begin_ns, 150u);
  EXPECT_EQ(trace.spans[1].begin_ns, 90u);
}

TEST(HeldSpans, KeepsSpansOfRequestsInFlightOnly) {
  HeldSpans held;
  put(held, 110, 120, 1, Kind::kLayer);
  put(held, 110, 120, 2, Kind::kLayer);
  // Requests 1 and 2 are in flight.
  EXPECT_TRUE(held.take({.requests = {}, .last_started = 2, .oldest_in_flight = 1}).spans.empty());
  // 1 ended; 2 is still in flight, and 3 has begun since.
  trace::Trace trace =
      held.take({.requests = {request(100, 200, 1)}, .last_started = 3, .oldest_in_flight = 2});
  ASSERT_EQ(trace.spans.size(), 1u);
  EXPECT_EQ(trace.name(trace.spans[0]), "name");
  // 2 is gone without a mark: its spans go too, though 3 is in flight.
  EXPECT_TRUE(held.take({.requests = {}, .last_started = 3, .oldest_in_flight = 3}).spans.empty());
  EXPECT_TRUE(held.take(ended({request(100, 200, 2)})).spans.empty());
}

TEST(HeldSpans, IsBounded) {
  HeldSpans held;
  put(held, 1, 2, 1, Kind::kLayer);
  held.take({.requests = {}, .last_started = 1, .oldest_in_flight = 1});
  held.inbox().spans.assign(HeldSpans::kMost, {.begin_ns = 1, .end_ns = 2, .thread = 1});
  // The oldest batch goes.
  EXPECT_EQ(held.take({.requests = {}, .last_started = 1, .oldest_in_flight = 1}).dropped, 1u);
  EXPECT_EQ(held.take(ended({request(1, 2, 1)})).spans.size(), HeldSpans::kMost);
}

}  // namespace
}  // namespace tachostat::probe
