#include "app/otlp_push.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tachostat::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

profile::Profile small_profile() {
  profile::Profile profile{.model = "net", .variant = "v"};
  profile.request_time.record(1000);
  profile.layers.push_back({.name = "conv"});
  profile.layers.back().time.record(900);
  return profile;
}

struct Fixture {
  base::ManualClock clock;
  Telemetry telemetry;
  int status = 200;
  std::vector<std::string> paths;
  std::vector<std::string> bodies;
  std::unique_ptr<OtlpPusher> pusher;

  Fixture() {
    auto made = OtlpPusher::Create(
        clock, {.endpoint = "http://collector:4318/"}, [this] { return telemetry; },
        [this](const base::Url& url,
               const base::HttpRequest& request) -> absl::StatusOr<base::HttpReply> {
          EXPECT_EQ(url.host, "collector");
          EXPECT_EQ(request.content_type, "application/x-protobuf");
          paths.push_back(url.path);
          bodies.push_back(request.body);
          return base::HttpReply{.status = status, .body = "said no"};
        });
    EXPECT_TRUE(made.ok()) << made.status();
    pusher = *std::move(made);
  }

  void add_request(std::uint64_t begin) {
    trace::Trace& trace = telemetry.trace;
    if (trace.names.empty()) trace.names = {"request", "conv"};
    trace.spans.push_back({.begin_ns = begin,
                           .end_ns = begin + 1000,
                           .name = 0,
                           .thread = 1,
                           .kind = trace::Kind::kRequest});
    trace.spans.push_back({.begin_ns = begin + 10,
                           .end_ns = begin + 910,
                           .name = 1,
                           .thread = 1,
                           .depth = 1,
                           .kind = trace::Kind::kLayer});
  }
};

TEST(OtlpPusher, PushesMetricsAndEachSpanOnce) {
  Fixture fixture;
  EXPECT_TRUE(fixture.pusher->push().ok());
  EXPECT_THAT(fixture.paths, IsEmpty());  // nothing is known yet

  fixture.telemetry.profile = small_profile();
  fixture.add_request(5000);
  EXPECT_TRUE(fixture.pusher->push().ok());
  EXPECT_THAT(fixture.paths, ElementsAre("/v1/metrics", "/v1/traces"));
  EXPECT_THAT(fixture.bodies[0], HasSubstr("tachostat.layer.duration"));
  EXPECT_THAT(fixture.bodies[1], HasSubstr("conv"));

  EXPECT_TRUE(fixture.pusher->push().ok());
  EXPECT_EQ(fixture.paths.size(), 3u);  // metrics only: the spans are known
  fixture.add_request(8000);
  EXPECT_TRUE(fixture.pusher->push().ok());
  EXPECT_EQ(fixture.paths.size(), 5u);
  EXPECT_LT(fixture.bodies[4].size(), fixture.bodies[1].size() * 3 / 2);
}

TEST(OtlpPusher, SaysWhatTheCollectorSaid) {
  Fixture fixture;
  fixture.telemetry.profile = small_profile();
  fixture.status = 503;
  const absl::Status status = fixture.pusher->push();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.ToString(), HasSubstr("said no"));
}

TEST(OtlpPusher, RefusesWhatIsNoAddress) {
  base::ManualClock clock;
  EXPECT_EQ(OtlpPusher::Create(clock, {.endpoint = "https://x"}, [] { return Telemetry(); })
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tachostat::app
