#include "probe/counters/span_counter_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "probe/counters/fake_perf.h"

namespace tachostat::probe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const CounterEvent kFaults = {.name = "page_faults",
                              .unit = "1",
                              .type = PERF_TYPE_SOFTWARE,
                              .config = PERF_COUNT_SW_PAGE_FAULTS};

struct Fixture {
  FakePerf perf;
  std::uint64_t& faults = perf.counts[{kFaults.type, kFaults.config}];
  SpanCounterLog log{perf, {kFaults}, "2"};

  void layer(std::uint64_t epoch, std::uint64_t begin_ns, std::uint64_t count) {
    log.begin(epoch);
    faults += count;
    perf.time += 1000;
    log.end(epoch, {.begin_ns = begin_ns, .end_ns = begin_ns + 10, .thread = 5, .depth = 1});
  }
  std::vector<CounterRecord> drained() {
    std::vector<CounterRecord> records;
    log.drain(records);
    return records;
  }
};

TEST(SpanCounterLog, CountsWhatALayerDid) {
  Fixture fixture;
  ASSERT_TRUE(fixture.log.available().ok()) << fixture.log.available();
  fixture.layer(1, 100, 3);
  fixture.layer(1, 200, 5);
  const auto records = fixture.drained();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].begin_ns, 100u);
  EXPECT_EQ(records[0].thread, 5u);
  CounterSample sum;
  for (const CounterRecord& record : records) sum.add(record.difference);
  EXPECT_THAT(fixture.log.means(sum, 2), ElementsAre(Pair("page_faults", 4.0)));
  EXPECT_EQ(fixture.log.counted(), 2u);
  EXPECT_THAT(fixture.drained(), IsEmpty());
}

TEST(SpanCounterLog, ForgetsWhatBeganBeforeTheSwitchMoved) {
  Fixture fixture;
  fixture.log.begin(1);  // its end never comes
  fixture.layer(2, 100, 7);
  fixture.log.end(1, {.begin_ns = 1});
  const auto records = fixture.drained();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].begin_ns, 100u);
  EXPECT_THAT(fixture.log.means(records[0].difference, 1), ElementsAre(Pair("page_faults", 7.0)));
}

TEST(SpanCounterLog, LosesRatherThanGrows) {
  Fixture fixture;
  for (std::size_t i = 0; i < SpanCounterLog::kMostPerThread + 10; ++i) fixture.layer(1, i, 1);
  EXPECT_EQ(fixture.drained().size(), SpanCounterLog::kMostPerThread);
  EXPECT_EQ(fixture.log.lost(), 10u);
}

TEST(SpanCounterLog, KeepsWhatAThreadThatEndedHadCounted) {
  Fixture fixture;
  std::thread([&] { fixture.layer(1, 100, 3); }).join();
  EXPECT_EQ(fixture.drained().size(), 1u);
  fixture.layer(1, 200, 3);  // and then lets it go
  EXPECT_EQ(fixture.drained().size(), 1u);
}

TEST(SpanCounterLog, SaysWhyNothingIsCounted) {
  FakePerf forbidden;
  forbidden.error = EACCES;
  SpanCounterLog log(forbidden, {kFaults}, "3");
  EXPECT_EQ(log.available().code(), absl::StatusCode::kUnavailable);
  log.begin(1);
  log.end(1, {});
  std::vector<CounterRecord> records;
  log.drain(records);
  EXPECT_THAT(records, IsEmpty());
  SpanCounterLog none(forbidden, {}, "3");
  EXPECT_EQ(none.available().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace tachostat::probe
