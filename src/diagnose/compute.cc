// Layers whose arithmetic is what takes the time.
#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/case.h"
#include "diagnose/integers.h"

namespace tachostat::diagnose {
namespace {

using base::format_count;

// Of the measured peak. Good kernels reach 60 to 90 % of it on real layers.
constexpr double kNearRoof = 0.5;
// Conversions between layers, and layers that do not scale, have been seen to eat up to two thirds
// of what fewer bits give.
constexpr double kLeastOfCut = 0.3;

struct Lower {
  std::string_view precision;
  double factor = 1;  // its peak ÷ the present one's
  bool integer = false;
};

// What this machine multiplies faster than `layer`'s precision, the fastest last. Where peaks were
// not measured, half the bits are taken to be twice as fast if there are instructions for them.
std::vector<Lower> lower_precisions(const Case& c, const LayerFacts& layer) {
  std::vector<Lower> lower;
  const int bits = bits_of(layer.profile->precision);
  const bool measured = c.roofline().peak_int8_ops > 0 || c.roofline().peak_bf16_flops > 0 ||
                        c.roofline().peak_f16_flops > 0;
  for (const std::string_view precision : {"f16", "bf16", "u8"}) {
    const int to = bits_of(precision);
    if (to >= bits || (to == 8 && !can_be_integer(layer))) continue;
    const double peak = c.peak(precision);
    if (peak > 1.2 * layer.peak) lower.push_back({precision, peak / layer.peak, to == 8});
    if (measured || bits != 32 || precision == "f16") continue;
    const bool half = c.has_half_arithmetic();
    if (precision == "bf16" && half) lower.push_back({precision, 2.0, false});
    if (precision == "u8" && !half) lower.push_back({precision, 2.0, true});
  }
  std::stable_sort(lower.begin(), lower.end(),
                   [](const Lower& a, const Lower& b) { return a.factor < b.factor; });
  return lower;
}

// Layers of a lower precision's remedy: those near the roof where half the bits are offered; every
// layer that integers change where those are the only choice.
std::vector<Cut> lower_cuts(const Case& c, const std::vector<int>& near, bool half, bool integer) {
  std::vector<Cut> integers;
  if (integer) integers = cuts_by_integers(c);
  if (!half) return integers;
  std::vector<Cut> cuts;
  for (const int index : near) {
    Cut cut{index, 0, 0};
    for (const Lower& lower : lower_precisions(c, c.layer(index))) {
      if (lower.integer) continue;
      cut.high = std::max(cut.high, 1 - 1 / lower.factor);
      cut.low = kLeastOfCut * cut.high;
    }
    const auto same = std::find_if(integers.begin(), integers.end(),
                                   [&](const Cut& one) { return one.layer == index; });
    if (same != integers.end()) {
      cut.low = std::max(cut.low, same->low);
      cut.high = std::max(cut.high, same->high);
    }
    cuts.push_back(cut);
  }
  return cuts;
}

std::vector<Finding> find_compute_bound(const Case& c) {
  const std::vector<int> near = near_roof(c);
  if (near.empty()) return {};
  bool integer = false;
  bool half = false;
  for (const int index : near) {
    for (const Lower& one : lower_precisions(c, c.layer(index)))
      (one.integer ? integer : half) = true;
  }
  const std::vector<Cut> cuts = lower_cuts(c, near, half, integer);
  const double flops = c.mean(near, [](const LayerFacts& layer) { return layer.flops; });
  const double peak = c.mean(near, [](const LayerFacts& layer) { return layer.peak; });
  const double intensity = c.mean(near, [](const LayerFacts& layer) { return layer.intensity; });
  const std::string precision = c.layer(near[0]).profile->precision;
  Finding finding = c.about("compute-bound", cuts);
  finding.summary = fmt::format(
      "{} of request time is {} arithmetic at {}FLOP/s, {} of this machine's peak: these kernels "
      "can hardly be better; fewer bits per number, or fewer operations, would take less time{}",
      percent(c.share_of(near)), precision, format_count(flops), percent(flops / peak),
      finding.gain_low < 0 ? kMayLose : "");
  const std::uint64_t n = c.executions_of(near);
  finding.evidence = {{"achieved compute", flops, "FLOP/s", n},
                      {"peak compute", peak, "FLOP/s", 1},
                      {"arithmetic intensity", intensity, "FLOP/byte", n},
                      {"ridge intensity", c.ridge(precision), "FLOP/byte", 1}};
  if (half) finding.remedies.emplace_back(Remedy::kLowerPrecision);
  if (integer) finding.remedies.emplace_back(Remedy::kQuantise);
  finding.remedies.emplace_back(Remedy::kPrune);
  finding.confidence = 0.8;
  return {std::move(finding)};
}

// Words in kernels' names that say: made to be right, not fast.
bool is_generic(std::string_view kernel) {
  constexpr std::array<std::string_view, 6> kWords = {"ref",    "naive",  "generic",
                                                      "simple", "scalar", "unfused"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    const std::size_t at = kernel.find(word);
    if (at == std::string_view::npos) return false;
    // "ref" as a word of its own: "ref_any_f32", not "prefetch".
    const auto is_letter = [&](std::size_t i) {
      return i < kernel.size() && ((kernel[i] | 0x20) >= 'a' && (kernel[i] | 0x20) <= 'z');
    };
    return !(at > 0 && is_letter(at - 1)) && !is_letter(at + word.size());
  });
}

// Median FLOP/s of the layers of each kind and precision: what kernels reach here.
class Neighbours {
 public:
  explicit Neighbours(const Case& c) {
    for (const LayerFacts& layer : c.layers()) {
      if (layer.counts && layer.flops > 0) rates_[key(layer)].push_back(layer.flops);
    }
    for (auto& [key, rates] : rates_) {
      const auto middle = rates.begin() + static_cast<long>(rates.size() / 2);
      std::nth_element(rates.begin(), middle, rates.end());
    }
  }
  // -1: fewer than three others.
  double flops(const LayerFacts& layer) const {
    const auto found = rates_.find(key(layer));
    if (found == rates_.end() || found->second.size() < 4) return -1;
    return found->second[found->second.size() / 2];
  }

 private:
  using Key = std::tuple<Kind, bool, std::string_view>;
  static Key key(const LayerFacts& layer) {
    return {layer.kind, layer.depthwise, layer.profile->precision};
  }
  std::map<Key, std::vector<double>> rates_;
};

bool has_odd_channels(const LayerFacts& layer) {
  const auto odd = [](const std::vector<profile::Tensor>& tensors) {
    return !tensors.empty() && tensors[0].shape.size() == 4 && tensors[0].shape[1] > 8 &&
           tensors[0].shape[1] % 8 != 0;
  };
  return odd(layer.profile->inputs) || odd(layer.profile->outputs);
}

std::vector<Finding> find_slow_kernel(const Case& c) {
  // Below this a layer is mostly start and end.
  constexpr double kLeastNs = 20'000;
  constexpr double kOfPeak = 0.25;
  constexpr double kOfNeighbours = 0.4;
  constexpr double kReachable = 0.6;  // of the peak, by a good kernel
  const Neighbours neighbours(c);
  std::vector<Cut> cuts;
  std::string kernel;
  bool odd = false;
  bool generic = false;
  for (const LayerFacts& layer : c.layers()) {
    if (!layer.counts || !is_heavy(layer.kind) || layer.depthwise || layer.flops <= 0) continue;
    const bool named = is_generic(layer.profile->kernel);
    const double ridge = c.ridge(layer.profile->precision);
    const bool compute = ridge > 0 && layer.intensity >= ridge;
    const double others = neighbours.flops(layer);
    const bool slow_here = layer.peak <= 0 || layer.flops < kOfPeak * layer.peak;
    const bool behind = others > 0 && layer.flops < kOfNeighbours * others;
    if (!slow_here || !(named || (compute && behind && layer.ns >= kLeastNs))) continue;
    // At best as its neighbours, or as good kernels are.
    const double best = std::max(others, compute ? kReachable * layer.peak : -1.0);
    const double high = best > layer.flops ? 1 - layer.flops / best : named ? 0.5 : 0;
    if (high <= 0) continue;
    cuts.push_back({layer.index, kLeastOfCut * high, high});
    if (kernel.empty()) kernel = layer.profile->kernel;
    odd = odd || has_odd_channels(layer);
    generic = generic || named;
  }
  const std::vector<int> layers = layers_of(cuts);
  if (c.share_of(layers) < kMinOverhead) return {};
  Finding finding = c.about("slow-kernel", cuts);
  const double flops = c.mean(layers, [](const LayerFacts& layer) { return layer.flops; });
  const double others =
      c.mean(layers, [&](const LayerFacts& layer) { return neighbours.flops(layer); });
  finding.summary = fmt::format(
      "{} of request time is arithmetic in kernels that reach {}FLOP/s{}{}{}",
      percent(finding.share), format_count(flops),
      others > 0
          ? fmt::format(", where layers of the same kind reach {}FLOP/s", format_count(others))
          : "",
      generic ? fmt::format(": '{}' is a reference or generic implementation", kernel) : "",
      odd ? "; channels are no multiple of 8, which fast kernels want" : "");
  finding.evidence = {c.time_of("time", layers),
                      {"achieved compute", flops, "FLOP/s", c.executions_of(layers)}};
  if (others > 0) finding.evidence.emplace_back("compute of its neighbours", others, "FLOP/s", 3);
  if (odd) finding.remedies.emplace_back(Remedy::kPadChannels);
  finding.remedies.emplace_back(Remedy::kKernel);
  finding.remedies.emplace_back(Remedy::kReplaceOperator);
  finding.confidence = generic ? 0.9 : 0.6;
  return {std::move(finding)};
}

// Vector widths and dot products by the words that kernels have in their names. Engines often name
// the width only: an integer kernel of the width that the dot product comes in may well use it.
struct Unit {
  std::string_view set;                   // as the processor calls it
  std::array<std::string_view, 3> words;  // in kernels that use it, or something better
  bool integer;                           // for 8-bit numbers only
  double factor;                          // of arithmetic against the next one below
};
constexpr std::array kUnits = {Unit{"amx_int8", {"amx", "", ""}, true, 4},
                               Unit{"avx512_vnni", {"vnni", "amx", "avx512"}, true, 2},
                               Unit{"avx_vnni", {"vnni", "amx", "avx"}, true, 2},
                               Unit{"avx512f", {"avx512", "amx", ""}, false, 2},
                               Unit{"avx2", {"avx2", "avx512", "amx"}, false, 2},
                               Unit{"asimddp", {"dot", "i8mm", "sve"}, true, 2},
                               Unit{"sve", {"sve", "", ""}, false, 1.5}};

// The best unit that this machine has for the layer and that its kernel's name rules out.
const Unit* unused_unit(const Case& c, const LayerFacts& layer) {
  const std::string& kernel = layer.profile->kernel;
  // Only names that speak of instruction sets say which they do without.
  constexpr std::array<std::string_view, 6> kSpeak = {"sse",  "avx", "asimd",
                                                      "neon", "sve", "jit_uni"};
  if (std::none_of(kSpeak.begin(), kSpeak.end(),
                   [&](std::string_view word) { return kernel.find(word) != std::string::npos; })) {
    return nullptr;
  }
  for (const Unit& unit : kUnits) {
    if (!c.has_instructions(unit.set) || unit.integer != is_integer(layer.profile->precision)) {
      continue;
    }
    const bool used = std::any_of(unit.words.begin(), unit.words.end(), [&](std::string_view word) {
      return !word.empty() && kernel.find(word) != std::string::npos;
    });
    if (used || kernel.find("uni") != std::string::npos) return nullptr;
    return &unit;
  }
  return nullptr;
}

// What Nsight Compute says of tensor cores, in percent of their time; -1: nothing.
double tensor_core_use(const LayerFacts& layer) {
  for (const auto& [name, value] : layer.profile->metrics) {
    if (name.find("pipe_tensor") != std::string::npos && name.find("pct") != std::string::npos) {
      return value;
    }
  }
  return -1;
}

std::vector<Finding> find_vector_unit_unused(const Case& c) {
  std::vector<Cut> cuts;
  std::string what;
  for (const LayerFacts& layer : c.layers()) {
    if (!layer.counts || !is_heavy(layer.kind)) continue;
    double factor = 1;
    if (const Unit* const unit = unused_unit(c, layer); unit != nullptr) {
      factor = unit->factor;
      if (what.empty()) {
        what = fmt::format("this machine has {}, and '{}' does without", unit->set,
                           layer.profile->kernel);
      }
    } else if (const double use = tensor_core_use(layer); use >= 0 && use < 1) {
      factor = 2;
      if (what.empty()) {
        what = fmt::format("tensor cores are used {:.1f} % of the time in '{}'", use,
                           layer.profile->kernel);
      }
    }
    if (factor <= 1) continue;
    cuts.push_back({layer.index, kLeastOfCut * (1 - 1 / factor), 1 - 1 / factor});
  }
  const std::vector<int> layers = layers_of(cuts);
  if (c.share_of(layers) < kMinOverhead) return {};
  Finding finding = c.about("vector-unit-unused", cuts);
  finding.summary = fmt::format("{} of request time is arithmetic without the best unit for it: {}",
                                percent(finding.share), what);
  finding.evidence = {c.time_of("time", layers)};
  finding.remedies = {Remedy::kKernel, Remedy::kPadChannels};
  finding.confidence = 0.7;
  return {std::move(finding)};
}

std::vector<Finding> find_precision_outlier(const Case& c) {
  constexpr double kMostly = 0.5;  // of the arithmetic's time or operations
  constexpr double kLeastShare = 0.02;
  double low_work = 0;
  double all_work = 0;
  for (const LayerFacts& layer : c.layers()) {
    if (!layer.counts || !is_heavy(layer.kind)) continue;
    const double work = layer.profile->work.flops > 0 ? layer.profile->work.flops : layer.ns;
    all_work += work;
    const int bits = bits_of(layer.profile->precision);
    if (bits > 0 && bits <= 16) low_work += work;
  }
  if (all_work <= 0 || low_work < kMostly * all_work) return {};
  const std::vector<int>& broken = c.broken_by_branch().layers;  // said with their cause
  const std::vector<int> outliers = c.pick([&](const LayerFacts& layer) {
    return is_heavy(layer.kind) && bits_of(layer.profile->precision) == 32 &&
           !std::binary_search(broken.begin(), broken.end(), layer.index);
  });
  if (c.share_of(outliers) < kLeastShare) return {};
  // As fast per operation as those of the low precision, if the kernel exists; depthwise ones gain
  // bytes only.
  const std::vector<int> low = c.pick([](const LayerFacts& layer) {
    const int bits = bits_of(layer.profile->precision);
    return is_heavy(layer.kind) && bits > 0 && bits <= 16 && !layer.depthwise && layer.flops > 0;
  });
  const double low_flops = c.mean(low, [](const LayerFacts& layer) { return layer.flops; });
  std::vector<Cut> cuts;
  for (const int index : outliers) {
    const LayerFacts& layer = c.layer(index);
    const bool measured = !layer.depthwise && layer.flops > 0 && low_flops > 0;
    const double high = measured ? std::clamp(1 - layer.flops / low_flops, 0.0, 0.75) : 0.5;
    cuts.push_back({index, 0.1 * high, high});
  }
  Finding finding = c.about("precision-outlier", cuts);
  const std::string precision = c.layer(outliers[0]).profile->precision;
  finding.summary = fmt::format(
      "{} of request time is {} arithmetic in a graph that multiplies {} of its operations in "
      "fewer bits: {}",
      percent(finding.share), precision, percent(low_work / all_work), by_kind(c, outliers));
  finding.evidence = {
      c.time_of("time in the higher precision", outliers),
      {"operations in fewer bits", low_work / all_work, "share", c.executions_of(low)}};
  finding.remedies = {Remedy::kLowerPrecision, Remedy::kQuantise, Remedy::kReplaceOperator};
  finding.confidence = 0.7;
  return {std::move(finding)};
}

constexpr std::array<Rule, 4> kRules = {{
    {"compute-bound",
     "FLOP/s against the peak at the layer's precision, FLOP per byte against the ridge",
     "at or right of the ridge, 50 % of the peak or more, together 10 % of request time; and this "
     "machine "
     "multiplies some lower precision at least 1.2 times faster",
     "lower-precision, quantise, prune",
     "16 bits: up to 1 - present peak ÷ the lower precision's peak of those layers' time, at least "
     "30 % of that; integers, of the whole model: from the part of each layer's time that is "
     "arithmetic, halved (of matrix products without a dot-product instruction: a quarter longer), "
     "less a step that converts at each border to floating point and 3 µs for each kernel (less "
     "than nothing where that is more), to 95 % of the integers' peak (where it was not measured 2 "
     "to "
     "16 × f32's, by the instructions), a quarter of the time of layers between that only move "
     "data or are depthwise, and no such step",
     "Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009", find_compute_bound},
    {"slow-kernel",
     "FLOP/s against the peak, against layers of the same kind, and the kernel's name",
     "under 25 % of the peak, and either a kernel called reference, naive, generic, simple or "
     "scalar, or compute-bound work of 20 µs and more "
     "at under 40 % of the median of three or more neighbours; together 3 % of request time",
     "pad-channels (when they are no multiple of 8), kernel, replace-operator",
     "to the neighbours' rate or 60 % of the peak; at least 30 % of that",
     "measured neighbours; kernels' names of oneDNN, OpenVINO, ONNX Runtime", find_slow_kernel},
    {"vector-unit-unused",
     "instruction sets of the machine against those in the kernel's name; tensor core use of "
     "Nsight Compute",
     "a kernel that names a lower set than the machine has for its precision, or tensor cores "
     "under 1 %; 3 % of request time",
     "kernel, pad-channels", "1 - 1 ÷ the width's ratio; at least 30 % of that",
     "widths of the instruction sets (Intel SDM, Arm ARM)", find_vector_unit_unused},
    {"precision-outlier", "precision of layers that multiply, against the rest of the graph",
     "half of the operations or more in 16 bits or fewer, and 32-bit layers that take 2 % of "
     "request time",
     "lower-precision, quantise, replace-operator",
     "to the rate of the layers in fewer bits, at most 75 %; at least a tenth of that, since a "
     "kernel may not exist",
     "measured neighbours", find_precision_outlier},
}};

}  // namespace

std::vector<int> near_roof(const Case& c) {
  std::vector<int> near = c.pick([&](const LayerFacts& layer) {
    const double ridge = c.ridge(layer.profile->precision);
    return layer.peak > 0 && ridge > 0 && layer.intensity >= ridge &&
           layer.flops >= kNearRoof * layer.peak && !lower_precisions(c, layer).empty();
  });
  if (c.share_of(near) < kMinShare) near.clear();
  return near;
}

std::span<const Rule> compute_rules() { return kRules; }

}  // namespace tachostat::diagnose
