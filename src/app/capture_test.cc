#include "app/capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/fake_span_source.h"

namespace tachostat::app {
namespace {

using probe::Depth;
using testing::HasSubstr;

struct Fixture {
  base::ManualClock clock;
  probe::FakeSpanSource spans;
  probe::Sampler sampler{spans, {.depth = Depth::kOff}};
  Capture capture{clock, sampler, Depth::kOff, false};

  Fixture() {
    profile::SessionInfo info{.model = "net"};
    info.layers = {{.name = "conv", .type = "Convolution"}};
    capture.add_session(7, info);
  }

  std::uint64_t now() const {
    return static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
  }
  void request() {
    sampler.on_start(7);
    const std::uint64_t begin = now();
    spans.emit({.begin_ns = begin + 1000,
                .end_ns = begin + 5000,
                .thread = 1,
                .depth = 1,
                .kind = trace::Kind::kLayer},
               "conv");
    clock.advance(std::chrono::microseconds(10));
    sampler.on_end({.session = 7, .thread = 1, .begin_ns = begin, .end_ns = now(), .bucket = ""});
    capture.advance(sampler.drain());
  }
};

TEST(Capture, LooksAtEveryRequestUntilEnoughThenPutsTheSamplerBack) {
  Fixture fixture;
  fixture.request();  // before: not looked at
  ASSERT_TRUE(fixture.capture.start({.depth = Depth::kLayers, .requests = 3}).ok());
  EXPECT_EQ(fixture.spans.depth(), Depth::kLayers);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(fixture.capture.state().phase, Capture::Phase::kRunning);
    fixture.request();
  }
  EXPECT_EQ(fixture.capture.state().phase, Capture::Phase::kDone);
  EXPECT_EQ(fixture.spans.depth(), Depth::kOff);
  fixture.request();  // after: not looked at

  const auto profile = fixture.capture.profile();
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(profile->model, "net");
  EXPECT_EQ(profile->request_time.count(), 3u);
  ASSERT_EQ(profile->layers.size(), 1u);
  EXPECT_EQ(profile->layers[0].time.sum(), 12'000u);
  EXPECT_EQ(fixture.capture.trace()->spans.size(), 3u);
}

TEST(Capture, EndsWhenTimeIsUpWithWhatWasSeen) {
  Fixture fixture;
  ASSERT_TRUE(fixture.capture.start({.requests = 100, .at_most = std::chrono::seconds(2)}).ok());
  fixture.request();
  EXPECT_EQ(fixture.capture.profile().status().code(), absl::StatusCode::kUnavailable);
  fixture.clock.advance(std::chrono::seconds(3));
  fixture.capture.advance({});
  EXPECT_EQ(fixture.spans.depth(), Depth::kOff);
  EXPECT_EQ(fixture.capture.profile()->request_time.count(), 1u);
}

TEST(Capture, OneAtATimeAndEndedWhenAsked) {
  Fixture fixture;
  EXPECT_EQ(fixture.capture.profile().status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(fixture.capture.start({}).ok());
  EXPECT_EQ(fixture.capture.start({}).code(), absl::StatusCode::kFailedPrecondition);
  fixture.capture.stop();
  fixture.capture.stop();
  EXPECT_EQ(fixture.spans.depth(), Depth::kOff);
  EXPECT_THAT(fixture.capture.profile().status().ToString(), HasSubstr("traffic"));
  EXPECT_TRUE(fixture.capture.start({}).ok());
}

TEST(Capture, NothingOfAnEarlierOneStays) {
  Fixture fixture;
  ASSERT_TRUE(fixture.capture.start({.requests = 2}).ok());
  fixture.request();
  fixture.request();
  ASSERT_TRUE(fixture.capture.start({.requests = 1}).ok());
  fixture.request();
  EXPECT_EQ(fixture.capture.profile()->request_time.count(), 1u);
  EXPECT_EQ(fixture.capture.trace()->spans.size(), 1u);
}

TEST(Capture, LeavesOutWhatWasSampledBeforeItBegan) {
  Fixture fixture;
  trace::Trace drained;
  drained.names = {"conv"};
  const std::uint64_t before = fixture.now() - 1000;
  drained.marks = {
      {.session = 7, .thread = 1, .begin_ns = before, .end_ns = before + 500, .bucket = ""}};
  drained.spans = {{.begin_ns = before, .end_ns = before + 400, .thread = 1}};
  ASSERT_TRUE(fixture.capture.start({.requests = 1}).ok());
  fixture.capture.advance(drained);
  EXPECT_EQ(fixture.capture.state().requests, 0u);
  fixture.request();
  EXPECT_EQ(fixture.capture.trace()->spans.size(), 1u);
}

TEST(Capture, SaysThatThereAreNoSpans) {
  base::ManualClock clock;
  probe::FakeSpanSource spans;
  spans.set_status(absl::UnavailableError("no collector"));
  probe::Sampler sampler(spans, {});
  Capture capture(clock, sampler, Depth::kKernels, false);
  EXPECT_THAT(capture.start({}).ToString(), HasSubstr("no collector"));
}

}  // namespace
}  // namespace tachostat::app
