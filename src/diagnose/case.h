// What rules look at: a profile with everything that is asked of it often, worked out once. Also
// how a rule says what it found.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diagnose/diagnose.h"
#include "diagnose/kinds.h"
#include "profile/profile.h"

namespace tachostat::diagnose {

// Fewer executions prove nothing.
inline constexpr std::uint64_t kMinRequests = 8;
// Less of the whole is not worth a trial.
inline constexpr double kLeastGain = 0.01;
// Layers that a roofline rule speaks of take at least this much together.
inline constexpr double kMinShare = 0.10;
// Time that buys nothing (conversions, copies, waiting) is worth a word earlier.
inline constexpr double kMinOverhead = 0.03;

// One layer. Times are nanoseconds of one request; -1: not known.
struct LayerFacts {
  const profile::LayerProfile* profile = nullptr;
  int index = 0;
  Kind kind = Kind::kOther;
  bool counts = false;  // ran often enough to prove anything
  double ns = 0;        // of one request, all its executions
  double share = 0;
  double flops = -1;       // per second, achieved by executions that nothing disturbed
  double bytes = -1;       // likewise
  double intensity = -1;   // FLOP per byte
  double weights = -1;     // share of its bytes that are weights
  double peak = -1;        // FLOP/s of one request's threads at its precision
  bool depthwise = false;  // a convolution of a multiply-add or so per weight and place
};

// A part of a layer's time that a remedy takes away: an interval.
struct Cut {
  int layer = 0;
  double low = 0;  // of that layer's time; below zero where it may take longer
  double high = 0;
};

// A layer whose layout or number format makes its neighbours convert: the conversions on either
// side of it, through one another, at least two.
struct Cascade {
  int cause = 0;
  std::vector<int> conversions{};
};

// Layers that multiply in floating point only because one branch of what they read was not
// quantised, ascending.
struct BrokenByBranch {
  std::vector<int> layers{};
  std::string join{};  // the first one's name
};

class Case {
 public:
  // All must outlive it.
  Case(const profile::Profile& profile, const profile::Roofline& roofline,
       const profile::Profile* baseline = nullptr);

  const profile::Profile& profile() const { return profile_; }
  const profile::Roofline& roofline() const { return roofline_; }
  const profile::Profile* baseline() const { return baseline_; }

  const std::vector<LayerFacts>& layers() const { return layers_; }
  const LayerFacts& layer(int index) const { return layers_[static_cast<std::size_t>(index)]; }
  // Layers that read what this one makes; empty also when edges are not known.
  const std::vector<int>& readers(int index) const {
    return readers_[static_cast<std::size_t>(index)];
  }
  // Layers whose outputs this one reads, each once.
  const std::vector<int>& producers(int index) const {
    return producers_[static_cast<std::size_t>(index)];
  }
  bool knows_edges() const { return knows_edges_; }
  // What several rules need to know, so that none says again what another has said with its cause.
  const std::vector<Cascade>& cascades() const { return cascades_; }
  const BrokenByBranch& broken_by_branch() const { return broken_by_branch_; }
  // In order of execution; those that count and pass.
  std::vector<int> pick(const std::function<bool(const LayerFacts&)>& wanted) const;
  double share_of(const std::vector<int>& layers) const;
  std::uint64_t executions_of(const std::vector<int>& layers) const;
  // Mean weighted by the layers' time.
  double mean(const std::vector<int>& layers,
              const std::function<double(const LayerFacts&)>& value) const;

  std::uint64_t requests() const { return profile_.request_time.count(); }
  bool enough_requests() const { return requests() >= kMinRequests; }
  double request_ns() const { return profile_.request_time.mean(); }
  // Of all streams.
  std::int64_t threads() const { return std::int64_t{profile_.threads} * profile_.streams; }

  const profile::Reading* reading(std::string_view name) const;
  // Its mean; `otherwise` when it was not read.
  double reading_or(std::string_view name, double otherwise) const;

  // Peak FLOP/s of one request's threads at a precision; -1 when not measured.
  double peak(std::string_view precision) const;
  // FLOP per byte where compute and memory limits meet; -1 when not measured.
  double ridge(std::string_view precision) const;
  bool has_instructions(std::string_view set) const;
  // bf16 or f16; true as well when the machine's instruction sets are not known.
  bool has_half_arithmetic() const;

  // A finding about layers: the dearest first, with shares and gains added up.
  Finding about(std::string_view rule, const std::vector<Cut>& cuts,
                Objective objective = Objective::kLatency) const;
  // About time outside all layers, or about all time: a share of the objective, and what of it can
  // be had.
  static Finding about(std::string_view rule, double share, double low, double high,
                       Objective objective);
  // A layer's mean time with its interval, of all executions in one request.
  Evidence time_of(std::string metric, const std::vector<int>& layers) const;
  // A reading as evidence; `metric` as people call it.
  Evidence told(std::string metric, std::string_view name, std::string unit) const;

 private:
  void add_layers();
  void add_edges();

  const profile::Profile& profile_;
  const profile::Roofline& roofline_;
  const profile::Profile* const baseline_;
  std::vector<LayerFacts> layers_;
  std::vector<std::vector<int>> readers_;
  std::vector<std::vector<int>> producers_;
  bool knows_edges_ = false;
  std::vector<Cascade> cascades_;
  BrokenByBranch broken_by_branch_;
};

// How a case works them out, once.
std::vector<Cascade> cascades_of(const Case& c);
BrokenByBranch find_broken_layers(const Case& c);

// Layers near the roof that some lower precision would make faster; empty where they take too
// little to be said.
std::vector<int> near_roof(const Case& c);

std::vector<Cut> cuts(const std::vector<int>& layers, double low, double high);
std::vector<int> layers_of(const std::vector<Cut>& cuts);

// "12 depthwise convolutions 4.10ms, 2 transposed convolutions 1.80ms", the dearest kind first.
std::string by_kind(const Case& c, const std::vector<int>& layers);

std::string percent(double share);

// The families. Each lives in the file of its name.
std::span<const Rule> compute_rules();
std::span<const Rule> memory_rules();
std::span<const Rule> quantisation_rules();
std::span<const Rule> parallelism_rules();
std::span<const Rule> serving_rules();
std::span<const Rule> transfer_rules();
std::span<const Rule> environment_rules();
std::span<const Rule> structure_rules();
std::span<const Rule> change_rules();

}  // namespace tachostat::diagnose
