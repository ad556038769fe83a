#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <set>
#include <thread>
#include <vector>

#include "base/status.h"
#include "probe/fake_span_source.h"
#include "probe/probe.h"

namespace tachostat::probe {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t kThread = 7;
constexpr std::uint64_t kMillisecond = 1'000'000;

// Runs requests one after the other on this thread, on a time of its own.
class Requests {
 public:
  Requests(Sampler& sampler, FakeSpanSource& source) : sampler_(sampler), source_(source) {}

  // Returns whether spans flowed.
  bool run(int spans = 10, std::uint64_t duration_ns = kMillisecond, std::uint64_t session = 1) {
    const std::uint64_t begin = now_;
    sampler_.on_start(session);
    bool seen = source_.emit({.begin_ns = begin + 1,
                              .end_ns = begin + duration_ns - 1,
                              .thread = kThread,
                              .kind = trace::Kind::kRequest},
                             "inference");
    constexpr int kRecorded = 10;
    for (int i = 1; i < std::min(spans, kRecorded); ++i) {
      source_.emit({.begin_ns = begin + 2,
                    .end_ns = begin + 3,
                    .thread = kThread,
                    .depth = 1,
                    .kind = trace::Kind::kLayer},
                   "layer");
    }
    if (spans > kRecorded) source_.spend(static_cast<std::uint64_t>(spans - kRecorded));
    now_ += duration_ns;
    sampler_.on_end(mark(begin, now_, session));
    now_ += 100;
    return seen;
  }
  static trace::ExecutionMark mark(std::uint64_t begin, std::uint64_t end,
                                   std::uint64_t session = 1, std::uint32_t thread = kThread) {
    return {
        .session = session, .thread = thread, .begin_ns = begin, .end_ns = end, .bucket = "x[1]"};
  }

 private:
  Sampler& sampler_;
  FakeSpanSource& source_;
  std::uint64_t now_ = 1000;
};

// Calls on a thread of its own, as a second engine thread would.
template <class Body>
void elsewhere(Body&& body) {
  std::thread thread(std::forward<Body>(body));
  thread.join();
}

TEST(Sampler, LooksAtTheFirstRequestsInAnyCase) {
  FakeSpanSource source(1000);
  Sampler sampler(source, {.budget = 0, .warmup = 3});
  Requests requests(sampler, source);
  int seen = 0;
  for (int i = 0; i < 100; ++i) seen += requests.run() ? 1 : 0;
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(source.depth(), Depth::kOff);

  const Sampler::Report report = sampler.report();
  EXPECT_EQ(report.requests, 100u);
  EXPECT_EQ(report.sampled, 3u);
  // 10 spans at 1 µs in a request of 1 ms.
  EXPECT_NEAR(report.cost_when_sampled, 0.01, 1e-9);
  EXPECT_NEAR(report.overhead, 0.01 * 0.03, 1e-9);
}

TEST(Sampler, KeepsTheBudgetInTheLongRun) {
  for (const double budget : {0.001, 0.005, 0.02}) {
    FakeSpanSource source(100);
    Sampler sampler(source, {.budget = budget, .warmup = 8});
    Requests requests(sampler, source);
    // 500 spans of 100 ns in a millisecond: 5 %.
    for (int i = 0; i < 20'000; ++i) requests.run(500);
    const Sampler::Report report = sampler.report();
    EXPECT_NEAR(report.cost_when_sampled, 0.05, 1e-6);
    EXPECT_LE(report.overhead, budget * 1.001);
    EXPECT_GE(report.overhead, budget * 0.95);  // and makes use of it
    EXPECT_EQ(report.budget, budget);
  }
}

TEST(Sampler, KeepsTheBudgetWhenTheCostChanges) {
  FakeSpanSource source(100);
  Sampler sampler(source, {.budget = 0.005, .warmup = 2});
  Requests requests(sampler, source);
  for (int i = 0; i < 2'000; ++i) requests.run(10, 10 * kMillisecond);
  for (int i = 0; i < 20'000; ++i) requests.run(2000);
  EXPECT_LE(sampler.report().overhead, 0.0051);
  // What is cheaper than the budget may be looked at always.
  FakeSpanSource cheap(1);
  Sampler all(cheap, {.budget = 0.005, .warmup = 2});
  Requests cheap_requests(all, cheap);
  for (int i = 0; i < 1000; ++i) cheap_requests.run(10);
  EXPECT_GT(all.report().sampled, 900u);
}

TEST(Sampler, DoesNotFallIntoStepWithThePattern) {
  FakeSpanSource source(100);
  Sampler sampler(source, {.budget = 0.005, .warmup = 0});
  Requests requests(sampler, source);
  std::vector<int> looked_at(4);
  for (int i = 0; i < 40'000; ++i) {
    if (requests.run(500)) ++looked_at[static_cast<std::size_t>(i % 4)];
  }
  // About 1000 each.
  for (const int count : looked_at) {
    EXPECT_GT(count, 800);
    EXPECT_LT(count, 1200);
  }
}

TEST(Sampler, ChoosesTheSameRequestsEachTime) {
  std::vector<std::vector<bool>> chosen(2);
  for (auto& run : chosen) {
    FakeSpanSource source(100);
    Sampler sampler(source, {.budget = 0.01, .warmup = 1});
    Requests requests(sampler, source);
    for (int i = 0; i < 500; ++i) run.push_back(requests.run(100 + i % 7));
  }
  EXPECT_EQ(chosen[0], chosen[1]);
}

TEST(Sampler, DeliversMarksAndSpansOfLookedAtRequests) {
  FakeSpanSource source;
  source.name_thread(kThread, "stream 0");
  Sampler sampler(source, {.budget = 0, .warmup = 2});
  Requests requests(sampler, source);
  for (int i = 0; i < 5; ++i) requests.run(3, kMillisecond, 40 + static_cast<std::uint64_t>(i));
  const trace::Trace trace = sampler.drain();
  ASSERT_THAT(trace.marks, SizeIs(2));
  EXPECT_EQ(trace.marks[0].session, 40u);
  EXPECT_EQ(trace.marks[1].session, 41u);
  EXPECT_EQ(trace.marks[1].bucket, "x[1]");
  ASSERT_THAT(trace.spans, SizeIs(6));
  EXPECT_EQ(trace.name(trace.spans[0]), "inference");
  EXPECT_EQ(trace.name(trace.spans[5]), "layer");
  EXPECT_THAT(trace.threads, ::testing::ElementsAre(std::pair(kThread, std::string("stream 0"))));
  const trace::Trace again = sampler.drain();
  EXPECT_THAT(again.marks, IsEmpty());
  EXPECT_THAT(again.spans, IsEmpty());
}

TEST(Sampler, LeavesOutWhatWasLookedAtInPart) {
  FakeSpanSource source;
  Sampler sampler(source, {.budget = 0, .warmup = 1});
  std::thread other;
  std::atomic<int> step{0};
  const auto await = [&](int wanted) {
    while (step.load() < wanted) std::this_thread::yield();
  };
  // Another starts inside the window of ours and ends after it.
  sampler.on_start(1);
  ASSERT_EQ(source.depth(), Depth::kKernels);
  other = std::thread([&] {
    sampler.on_start(2);
    source.emit({.begin_ns = 150, .end_ns = 160, .thread = 8, .kind = trace::Kind::kLayer}, "part");
    source.emit({.begin_ns = 150, .end_ns = 160, .thread = 9, .kind = trace::Kind::kWorker},
                "body");
    step = 1;
    await(2);
    sampler.on_end(Requests::mark(120, 300, 2, 8));
    step = 3;
  });
  await(1);
  source.emit({.begin_ns = 101, .end_ns = 199, .thread = kThread, .kind = trace::Kind::kLayer},
              "whole");
  sampler.on_end(Requests::mark(100, 200));
  EXPECT_EQ(source.depth(), Depth::kOff);
  step = 2;
  await(3);
  other.join();

  const trace::Trace trace = sampler.drain();
  ASSERT_THAT(trace.marks, SizeIs(1));
  EXPECT_EQ(trace.marks[0].session, 1u);
  ASSERT_THAT(trace.spans, SizeIs(1));  // no worker span: it may be either's
  EXPECT_EQ(trace.name(trace.spans[0]), "whole");
  EXPECT_EQ(sampler.report().sampled, 2u);  // both paid
}

TEST(Sampler, CountsWhoWasUnderWayWhenTheWindowOpened) {
  FakeSpanSource source(10);
  Sampler sampler(source, {.budget = 0.5, .warmup = 0});
  sampler.set_depth(Depth::kOff);
  std::atomic<int> step{0};
  std::thread early([&] {
    sampler.on_start(1);
    step = 1;
    while (step.load() < 2) std::this_thread::yield();
    sampler.on_end(Requests::mark(0, 500, 1, 8));
  });
  while (step.load() < 1) std::this_thread::yield();
  sampler.set_depth(Depth::kKernels);
  sampler.on_start(2);
  EXPECT_EQ(source.depth(), Depth::kKernels);
  source.emit({.begin_ns = 120, .end_ns = 130, .thread = 9, .kind = trace::Kind::kWorker}, "body");
  sampler.on_end(Requests::mark(100, 200, 2));
  step = 2;
  early.join();
  const trace::Trace trace = sampler.drain();
  ASSERT_THAT(trace.marks, SizeIs(1));
  EXPECT_EQ(trace.marks[0].session, 2u);
  EXPECT_THAT(trace.spans, IsEmpty());
  EXPECT_EQ(sampler.report().sampled, 2u);
  EXPECT_EQ(sampler.report().requests, 2u);
}

TEST(Sampler, KeepsWorkerSpansOfARequestThatRanAlone) {
  FakeSpanSource source;
  Sampler sampler(source, {.budget = 0, .warmup = 1});
  sampler.on_start(1);
  source.emit({.begin_ns = 110, .end_ns = 120, .thread = 9, .kind = trace::Kind::kWorker}, "body");
  source.emit({.begin_ns = 90, .end_ns = 95, .thread = 9, .kind = trace::Kind::kWorker}, "before");
  source.emit({.begin_ns = 110, .end_ns = 120, .thread = 9, .kind = trace::Kind::kLayer}, "alien");
  sampler.on_end(Requests::mark(100, 200));
  const trace::Trace trace = sampler.drain();
  ASSERT_THAT(trace.spans, SizeIs(1));
  EXPECT_EQ(trace.name(trace.spans[0]), "body");
}

TEST(Sampler, AlwaysLooksAtAllWhateverTheCost) {
  FakeSpanSource source(100'000);
  Sampler sampler(source, {.budget = 0.001, .warmup = 0});
  Requests requests(sampler, source);
  sampler.set_always(true);
  EXPECT_EQ(source.depth(), Depth::kKernels);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(requests.run());
  EXPECT_EQ(source.switches(), 1);
  EXPECT_THAT(sampler.drain().marks, SizeIs(50));
  EXPECT_EQ(sampler.report().sampled, 50u);
  sampler.set_always(false);
  EXPECT_EQ(source.depth(), Depth::kOff);
  EXPECT_NEAR(sampler.report().overhead, 1.0, 1e-9);
  // Back to the budget, without paying for what was asked for.
  int seen = 0;
  for (int i = 0; i < 10'000; ++i) seen += requests.run() ? 1 : 0;
  EXPECT_GT(seen, 5);
  EXPECT_LT(seen, 20);
}

TEST(Sampler, HoldsSpansUntilTheirRequestEnds) {
  FakeSpanSource source;
  Sampler sampler(source, {.budget = 0, .warmup = 0});
  sampler.set_always(true);
  sampler.on_start(1);
  source.emit({.begin_ns = 110, .end_ns = 120, .thread = kThread, .kind = trace::Kind::kLayer},
              "a");
  EXPECT_THAT(sampler.drain().spans, IsEmpty());
  source.emit({.begin_ns = 130, .end_ns = 140, .thread = kThread, .kind = trace::Kind::kLayer},
              "b");
  EXPECT_THAT(sampler.drain().spans, IsEmpty());
  sampler.on_end(Requests::mark(100, 200));
  const trace::Trace trace = sampler.drain();
  ASSERT_THAT(trace.spans, SizeIs(2));
  EXPECT_EQ(trace.name(trace.spans[0]), "a");
  EXPECT_EQ(trace.name(trace.spans[1]), "b");
  // Nobody in flight: what belongs to none is forgotten.
  source.emit({.begin_ns = 250, .end_ns = 260, .thread = kThread, .kind = trace::Kind::kLayer},
              "c");
  EXPECT_THAT(sampler.drain().spans, IsEmpty());
  sampler.on_start(2);
  sampler.on_end(Requests::mark(240, 300));
  EXPECT_THAT(sampler.drain().spans, IsEmpty());
}

TEST(Sampler, StopsWhenToldOrWhenThereIsNothingToSee) {
  FakeSpanSource source;
  Sampler sampler(source, {.budget = 1, .depth = Depth::kLayers, .warmup = 0});
  Requests requests(sampler, source);
  EXPECT_TRUE(requests.run());
  sampler.set_depth(Depth::kOff);
  EXPECT_FALSE(requests.run());
  sampler.set_always(true);
  EXPECT_FALSE(requests.run());
  sampler.set_depth(Depth::kLayers);
  EXPECT_EQ(source.depth(), Depth::kLayers);
  EXPECT_TRUE(requests.run());

  FakeSpanSource broken;
  broken.set_status(base::unavailable("no collector"));
  Sampler blind(broken, {.budget = 1, .warmup = 8});
  blind.set_always(true);
  blind.set_depth(Depth::kLayers);
  Requests unseen(blind, broken);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(unseen.run());
  EXPECT_EQ(broken.switches(), 0);
  EXPECT_EQ(blind.report().requests, 10u);
  EXPECT_EQ(blind.report().overhead, 0);
}

TEST(Sampler, SwitchesOffWhenItGoes) {
  FakeSpanSource source;
  {
    Sampler sampler(source, {.warmup = 1});
    sampler.on_start(1);
    EXPECT_EQ(source.depth(), Depth::kKernels);
  }
  EXPECT_EQ(source.depth(), Depth::kOff);
  // A ticket of a sampler that is gone means nothing to the next.
  Sampler next(source, {.budget = 0, .warmup = 0});
  next.on_end(Requests::mark(1, 2));
  EXPECT_EQ(next.report().requests, 1u);
  EXPECT_EQ(next.report().sampled, 0u);
}

TEST(Sampler, IsNotLeftOnByARequestThatNeverEnds) {
  FakeSpanSource source;
  Sampler sampler(source, {.budget = 0, .warmup = 1});
  elsewhere([&] { sampler.on_start(1); });
  EXPECT_EQ(source.depth(), Depth::kKernels);
  Requests requests(sampler, source);
  for (int i = 0; i < 1000; ++i) requests.run(1);
  EXPECT_EQ(source.depth(), Depth::kOff);

  // The next request of the same thread settles it at once.
  Sampler second(source, {.budget = 0, .warmup = 1});
  second.on_start(1);
  second.on_start(2);
  second.on_end(Requests::mark(100, 200, 2));
  EXPECT_EQ(source.depth(), Depth::kOff);
  EXPECT_THAT(second.drain().marks, SizeIs(1));
}

TEST(Sampler, EndsToldOnAnotherThreadAreCountedOnly) {
  FakeSpanSource source;
  Sampler sampler(source, {.budget = 0, .warmup = 1});
  sampler.on_start(1);
  elsewhere([&] { sampler.on_end(Requests::mark(100, 200)); });
  EXPECT_THAT(sampler.drain().marks, IsEmpty());
  EXPECT_EQ(sampler.report().requests, 1u);
}

TEST(Sampler, BearsBadNumbers) {
  for (const double budget : {-1.0, std::numeric_limits<double>::quiet_NaN(),
                              std::numeric_limits<double>::infinity(), 7.0}) {
    FakeSpanSource source(-5);
    Sampler sampler(source, {.budget = budget, .warmup = -1});
    Requests requests(sampler, source);
    for (int i = 0; i < 10; ++i) requests.run(2, 2);
    sampler.on_start(1);
    sampler.on_end(Requests::mark(200, 100));  // ends before it begins
    const Sampler::Report report = sampler.report();
    EXPECT_TRUE(std::isfinite(report.overhead));
    EXPECT_GE(report.overhead, 0);
    EXPECT_EQ(report.requests, 11u);
  }
}

TEST(Sampler, ReportsDroppedSpans) {
  FakeSpanSource source;
  Sampler sampler(source, {.warmup = 1});
  source.drop(5);
  EXPECT_EQ(sampler.drain().dropped, 5u);
  source.drop(2);
  EXPECT_EQ(sampler.drain().dropped, 2u);
  EXPECT_EQ(sampler.report().dropped_spans, 7u);
}

TEST(Sampler, ManyThreads) {
  FakeSpanSource source(50);
  Sampler sampler(source, {.budget = 0.01, .warmup = 4});
  constexpr int kThreads = 4;
  constexpr int kRequests = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto thread = static_cast<std::uint32_t>(100 + t);
      for (int i = 0; i < kRequests; ++i) {
        const auto begin = static_cast<std::uint64_t>(i) * 10'000;
        sampler.on_start(thread);
        for (int s = 0; s < 5; ++s) {
          source.emit({.begin_ns = begin + 1,
                       .end_ns = begin + 2,
                       .thread = thread,
                       .kind = trace::Kind::kLayer},
                      "layer");
        }
        sampler.on_end(Requests::mark(begin, begin + 9'000, thread, thread));
      }
    });
  }
  trace::Trace all;
  std::size_t spans = 0;
  for (int i = 0; i < 200; ++i) {
    if (i == 50) sampler.set_always(true);
    if (i == 100) sampler.set_always(false);
    if (i == 120) sampler.set_depth(Depth::kLayers);
    const trace::Trace some = sampler.drain();
    spans += some.spans.size();
    all.marks.insert(all.marks.end(), some.marks.begin(), some.marks.end());
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  const trace::Trace last = sampler.drain();
  spans += last.spans.size();
  all.marks.insert(all.marks.end(), last.marks.begin(), last.marks.end());

  const Sampler::Report report = sampler.report();
  EXPECT_EQ(report.requests, static_cast<std::uint64_t>(kThreads * kRequests));
  EXPECT_LE(all.marks.size(), report.sampled);
  // Each sample is whole: all of its five spans came, in whichever part.
  EXPECT_EQ(spans, all.marks.size() * 5);
  EXPECT_EQ(source.depth(), Depth::kOff);
}

}  // namespace
}  // namespace tachostat::probe
