// How long diagnosing a profile of many layers takes: a chain with branches, of mixed kinds.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "diagnose/diagnose.h"

namespace {

using namespace tachostat;

profile::Profile profile_of(int layers) {
  constexpr std::uint64_t kRequests = 100;
  constexpr const char* kTypes[] = {"Convolution",  "Eltwise", "Reorder", "MatMul",
                                    "FakeQuantize", "Softmax", "Concat",  "Transpose"};
  profile::Profile profile{.model = "large", .bucket = "x[1,3]", .threads = 2};
  for (int i = 0; i < layers; ++i) {
    profile::LayerProfile layer{.name = fmt::format("layer{}", i), .type = kTypes[i % 8]};
    layer.kernel = "jit_avx2_f32";
    layer.precision = i % 3 == 0 ? "u8" : "f32";
    layer.time.record(20'000 + static_cast<std::uint64_t>(i % 97) * 100, kRequests);
    layer.thread_efficiency = 0.6;
    layer.work = {.flops = 1e6, .weight_bytes = 1e3, .input_bytes = 2e4, .output_bytes = 2e4};
    for (const int from : {i - 1, i - 7}) {
      if (from >= 0) layer.inputs.push_back({.type = "f32", .shape = {1, 64, 8}, .producer = from});
    }
    layer.outputs.push_back({.type = layer.precision, .shape = {1, 64, 8}});
    layer.share = 1.0 / layers;
    profile.layers.push_back(std::move(layer));
  }
  profile.request_time.record(static_cast<std::uint64_t>(profile.layer_total_ns()) / kRequests,
                              kRequests);
  return profile;
}

}  // namespace

int main(int argc, char** argv) {
  const int layers = argc > 1 ? std::atoi(argv[1]) : 100'000;
  const profile::Profile profile = profile_of(layers);
  const profile::Roofline roofline{.threads = 2,
                                   .peak_f32_flops = 200e9,
                                   .single_f32_flops = 100e9,
                                   .memory_bandwidth = 40e9,
                                   .cache_bandwidth = 100e9,
                                   .peak_int8_ops = 400e9};
  std::vector<double> seconds;
  std::size_t findings = 0;
  for (int i = 0; i < 7; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    findings = diagnose::diagnose(profile, roofline).size();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    seconds.push_back(took.count());
  }
  std::sort(seconds.begin(), seconds.end());
  fmt::print("{{\"layers\": {}, \"findings\": {}, \"median_s\": {}, \"worst_s\": {}}}\n", layers,
             findings, seconds[seconds.size() / 2], seconds.back());
}
