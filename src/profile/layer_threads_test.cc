#include "profile/layer_threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profile/profile.h"

namespace tachostat::profile {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using trace::Kind;

constexpr std::uint64_t kSession = 7;

// Requests of a session with two threads; names are "model", "layer" and "body".
class Made {
 public:
  Made() { trace.names = {"model", "layer", "body"}; }
  Made& mark(std::uint32_t thread, std::uint64_t begin, std::uint64_t end) {
    trace.marks.push_back({kSession, thread, begin, end, "x[1]"});
    return *this;
  }
  Made& add(Kind kind, std::uint32_t thread, std::uint64_t begin, std::uint64_t end) {
    trace.spans.push_back({.begin_ns = begin,
                           .end_ns = end,
                           .name = kind == Kind::kLayer ? 1u : 2u,
                           .thread = thread,
                           .kind = kind});
    return *this;
  }
  Made& layer(std::uint64_t begin, std::uint64_t end) { return add(Kind::kLayer, 1, begin, end); }
  Made& body(std::uint32_t thread, std::uint64_t begin, std::uint64_t end) {
    return add(Kind::kWorker, thread, begin, end);
  }
  Made& primitive(std::uint32_t thread, std::uint64_t begin, std::uint64_t end) {
    return add(Kind::kPrimitive, thread, begin, end);
  }

  // Of layer `at`, in order of execution.
  std::optional<ThreadRun> run(std::size_t at = 0) const {
    return attribute(trace).layers.at(at).threads;
  }
  ThreadStats stats() const {
    Builder builder;
    builder.add_session(kSession, {.threads = 2});
    builder.add(trace);
    const std::vector<Profile> profiles = builder.profiles();
    return profiles.at(0).layers.at(0).threads;
  }

  trace::Trace trace;
};

TEST(LayerThreads, PerfectBalanceIsOne) {
  const ThreadStats stats =
      Made().mark(1, 0, 1000).layer(100, 200).body(1, 110, 190).body(2, 110, 190).stats();
  EXPECT_EQ(stats.executions, 1u);
  EXPECT_EQ(stats.busy_ns, 160);
  EXPECT_THAT(stats.per_thread_ns, ElementsAre(80, 80));
  EXPECT_EQ(stats.participants, 2);
  EXPECT_EQ(stats.imbalance, 1);
  EXPECT_DOUBLE_EQ(stats.idle_share, 0.2);
  EXPECT_EQ(stats.dispatch_ns, 10);
  EXPECT_EQ(stats.start_spread_ns, 0);
  EXPECT_EQ(stats.tail_ns, 10);
}

TEST(LayerThreads, ALateWorkerShowsInSpreadAndImbalance) {
  const ThreadStats stats =
      Made().mark(1, 0, 1000).layer(100, 200).body(1, 105, 195).body(2, 165, 195).stats();
  EXPECT_EQ(stats.start_spread_ns, 60);
  EXPECT_DOUBLE_EQ(stats.imbalance, 1.5);
  EXPECT_THAT(stats.per_thread_ns, ElementsAre(90, 30));
  EXPECT_DOUBLE_EQ(stats.idle_share, 0.4);
  EXPECT_EQ(stats.tail_ns, 5);
}

TEST(LayerThreads, ALayerOnOneThreadLeavesTheOtherIdle) {
  const ThreadStats stats = Made().mark(1, 0, 1000).layer(100, 200).body(1, 100, 200).stats();
  EXPECT_EQ(stats.participants, 1);
  EXPECT_EQ(stats.imbalance, 1);
  EXPECT_DOUBLE_EQ(stats.idle_share, 0.5);
  EXPECT_EQ(stats.start_spread_ns, -1);  // nobody to wait for
}

TEST(LayerThreads, EachParallelForHasItsOwnBalance) {
  // Over the whole layer both threads are equally busy; in neither of its halves are they.
  const std::optional<ThreadRun> run = Made()
                                           .mark(1, 0, 1000)
                                           .layer(100, 200)
                                           .body(1, 100, 140)
                                           .body(2, 110, 120)
                                           .body(1, 150, 160)
                                           .body(2, 154, 194)
                                           .run();
  ASSERT_TRUE(run.has_value());
  EXPECT_THAT(run->busy_ns, ElementsAre(50, 50));
  EXPECT_EQ(run->region_most_ns, 80);
  EXPECT_EQ(run->region_mean_ns, 50);
  EXPECT_EQ(run->start_spread_ns, (10 + 4) / 2.0);
  EXPECT_EQ(run->dispatch_ns, 0u);
  EXPECT_EQ(run->tail_ns, 6u);
}

TEST(LayerThreads, ABodyInsideABodyCountsOnce) {
  const std::optional<ThreadRun> run = Made()
                                           .mark(1, 0, 1000)
                                           .layer(100, 200)
                                           .body(1, 110, 190)
                                           .body(1, 120, 150)
                                           .body(2, 120, 180)
                                           .body(2, 130, 140)
                                           .run();
  ASSERT_TRUE(run.has_value());
  EXPECT_THAT(run->busy_ns, ElementsAre(80, 60));
}

TEST(LayerThreads, UnknownWhileRequestsOverlap) {
  const Made made =
      Made().mark(1, 0, 1000).mark(3, 150, 300).layer(100, 200).body(1, 110, 190).body(2, 110, 190);
  EXPECT_FALSE(made.run().has_value());
  EXPECT_EQ(made.stats().executions, 0u);
  EXPECT_EQ(made.stats().imbalance, -1);
}

TEST(LayerThreads, DispatchCountsFromThePrimitiveThatStartsTheBodies) {
  const std::optional<ThreadRun> run = Made()
                                           .mark(1, 0, 1000)
                                           .layer(100, 200)
                                           .primitive(1, 110, 115)
                                           .primitive(1, 130, 190)
                                           .body(1, 137, 188)
                                           .primitive(1, 140, 150)
                                           .run();
  ASSERT_TRUE(run.has_value());
  EXPECT_EQ(run->dispatch_ns, 7u);
}

// oneTBB leaves a worker's span open while the thread looks for more work; oneDNN's spans inside it
// are the bodies.
TEST(LayerThreads, PrimitivesTellWhatAWorkerReallyDid) {
  const Made made = Made()
                        .mark(1, 0, 1000)
                        .layer(100, 200)
                        .primitive(1, 101, 199)
                        .body(1, 105, 195)
                        .body(2, 110, 600)
                        .primitive(2, 112, 150)
                        .layer(200, 300)
                        .primitive(1, 201, 299)
                        .body(1, 205, 295)
                        .primitive(2, 210, 290)
                        .layer(400, 500)
                        .primitive(1, 401, 499)
                        .body(1, 405, 495);
  EXPECT_THAT(made.run(0)->busy_ns, ElementsAre(90, 38));
  EXPECT_THAT(made.run(1)->busy_ns, ElementsAre(90, 80));
  EXPECT_THAT(made.run(2)->busy_ns, ElementsAre(90));  // the worker was idle there
}

TEST(LayerThreads, UnknownWhenAWorkersSpanCameOverAndNothingTellsWhatItDid) {
  const Made made = Made()
                        .mark(1, 0, 1000)
                        .layer(100, 200)
                        .body(1, 110, 190)
                        .body(2, 120, 450)
                        .layer(300, 400)
                        .body(1, 310, 390)
                        .layer(500, 600)
                        .body(1, 510, 590);
  EXPECT_THAT(made.run(0)->busy_ns, ElementsAre(80, 80));  // cut at the layer's end
  EXPECT_FALSE(made.run(1).has_value());
  EXPECT_THAT(made.run(2)->busy_ns, ElementsAre(80));
}

TEST(LayerThreads, MeansAreOverTheExecutionsThatAreKnown) {
  const ThreadStats stats = Made()
                                .mark(1, 0, 1000)
                                .layer(100, 200)
                                .body(1, 110, 190)
                                .body(2, 110, 150)
                                .layer(300, 400)
                                .body(1, 330, 400)
                                .layer(500, 600)  // no body
                                .stats();
  EXPECT_EQ(stats.executions, 2u);
  EXPECT_EQ(stats.busy_ns, 95);
  EXPECT_EQ(stats.participants, 1.5);
  EXPECT_EQ(stats.dispatch_ns, 20);
  EXPECT_EQ(stats.start_spread_ns, 0);
  EXPECT_THAT(stats.per_thread_ns, ElementsAre(75, 20));
}

}  // namespace
}  // namespace tachostat::profile
