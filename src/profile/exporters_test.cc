#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "base/status.h"
#include "profile/export.h"

namespace tachostat::profile {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kHostile = "a,\"b\";c\n\xff\x1b[31m";

Profile example() {
  Profile profile{.model = "net", .model_hash = "ab", .variant = "v", .bucket = "x[1,3]"};
  profile.request_time.record(100, 2);
  profile.unattributed_ns = 40;
  LayerProfile& conv = profile.layers.emplace_back();
  conv.name = "Conv_1";
  conv.originals = {"Conv_1", "Relu,2"};
  conv.type = "Convolution";
  conv.kernel = "brgconv";
  conv.precision = "f32";
  conv.layout = "nhwc";
  conv.time.record(30, 2);
  conv.share = 0.3;
  conv.work = {.flops = 1000, .weight_bytes = 4, .input_bytes = 8, .output_bytes = 8};
  LayerProfile& hostile = profile.layers.emplace_back();
  hostile.name = kHostile;
  hostile.time.record(UINT64_MAX / 4, 2);
  profile.layers.emplace_back().name = "never";
  return profile;
}

std::string written(std::string_view format, const Profile& profile,
                    const trace::Trace& trace = {}) {
  const auto exporter = exporter_named(format);
  std::ostringstream out;
  EXPECT_TRUE(exporter.ok()) << exporter.status();
  const absl::Status status = (*exporter)->write({.profile = profile, .trace = trace}, out);
  return status.ok() ? out.str() : "refused: " + std::string(base::message_of(status));
}

TEST(Exporters, HaveDistinctNamesAndExtensions) {
  std::set<std::string_view> names;
  std::set<std::string_view> extensions;
  for (const Exporter& exporter : exporters()) {
    EXPECT_TRUE(names.insert(exporter.name).second) << exporter.name;
    EXPECT_TRUE(extensions.insert(exporter.extension).second) << exporter.name;
    EXPECT_FALSE(exporter.help.empty());
    EXPECT_EQ(*exporter_named(exporter.name), &exporter);
  }
  EXPECT_THAT(exporter_named("nonsense").status().ToString(), HasSubstr("there are: text, json"));
}

// What the message about timelines says is what the formats do.
TEST(Exporters, OnlyThoseThatDrawOverTimeRefuseAProfileWithoutATimeline) {
  for (const Exporter& exporter : exporters()) {
    for (const Profile& profile : {Profile{}, example()}) {
      std::ostringstream out;
      const absl::Status status = exporter.write({.profile = profile, .trace = {}}, out);
      if (status.ok()) {
        EXPECT_TRUE(exporter.name == "collapsed" || !out.str().empty()) << exporter.name;
        continue;
      }
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << exporter.name;
      EXPECT_TRUE(out.str().empty());
      const std::string_view message = base::message_of(status);
      EXPECT_THAT(message, HasSubstr(exporter.name));
      const std::string_view others = message.substr(message.find("need them:"));
      for (const Exporter& other : exporters()) {
        std::ostringstream ignored;
        const bool works = other.write({.profile = profile, .trace = {}}, ignored).ok();
        EXPECT_EQ(others.find(" " + std::string(other.name)) != others.npos, works) << other.name;
      }
    }
  }
}

TEST(Exporters, BinaryOnesSaySo) {
  trace::Trace trace;
  trace.names = {"a"};
  trace.spans = {{.begin_ns = 1, .end_ns = 2, .thread = 1, .kind = trace::Kind::kLayer}};
  for (const Exporter& exporter : exporters()) {
    const std::string text = written(exporter.name, example(), trace);
    const bool looks_binary = text.find_first_of(std::string("\0\x01\x02\x03\x04", 5)) != text.npos;
    EXPECT_EQ(looks_binary, exporter.binary) << exporter.name;
  }
}

TEST(Csv, OneRowPerLayer) {
  EXPECT_EQ(
      written("csv", example()),
      "position,layer,originals,type,kernel,precision,layout,count,mean_ns,p50_ns,p90_ns,p99_ns,"
      "min_ns,max_ns,sum_ns,share,thread_efficiency,flops,bytes,weight_bytes,input_bytes,"
      "output_bytes\r\n"
      "0,Conv_1,\"Conv_1;Relu,2\",Convolution,brgconv,f32,nhwc,2,30,30,30,30,30,30,60,0.3,,1000,20,"
      "4,8,8\r\n"
      "1,\"a,\"\"b\"\";c\n\uFFFD\x1b[31m\",,,,,,2,4.611686018427388e+18,4611686018427387903,"
      "4611686018427387903,4611686018427387903,4611686018427387903,4611686018427387903,"
      "9223372036854775806,0,,,,,,\r\n"
      "2,never,,,,,,0,,,,,,,0,0,,,,,,\r\n");
}

TEST(Collapsed, OfAProfileIsModelLayerKernel) {
  EXPECT_EQ(written("collapsed", example()),
            "net 40\n"
            "net;Conv_1;brgconv 60\n"
            "net;a,\"b\":c \uFFFD [31m 9223372036854775806\n");
}

TEST(Speedscope, OfAProfileIsSampled) {
  EXPECT_THAT(written("speedscope", example()),
              HasSubstr(R"("samples":[[0],[0,1,2],[0,3]],"weights":[40,60,9223372036854775806])"));
}

TEST(Text, ShowsOnlyTheTop) {
  std::ostringstream out;
  const Profile profile = example();
  ASSERT_TRUE(
      (*exporter_named("text"))->write({.profile = profile, .trace = {}, .top = 1}, out).ok());
  EXPECT_THAT(out.str(), Not(HasSubstr("Conv_1")));
}

}  // namespace
}  // namespace tachostat::profile
