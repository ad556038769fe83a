#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <map>
#include <sstream>

#include "pprof.pb.h"
#include "profile/formats/formats.h"

namespace tachostat::profile {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string unpacked(std::string packed) {
  std::string bytes(1 << 20, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  inflateEnd(&stream);
  return bytes;
}

pprof::Profile written(const ExportInput& input) {
  std::ostringstream out;
  EXPECT_TRUE(write_pprof(input, out).ok());
  pprof::Profile profile;
  EXPECT_TRUE(profile.ParseFromString(unpacked(out.str())));
  EXPECT_EQ(profile.string_table(0), "");
  return profile;
}

// "Conv_1<request count=1 time=30 kernel=brgconv", innermost first.
std::vector<std::string> samples(const pprof::Profile& profile) {
  std::map<std::uint64_t, std::string> functions;
  std::map<std::uint64_t, std::string> locations;
  for (const auto& function : profile.function()) {
    functions[function.id()] = profile.string_table(static_cast<int>(function.name()));
  }
  for (const auto& location : profile.location()) {
    locations[location.id()] = functions.at(location.line(0).function_id());
  }
  std::vector<std::string> lines;
  for (const auto& sample : profile.sample()) {
    std::string line;
    for (const auto id : sample.location_id()) line += (line.empty() ? "" : "<") + locations.at(id);
    line += " " + std::to_string(sample.value(0)) + "x " + std::to_string(sample.value(1)) + "ns";
    for (const auto& label : sample.label()) {
      line += " " + profile.string_table(static_cast<int>(label.key())) + "=" +
              profile.string_table(static_cast<int>(label.str()));
    }
    lines.push_back(line);
  }
  return lines;
}

Profile example() {
  Profile profile{.model = "net", .variant = "v"};
  profile.request_time.record(100, 3);
  profile.unattributed_ns = 10;
  LayerProfile& conv = profile.layers.emplace_back();
  conv.name = "Conv_1";
  conv.type = "Convolution";
  conv.kernel = "brgconv";
  conv.precision = "f32";
  conv.time.record(30, 3);
  LayerProfile& odd = profile.layers.emplace_back();
  odd.name = "odd \"\n\xff";
  odd.time.record(UINT64_MAX / 2 + 5, 1);
  return profile;
}

TEST(Pprof, OfAProfileIsModelLayerKernel) {
  const Profile profile = example();
  const pprof::Profile read = written(
      {.profile = profile, .trace = {}, .begin_unix_ns = 1'000'000, .end_unix_ns = 1'500'000});
  EXPECT_THAT(samples(read),
              ElementsAre("net 3x 10ns",
                          "brgconv<Conv_1<net 3x 90ns layer=Conv_1 type=Convolution kernel=brgconv "
                          "precision=f32",
                          "odd \"\n\uFFFD<net 1x 9223372036854775807ns layer=odd \"\n\uFFFD"));
  EXPECT_EQ(read.time_nanos(), 1'000'000);
  EXPECT_EQ(read.duration_nanos(), 500'000);
  const auto text = [&](std::int64_t index) { return read.string_table(static_cast<int>(index)); };
  ASSERT_EQ(read.sample_type_size(), 2);
  EXPECT_EQ(text(read.sample_type(0).type()) + "/" + text(read.sample_type(0).unit()),
            "samples/count");
  EXPECT_EQ(text(read.sample_type(1).type()) + "/" + text(read.sample_type(1).unit()),
            "time/nanoseconds");
}

TEST(Pprof, OfATraceHasTheThreadAsALabel) {
  const Profile profile = example();
  trace::Trace trace;
  trace.names = {"inference", "Conv_1", "body"};
  trace.threads = {{1, "stream 0"}};
  trace.spans = {
      {.begin_ns = 0, .end_ns = 100, .name = 0, .thread = 1, .kind = trace::Kind::kRequest},
      {.begin_ns = 10, .end_ns = 40, .name = 1, .thread = 1, .kind = trace::Kind::kLayer},
      {.begin_ns = 10, .end_ns = 30, .name = 2, .thread = 2, .kind = trace::Kind::kWorker}};
  EXPECT_THAT(samples(written({.profile = profile, .trace = trace})),
              ElementsAre("inference 1x 70ns thread=stream 0",
                          "Conv_1<inference 1x 30ns thread=stream 0 layer=Conv_1 type=Convolution "
                          "kernel=brgconv precision=f32",
                          "body 1x 20ns thread=thread 2"));
}

TEST(Pprof, OfNothingHasNoSamples) {
  EXPECT_THAT(samples(written({.profile = Profile{}, .trace = trace::Trace{}})), IsEmpty());
}

TEST(Pprof, EqualProfilesGiveEqualBytes) {
  const Profile profile = example();
  std::ostringstream one;
  std::ostringstream two;
  ASSERT_TRUE(write_pprof({.profile = profile, .trace = {}}, one).ok());
  ASSERT_TRUE(write_pprof({.profile = profile, .trace = {}}, two).ok());
  EXPECT_EQ(one.str(), two.str());
}

}  // namespace
}  // namespace tachostat::profile
