// Profiles that nobody would measure, and very large ones: rules end, and stay honest.
#include <limits>

#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

using testing::IsEmpty;

constexpr int kMany = 100'000;

std::vector<Finding> expect_survives(const Profile& profile, const Roofline& roofline = machine(),
                                     const Profile* baseline = nullptr) {
  std::vector<Finding> findings = diagnose(profile, roofline, baseline);
  for (const Finding& finding : findings) expect_sane(finding);
  expect_promised_once(findings);
  return findings;
}

Profile many(const std::vector<std::string>& types, int (*producer)(int)) {
  std::vector<LayerProfile> layers;
  layers.reserve(kMany);
  for (int i = 0; i < kMany; ++i) {
    const std::string& type = types[static_cast<std::size_t>(i) % types.size()];
    layers.push_back(node("l" + std::to_string(i), type, 0.9 / kMany, {producer(i)}));
  }
  return profile_of(std::move(layers));
}

int previous(int i) { return i > 0 ? i - 1 : Tensor::kModelInput; }
int hub(int i) { return i > 0 ? 0 : Tensor::kModelInput; }

TEST(Hostile, EmptyAndZeroTimes) {
  EXPECT_THAT(expect_survives({}), IsEmpty());
  Profile zero;
  zero.threads = 2;
  zero.request_time.record(0, kRequests);
  for (const char* type : {"Convolution", "Reorder", "Add", "Softmax"}) {
    LayerProfile one = node(type, type, 0);
    one.work = {.flops = 0, .weight_bytes = 0, .input_bytes = 0, .output_bytes = 0};
    zero.layers.push_back(one);
  }
  EXPECT_THAT(expect_survives(zero), IsEmpty());
  zero.static_shapes = false;
  zero.bucket = "x[1,3]";
  zero.layers[0].time.record(1000, kRequests);
  EXPECT_THAT(expect_survives(zero, machine(), &zero), IsEmpty());
}

TEST(Hostile, CyclesAndProducersThatDoNotExist) {
  constexpr int kFar = std::numeric_limits<int>::max();
  for (const char* type : {"Reorder", "Add", "MatMul", "QuantizeLinear", "Convolution"}) {
    for (const int producer : {0, 1, 2, 3, kFar, -kFar}) {
      Profile profile =
          profile_of({node("a", type, 0.3, {producer, 1}), node("b", type, 0.3, {producer, 2}),
                      node("c", type, 0.3, {producer, 0})});
      profile.layers[0].answers = {"y"};
      profile.layers[2].answers = {"z"};
      profile.readings["output/z/asked"] = {.n = 1000};
      for (LayerProfile& one : profile.layers) one.thread_efficiency = 0.3;
      expect_survives(profile);
    }
  }
}

TEST(Hostile, AbsurdNumbers) {
  const std::vector<std::string> names = {"memory/held",
                                          "memory/budget",
                                          "process/major_faults_per_request",
                                          "process/minor_faults_per_request",
                                          "process/run_delay_share",
                                          "processors/idle_share",
                                          "processors/stolen_share",
                                          "processors/others_share",
                                          "serving/compute",
                                          "serving/queue",
                                          "serving/decode",
                                          "serving/encode",
                                          "serving/batch",
                                          "serving/batch_limit",
                                          "serving/in_flight",
                                          "serving/padded_share",
                                          "serving/cold_share",
                                          "serving/rate",
                                          "serving/busy_share",
                                          "target/rate",
                                          "remote/network",
                                          "device/idle_share",
                                          "device/host_wait_share",
                                          "device/kernels",
                                          "device/kernel_time",
                                          "cgroup/cpu/throttled",
                                          "throttle/core/time",
                                          "rapl/package-0",
                                          "rapl/package-0/limit",
                                          "frequency/below_nominal",
                                          "pressure/memory/some",
                                          "numa/0/local_pages",
                                          "numa/0/remote_pages",
                                          "shape/x[1]",
                                          "input/x/mean",
                                          "input/x/deviation"};
  for (const double value : {-1e308, -1.0, 0.0, 1e-308, 1.0, 1e9, 1e308}) {
    std::map<std::string, double> readings;
    for (const std::string& name : names) readings[name] = value;
    Profile profile = reading_profile(readings);
    profile.threads = std::numeric_limits<int>::max();
    profile.streams = std::numeric_limits<int>::max();
    for (const char* type : {"Convolution", "Convolution", "Add", "Reorder", "MatMul"}) {
      LayerProfile one = node(type, type, 0.1, {0, 1});
      one.share = value;
      one.thread_efficiency = value;
      one.threads = {.executions = 100, .participants = value, .imbalance = value};
      one.threads.dispatch_ns = value;
      one.work = {
          .flops = value, .weight_bytes = value, .input_bytes = value, .output_bytes = value};
      one.metrics["cache_misses"] = value;
      profile.layers.push_back(one);
    }
    expect_survives(profile);
    expect_survives(profile, {}, &profile);
    Roofline absurd{.threads = 0,
                    .peak_f32_flops = value,
                    .single_f32_flops = value,
                    .memory_bandwidth = value,
                    .cache_bandwidth = value,
                    .peak_bf16_flops = value,
                    .peak_int8_ops = value};
    absurd.last_level_bytes = value;
    absurd.processors = 1;
    absurd.cores = 1;
    expect_survives(profile, absurd, &profile);
    // One alone, beside readings that are as they should be.
    for (const std::string& name : names) expect_survives(reading_profile({{name, value}}));
  }
}

TEST(Hostile, ManyLayersInAChain) {
  for (const std::vector<std::string>& types :
       std::vector<std::vector<std::string>>{{"Reorder"},
                                             {"Add"},
                                             {"Convolution", "Reorder", "Softmax", "Convert"},
                                             {"QuantizeLinear", "MatMul"}}) {
    expect_survives(many(types, previous));
  }
}

TEST(Hostile, ManyLayersAroundOne) {
  for (const std::vector<std::string>& types :
       std::vector<std::vector<std::string>>{{"Reorder"}, {"Reorder", "Add"}, {"MatMul"}}) {
    Profile profile = many(types, hub);
    LayerProfile join = node("join", "Concat", 0.05);
    join.inputs.clear();
    for (int i = 0; i < kMany; ++i) join.inputs.push_back({.type = "f32", .producer = i});
    profile.layers.push_back(join);
    expect_survives(profile);
  }
}

}  // namespace
}  // namespace tachostat::diagnose
