// What the shape of the graph costs: many layers' time with one cause.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/case.h"

namespace tachostat::diagnose {
namespace {

// Conversions that hand data to one another, and the layers around them.
struct Island {
  std::vector<int> conversions{};  // those that count
  std::vector<int> shores{};       // layers that are none
  double share = 0;
};

std::vector<Island> islands_of(const Case& c) {
  std::vector<Island> islands;
  std::vector<bool> seen(c.layers().size(), false);
  std::vector<int> island_of(c.layers().size(), -1);  // the last one that a shore was added to
  for (const LayerFacts& first : c.layers()) {
    if (seen[static_cast<std::size_t>(first.index)] || !is_conversion(first.kind)) continue;
    const int number = static_cast<int>(islands.size());
    Island& island = islands.emplace_back();
    seen[static_cast<std::size_t>(first.index)] = true;
    std::vector<int> open = {first.index};
    while (!open.empty()) {
      const int at = open.back();
      open.pop_back();
      if (c.layer(at).counts) island.conversions.push_back(at);
      for (const std::vector<int>* const next : {&c.producers(at), &c.readers(at)}) {
        for (const int one : *next) {
          const auto place = static_cast<std::size_t>(one);
          if (!is_conversion(c.layer(one).kind)) {
            if (island_of[place] != number) island.shores.push_back(one);
            island_of[place] = number;
          } else if (!seen[place]) {
            seen[place] = true;
            open.push_back(one);
          }
        }
      }
    }
    island.share = c.share_of(island.conversions);
  }
  return islands;
}

std::vector<Finding> find_cascades(const Case& c) {
  const std::vector<Cascade>& cascades = c.cascades();
  if (cascades.empty()) return {};
  std::vector<int> layers;
  for (const Cascade& cascade : cascades) {
    layers.insert(layers.end(), cascade.conversions.begin(), cascade.conversions.end());
  }
  Finding finding = c.about("cascade", cuts(layers, 0.3, 1));
  const profile::LayerProfile& first = *c.layer(cascades[0].cause).profile;
  finding.summary = fmt::format(
      "{} conversions ({} of request time) have {}: '{}' ({}{}{}) wants another layout or number "
      "format than the layers before and after it",
      layers.size(), percent(finding.share),
      cascades.size() == 1 ? "one cause" : fmt::format("{} causes, the first", cascades.size()),
      first.name, first.type, first.kernel.empty() ? "" : ", ", first.kernel);
  finding.evidence = {c.time_of("time of the conversions", layers),
                      {"causes", static_cast<double>(cascades.size()), "layers", 1}};
  const std::map<std::string, std::string> at{{"layer", first.name}};
  finding.remedies = {
      {Remedy::kKeepLayout, at}, {Remedy::kKernel, at}, {Remedy::kReplaceOperator, at}};
  finding.confidence = 0.75;
  return {std::move(finding)};
}

bool is_tiny_integer(const profile::Tensor& tensor) {
  if (tensor.type != "i64" && tensor.type != "i32") return false;
  std::int64_t elements = 1;
  for (const std::int64_t dimension : tensor.shape) {
    if (dimension < 0) return false;
    elements *= std::min<std::int64_t>(dimension, 1 << 20);
    if (elements > 64) return false;
  }
  return true;
}

std::vector<Finding> find_shape_subgraph(const Case& c) {
  const std::vector<int> shapes = c.pick([](const LayerFacts& layer) {
    const auto& outputs = layer.profile->outputs;
    return layer.kind == Kind::kShape ||
           (!is_heavy(layer.kind) && !outputs.empty() &&
            std::all_of(outputs.begin(), outputs.end(), is_tiny_integer));
  });
  if (shapes.empty() || c.share_of(shapes) < kMinOverhead) return {};
  Finding finding = c.about("shape-subgraph", cuts(shapes, 0.5, 1));
  finding.summary = fmt::format(
      "{} layers ({} of request time) work out shapes in every request: with fixed shapes they "
      "would be constants",
      shapes.size(), percent(finding.share));
  finding.evidence = {c.time_of("time on shapes", shapes)};
  finding.remedies = {Remedy::kStaticShapes, Remedy::kFoldConstants};
  finding.confidence = 0.85;
  return {std::move(finding)};
}

std::vector<Finding> find_critical_path(const Case& c) {
  constexpr double kShort = 0.8;  // of all layers' time
  if (!c.knows_edges() || !c.enough_requests() || c.profile().threads < 2) return {};
  double total = 0;
  std::vector<double> until(c.layers().size(), 0);
  std::vector<int> before(c.layers().size(), -1);
  int last = -1;
  for (const LayerFacts& layer : c.layers()) {
    const auto at = static_cast<std::size_t>(layer.index);
    for (const int producer : c.producers(layer.index)) {
      // Execution order is a topological one; whatever is not is no path.
      if (producer >= layer.index) continue;
      if (until[static_cast<std::size_t>(producer)] <= until[at]) continue;
      until[at] = until[static_cast<std::size_t>(producer)];
      before[at] = producer;
    }
    until[at] += layer.ns;
    total += layer.ns;
    if (last < 0 || until[at] > until[static_cast<std::size_t>(last)]) last = layer.index;
  }
  if (last < 0 || total <= 0 || until[static_cast<std::size_t>(last)] > kShort * total) return {};
  const double path = until[static_cast<std::size_t>(last)];
  std::vector<bool> on(c.layers().size(), false);
  for (int at = last; at >= 0; at = before[static_cast<std::size_t>(at)]) {
    on[static_cast<std::size_t>(at)] = true;
  }
  // Branches side by side use only what threads leave idle, and where that was not seen nothing is
  // claimed.
  std::vector<Cut> cuts;
  for (const LayerFacts& layer : c.layers()) {
    const double efficiency = layer.profile->thread_efficiency;
    if (on[static_cast<std::size_t>(layer.index)] || !layer.counts || efficiency < 0) continue;
    const double idle = 1 - efficiency;
    if (idle > 0.2) cuts.push_back({layer.index, 0.1 * idle, idle});
  }
  Finding finding = c.about("branches-in-turn", cuts);
  if (finding.share < kMinShare) return {};
  finding.summary = fmt::format(
      "branches of the graph run one after the other: the longest path takes {} of {}, and threads "
      "are partly idle in the rest",
      base::format_nanoseconds(path), base::format_nanoseconds(total));
  finding.evidence = {{"longest path", path, "ns", c.requests()},
                      {"all layers", total, "ns", c.requests()}};
  finding.remedies = {Remedy::kThreadsAndStreams, Remedy::kReplaceOperator};
  finding.confidence = 0.5;
  return {std::move(finding)};
}

// Whether equal inputs and equal output shapes mean equal outputs: nothing else is set in such a
// layer, and it has no weights that could differ.
bool is_plain_function(const Case& c, const LayerFacts& layer) {
  constexpr std::array<std::string_view, 5> kHides = {"Eltwise", "Subgraph", "Math", "Activation",
                                                      "ElementWise"};
  const profile::LayerProfile& profile = *layer.profile;
  if (profile.inputs.empty() || profile.work.weight_bytes > 0) return false;
  // Which of the model's inputs a layer reads is told only where there is one.
  const std::string& bucket = c.profile().bucket;
  const bool one_input = std::count(bucket.begin(), bucket.end(), '[') == 1;
  const int layers = static_cast<int>(c.layers().size());
  for (const profile::Tensor& input : profile.inputs) {
    if (input.producer == profile::Tensor::kConstant) return false;
    if (input.producer == profile::Tensor::kModelInput && !one_input) return false;
    if (input.producer == profile::Tensor::kUnknown || input.producer >= layers) return false;
  }
  if (layer.kind == Kind::kMatMul || layer.kind == Kind::kNormalise) return true;
  return layer.kind == Kind::kElementwise &&
         std::find(kHides.begin(), kHides.end(), profile.type) == kHides.end();
}

std::vector<Finding> find_duplicates(const Case& c) {
  if (!c.knows_edges()) return {};
  std::map<std::string, int> first;
  std::vector<int> same(c.layers().size());  // the first layer that computes the same
  std::iota(same.begin(), same.end(), 0);
  std::vector<int> copies;
  for (const LayerFacts& layer : c.layers()) {
    if (!is_plain_function(c, layer)) continue;
    std::string key = layer.profile->type + "|" + layer.profile->precision;
    for (const profile::Tensor& input : layer.profile->inputs) {
      const int made = input.producer;
      key += fmt::format("|{}", made < 0 ? made : same[static_cast<std::size_t>(made)]);
      key += model::to_string(input.shape);
    }
    for (const profile::Tensor& output : layer.profile->outputs) {
      key += ">" + model::to_string(output.shape);
    }
    const auto [known, added] = first.emplace(std::move(key), layer.index);
    if (added) continue;
    same[static_cast<std::size_t>(layer.index)] = known->second;
    if (layer.counts) copies.push_back(layer.index);
  }
  if (copies.empty() || c.share_of(copies) < kMinOverhead) return {};
  Finding finding = c.about("duplicate-layers", cuts(copies, 0.6, 1));
  finding.summary = fmt::format(
      "{} layers ({} of request time) compute what another layer has computed already from the "
      "same inputs",
      copies.size(), percent(finding.share));
  finding.evidence = {c.time_of("time computed again", copies)};
  finding.remedies = {Remedy::kDeduplicate};
  finding.confidence = 0.8;
  return {std::move(finding)};
}

std::vector<Finding> find_dead_outputs(const Case& c) {
  constexpr std::uint64_t kEnoughRequests = 100;
  std::vector<bool> needed(c.layers().size(), false);
  std::vector<int> open;
  std::vector<std::string> dead;
  for (const LayerFacts& layer : c.layers()) {
    for (const std::string& answer : layer.profile->answers) {
      const profile::Reading* const asked = c.reading("output/" + answer + "/asked");
      if (asked != nullptr && asked->n >= kEnoughRequests && asked->high == 0) {
        dead.push_back(answer);
      } else {
        open.push_back(layer.index);
      }
    }
  }
  if (!c.knows_edges() || dead.empty() || open.empty()) return {};
  while (!open.empty()) {
    const int index = open.back();
    open.pop_back();
    if (needed[static_cast<std::size_t>(index)]) continue;
    needed[static_cast<std::size_t>(index)] = true;
    for (const int producer : c.producers(index)) open.push_back(producer);
  }
  const std::vector<int> wasted = c.pick(
      [&](const LayerFacts& layer) { return !needed[static_cast<std::size_t>(layer.index)]; });
  if (wasted.empty() || c.share_of(wasted) < kMinOverhead) return {};
  Finding finding = c.about("dead-outputs", cuts(wasted, 0.8, 1));
  finding.summary = fmt::format(
      "nobody asks for output '{}'{}, and {} layers ({} of request time) serve nothing else",
      dead[0], dead.size() > 1 ? fmt::format(" and {} more", dead.size() - 1) : "", wasted.size(),
      percent(finding.share));
  finding.evidence = {c.time_of("time for nobody", wasted),
                      c.told("requests that asked", "output/" + dead[0] + "/asked", "share")};
  finding.remedies = {{Remedy::kCutOutputs, {{"output", dead[0]}}}};
  finding.confidence = 0.9;
  return {std::move(finding)};
}

constexpr std::array<Rule, 5> kRules = {{
    {"cascade", "reorders, casts and transposes that touch one layer, through one another",
     "on two or more sides of one layer, twice as many as any other layer that they touch has; 3 % "
     "of request time together",
     "keep-layout, kernel, replace-operator at the cause", "30 % to 100 % of the conversions' time",
     "edges of the executed graph", find_cascades},
    {"shape-subgraph", "layers that make shapes: by operator, or small integer tensors only",
     "3 % of request time", "static-shapes, fold-constants", "half to all of their time",
     "operators' definitions", find_shape_subgraph},
    {"branches-in-turn",
     "the longest path through the graph against all layers' time, idle threads beside it",
     "at most 80 %, and layers off the path that leave threads idle over 20 % take 10 % of request "
     "time",
     "threads-and-streams, replace-operator", "a tenth to all of the idle part beside the path",
     "critical path method", find_critical_path},
    {"duplicate-layers",
     "layers without weights or settings with the same inputs and output shapes",
     "3 % of request time for the second and later ones", "deduplicate",
     "60 % to 100 % of their time", "common subexpressions", find_duplicates},
    {"dead-outputs", "`output/NAME/asked`: the share of requests that asked for an output",
     "none of 100 and more, and layers that serve nothing else take 3 %", "cut-outputs",
     "80 % to 100 % of those layers' time", "Open Inference Protocol: requested outputs",
     find_dead_outputs},
}};

}  // namespace

std::vector<Cascade> cascades_of(const Case& c) {
  if (!c.knows_edges()) return {};
  const std::vector<Island> islands = islands_of(c);
  struct Candidate {
    int cause = 0;
    double share = 0;
    std::vector<int> islands{};
  };
  std::map<int, Candidate> around;  // by cause
  for (int number = 0; number < static_cast<int>(islands.size()); ++number) {
    const Island& island = islands[static_cast<std::size_t>(number)];
    for (const int shore : island.shores) {
      Candidate& candidate = around[shore];
      candidate.cause = shore;
      candidate.share += island.share;
      candidate.islands.push_back(number);
    }
  }
  // Most islands around any of an island's shores, and around any other of them.
  std::vector<std::pair<std::size_t, std::size_t>> most(islands.size());
  for (std::size_t number = 0; number < islands.size(); ++number) {
    auto& [first, second] = most[number];
    for (const int shore : islands[number].shores) {
      const std::size_t here = around.at(shore).islands.size();
      second = std::max(second, std::min(first, here));
      first = std::max(first, here);
    }
  }
  // Where its neighbours have as many, as in a model that transposes between all layers, nobody in
  // particular is the cause.
  const auto stands_out = [&](const Candidate& candidate) {
    return std::all_of(candidate.islands.begin(), candidate.islands.end(), [&](int number) {
      const auto& [first, second] = most[static_cast<std::size_t>(number)];
      const std::size_t own = candidate.islands.size();
      return own >= 2 * (first == own ? second : first);
    });
  };
  // The layer with the dearest conversions is taken to be their cause; then the next, of what is
  // left.
  std::vector<Candidate> candidates;
  for (auto& [cause, candidate] : around) {
    if (stands_out(candidate)) candidates.push_back(std::move(candidate));
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.share > b.share; });
  std::vector<bool> taken(islands.size(), false);
  std::vector<Cascade> result;
  double total = 0;
  for (const Candidate& candidate : candidates) {
    std::vector<int> left;
    std::size_t count = 0;
    double share = 0;
    for (const int number : candidate.islands) {
      if (taken[static_cast<std::size_t>(number)]) continue;
      left.push_back(number);
      count += islands[static_cast<std::size_t>(number)].conversions.size();
      share += islands[static_cast<std::size_t>(number)].share;
    }
    if (count < 2 || share < kLeastGain) continue;
    Cascade one{.cause = candidate.cause};
    for (const int number : left) {
      const std::vector<int>& more = islands[static_cast<std::size_t>(number)].conversions;
      one.conversions.insert(one.conversions.end(), more.begin(), more.end());
      taken[static_cast<std::size_t>(number)] = true;
    }
    std::sort(one.conversions.begin(), one.conversions.end());
    total += share;
    result.push_back(std::move(one));
  }
  // Too little together to be said; as single conversions they may be enough.
  return total < kMinOverhead ? std::vector<Cascade>{} : result;
}

std::span<const Rule> structure_rules() { return kRules; }

}  // namespace tachostat::diagnose
