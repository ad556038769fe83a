// `tachostat optimize`: from a model and data to variants that are measured to be faster and no
// less accurate than allowed. The data's three parts share no sample: the first makes and tries
// variants, the second picks among them, the third gives the report, once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "app/optimize/line_up.h"
#include "app/optimize/promises.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "model/model.h"
#include "optimize/quantise/search.h"
#include "probe/probe.h"
#include "profile/profile.h"
#include "verify/metrics/drop.h"

namespace tachostat::app {

// Of one request; of answers while every stream is busy; of the machine's energy for each of these.
enum class Objective { kLatency, kThroughput, kEnergy };
std::string_view name_of(Objective objective);
// What a better one is: "as fast" or "as frugal".
std::string_view better_by(Objective objective);

struct OptimizeOptions {
  std::string model_path;
  std::string data_path;
  std::string folder;  // receives the variants, the report, and what is needed to go on later
  std::string metric;  // verify::make_metric's text; empty: the data's default
  double max_drop = 0.01;
  Objective objective = Objective::kLatency;
  std::uint64_t memory_limit = 0;  // bytes that a variant may hold; 0: no limit
  // For the whole run, shared out among its steps (budget.h): each then ends with the best so far.
  // Calibration and judging take what they take. 0: until nothing is left to try.
  base::Duration budget{0};
  std::uint64_t seed = 1;
  model::Variant base;            // engine and device
  std::string machine;            // Fingerprint::hash()
  std::string machine_name = {};  // for people
  // What layers are held against when the default is diagnosed. Null: against nothing.
  std::function<profile::Roofline()> roofline = {};
  // EnergyMeter::joules, to tell what a request costs. May be null.
  std::function<std::optional<double>()> joules = {};
  // What is being done, and how far it is, from 0 to 1. False stops (Cancelled); what was measured
  // so far is kept. May be null.
  std::function<bool(std::string_view stage, double done)> progress;
};

// A way to run the model, and what became of it.
struct Outcome {
  enum class Verdict { kBaseline, kChosen, kVerified, kRefused };
  std::string name;    // for people: "f32", "engine's default", "int8, placed by cost"
  std::string reason;  // why it was tried
  model::Variant variant;
  Verdict verdict = Verdict::kRefused;
  std::string sentence = {};  // why it was refused or chosen, with the numbers
  verify::Drop selection = {}, report = {};
  // About how many report samples would prove the drop, if more drop as these do.
  std::optional<std::size_t> samples_needed = {};
  std::size_t non_finite = 0;  // samples
  double service_ms = 0;       // one request at a time, median of rounds
  double saturated_ms = 0;     // between two answers with every stream busy
  // Against the best default; energy, where it is measured, with every stream busy.
  Ratio latency = {}, throughput_time = {}, energy = {};
  // Held for weights and activations, as far as the engine tells; 0: it does not tell.
  std::uint64_t memory_bytes = 0;
  double joules = 0;  // of the machine per answer, with every stream busy; 0: not measured
};

struct OptimizeResult {
  std::string model, model_hash, data, data_hash, engine_version, metric, metric_reason;
  std::string machine_name = {};
  double max_drop = 0.01;
  Objective objective = Objective::kLatency;
  std::uint64_t memory_limit = 0;
  std::uint64_t seed = 1;
  std::size_t samples = 0, search_samples = 0, selection_samples = 0, report_samples = 0;
  double reference_score = 0;  // mean of the f32 model's on the report's samples
  std::vector<Outcome> outcomes;
  int chosen = -1;  // index; -1: nothing beats the defaults
  int best_default = -1;
  optimize::PlacementResult placement;
  std::vector<Promise> promises = {};             // of the default's diagnosis
  std::vector<std::string> rewriting_notes = {};  // Rewriting::notes
  std::vector<std::string> kernel_notes = {};     // KernelChoice::notes
  std::vector<std::string> pruning_notes = {};    // Pruning::notes
  std::vector<std::string> accuracy_notes;        // Placing::notes
  std::vector<std::string> switched;              // one line for each choice of the placement
  profile::Profile before, after;                 // f32 and the placement, as measured last
  std::string sentence;                           // the answer
  int reused = 0;                                 // results that an earlier run had kept
};

const Ratio& ratio_by(Objective objective, const Outcome& outcome);

// Errors: InvalidArgument and NotFound for what the user can mend; Cancelled; what was measured is
// kept in `folder`.
absl::StatusOr<OptimizeResult> optimize_model(base::Clock& clock, engine::Engine& engine,
                                              probe::SpanSource& spans,
                                              const OptimizeOptions& options);

// The folder's files: variants/NAME.json for what was verified and is on the frontier, report.json.
// Each is written beside and moved into place, so that none is ever half-written.
absl::Status write_output(const OptimizeOptions& options, const OptimizeResult& result);
std::string to_json(const OptimizeResult& result);
std::string to_text(const OptimizeResult& result);

}  // namespace tachostat::app
