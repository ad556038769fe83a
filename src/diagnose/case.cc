#include "diagnose/case.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/status.h"
#include "base/units.h"

namespace tachostat::diagnose {
namespace {

using profile::LayerProfile;
using profile::Tensor;

// Relative half-width of the 95 % interval of a mean: from slices, which see that neighbouring
// requests are alike; from the histogram's spread without them.
double half_width(const LayerProfile& layer) {
  const double mean = layer.time.mean();
  if (mean <= 0 || layer.time.count() < 2) return 0;
  double squares = 0;
  double n = 0;
  if (layer.slices.size() >= 8) {
    for (const profile::Slice& slice : layer.slices) {
      if (slice.count == 0) continue;
      squares += std::pow(slice.mean_ns() / mean - 1, 2);
      n += 1;
    }
  } else {
    for (const auto& [bucket, count] : layer.time.buckets()) {
      const auto value = static_cast<double>(base::Histogram::lower_bound_of(bucket));
      squares += static_cast<double>(count) * std::pow(value / mean - 1, 2);
    }
    n = static_cast<double>(layer.time.count());
  }
  return n < 2 ? 0 : 1.96 * std::sqrt(squares / (n - 1) / n);
}

// A remedy that may make a layer longer by more than this many times has been told often enough.
constexpr double kMostLoss = 10;

// Between nothing and all; what is not a number is nothing.
double part_of_whole(double value) { return std::isnan(value) ? 0 : std::clamp(value, 0.0, 1.0); }

// A convolution whose output channels are its groups has few operations per weight's place: each
// input element is used for one channel only.
bool is_depthwise(const LayerFacts& layer) {
  if (layer.kind != Kind::kConvolution) return false;
  const LayerProfile& profile = *layer.profile;
  if (profile.kernel.find("_dw") != std::string::npos) return true;
  if (profile.type.find("Group") != std::string::npos) return true;
  for (const Tensor& input : profile.inputs) {
    // OpenVINO's weights of grouped convolutions: [groups, out, in, …].
    if (input.producer == Tensor::kConstant && input.shape.size() >= 5 && input.shape[1] == 1 &&
        input.shape[2] == 1) {
      return true;
    }
  }
  return false;
}

}  // namespace

Case::Case(const profile::Profile& profile, const profile::Roofline& roofline,
           const profile::Profile* baseline)
    : profile_(profile), roofline_(roofline), baseline_(baseline) {
  add_layers();
  add_edges();
  cascades_ = cascades_of(*this);
  broken_by_branch_ = find_broken_layers(*this);
}

void Case::add_layers() {
  const auto requests = static_cast<double>(std::max<std::uint64_t>(1, this->requests()));
  // Where another tool marks no requests, all that it saw is one.
  const bool whole = this->requests() == 1;
  layers_.reserve(profile_.layers.size());
  // Layers that ran side by side, or a file that says nonsense: parts of a whole are no more than
  // it.
  double shares = 0;
  for (const LayerProfile& one : profile_.layers) shares += part_of_whole(one.share);
  for (const LayerProfile& one : profile_.layers) {
    LayerFacts& layer = layers_.emplace_back();
    layer.profile = &one;
    layer.index = static_cast<int>(layers_.size()) - 1;
    layer.kind = kind_of(one.type, one.name);
    layer.counts =
        (enough_requests() || whole) && one.time.count() >= kMinRequests && one.time.sum() > 0;
    layer.ns = static_cast<double>(one.time.sum()) / requests;
    layer.share = part_of_whole(one.share) / std::max(1.0, shares);
    layer.depthwise = is_depthwise(layer);
    // Rates are the kernels' own: what other processes took is not theirs.
    const double seconds = profile::undisturbed_ns(one.time) * 1e-9;
    if (seconds <= 0) continue;
    const double bytes = one.work.bytes();
    if (one.work.flops >= 0) layer.flops = one.work.flops / seconds;
    // Another device's peaks are not ours.
    const bool here = one.device.empty() || one.device.starts_with("CPU");
    if (here) layer.peak = peak(one.precision);
    if (bytes > 0) {
      layer.bytes = bytes / seconds;
      layer.weights = one.work.weight_bytes / bytes;
      if (one.work.flops >= 0 && here) layer.intensity = one.work.flops / bytes;
    }
  }
}

void Case::add_edges() {
  readers_.resize(layers_.size());
  producers_.resize(layers_.size());
  std::vector<int> last_reader(layers_.size(), -1);
  for (const LayerFacts& layer : layers_) {
    for (const Tensor& input : layer.profile->inputs) {
      if (input.producer < 0 || input.producer >= static_cast<int>(layers_.size())) continue;
      const auto producer = static_cast<std::size_t>(input.producer);
      if (last_reader[producer] == layer.index) continue;
      last_reader[producer] = layer.index;
      producers_[static_cast<std::size_t>(layer.index)].push_back(input.producer);
      readers_[producer].push_back(layer.index);
    }
    knows_edges_ = knows_edges_ || !layer.profile->inputs.empty();
  }
}

std::vector<int> Case::pick(const std::function<bool(const LayerFacts&)>& wanted) const {
  std::vector<int> picked;
  for (const LayerFacts& layer : layers_) {
    if (layer.counts && wanted(layer)) picked.push_back(layer.index);
  }
  return picked;
}

double Case::share_of(const std::vector<int>& layers) const {
  return std::accumulate(layers.begin(), layers.end(), 0.0,
                         [this](double sum, int index) { return sum + layer(index).share; });
}

std::uint64_t Case::executions_of(const std::vector<int>& layers) const {
  std::uint64_t n = 0;
  for (const int index : layers) n += layer(index).profile->time.count();
  return n;
}

double Case::mean(const std::vector<int>& layers,
                  const std::function<double(const LayerFacts&)>& value) const {
  double sum = 0;
  double weight = 0;
  for (const int index : layers) {
    sum += layer(index).ns * value(layer(index));
    weight += layer(index).ns;
  }
  return weight > 0 ? sum / weight : 0;
}

const profile::Reading* Case::reading(std::string_view name) const {
  const auto found = profile_.readings.find(std::string(name));
  return found == profile_.readings.end() ? nullptr : &found->second;
}

double Case::reading_or(std::string_view name, double otherwise) const {
  const profile::Reading* const found = reading(name);
  return found == nullptr ? otherwise : found->mean;
}

double Case::peak(std::string_view precision) const {
  const int threads = std::max(1, profile_.threads);
  double all = roofline_.peak_f32_flops;
  if (precision == "bf16") all = roofline_.peak_bf16_flops;
  if (precision == "f16") all = roofline_.peak_f16_flops;
  if (is_integer(precision)) all = roofline_.peak_int8_ops;
  if (all <= 0) return -1;
  if (threads >= roofline_.threads) return all;
  // Other precisions scale with threads as f32 does.
  const double one = roofline_.single_f32_flops > 0
                         ? roofline_.single_f32_flops / roofline_.peak_f32_flops
                         : 1.0 / roofline_.threads;
  return all * std::min(1.0, one * threads);
}

double Case::ridge(std::string_view precision) const {
  const double top = peak(precision);
  return top > 0 && roofline_.memory_bandwidth > 0 ? top / roofline_.memory_bandwidth : -1;
}

bool Case::has_instructions(std::string_view set) const {
  const auto& sets = roofline_.instruction_sets;
  return std::find(sets.begin(), sets.end(), set) != sets.end();
}

bool Case::has_half_arithmetic() const {
  constexpr std::array<std::string_view, 6> kSets = {"avx512_bf16", "amx_bf16", "avx512_fp16",
                                                     "bf16",        "asimdhp",  "amx_fp16"};
  return roofline_.instruction_sets.empty() ||
         std::any_of(kSets.begin(), kSets.end(),
                     [this](std::string_view set) { return has_instructions(set); });
}

Finding Case::about(std::string_view rule, const std::vector<Cut>& cuts,
                    Objective objective) const {
  Finding finding{.rule = std::string(rule), .objective = objective};
  std::vector<Cut> sorted = cuts;
  std::stable_sort(sorted.begin(), sorted.end(), [this](const Cut& a, const Cut& b) {
    return layer(a.layer).ns > layer(b.layer).ns;
  });
  for (const Cut& cut : sorted) {
    const double share = layer(cut.layer).share;
    const double high = part_of_whole(cut.high);
    const double low =
        cut.low < 0 ? -std::min(-cut.low, kMostLoss) : std::min(part_of_whole(cut.low), high);
    finding.layers.push_back(layer(cut.layer).profile->name);
    finding.parts.push_back(
        {.layer = cut.layer, .share = share, .gain_low = share * low, .gain_high = share * high});
    finding.share += share;
    finding.gain_low += share * low;
    finding.gain_high += share * high;
  }
  return finding;
}

Finding Case::about(std::string_view rule, double share, double low, double high,
                    Objective objective) {
  Finding finding{.rule = std::string(rule), .objective = objective};
  finding.share = part_of_whole(share);
  finding.gain_high = part_of_whole(high) * finding.share;
  finding.gain_low = std::min(part_of_whole(low) * finding.share, finding.gain_high);
  finding.parts.push_back(
      {.share = finding.share, .gain_low = finding.gain_low, .gain_high = finding.gain_high});
  return finding;
}

Evidence Case::time_of(std::string metric, const std::vector<int>& layers) const {
  double ns = 0;
  double squares = 0;
  for (const int index : layers) {
    ns += layer(index).ns;
    squares += std::pow(layer(index).ns * half_width(*layer(index).profile), 2);
  }
  Evidence evidence(std::move(metric), ns, "ns", executions_of(layers));
  evidence.low = std::max(0.0, ns - std::sqrt(squares));
  evidence.high = ns + std::sqrt(squares);
  return evidence;
}

Evidence Case::told(std::string metric, std::string_view name, std::string unit) const {
  const profile::Reading* const found = reading(name);
  if (found == nullptr) return {std::move(metric), 0, std::move(unit), 0};
  Evidence evidence(std::move(metric), found->mean, std::move(unit), found->n);
  evidence.low = found->low;
  evidence.high = found->high;
  return evidence;
}

std::vector<Cut> cuts(const std::vector<int>& layers, double low, double high) {
  std::vector<Cut> result;
  for (const int index : layers) result.push_back({index, low, high});
  return result;
}

std::vector<int> layers_of(const std::vector<Cut>& cuts) {
  std::vector<int> layers;
  for (const Cut& cut : cuts) layers.push_back(cut.layer);
  return layers;
}

std::string by_kind(const Case& c, const std::vector<int>& layers) {
  std::map<std::string_view, std::pair<int, double>> kinds;
  for (const int index : layers) {
    const LayerFacts& layer = c.layer(index);
    auto& [count, ns] = kinds[layer.depthwise ? "depthwise convolutions" : plural_of(layer.kind)];
    ++count;
    ns += layer.ns;
  }
  std::vector<std::pair<std::string_view, std::pair<int, double>>> sorted(kinds.begin(),
                                                                          kinds.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.second > b.second.second; });
  std::string text;
  for (const auto& [kind, sum] : sorted) {
    text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", sum.first, kind,
                        base::format_nanoseconds(sum.second));
  }
  return text;
}

std::string percent(double share) {
  return fmt::format("{:.{}f} %", share * 100, share < 0.0995 ? 1 : 0);
}

}  // namespace tachostat::diagnose
