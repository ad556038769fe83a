#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profile/export.h"

namespace tachostat::profile {
namespace {

using testing::HasSubstr;
using trace::Import;
using trace::Kind;
using trace::Span;

Import timeline() {
  Import import{.tool = "tool 1.0"};
  import.trace.names = {"step", "conv", "relu", "gemm_kernel", "copy_kernel"};
  import.trace.spans = {
      {.begin_ns = 0, .end_ns = 90, .name = 1, .thread = 1, .kind = Kind::kLayer},  // warm-up
      {.begin_ns = 100, .end_ns = 200, .name = 0, .thread = 1, .kind = Kind::kRequest},
      {.begin_ns = 110, .end_ns = 160, .name = 1, .thread = 1, .kind = Kind::kLayer},
      {.begin_ns = 115, .end_ns = 120, .name = 4, .thread = 1, .kind = Kind::kPrimitive},
      {.begin_ns = 120, .end_ns = 155, .name = 3, .thread = 1, .kind = Kind::kPrimitive},
      {.begin_ns = 125,
       .end_ns = 130,
       .name = 2,
       .thread = 1,
       .kind = Kind::kLayer},  // inside conv
      {.begin_ns = 170, .end_ns = 190, .name = 2, .thread = 1, .kind = Kind::kLayer},
      {.begin_ns = 200, .end_ns = 300, .name = 0, .thread = 1, .kind = Kind::kRequest},
      {.begin_ns = 210, .end_ns = 280, .name = 1, .thread = 1, .kind = Kind::kLayer},
  };
  return import;
}

TEST(FromImport, AddsUpSpansOfTheMarkedRequests) {
  const auto profile = from_import(timeline());
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(profile->variant, "tool 1.0");
  EXPECT_EQ(profile->model, "imported");
  EXPECT_EQ(profile->request_time.count(), 2u);
  EXPECT_EQ(profile->request_time.sum(), 200u);
  ASSERT_EQ(profile->layers.size(), 2u);
  const LayerProfile& conv = profile->layers[0];
  EXPECT_EQ(conv.name, "conv");
  EXPECT_EQ(conv.time.count(), 2u);
  EXPECT_EQ(conv.time.sum(), 120u);
  EXPECT_EQ(conv.kernel, "gemm_kernel");
  EXPECT_DOUBLE_EQ(conv.share, 0.6);
  EXPECT_EQ(profile->layers[1].time.sum(), 20u);
  EXPECT_EQ(profile->unattributed_ns, 60u);
}

// Two requests of 100 ns with a host thread, two streams of a GPU and a line of another one.
TEST(FromImport, TellsHowBusyTheDeviceWas) {
  Import import{.tool = "t"};
  import.trace.names = {"step", "conv", "kernel", "cudaStreamSynchronize"};
  import.trace.threads = {
      {1, "main"}, {2, "GPU 0 stream 7"}, {3, "GPU 0 stream 8"}, {4, "GPU 1 stream 7"}};
  const auto add = [&](std::uint64_t begin, std::uint64_t end, std::uint32_t name,
                       std::uint32_t thread, Kind kind) {
    import.trace.spans.push_back(
        {.begin_ns = begin, .end_ns = end, .name = name, .thread = thread, .kind = kind});
  };
  add(100, 200, 0, 1, Kind::kRequest);
  add(300, 400, 0, 1, Kind::kRequest);
  add(110, 130, 1, 1, Kind::kLayer);
  add(0, 50, 2, 2, Kind::kPrimitive);     // before the first request
  add(120, 150, 2, 2, Kind::kPrimitive);  // overlaps the next
  add(140, 160, 2, 3, Kind::kPrimitive);
  add(380, 420, 2, 2, Kind::kPrimitive);  // beyond the last request
  add(310, 320, 2, 4, Kind::kPrimitive);
  add(170, 190, 3, 1, Kind::kOperator);
  add(210, 290, 3, 1, Kind::kOperator);  // between requests
  const auto profile = from_import(import);
  ASSERT_TRUE(profile.ok()) << profile.status();
  const auto& readings = profile->readings;
  EXPECT_NEAR(readings.at("device/idle_share").mean, 1 - 60 / 200.0, 1e-9);
  EXPECT_NEAR(readings.at("device/host_wait_share").mean, 0.1, 1e-9);
  EXPECT_NEAR(readings.at("device/kernels").mean, 1.5, 1e-9);
  EXPECT_EQ(readings.at("device/kernels").n, 2U);
  EXPECT_NEAR(readings.at("device/kernel_time").mean, 30e-9, 1e-15);
  EXPECT_EQ(readings.at("device/kernel_time").unit, "s");
}

TEST(FromImport, SaysNothingOfADeviceThatIsNotThere) {
  const auto profile = from_import(timeline());
  ASSERT_TRUE(profile.ok());
  EXPECT_TRUE(profile->readings.empty());
}

TEST(FromImport, WithoutRequestsTheWholeStretchIsOne) {
  Import import{.tool = "t"};
  import.trace.names = {"a", "b"};
  import.trace.spans = {
      {.begin_ns = 10, .end_ns = 20, .name = 0, .thread = 1, .kind = Kind::kLayer},
      {.begin_ns = 30, .end_ns = 50, .name = 1, .thread = 1, .kind = Kind::kLayer}};
  auto profile = from_import(import);
  ASSERT_TRUE(profile.ok());
  EXPECT_EQ(profile->request_time.count(), 1u);
  EXPECT_EQ(profile->request_time.sum(), 40u);
  import.requests = 2;
  profile = from_import(import);
  EXPECT_EQ(profile->request_time.count(), 2u);
  EXPECT_EQ(profile->request_time.sum(), 40u);
}

TEST(FromImport, KeepsATablesTotalsExactly) {
  Import import{.tool = "trtexec", .model = "resnet"};
  import.layers = {{.name = "conv",
                    .type = "Convolution",
                    .precision = "i8",
                    .device = "GPU 0",
                    .count = 10,
                    .mean_ns = 1000,
                    .min_ns = 800,
                    .median_ns = 950,
                    .max_ns = 2000,
                    .metrics = {{"sectors", 7.5}}},
                   {.name = "once", .count = 1, .mean_ns = 500}};
  import.requests = 10;
  import.request_mean_ns = 1200;
  const auto profile = from_import(import);
  ASSERT_TRUE(profile.ok()) << profile.status();
  const LayerProfile& conv = profile->layers[0];
  EXPECT_EQ(conv.time.count(), 10u);
  EXPECT_EQ(conv.time.sum(), 10'000u);
  EXPECT_EQ(conv.time.min(), 800u);
  EXPECT_EQ(conv.time.max(), 2000u);
  EXPECT_NEAR(static_cast<double>(conv.time.quantile(0.5)), 950, 950 / 32.0 + 1);
  EXPECT_EQ(conv.device, "GPU 0");
  EXPECT_EQ(profile->model, "resnet");
  EXPECT_EQ(profile->request_time.sum(), 12'000u);

  // What was joined reads back from our own file.
  const auto again = from_json(to_json(*profile));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->layers[0].metrics.at("sectors"), 7.5);
  EXPECT_EQ(again->layers[0].device, "GPU 0");
  EXPECT_EQ(again->layers[0].time.sum(), 10'000u);
}

TEST(FromImport, RowsGiveFactsAndSpansGiveTimes) {
  Import import = timeline();
  import.layers = {{.name = "conv", .type = "Conv", .kernel = "known", .count = 99, .mean_ns = 1}};
  const auto profile = from_import(import);
  ASSERT_TRUE(profile.ok());
  EXPECT_EQ(profile->layers[0].type, "Conv");
  EXPECT_EQ(profile->layers[0].kernel, "known");
  EXPECT_EQ(profile->layers[0].time.count(), 2u);
}

TEST(FromImport, RefusesWhatHoldsNoTimeOrNoSense) {
  EXPECT_THAT(from_import({.tool = "t"}).status().ToString(), HasSubstr("no layer"));
  Import twice{.tool = "t"};
  twice.layers = {{.name = "a", .count = 1, .mean_ns = 1}, {.name = "a", .count = 1, .mean_ns = 1}};
  EXPECT_THAT(from_import(twice).status().ToString(), HasSubstr("twice"));
  for (const double mean : {-5.0, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
    Import odd{.tool = "t"};
    odd.layers = {{.name = "a", .count = 3, .mean_ns = mean}};
    EXPECT_EQ(from_import(odd).status().code(), absl::StatusCode::kInvalidArgument) << mean;
  }
  Import backwards{.tool = "t"};
  backwards.trace.names = {"a"};
  backwards.trace.spans = {
      {.begin_ns = 20, .end_ns = 10, .name = 0, .thread = 1, .kind = Kind::kLayer},
      {.begin_ns = 20, .end_ns = 30, .name = 7, .thread = 1, .kind = Kind::kLayer}};
  EXPECT_FALSE(from_import(backwards).ok());
}

}  // namespace
}  // namespace tachostat::profile
