// A profile and a roofline in, ranked findings out. A rule is a pure function; a family of rules is
// one file, and registering it is one line in rules.cc. docs/rules.md lists every rule with its
// metric, threshold, source and remedy; it is written by rules_markdown().
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.h"

namespace tachostat::diagnose {

// What could be done, for a proposer to turn into variants, or for a person.
struct Remedy {
  enum Kind : std::uint8_t {
    // How the model runs.
    kLowerPrecision,
    kQuantise,
    kPlaceQuantisers,  // where they pay, by measured cost
    kHigherPrecision,  // where the low one costs more than it saves
    kThreadsAndStreams,
    kPinning,
    kBatch,
    kStaticShapes,
    kShapeBuckets,
    kWarmUp,
    kFuse,
    kKeepLayout,
    kReplaceOperator,
    kPadChannels,
    kFoldConstants,
    kCutOutputs,
    kDeduplicate,
    kPrune,
    kKernel,
    kShareBuffers,
    kCaptureGraph,
    kPlace,  // on another device, or split elsewhere
    kGoBack,
    kRecalibrate,
    // What it runs on, and who asks.
    kQuota,
    kCooling,
    kPowerLimit,
    kFrequency,
    kNeighbours,
    kMemory,
    kMemoryNode,
    kCapacity,
    kClient,
  };

  Kind kind = kLowerPrecision;
  std::map<std::string, std::string> settings{};  // "precision": "bf16"

  Remedy() = default;
  Remedy(Kind what, std::map<std::string, std::string> with = {})  // NOLINT: a kind is a remedy
      : kind(what), settings(std::move(with)) {}
  friend bool operator==(const Remedy& a, const Remedy& b) { return a.kind == b.kind; }
};
std::string_view name_of(Remedy::Kind kind);  // "lower-precision", …

struct Evidence {
  std::string metric{};  // "thread efficiency", "arithmetic intensity", …
  double value = 0;
  std::string unit{};
  std::uint64_t n = 0;  // executions or requests behind it
  // 95 % interval of the value; both are the value where there is none (n of 1, a setting).
  double low = 0;
  double high = 0;

  Evidence() = default;
  Evidence(std::string what, double number, std::string in, std::uint64_t from)
      : metric(std::move(what)),
        value(number),
        unit(std::move(in)),
        n(from),
        low(number),
        high(number) {}
};

// What `share` and the gains are shares of, and what gets better.
enum class Objective : std::uint8_t {
  kLatency,     // time of one inference
  kThroughput,  // processor time per inference: one may still take as long
  kResponse,    // from a request's arrival to its answer, waiting included
  kMemory,      // bytes held
};
std::string_view name_of(Objective objective);

// One layer's part of a finding; time outside all layers has no layer.
struct Part {
  static constexpr int kNoLayer = -1;
  int layer = kNoLayer;  // index into Profile::layers
  double share = 0;
  double gain_low = 0;
  double gain_high = 0;
};

struct Finding {
  std::string rule{};                 // "compute-bound"
  std::string summary{};              // one sentence with numbers, for people
  std::vector<std::string> layers{};  // most expensive first
  double share = 0;                   // of the objective, spent in those layers
  // Expected cut by the best remedy, as a share of the whole: an interval. Its low end is below
  // zero where the remedy may cost more than it saves.
  double gain_low = 0;
  double gain_high = 0;
  std::vector<Evidence> evidence{};
  std::vector<Remedy> remedies{};
  std::string family{};
  Objective objective = Objective::kLatency;
  double confidence = 0.5;    // that the cause is the named one, 0 to 1
  bool alarm = false;         // says that something changed; may promise no gain
  std::vector<Part> parts{};  // of each layer, in the order of `layers`; add up to share and gains

  double expected_gain() const { return (gain_low + gain_high) / 2; }
};

class Case;

// One line of docs/rules.md.
struct Rule {
  std::string_view name;
  std::string_view metric;     // what is looked at, and from where
  std::string_view threshold;  // from when it speaks
  std::string_view remedy;
  std::string_view gain;    // how the interval comes about
  std::string_view source;  // of the method
  std::vector<Finding> (*find)(const Case&);
};
struct Family {
  std::string_view name;
  std::string_view about;
  std::span<const Rule> rules;
};
std::span<const Family> families();

// All rules' findings, the largest expected gain first. What two findings promise of the same time
// is promised once: the one with the larger gain keeps it, the other's gain is of what is left.
// Gains of different objectives are shares of different wholes, and both can be had. `baseline`,
// when there is one, is what rules of the family "change" compare with.
std::vector<Finding> diagnose(const profile::Profile& profile, const profile::Roofline& roofline,
                              const profile::Profile* baseline = nullptr);

// The roofline, when the profile was taken on the machine that it is of; else one that knows
// nothing, so that no layer is held against another machine's peaks.
profile::Roofline applicable(const profile::Roofline& roofline, std::string_view machine,
                             const profile::Profile& profile);

std::string to_json(const std::vector<Finding>& findings);
std::string to_text(const std::vector<Finding>& findings);
// docs/rules.md but for its introduction.
std::string rules_markdown();

}  // namespace tachostat::diagnose
