// What is measured, not how fast: the clock is not the machine's.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "profile/calibration.h"
#include "profile/rates.h"

namespace tachostat::profile {
namespace {

// Each look moves it on by 50 µs: a measurement takes the same number of steps everywhere.
class TickingClock final : public base::Clock {
 public:
  base::Time now() const override { return base::Time(std::chrono::microseconds(50) * ++looks_); }
  std::chrono::nanoseconds unix_time() const override {
    return std::chrono::seconds(1'700'000'000);
  }

 private:
  mutable std::atomic<std::int64_t> looks_ = 0;
};

// Two threads of one processor each, wherever the system puts them.
CalibrateOptions small_machine() {
  CalibrateOptions options;
  options.fingerprint.processor = "Test 3000";
  options.fingerprint.cpus = {Pool::kAnywhere, Pool::kAnywhere};
  options.fingerprint.cores = 2;
  options.fingerprint.caches = {{.level = 1, .type = "Data", .bytes = 32 << 10, .sharing = 1},
                                {.level = 2, .type = "Unified", .bytes = 512 << 10, .sharing = 2}};
  options.sets = instruction_sets(this_processor());
  options.repeats = 3;
  options.slice = std::chrono::microseconds(300);
  options.latency_samples = 4;
  options.most_memory = 4 << 20;
  return options;
}

TEST(Calibrate, MeasuresEveryFigureByNumberOfThreads) {
  const TickingClock clock;
  const auto calibration = calibrate(clock, clock, small_machine());
  ASSERT_TRUE(calibration.ok()) << calibration.status();
  std::set<std::string> found;
  for (const Figure& figure : calibration->figures) {
    found.insert(fmt::format("{} {} {} {}", figure.group, figure.what,
                             figure.group == "compute" ? "" : figure.how, figure.threads));
    EXPECT_GT(figure.median, 0) << figure.what;
    EXPECT_LE(figure.low, figure.median) << figure.what;
    EXPECT_GE(figure.high, figure.median) << figure.what;
    EXPECT_EQ(figure.repeats, 3) << figure.what;
    if (figure.unit == "s") {
      EXPECT_LE(figure.best, figure.low) << figure.what;
    } else {
      EXPECT_GE(figure.best, figure.high) << figure.what;
    }
  }
  for (const char* figure :
       {"clock cycles  1", "clock cycles  2", "compute f32  1", "compute f32  2",
        "bandwidth L1 read 1", "bandwidth L1 triad 2", "bandwidth L2 read 2",
        "bandwidth DRAM triad 1", "bandwidth DRAM read 2", "latency dispatch median 2",
        "latency dispatch p99 2", "latency wake median 1", "latency wake p99 2"}) {
    EXPECT_TRUE(found.contains(figure)) << figure;
  }
  EXPECT_FALSE(found.contains("latency dispatch median 1"));
  EXPECT_EQ(calibration->taken, "2023-11-14T22:13:20.000Z");
  EXPECT_GT(calibration->seconds, 0);
}

TEST(Calibrate, TheoryIsCyclesTimesUnitsTimesCores) {
  const TickingClock clock;
  const auto calibration = calibrate(clock, clock, small_machine());
  ASSERT_TRUE(calibration.ok());
  for (const Figure& figure : calibration->figures) {
    if (figure.group != "compute") continue;
    EXPECT_FALSE(figure.basis.empty() && figure.how != "portable") << figure.how;
    if (figure.how != "fma avx2") continue;
    const Figure* cycles = calibration->find("clock", "cycles", "", figure.threads);
    ASSERT_NE(cycles, nullptr);
    EXPECT_DOUBLE_EQ(figure.theory, 32 * cycles->best * figure.threads);
  }
}

TEST(Calibrate, TellsItsProgressAndStopsWhenAsked) {
  const TickingClock clock;
  CalibrateOptions options = small_machine();
  double last = -1;
  int calls = 0;
  options.progress = [&](double done, std::string_view what) {
    EXPECT_GE(done, last);
    EXPECT_LT(done, 1);
    EXPECT_FALSE(what.empty());
    last = done;
    return ++calls < 5;
  };
  EXPECT_EQ(calibrate(clock, clock, options).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(calls, 5);
}

TEST(Calibrate, NeedsAProcessor) {
  const TickingClock clock;
  EXPECT_EQ(calibrate(clock, clock, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Calibrate, OneProcessorWithoutKnownCachesWillDo) {
  const TickingClock clock;
  CalibrateOptions options = small_machine();
  options.fingerprint.cpus = {Pool::kAnywhere};
  options.fingerprint.cores = 0;
  options.fingerprint.caches.clear();
  options.sets.clear();
  const auto calibration = calibrate(clock, clock, options);
  ASSERT_TRUE(calibration.ok());
  EXPECT_NE(calibration->find("compute", "f32", "portable", 1), nullptr);
  EXPECT_NE(calibration->find("bandwidth", "DRAM", "read", 1), nullptr);
}

TEST(Pool, RunsTheFirstThreadsEachWithItsMemory) {
  Pool pool(std::vector<int>(3, Pool::kAnywhere),
            [](std::size_t thread) { return (thread + 1) * (std::size_t{4} << 20); });
  std::atomic<int> runs = 0;
  pool.run(2, [&](std::size_t thread, const Pages& memory) {
    EXPECT_LT(thread, 2U);
    EXPECT_EQ(memory.floats(), (thread + 1) * (std::size_t{1} << 20));
    ++runs;
  });
  EXPECT_EQ(runs, 2);
  pool.run(9, [&](std::size_t, const Pages&) { ++runs; });
  EXPECT_EQ(runs, 5);
}

TEST(Rates, AStandingClockIsNoRate) {
  class StandingClock final : public base::Clock {
   public:
    base::Time now() const override { return base::Time(std::chrono::seconds(1)); }
    std::chrono::nanoseconds unix_time() const override { return {}; }
  };
  const StandingClock clock;
  Pool pool({Pool::kAnywhere}, [](std::size_t) { return std::size_t{0}; });
  EXPECT_EQ(cycle_rate(clock, pool, 1, base::Duration(0)), -1);
}

}  // namespace
}  // namespace tachostat::profile
