#include "profile/attribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace tachostat::profile {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using trace::Kind;
using trace::Trace;

// Name 0 is "model", then layers "a", "b" and "body".
Trace empty_trace() {
  Trace trace;
  trace.names = {"model", "a", "b", "body"};
  return trace;
}

void add(Trace& trace, Kind kind, std::uint32_t name, std::uint32_t thread, std::uint64_t begin,
         std::uint64_t end) {
  trace.spans.push_back(
      {.begin_ns = begin, .end_ns = end, .name = name, .thread = thread, .kind = kind});
}

void mark(Trace& trace, std::uint64_t session, std::uint32_t thread, std::uint64_t begin,
          std::uint64_t end) {
  trace.marks.push_back({session, thread, begin, end, "x[1]"});
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> times(const Attribution& attribution) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> result;
  for (const RequestRun& run : attribution.requests) result.emplace_back(run.begin_ns, run.end_ns);
  return result;
}

std::vector<std::uint32_t> names(const Attribution& attribution) {
  std::vector<std::uint32_t> result;
  for (const LayerRun& run : attribution.layers) result.push_back(run.name);
  return result;
}

TEST(Attribution, EmptyTraceHasNothing) {
  EXPECT_THAT(attribute({}).requests, IsEmpty());
  EXPECT_THAT(attribute({}).layers, IsEmpty());
}

TEST(Attribution, RequestSpanIsTakenBySessionsMark) {
  Trace trace = empty_trace();
  mark(trace, 7, 1, 100, 210);
  add(trace, Kind::kRequest, 0, 1, 105, 200);
  add(trace, Kind::kLayer, 2, 1, 150, 190);
  add(trace, Kind::kLayer, 1, 1, 110, 140);
  const Attribution attribution = attribute(trace);
  EXPECT_THAT(times(attribution), ElementsAre(std::pair(105, 200)));
  EXPECT_THAT(names(attribution), ElementsAre(1, 2));
}

TEST(Attribution, MarkWithoutRequestSpanStandsForItself) {
  Trace trace = empty_trace();
  mark(trace, 7, 1, 100, 200);
  add(trace, Kind::kLayer, 1, 1, 110, 140);
  const Attribution attribution = attribute(trace);
  EXPECT_THAT(times(attribution), ElementsAre(std::pair(100, 200)));
  EXPECT_THAT(names(attribution), ElementsAre(1));
}

TEST(Attribution, RequestSpanWithoutMarkIsIgnored) {
  Trace trace = empty_trace();
  add(trace, Kind::kRequest, 0, 1, 105, 200);
  add(trace, Kind::kLayer, 1, 1, 110, 140);
  mark(trace, 7, 2, 100, 210);  // another thread
  const Attribution attribution = attribute(trace);
  EXPECT_THAT(times(attribution), ElementsAre(std::pair(100, 210)));
  EXPECT_THAT(attribution.layers, IsEmpty());
}

TEST(Attribution, NeighbourThatOnlyTouchesTheMarkIsNotTaken) {
  Trace trace = empty_trace();
  mark(trace, 7, 1, 100, 200);
  add(trace, Kind::kRequest, 0, 1, 190, 400);
  EXPECT_THAT(times(attribute(trace)), ElementsAre(std::pair(100, 200)));
}

TEST(Attribution, OverlappingMarksShareNoTime) {
  Trace trace = empty_trace();
  mark(trace, 7, 1, 100, 200);
  mark(trace, 8, 1, 150, 300);
  mark(trace, 9, 1, 160, 170);
  add(trace, Kind::kLayer, 1, 1, 160, 165);
  const Attribution attribution = attribute(trace);
  EXPECT_THAT(times(attribution), ElementsAre(std::pair(100, 200), std::pair(200, 300)));
  EXPECT_THAT(names(attribution), ElementsAre(1));
}

TEST(Attribution, NestedAndOverlappingLayersCountOnce) {
  Trace trace = empty_trace();
  mark(trace, 7, 1, 0, 100);
  add(trace, Kind::kLayer, 1, 1, 10, 50);
  add(trace, Kind::kLayer, 2, 1, 10, 50);  // same interval: one of them
  add(trace, Kind::kLayer, 2, 1, 20, 30);
  add(trace, Kind::kLayer, 2, 1, 40, 60);
  add(trace, Kind::kLayer, 2, 1, 50, 70);  // begins where the first ends: a layer of its own
  const Attribution attribution = attribute(trace);
  ASSERT_THAT(attribution.layers, SizeIs(2));
  EXPECT_EQ(attribution.layers[0].begin_ns, 10);
  EXPECT_EQ(attribution.layers[0].end_ns, 50);
  EXPECT_EQ(attribution.layers[1].begin_ns, 50);
}

TEST(Attribution, LayersOutsideOrAcrossTheRequestAreIgnored) {
  Trace trace = empty_trace();
  mark(trace, 7, 1, 100, 200);
  add(trace, Kind::kLayer, 1, 1, 90, 110);
  add(trace, Kind::kLayer, 1, 1, 190, 210);
  add(trace, Kind::kLayer, 1, 1, 50, 60);
  add(trace, Kind::kLayer, 1, 1, 300, 310);
  EXPECT_THAT(attribute(trace).layers, IsEmpty());
}

TEST(Attribution, BrokenSpansAreIgnored) {
  Trace trace = empty_trace();
  mark(trace, 7, 1, 100, 200);
  mark(trace, 7, 1, 400, 300);
  mark(trace, 7, 1, 0, std::numeric_limits<std::uint64_t>::max());
  add(trace, Kind::kLayer, 1, 1, 150, 140);
  add(trace, Kind::kLayer, 99, 1, 110, 120);
  add(trace, Kind::kRequest, 0, 1, 0, std::numeric_limits<std::uint64_t>::max());
  add(trace, Kind::kWorker, 3, 1, 150, std::numeric_limits<std::uint64_t>::max());
  const Attribution attribution = attribute(trace);
  EXPECT_THAT(times(attribution), ElementsAre(std::pair(100, 200)));
  EXPECT_THAT(attribution.layers, IsEmpty());
}

TEST(Attribution, WorkersBelongToTheLayerThatRunsWhenTheyBegin) {
  Trace trace = empty_trace();
  mark(trace, 7, 1, 0, 100);
  add(trace, Kind::kLayer, 1, 1, 10, 50);
  add(trace, Kind::kLayer, 2, 1, 60, 90);
  add(trace, Kind::kWorker, 3, 1, 10, 40);
  add(trace, Kind::kWorker, 3, 2, 15, 35);
  add(trace, Kind::kWorker, 3, 2, 20, 30);  // nested: counted already
  add(trace, Kind::kWorker, 3, 2, 45, 55);  // cut at the layer's end
  add(trace, Kind::kWorker, 3, 2, 55, 58);  // between layers
  const Attribution attribution = attribute(trace);
  ASSERT_THAT(attribution.layers, SizeIs(2));
  ASSERT_TRUE(attribution.layers[0].threads.has_value());
  EXPECT_THAT(attribution.layers[0].threads->busy_ns, ElementsAre(30, 20 + 5));
  EXPECT_FALSE(attribution.layers[1].threads.has_value());
}

TEST(Attribution, ABodyAroundSeveralLayersDoesNotHideThoseInside) {
  Trace trace = empty_trace();
  mark(trace, 7, 1, 0, 100);
  add(trace, Kind::kLayer, 1, 1, 10, 50);
  add(trace, Kind::kWorker, 3, 1, 0, 100);  // the whole request is a task
  add(trace, Kind::kWorker, 3, 1, 20, 40);
  const Attribution attribution = attribute(trace);
  ASSERT_THAT(attribution.layers, SizeIs(1));
  ASSERT_TRUE(attribution.layers[0].threads.has_value());
  EXPECT_EQ(attribution.layers[0].threads->total_busy_ns(), 20);
}

TEST(Attribution, WorkersAreAmbiguousWhileAnotherRequestRuns) {
  Trace trace = empty_trace();
  mark(trace, 7, 1, 0, 100);
  add(trace, Kind::kRequest, 0, 2, 40, 60);  // nobody's, yet it has workers
  add(trace, Kind::kLayer, 1, 1, 10, 40);
  add(trace, Kind::kLayer, 2, 1, 40, 50);
  add(trace, Kind::kLayer, 1, 1, 60, 90);
  for (const std::uint64_t begin : {10, 45, 60}) {
    add(trace, Kind::kWorker, 3, 3, begin, begin + 5);
  }
  const Attribution attribution = attribute(trace);
  ASSERT_THAT(attribution.layers, SizeIs(3));
  EXPECT_TRUE(attribution.layers[0].threads.has_value());
  EXPECT_FALSE(attribution.layers[1].threads.has_value());
  EXPECT_TRUE(attribution.layers[2].threads.has_value());
}

TEST(Attribution, ManyHostileOverlapsStayCheap) {
  Trace trace = empty_trace();
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    mark(trace, 7, 1, i, 1'000'000);
    add(trace, Kind::kRequest, 0, 1, i, 1'000'000 - i);
    add(trace, Kind::kLayer, 1, 1, i, 1'000'000 - i);
    add(trace, Kind::kWorker, 3, 2, i, 1'000'000);
  }
  const Attribution attribution = attribute(trace);
  EXPECT_THAT(attribution.requests, SizeIs(1));
  EXPECT_THAT(attribution.layers, SizeIs(1));
}

}  // namespace
}  // namespace tachostat::profile
