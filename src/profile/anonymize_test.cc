#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/hash.h"
#include "profile/export.h"

namespace tachostat::profile {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr std::string_view kKey = "a key of some length";

Profile secret_profile() {
  Profile profile{.model = "secretnet",
                  .model_hash = "0123abcd",
                  .variant = "openvino.CPU f32 2t 1s b1 pinned secretin[1,3];secretin2[?]",
                  .bucket = "secretin[1,3];secretin2[2]"};
  LayerProfile& layer = profile.layers.emplace_back();
  layer.name = "secret/Conv_1";
  layer.originals = {"secret/Conv_1", "secret/Relu_2"};
  layer.type = "Convolution";
  layer.kernel = "brgconv_avx2";
  layer.precision = "f32";
  layer.layout = "/home/secret/plugin.so";
  layer.time.record(1000);
  return profile;
}

TEST(Anonymize, ReplacesNamesAndKeepsTheRest) {
  Profile profile = secret_profile();
  anonymize(kKey, profile);
  const std::string conv = "layer-" + base::hmac_sha256(kKey, "secret/Conv_1").substr(0, 12);
  EXPECT_EQ(profile.layers[0].name, conv);
  EXPECT_EQ(profile.layers[0].originals[0], conv);
  EXPECT_THAT(profile.model, MatchesRegex("model-[0-9a-f]{12}"));
  EXPECT_THAT(profile.model_hash, MatchesRegex("hash-[0-9a-f]{12}"));
  EXPECT_THAT(profile.bucket,
              MatchesRegex("input-[0-9a-f]{12}\\[1,3\\];input-[0-9a-f]{12}\\[2\\]"));
  EXPECT_THAT(profile.variant,
              MatchesRegex("openvino.CPU f32 2t 1s b1 pinned "
                           "input-[0-9a-f]{12}\\[1,3\\];input-[0-9a-f]{12}\\[\\?\\]"));
  EXPECT_EQ(profile.layers[0].type, "Convolution");
  EXPECT_EQ(profile.layers[0].kernel, "brgconv_avx2");
  EXPECT_EQ(profile.layers[0].precision, "f32");
  EXPECT_THAT(profile.layers[0].layout, MatchesRegex("path-[0-9a-f]{12}"));
  EXPECT_EQ(profile.layers[0].time.sum(), 1000u);
  EXPECT_THAT(to_json(profile), Not(HasSubstr("secret")));
}

TEST(Anonymize, EqualUnderOneKeyDifferentUnderAnother) {
  Profile one = secret_profile();
  Profile same = secret_profile();
  Profile other = secret_profile();
  anonymize(kKey, one);
  anonymize(kKey, same);
  anonymize("another key, as long", other);
  EXPECT_EQ(to_json(one), to_json(same));
  EXPECT_NE(one.layers[0].name, other.layers[0].name);
}

TEST(Anonymize, VariantsAndBucketsThatReadOtherwise) {
  const auto variant = [](std::string text) {
    Profile profile{.variant = std::move(text), .bucket = "dynamic"};
    anonymize(kKey, profile);
    EXPECT_EQ(profile.bucket, "dynamic");
    return profile.variant;
  };
  EXPECT_EQ(variant("openvino.CPU default 0t 1s b1"), "openvino.CPU default 0t 1s b1");
  EXPECT_EQ(variant("openvino.CPU default 0t 1s b16 pinned"),
            "openvino.CPU default 0t 1s b16 pinned");
  EXPECT_THAT(variant("openvino.CPU f32 0t 1s b1 a b1[1]"),
              MatchesRegex("openvino.CPU f32 0t 1s b1 input-[0-9a-f]{12}\\[1\\]"));
  EXPECT_EQ(variant("onnxruntime 1.32"), "onnxruntime 1.32");
  EXPECT_THAT(variant("run of /home/secret/net.onnx"), MatchesRegex("path-[0-9a-f]{12}"));
  EXPECT_EQ(variant(""), "");

  Profile profile{.bucket = "se;cret[1];secret[x];secret"};
  anonymize(kKey, profile);
  EXPECT_THAT(profile.bucket, Not(HasSubstr("cret")));
  EXPECT_THAT(profile.bucket, HasSubstr("[1]"));
}

TEST(Anonymize, OfATraceReplacesWhatTheUserNamed) {
  trace::Trace trace;
  trace.names = {
      "secretnet",    "secret/Conv_1", "Convolution::execute", "/usr/lib/secret.so", "never",
      "secret range", "shared"};
  trace.threads = {{1, "secret thread"}};
  using trace::Kind;
  for (const auto& [name, kind] : {std::pair(0u, Kind::kRequest), std::pair(1u, Kind::kLayer),
                                   std::pair(2u, Kind::kOperator), std::pair(3u, Kind::kPrimitive),
                                   std::pair(5u, Kind::kOther), std::pair(6u, Kind::kOperator),
                                   std::pair(6u, Kind::kLayer), std::pair(99u, Kind::kLayer)}) {
    trace.spans.push_back({.begin_ns = 1, .end_ns = 2, .name = name, .thread = 1, .kind = kind});
  }
  trace.marks = {{.session = 1, .thread = 1, .begin_ns = 1, .end_ns = 2, .bucket = "secret[1,3]"}};
  trace.counters = {{.name = "package power", .unit = "W"}, {.name = "/sys/secret", .unit = "1"}};
  anonymize(kKey, trace);
  EXPECT_THAT(trace.names,
              ElementsAre(MatchesRegex("request-[0-9a-f]{12}"),
                          "layer-" + base::hmac_sha256(kKey, "secret/Conv_1").substr(0, 12),
                          "Convolution::execute", MatchesRegex("path-[0-9a-f]{12}"),
                          MatchesRegex("name-[0-9a-f]{12}"), MatchesRegex("name-[0-9a-f]{12}"),
                          MatchesRegex("layer-[0-9a-f]{12}")));
  EXPECT_THAT(trace.threads[0].second, MatchesRegex("thread-[0-9a-f]{12}"));
  EXPECT_THAT(trace.marks[0].bucket, MatchesRegex("input-[0-9a-f]{12}\\[1,3\\]"));
  EXPECT_EQ(trace.counters[0].name, "package power");
  EXPECT_THAT(trace.counters[1].name, MatchesRegex("path-[0-9a-f]{12}"));
}

}  // namespace
}  // namespace tachostat::profile
