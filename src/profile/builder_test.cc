#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profile/profile.h"

namespace tachostat::profile {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using trace::Kind;

constexpr std::uint64_t kSession = 7;

SessionInfo info() {
  SessionInfo info{.model = "net", .model_hash = "abc", .threads = 2, .streams = 1};
  info.layers = {{.name = "never", .type = "Reshape"},
                 {.name = "a",
                  .originals = {"a", "a/relu"},
                  .type = "Convolution",
                  .kernel = "brgconv_avx2_f32",
                  .precision = "f32",
                  .layout = "nhwc",
                  .work = {.flops = 1000, .weight_bytes = 4, .input_bytes = 8, .output_bytes = 8}}};
  return info;
}

// One request from `begin`, 100 ns long: layer a for 40 ns with two workers busy 40 and 20 ns,
// layer b (which the session's description does not know) for 30 ns.
trace::Trace request(std::uint64_t begin, std::string bucket = "x[1]",
                     std::uint64_t session = kSession) {
  trace::Trace trace;
  trace.names = {"a", "b", "w", "r"};
  const auto add = [&](Kind kind, std::uint32_t name, std::uint32_t thread, std::uint64_t from,
                       std::uint64_t to) {
    trace.spans.push_back({.begin_ns = begin + from,
                           .end_ns = begin + to,
                           .name = name,
                           .thread = thread,
                           .kind = kind});
  };
  add(Kind::kWorker, 2, 2, 10, 30);
  add(Kind::kLayer, 1, 1, 60, 90);
  add(Kind::kLayer, 0, 1, 10, 50);
  add(Kind::kRequest, 3, 1, 0, 100);
  add(Kind::kWorker, 2, 1, 10, 50);
  trace.marks.push_back({session, 1, begin - 1, begin + 101, std::move(bucket)});
  return trace;
}

TEST(Builder, AddsUpRequestsOfASession) {
  Builder builder;
  builder.add_session(kSession, info());
  builder.add(request(1000));
  builder.add(request(2000));
  const std::vector<Profile> profiles = builder.profiles();
  ASSERT_THAT(profiles, SizeIs(1));
  const Profile& profile = profiles[0];
  EXPECT_EQ(profile.model, "net");
  EXPECT_EQ(profile.bucket, "x[1]");
  EXPECT_EQ(profile.variant, model::Variant().id());
  EXPECT_EQ(profile.request_time.count(), 2);
  EXPECT_EQ(profile.request_time.sum(), 200);
  EXPECT_EQ(profile.unattributed_ns, 60);
  EXPECT_DOUBLE_EQ(profile.layer_total_ns(), 140);

  ASSERT_THAT(profile.layers, SizeIs(3));
  EXPECT_EQ(profile.layers[0].name, "a");
  EXPECT_EQ(profile.layers[1].name, "b");
  EXPECT_EQ(profile.layers[2].name, "never");

  const LayerProfile* a = profile.find("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->kernel, "brgconv_avx2_f32");
  EXPECT_THAT(a->originals, testing::ElementsAre("a", "a/relu"));
  EXPECT_EQ(a->time.count(), 2);
  EXPECT_EQ(a->work.flops, 1000);
  EXPECT_DOUBLE_EQ(a->share, 0.4);
  EXPECT_DOUBLE_EQ(a->thread_efficiency, 60.0 / 80.0);

  const LayerProfile* b = profile.find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->type, "");
  EXPECT_DOUBLE_EQ(b->share, 0.3);
  EXPECT_EQ(b->thread_efficiency, -1);

  EXPECT_EQ(profile.find("never")->time.count(), 0);
  EXPECT_EQ(profile.find("nothing"), nullptr);
}

TEST(Builder, BucketsAndSessionsHaveProfilesOfTheirOwn) {
  Builder builder;
  builder.add_session(kSession, info());
  builder.add_session(8, info());
  builder.add(request(1000, "x[1]"));
  builder.add(request(2000, "x[2]"));
  builder.add(request(3000, "x[1]", 8));
  builder.add(request(4000, "x[1]", 99));  // a session that nobody described
  EXPECT_THAT(builder.profiles(), SizeIs(3));
}

TEST(Builder, ShapesAreStaticByTheModelOrByTheVariant) {
  Builder builder;
  SessionInfo open = info();
  SessionInfo declared = info();
  declared.static_shapes = true;
  SessionInfo bucket = info();
  bucket.variant.shapes = {{"x", {1}}};
  builder.add_session(1, open);
  builder.add_session(2, declared);
  builder.add_session(3, bucket);
  for (const std::uint64_t session : {1, 2, 3}) {
    builder.add(request(1000 * session, "x[1]", session));
  }
  const std::vector<Profile> profiles = builder.profiles();
  ASSERT_THAT(profiles, SizeIs(3));
  EXPECT_FALSE(profiles[0].static_shapes);
  EXPECT_TRUE(profiles[1].static_shapes);
  EXPECT_TRUE(profiles[2].static_shapes);
}

TEST(Builder, SessionWithoutTrafficHasNoProfile) {
  Builder builder;
  EXPECT_THAT(builder.profiles(), IsEmpty());
  builder.add_session(kSession, info());
  builder.add({});
  EXPECT_THAT(builder.profiles(), IsEmpty());
}

TEST(Builder, DroppedSpansAreCountedWhereTheyMayBeMissing) {
  Builder builder;
  builder.add_session(kSession, info());
  trace::Trace trace = request(1000);
  trace.dropped = 5;
  trace.spans.clear();
  builder.add(trace);
  const std::vector<Profile> profiles = builder.profiles();
  ASSERT_THAT(profiles, SizeIs(1));
  EXPECT_EQ(profiles[0].dropped_spans, 5);
  EXPECT_EQ(profiles[0].request_time.sum(), 102);  // the mark's own time
  EXPECT_EQ(profiles[0].unattributed_ns, 102);
}

TEST(Builder, DescriptionMayComeAgainWithWork) {
  Builder builder;
  SessionInfo without = info();
  without.layers[1].work = {};
  builder.add_session(kSession, without);
  builder.add(request(1000));
  builder.add_session(kSession, info());
  const std::vector<Profile> profiles = builder.profiles();
  ASSERT_THAT(profiles, SizeIs(1));
  EXPECT_EQ(profiles[0].request_time.count(), 1);
  EXPECT_EQ(profiles[0].find("a")->work.flops, 1000);
}

TEST(Builder, ResetForgetsMeasurementsAndRemoveTheSession) {
  Builder builder;
  builder.add_session(kSession, info());
  builder.add_session(8, info());
  builder.add(request(1000));
  builder.add(request(2000, "x[1]", 8));
  builder.reset(kSession);
  EXPECT_THAT(builder.profiles(), SizeIs(1));
  builder.add(request(3000));
  EXPECT_THAT(builder.profiles(), SizeIs(2));
  builder.remove(kSession);
  builder.add(request(4000));
  EXPECT_THAT(builder.profiles(), SizeIs(1));
}

TEST(Builder, KeepsTheFrequentBucketsWhenThereAreTooMany) {
  Builder builder;
  builder.add_session(kSession, info());
  builder.add(request(1000, "often"));
  builder.add(request(2000, "often"));
  for (std::uint64_t i = 0; i < 3 * Builder::kMaxBuckets; ++i) {
    builder.add(request(3000 + i * 1000, "x[" + std::to_string(i) + "]"));
  }
  const std::vector<Profile> profiles = builder.profiles();
  EXPECT_THAT(profiles, SizeIs(Builder::kMaxBuckets));
  EXPECT_THAT(profiles, testing::Contains(testing::Field(&Profile::bucket, "often")));
}

}  // namespace
}  // namespace tachostat::profile
