#include "engine/fake/fake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "base/status.h"
#include "base/thread.h"

namespace tachostat::engine {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

struct Recorder final : Observer {
  void on_start(std::uint64_t session) noexcept override { started = session; }
  void on_end(const Execution& execution) noexcept override {
    last = execution;
    bucket = execution.bucket;
    ++ended;
  }
  std::uint64_t started = 0;
  Execution last;
  std::string bucket;
  int ended = 0;
};

Tensor input(const std::vector<float>& values) {
  const auto rows = static_cast<std::int64_t>(values.size() / 4);
  return f32_tensor("x", values, {rows, 4});
}

TEST(FakeEngineTest, EchoesAndReports) {
  base::ManualClock clock;
  FakeEngine engine({.clock = &clock});
  Recorder recorder;
  auto session = *engine.load(identity_graph(), {.engine = "fake"}, &recorder);
  std::vector<Tensor> outputs;
  const base::Time start = clock.now();
  session->infer({input({1, 2, 3, 4})}, [&](auto result) { outputs = *std::move(result); });
  EXPECT_TRUE(outputs.empty());
  EXPECT_EQ(engine.next_end(), start + milliseconds(1));
  EXPECT_TRUE(engine.run_one());
  ASSERT_EQ(outputs.size(), 1);
  EXPECT_EQ(outputs[0].name, "y");
  EXPECT_THAT(f32_values(outputs[0]), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(clock.now(), start + milliseconds(1));
  EXPECT_EQ(recorder.started, session->number());
  EXPECT_EQ(recorder.last.thread, base::this_thread_id());
  EXPECT_EQ(recorder.bucket, "x[1,4]");
  EXPECT_FALSE(engine.run_one());
}

TEST(FakeEngineTest, StreamsShareVirtualTime) {
  base::ManualClock clock;
  FakeEngine engine({.clock = &clock, .service_time = [](const model::Variant&, int batch) {
                       return milliseconds(10 * batch);
                     }});
  auto session = *engine.load(identity_graph(), {.streams = 2}, nullptr);
  const base::Time start = clock.now();
  std::vector<std::pair<int, base::Duration>> ends;
  const auto submit = [&](int id, std::size_t rows) {
    session->infer({input(std::vector<float>(4 * rows))},
                   [&, id](const auto&) { ends.emplace_back(id, clock.now() - start); });
  };
  submit(0, 3);
  submit(1, 1);
  submit(2, 1);  // takes over the second stream at 10 ms
  EXPECT_EQ(engine.run_until(start + milliseconds(15)), 1);
  EXPECT_EQ(clock.now(), start + milliseconds(15));
  EXPECT_EQ(engine.run_all(), 2);
  EXPECT_THAT(ends, ElementsAre(std::pair(1, milliseconds(10)), std::pair(2, milliseconds(20)),
                                std::pair(0, milliseconds(30))));
}

TEST(FakeEngineTest, RefusesBadInputsThroughTheCompletion) {
  FakeEngine engine;
  Recorder recorder;
  auto session = *engine.load(identity_graph(), {}, &recorder);
  absl::Status status;
  session->infer({f32_tensor("z", {1})}, [&](const auto& result) { status = result.status(); });
  EXPECT_TRUE(status.ok());
  engine.run_all();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(recorder.ended, 0);
}

TEST(FakeEngineTest, FailsOnDemand) {
  FakeEngine engine;
  Recorder recorder;
  auto session = *engine.load(identity_graph(), {}, &recorder);
  engine.fail_next(base::internal("broken"), 1);
  std::vector<absl::StatusCode> codes;
  for (int i = 0; i < 2; ++i) {
    session->infer({input({1, 2, 3, 4})},
                   [&](const auto& result) { codes.push_back(result.status().code()); });
  }
  engine.run_one();
  EXPECT_TRUE(recorder.last.failed);
  engine.run_one();
  EXPECT_FALSE(recorder.last.failed);
  EXPECT_THAT(codes, ElementsAre(absl::StatusCode::kInternal, absl::StatusCode::kOk));
}

TEST(FakeEngineTest, LoadCanFail) {
  FakeEngine engine({.on_load = [](const model::Graph&, const model::Variant& variant) {
    return variant.threads > 2 ? base::unavailable("too many threads") : absl::OkStatus();
  }});
  EXPECT_TRUE(engine.load(identity_graph(), {.threads = 2}, nullptr).ok());
  EXPECT_EQ(engine.load(identity_graph(), {.threads = 3}, nullptr).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_FALSE(engine.load(identity_graph(), {.shapes = {{"q", {1}}}}, nullptr).ok());
}

TEST(FakeEngineTest, CompletionsMayInferAgain) {
  FakeEngine engine;
  auto session = *engine.load(identity_graph(), {}, nullptr);
  int left = 5;
  std::function<void()> next = [&] {
    session->infer({input({0, 0, 0, 0})}, [&](const auto&) {
      if (--left > 0) next();
    });
  };
  next();
  EXPECT_EQ(engine.run_all(), 5);
  EXPECT_EQ(engine.executed(), 5);
}

TEST(FakeEngineTest, DestructionAnswersWhatIsQueued) {
  FakeEngine engine;
  auto session = *engine.load(identity_graph(), {.batch = 2}, nullptr);
  EXPECT_THAT(engine.loaded(), ElementsAre(session->variant().id()));
  int answered = 0;
  for (int i = 0; i < 3; ++i) {
    session->infer({input({0, 0, 0, 0})}, [&](const auto& result) { answered += result.ok(); });
  }
  session.reset();
  EXPECT_EQ(answered, 3);
  EXPECT_EQ(engine.queued(), 0);
  EXPECT_TRUE(engine.loaded().empty());
}

TEST(FakeEngineTest, ThreadsCompleteByThemselves) {
  FakeEngine engine({.mode = FakeEngine::Mode::kThreads});
  auto session = *engine.load(identity_graph(), {.streams = 3}, nullptr);
  constexpr int kCount = 300;
  std::latch all(kCount);
  std::atomic<int> good{0};
  for (int i = 0; i < kCount; ++i) {
    session->infer({input({0, 0, 0, 0})}, [&](const auto& result) {
      good += result.ok();
      all.count_down();
    });
  }
  all.wait();
  EXPECT_EQ(good, kCount);
  EXPECT_FALSE(engine.run_one());
}

TEST(FakeEngineTest, ThreadsFinishBeforeDestruction) {
  FakeEngine engine({.mode = FakeEngine::Mode::kThreads});
  std::atomic<int> answered{0};
  auto session = *engine.load(identity_graph(), {.streams = 2}, nullptr);
  for (int i = 0; i < 50; ++i) {
    session->infer({input({0, 0, 0, 0})}, [&](const auto&) { ++answered; });
  }
  session.reset();
  EXPECT_EQ(answered, 50);
}

}  // namespace
}  // namespace tachostat::engine
