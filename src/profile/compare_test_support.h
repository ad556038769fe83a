// Profiles with known times, for the tests of compare.
#pragma once

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "profile/compare.h"

namespace tachostat::profile {

// Ten layers of 100 µs, each run with a little noise of its own.
struct SideSpec {
  int runs = 5;
  std::uint64_t seed = 1;
  double drift = 1;         // of everything
  double planted = 1;       // of layer "layer3"
  double planted_from = 0;  // part of each run from which it is
  double noise = 0.01;      // of a layer, between runs
  double together = 0.02;   // of all layers, between runs
  int requests = 320;
  std::string machine = "m1";
};

inline Profile profile_of(const SideSpec& spec, std::mt19937_64& random) {
  constexpr int kSlices = 32;
  std::normal_distribution<double> normal;
  Profile profile{
      .model = "net", .model_hash = "h", .variant = "v", .bucket = "x[1]", .machine = spec.machine};
  profile.slices.resize(kSlices);
  const double all = spec.drift * std::exp(spec.together * normal(random));
  std::vector<double> requests(static_cast<std::size_t>(spec.requests), 0.0);
  for (int number = 0; number < 10; ++number) {
    LayerProfile layer{.name = "layer" + std::to_string(number), .type = "Convolution"};
    layer.slices.resize(kSlices);
    const double own = 100'000 * all * std::exp(spec.noise * normal(random));
    for (int i = 0; i < spec.requests; ++i) {
      const auto slice = static_cast<std::size_t>(i * kSlices / spec.requests);
      const bool planted = number == 3 && i >= spec.planted_from * spec.requests;
      const double ns = own * (planted ? spec.planted : 1) * std::exp(0.02 * normal(random));
      layer.time.record(static_cast<std::uint64_t>(ns));
      ++layer.slices[slice].count;
      layer.slices[slice].sum_ns += static_cast<std::uint64_t>(ns);
      requests[static_cast<std::size_t>(i)] += ns;
    }
    profile.layers.push_back(std::move(layer));
  }
  for (int i = 0; i < spec.requests; ++i) {
    const auto slice = static_cast<std::size_t>(i * kSlices / spec.requests);
    const auto ns = static_cast<std::uint64_t>(requests[static_cast<std::size_t>(i)]);
    profile.request_time.record(ns);
    ++profile.slices[slice].count;
    profile.slices[slice].sum_ns += ns;
  }
  return profile;
}

inline std::vector<ComparedRun> side(const SideSpec& spec) {
  std::mt19937_64 random(spec.seed);
  std::vector<ComparedRun> runs;
  for (int i = 0; i < spec.runs; ++i) {
    runs.push_back({"run" + std::to_string(i) + ".json", profile_of(spec, random)});
  }
  return runs;
}

}  // namespace tachostat::profile
