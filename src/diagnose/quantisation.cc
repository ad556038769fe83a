// What integers cost beside what they save.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/case.h"

namespace tachostat::diagnose {
namespace {

bool any_integer(const std::vector<profile::Tensor>& tensors) {
  return std::any_of(tensors.begin(), tensors.end(), [](const profile::Tensor& tensor) {
    return tensor.producer != profile::Tensor::kConstant && is_integer(tensor.type);
  });
}

bool any_float(const std::vector<profile::Tensor>& tensors) {
  return std::any_of(tensors.begin(), tensors.end(), [](const profile::Tensor& tensor) {
    return tensor.producer != profile::Tensor::kConstant &&
           (tensor.type == "f32" || is_half(tensor.type));
  });
}

// A step of its own to or from integers: by its operator, or because numbers go in as one and come
// out as the other and nothing is multiplied.
bool is_quantise_step(const LayerFacts& layer) {
  if (layer.kind == Kind::kQuantise) return true;
  const bool light = layer.kind == Kind::kElementwise || layer.kind == Kind::kReorder ||
                     layer.kind == Kind::kCast || layer.kind == Kind::kOther;
  if (!light) return false;
  const profile::LayerProfile& profile = *layer.profile;
  return (any_float(profile.inputs) && any_integer(profile.outputs)) ||
         (any_integer(profile.inputs) && any_float(profile.outputs) && !any_float(profile.inputs));
}

bool is_integer_layer(const LayerFacts& layer) {
  return is_heavy(layer.kind) && is_integer(layer.profile->precision);
}

// How many times longer a layer would take in floating point, by this machine's peaks.
double float_factor(const Case& c) {
  const double integers = c.peak("u8");
  const double floats = std::max(c.peak("f32"), c.peak("bf16"));
  return integers > 0 && floats > 0 ? std::clamp(integers / floats, 1.0, 4.0) : 2.0;
}

// Time that integers save in the layers that read this step's output; each saving is counted for
// one of its steps only.
double saved_by(const Case& c, int step) {
  double saved = 0;
  for (const int reader : c.readers(step)) {
    if (!is_integer_layer(c.layer(reader))) continue;
    const double steps = std::max<double>(1, static_cast<double>(c.producers(reader).size()));
    saved += c.layer(reader).ns * (float_factor(c) - 1) / steps;
  }
  return saved;
}

std::vector<Finding> find_standalone_quantise(const Case& c) {
  const std::vector<int> steps = c.pick(is_quantise_step);
  // Of a model whose numbers come as integers, one step is not a chain.
  if (steps.empty() || c.share_of(steps) < kMinOverhead) return {};
  std::vector<Cut> cuts;
  double saved = 0;
  for (const int step : steps) {
    const double saves = c.knows_edges() ? saved_by(c, step) : 0;
    if (c.knows_edges() && saves >= c.layer(step).ns) continue;
    saved += saves;
    // Without the step, its readers may lose what it saved them.
    const double kept = 1 - saves / c.layer(step).ns;
    cuts.push_back({step, 0.25 * kept, kept});
  }
  const std::vector<int> layers = layers_of(cuts);
  if (c.share_of(layers) < kMinOverhead) return {};
  Finding finding = c.about("standalone-quantise", cuts);
  const double cost = c.share_of(layers) * c.request_ns();
  finding.summary = fmt::format(
      "{} steps of their own that quantise or dequantise take {} ({} of request time; {}){}: "
      "without "
      "them, or fused into what is before, the model would be faster",
      layers.size(), base::format_nanoseconds(cost), percent(finding.share), by_kind(c, layers),
      c.knows_edges()
          ? fmt::format(" and save {} in the layers after them", base::format_nanoseconds(saved))
          : "");
  finding.evidence = {c.time_of("time of the steps", layers)};
  if (c.knows_edges()) {
    finding.evidence.emplace_back("time saved after them", saved, "ns", c.executions_of(layers));
  }
  finding.remedies = {Remedy::kPlaceQuantisers, Remedy::kHigherPrecision};
  finding.confidence = c.knows_edges() ? 0.85 : 0.7;
  return {std::move(finding)};
}

std::vector<Finding> find_broken_by_branch(const Case& c) {
  const auto& [layers, join] = c.broken_by_branch();
  if (layers.empty() || c.share_of(layers) < kMinOverhead) return {};
  const double best = 1 - 1 / float_factor(c);
  Finding finding = c.about("int8-broken-by-branch", cuts(layers, 0.2 * best, best));
  finding.summary = fmt::format(
      "{} of request time is floating-point arithmetic only because one branch of '{}' is not "
      "quantised: the other is, and what reads both cannot use integers",
      percent(finding.share), join);
  finding.evidence = {c.time_of("time in floating point", layers)};
  finding.remedies = {Remedy::kPlaceQuantisers};
  finding.confidence = 0.8;
  return {std::move(finding)};
}

std::vector<Finding> find_dynamic_quantisation(const Case& c) {
  const std::vector<int> steps =
      c.pick([](const LayerFacts& layer) { return layer.kind == Kind::kDynamicQuantise; });
  if (steps.empty() || c.share_of(steps) < kMinOverhead) return {};
  Finding finding = c.about("dynamic-quantisation", cuts(steps, 0.4, 1));
  finding.summary = fmt::format(
      "{} of request time looks for the range of activations in each request ({} steps): with "
      "ranges calibrated once it would not",
      percent(finding.share), steps.size());
  finding.evidence = {c.time_of("time of the steps", steps)};
  finding.remedies = {{Remedy::kQuantise, {{"ranges", "calibrated"}}}};
  finding.confidence = 0.9;
  return {std::move(finding)};
}

// The baseline's time in one request for each of the model's own layers.
std::unordered_map<std::string_view, double> baseline_times(const profile::Profile& baseline) {
  std::unordered_map<std::string_view, double> times;
  const auto requests =
      static_cast<double>(std::max<std::uint64_t>(1, baseline.request_time.count()));
  for (const profile::LayerProfile& layer : baseline.layers) {
    const double ns = static_cast<double>(layer.time.sum()) / requests;
    if (layer.originals.empty()) times[layer.name] += ns;
    // A fused layer's time is spread over what is inside it only where both fuse alike; else the
    // first takes it all, and the comparison below asks for all of them.
    for (std::size_t i = 0; i < layer.originals.size(); ++i) {
      times[layer.originals[i]] += i == 0 ? ns : 0;
    }
  }
  return times;
}

std::vector<Finding> find_int8_slower(const Case& c) {
  constexpr double kSlower = 1.1;
  if (c.baseline() == nullptr) return {};
  const auto before = baseline_times(*c.baseline());
  std::vector<Cut> cuts;
  double was = 0;
  for (const int index : c.pick(is_integer_layer)) {
    const LayerFacts& layer = c.layer(index);
    double ns = 0;
    if (layer.profile->originals.empty()) {
      const auto found = before.find(layer.profile->name);
      if (found != before.end()) ns = found->second;
    }
    for (const std::string& original : layer.profile->originals) {
      const auto found = before.find(original);
      if (found != before.end()) ns += found->second;
    }
    if (ns <= 0 || layer.ns < kSlower * ns) continue;
    was += ns;
    cuts.push_back({index, 0.5 * (1 - ns / layer.ns), 1 - ns / layer.ns});
  }
  const std::vector<int> layers = layers_of(cuts);
  if (c.share_of(layers) < kMinOverhead) return {};
  Finding finding = c.about("int8-slower", cuts);
  finding.summary = fmt::format(
      "{} integer layers take {} where they took {} before: their integer kernels are slower here",
      layers.size(), base::format_nanoseconds(c.share_of(layers) * c.request_ns()),
      base::format_nanoseconds(was));
  finding.evidence = {c.time_of("time in integers", layers),
                      {"time in the baseline", was, "ns", c.baseline()->request_time.count()}};
  finding.remedies = {Remedy::kHigherPrecision, Remedy::kKernel};
  finding.confidence = 0.9;
  return {std::move(finding)};
}

constexpr std::array<Rule, 4> kRules = {{
    {"standalone-quantise",
     "layers that only quantise or dequantise, and what integers save in the layers that read them",
     "steps that cost more than they save, together 3 % of request time",
     "place-quantisers, higher-precision",
     "their time less what they save; at least a quarter of that",
     "runtime graph: number formats at each layer's borders; the machine's peaks",
     find_standalone_quantise},
    {"int8-broken-by-branch", "concatenations and sums that read integers and floating point",
     "and hand floating point to layers that multiply, 3 % of request time together",
     "place-quantisers", "the integers' peak against floating point's; at least a fifth of that",
     "OpenVINO's low-precision transformations need equal formats at a Concat",
     find_broken_by_branch},
    {"dynamic-quantisation", "steps that find a scale while running", "3 % of request time",
     "quantise (with calibrated ranges)", "40 % to 100 % of their time",
     "ONNX DynamicQuantizeLinear", find_dynamic_quantisation},
    {"int8-slower", "integer layers against the same layers of the baseline",
     "1.1 times as long, 3 % of request time; needs a baseline", "higher-precision, kernel",
     "the difference; at least half of it", "measured baseline", find_int8_slower},
}};

}  // namespace

BrokenByBranch find_broken_layers(const Case& c) {
  BrokenByBranch broken;
  std::vector<int>& layers = broken.layers;
  if (!c.knows_edges() || c.pick(is_integer_layer).empty()) return broken;
  for (const LayerFacts& join : c.layers()) {
    const bool joins = join.kind == Kind::kConcat || join.kind == Kind::kElementwise;
    const profile::LayerProfile& profile = *join.profile;
    if (!joins || profile.inputs.size() < 2 || any_integer(profile.outputs)) continue;
    if (!any_integer(profile.inputs) || !any_float(profile.inputs)) continue;
    for (const int reader : c.readers(join.index)) {
      const LayerFacts& layer = c.layer(reader);
      if (!layer.counts || !is_heavy(layer.kind) || is_integer(layer.profile->precision)) continue;
      if (broken.join.empty()) broken.join = profile.name;
      layers.push_back(reader);
    }
  }
  std::sort(layers.begin(), layers.end());
  layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
  return broken;
}

std::span<const Rule> quantisation_rules() { return kRules; }

}  // namespace tachostat::diagnose
