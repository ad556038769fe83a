#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "profile/profile.h"

namespace tachostat::profile {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Profile sample() {
  Profile profile{.model = "net",
                  .model_hash = "abc",
                  .variant = "openvino.CPU f32 2t 1s b1",
                  .bucket = "x[1,3]",
                  .threads = 2,
                  .streams = 1,
                  .static_shapes = true,
                  .unattributed_ns = 123,
                  .overhead = 0.0031,
                  .dropped_spans = 4};
  LayerProfile conv{.name = "conv", .originals = {"conv", "relu"}, .type = "Convolution"};
  conv.kernel = "brgconv";
  conv.precision = "f32";
  conv.layout = "nhwc";
  conv.share = 1.0 / 3;
  conv.thread_efficiency = 0.61;
  conv.threads = {.executions = 9,
                  .busy_ns = 1500,
                  .per_thread_ns = {1000, 500},
                  .participants = 1.9,
                  .imbalance = 1.25,
                  .idle_share = 0.39,
                  .dispatch_ns = 3,
                  .tail_ns = 4};
  conv.work = {.flops = 2e9, .weight_bytes = 1e6, .input_bytes = 5e5, .output_bytes = 0};
  for (std::uint64_t i = 0; i < 1000; ++i) {
    conv.time.record(1000 + i * i);
    profile.request_time.record(3000 + 2 * i * i);
  }
  profile.layers = {conv, {.name = "empty"}};
  return profile;
}

json parsed(const Profile& profile) { return json::parse(to_json(profile)); }

std::string error_of(const json& document) {
  const absl::StatusOr<Profile> profile = from_json(document.dump());
  EXPECT_FALSE(profile.ok());
  EXPECT_EQ(profile.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(profile.status().message());
}

TEST(ProfileJson, RoundTrips) {
  const std::string text = to_json(sample());
  const absl::StatusOr<Profile> back = from_json(text);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(to_json(*back), text);
  EXPECT_EQ(back->layers[0].time.quantile(0.9), sample().layers[0].time.quantile(0.9));
  EXPECT_TRUE(back->static_shapes);
  EXPECT_EQ(back->layers[0].share, 1.0 / 3);
  EXPECT_EQ(back->layers[1].thread_efficiency, -1);
  EXPECT_EQ(back->layers[1].work.flops, -1);
  EXPECT_EQ(back->layers[0].work.output_bytes, 0);
}

TEST(ProfileJson, HasLayersAtTopLevelAndNullForUnknown) {
  const json document = parsed(sample());
  EXPECT_EQ(document["version"], 1);
  ASSERT_EQ(document["layers"].size(), 2);
  EXPECT_EQ(document["layers"][0]["count"], 1000);
  EXPECT_EQ(document["layers"][0]["bytes"], 1.5e6);
  EXPECT_TRUE(document["layers"][1]["thread_efficiency"].is_null());
  EXPECT_TRUE(document["layers"][1]["flops"].is_null());
  EXPECT_TRUE(document["layers"][1]["bytes"].is_null());
}

TEST(ProfileJson, ThreadsAreThereWhereTheyAreKnown) {
  json document = parsed(sample());
  EXPECT_EQ(document["layers"][0]["threads"]["imbalance"], 1.25);
  EXPECT_TRUE(document["layers"][0]["threads"]["start_spread_ns"].is_null());
  EXPECT_FALSE(document["layers"][1].contains("threads"));
  document["layers"][0]["threads"]["per_thread_ns"] = {1, -1};
  EXPECT_THAT(error_of(document), HasSubstr("layers[0].threads.per_thread_ns"));
  document["layers"][0]["threads"] = 3;
  EXPECT_THAT(error_of(document), HasSubstr("layers[0].threads"));
}

TEST(ProfileJson, NamesNeedNotBeUtf8) {
  Profile profile = sample();
  profile.layers[0].name = "\xff\xfe";
  const absl::StatusOr<Profile> back = from_json(to_json(profile));
  EXPECT_TRUE(back.ok()) << back.status();
}

TEST(ProfileJson, ErrorsNameTheMember) {
  json document = parsed(sample());
  document.erase("bucket");
  EXPECT_THAT(error_of(document), HasSubstr("'bucket' is missing"));

  document = parsed(sample());
  document["layers"][1]["type"] = 3;
  EXPECT_THAT(error_of(document), HasSubstr("'layers[1].type': expected a string"));

  document = parsed(sample());
  document["threads"] = 0;
  EXPECT_THAT(error_of(document), HasSubstr("'threads'"));

  document = parsed(sample());
  document["layers"][0]["flops"] = -2;
  EXPECT_THAT(error_of(document), HasSubstr("'layers[0].flops'"));

  document = parsed(sample());
  document["layers"][0] = json::array();
  EXPECT_THAT(error_of(document), HasSubstr("'layers[0]'"));

  document = parsed(sample());
  document["layers"] = "none";
  EXPECT_THAT(error_of(document), HasSubstr("'layers': expected an array"));

  document = parsed(sample());
  document["version"] = 2;
  EXPECT_THAT(error_of(document), HasSubstr("expected 1, found 2"));
}

TEST(ProfileJson, HistogramsMustBeConsistent) {
  const auto with = [](const char* member, const json& value) {
    json document = parsed(sample());
    document["layers"][0][member] = value;
    return error_of(document);
  };
  EXPECT_THAT(with("count", 999), HasSubstr("'layers[0].buckets'"));
  EXPECT_THAT(with("count", 1001), HasSubstr("'layers[0].buckets'"));
  EXPECT_THAT(with("min_ns", 1), HasSubstr("'layers[0].min_ns'"));
  EXPECT_THAT(with("max_ns", 1), HasSubstr("'layers[0].max_ns'"));
  EXPECT_THAT(with("sum_ns", 1), HasSubstr("'layers[0].sum_ns'"));
  EXPECT_THAT(with("buckets", json::array({{5, 1000}, {5, 1}})), HasSubstr("'layers[0].buckets'"));
  EXPECT_THAT(with("buckets", json::array({{4'000'000'000U, 1000}})), HasSubstr("buckets"));
  EXPECT_THAT(with("buckets", json::array({{-1, 1000}})), HasSubstr("buckets"));
  EXPECT_THAT(with("buckets", json::array({7})), HasSubstr("buckets"));
}

TEST(ProfileJson, CountsCannotOverflow) {
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  json document = parsed(sample());
  document["layers"][0]["buckets"] = json::array({{1, most}, {2, most}});
  document["layers"][0]["count"] = most - 1;
  EXPECT_THAT(error_of(document), HasSubstr("buckets"));
}

TEST(ProfileJson, GarbageIsRefused) {
  EXPECT_FALSE(from_json("").ok());
  EXPECT_FALSE(from_json("[]").ok());
  EXPECT_FALSE(from_json("{}").ok());
  EXPECT_FALSE(from_json("null").ok());
  EXPECT_FALSE(from_json("{\"version\":\"\xff\"}").ok());
  EXPECT_FALSE(from_json(std::string(200'000, '[')).ok());
  std::string deep = "{\"version\":1,\"model\":";
  for (int i = 0; i < 50'000; ++i) deep += "[";
  for (int i = 0; i < 50'000; ++i) deep += "]";
  EXPECT_FALSE(from_json(deep + "}").ok());
}

TEST(ProfileJson, CutOffTextIsRefused) {
  const std::string text = to_json(sample());
  for (std::size_t size = 0; size + 2 < text.size(); size += 7) {
    EXPECT_FALSE(from_json(text.substr(0, size)).ok());
  }
}

TEST(RooflineJson, RoundTrips) {
  const Roofline roofline{.threads = 2, .peak_f32_flops = 1e11, .single_f32_flops = 5.1e10};
  const absl::StatusOr<Roofline> back = roofline_from_json(to_json(roofline));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(to_json(*back), to_json(roofline));
  EXPECT_EQ(back->memory_bandwidth, -1);
  EXPECT_EQ(back->peak_f32_flops, 1e11);
}

TEST(RooflineJson, ErrorsNameTheMember) {
  const absl::StatusOr<Roofline> roofline = roofline_from_json(R"({"version":1,"threads":2})");
  ASSERT_FALSE(roofline.ok());
  EXPECT_THAT(std::string(roofline.status().message()), HasSubstr("'peak_f32_flops' is missing"));
}

}  // namespace
}  // namespace tachostat::profile
