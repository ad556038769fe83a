#include "probe/counters/thread_counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "probe/counters/fake_perf.h"
#include "probe/counters/span_counters.h"

namespace tachostat::probe {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr FakePerf::Event kCycles{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES};

class ThreadCountersTest : public testing::Test {
 protected:
  ThreadCountersTest() { perf_.counts[kCycles] = 0; }
  // The thread works for so many cycles, at one per nanosecond.
  void work(std::uint64_t cycles) {
    perf_.counts[kCycles] += cycles;
    perf_.time += cycles;
  }
  const CounterEvent cycles_{
      .name = "cycles", .unit = "1", .type = kCycles.first, .config = kCycles.second};
  FakePerf perf_;
};

TEST_F(ThreadCountersTest, CountsNestedSpans) {
  ThreadCounters counters(perf_, {&cycles_, 1});
  ASSERT_TRUE(counters.status().ok());
  CounterSample inner;
  CounterSample outer;
  counters.begin();
  work(10);
  counters.begin();
  work(100);
  ASSERT_TRUE(counters.end(inner));
  work(1);
  ASSERT_TRUE(counters.end(outer));
  EXPECT_EQ(counters.group()->value(inner, 0), 100);
  EXPECT_EQ(counters.group()->value(outer, 0), 111);
}

TEST_F(ThreadCountersTest, IgnoresAnEndWithoutABegin) {
  ThreadCounters counters(perf_, {&cycles_, 1});
  CounterSample difference;
  EXPECT_FALSE(counters.end(difference));
  counters.begin();
  counters.clear();
  EXPECT_FALSE(counters.end(difference));
}

TEST_F(ThreadCountersTest, DoesNotCountSpansThatLieTooDeep) {
  ThreadCounters counters(perf_, {&cycles_, 1});
  CounterSample difference;
  for (std::size_t i = 0; i < ThreadCounters::kDeepest + 3; ++i) counters.begin();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(counters.end(difference));
  for (std::size_t i = 0; i < ThreadCounters::kDeepest; ++i) EXPECT_TRUE(counters.end(difference));
  EXPECT_FALSE(counters.end(difference));
}

TEST_F(ThreadCountersTest, SurvivesAKernelThatDoesNotAnswer) {
  ThreadCounters counters(perf_, {&cycles_, 1});
  CounterSample difference;
  counters.begin();
  perf_.reads_fail = true;
  EXPECT_FALSE(counters.end(difference));
  counters.begin();
  perf_.reads_fail = false;
  EXPECT_FALSE(counters.end(difference));
}

TEST_F(ThreadCountersTest, CountsNothingWhereNothingCanBeCounted) {
  perf_.counts.clear();
  ThreadCounters counters(perf_, {&cycles_, 1});
  EXPECT_FALSE(counters.status().ok());
  CounterSample difference;
  counters.begin();
  EXPECT_FALSE(counters.end(difference));
}

// A request with two layers, the second run twice, as the collector would record it.
TEST_F(ThreadCountersTest, AttributesCountsToLayers) {
  trace::Trace trace;
  trace.names = {"request", "conv", "relu"};
  std::vector<CounterRecord> records;
  ThreadCounters counters(perf_, {&cycles_, 1});
  const auto span = [&](std::uint32_t name, trace::Kind kind, std::uint32_t depth, auto body) {
    const std::uint64_t begin = perf_.time;
    counters.begin();
    body();
    CounterRecord record{.begin_ns = begin, .thread = 7, .depth = depth, .difference = {}};
    if (counters.end(record.difference)) records.push_back(record);
    trace.spans.push_back({.begin_ns = begin,
                           .end_ns = perf_.time,
                           .name = name,
                           .thread = 7,
                           .depth = depth,
                           .kind = kind});
  };
  span(0, trace::Kind::kRequest, 0, [&] {
    work(5);
    span(1, trace::Kind::kLayer, 1, [&] { work(1000); });
    span(2, trace::Kind::kLayer, 1, [&] { work(30); });
    span(2, trace::Kind::kLayer, 1, [&] { work(50); });
  });
  // Of a request that was not looked at from end to end.
  records.push_back({.begin_ns = 1, .thread = 9, .depth = 0, .difference = {}});

  const std::vector<SpanCounters> joined = join(trace, records);
  ASSERT_THAT(joined, SizeIs(4));
  EXPECT_EQ(joined[0].span, 0U);
  EXPECT_EQ(counters.group()->value(joined[0].difference, 0), 1000);

  const std::vector<NamedCounters> layers = sum_by_name(trace, joined, trace::Kind::kLayer);
  ASSERT_THAT(layers, SizeIs(2));
  EXPECT_EQ(trace.names[layers[0].name], "conv");
  EXPECT_EQ(counters.group()->mean(layers[0].sum, 0, layers[0].spans), 1000);
  EXPECT_EQ(layers[1].spans, 2U);
  EXPECT_EQ(counters.group()->mean(layers[1].sum, 0, layers[1].spans), 40);
}

}  // namespace
}  // namespace tachostat::probe
