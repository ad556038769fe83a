#include "optimize/quantise/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tachostat::optimize {
namespace {

// Below it a tensor is as good as zero everywhere: rounding needs some range.
constexpr float kLeastEnd = 8e-5F;
constexpr double kPercentile = 1e-4;
constexpr int kMseSteps = 64;

double width_of(const TensorStatistics& statistics) {
  return 2 * statistics.reach() / static_cast<double>(TensorStatistics::kBins);
}

// The values below which `share` of all lie, from either end.
Range percentile(const TensorStatistics& statistics, double share) {
  const auto bins = statistics.bins();
  std::uint64_t total = 0;
  for (const std::uint64_t bin : bins) total += bin;
  const double left_out = share * static_cast<double>(total);
  const auto walk = [&](auto begin, auto end) {
    double passed = 0;
    std::size_t place = 0;
    for (auto bin = begin; bin != end; ++bin, ++place) {
      passed += static_cast<double>(*bin);
      if (passed > left_out) break;
    }
    return static_cast<double>(place);
  };
  const double width = width_of(statistics);
  const double low = walk(bins.begin(), bins.end()) * width - statistics.reach();
  const double high = statistics.reach() - walk(bins.rbegin(), bins.rend()) * width;
  // Bins reach beyond the values in them.
  return {std::max(static_cast<float>(low), statistics.low()),
          std::min(static_cast<float>(high), statistics.high())};
}

// Zero gets a code of its own: one end is moved outwards, so that nothing is cut off.
Range with_exact_zero(Range range, int levels) {
  if (range.low >= 0 || range.high <= 0) return range;
  const double steps = levels - 1;
  const double zero = std::round(-range.low / (range.high - range.low) * steps);
  const double kept = std::clamp(zero, 1.0, steps - 1);
  const double wider_high = -range.low / kept * (steps - kept);
  const double wider_low = -range.high / (steps - kept) * kept;
  if (wider_high >= range.high) {
    range.high = static_cast<float>(wider_high);
  } else {
    range.low = static_cast<float>(wider_low);
  }
  return range;
}

Range legal(Range range, bool symmetric, int levels) {
  if (symmetric) {
    const float end = std::max({std::abs(range.low), std::abs(range.high), kLeastEnd});
    // 256 levels from -128 to 127 steps: the lower end is one step further out.
    const int positive = levels / 2 - 1;
    const float step = end / static_cast<float>(positive);
    return range.low < 0 ? Range{-end - step * (levels % 2 == 0 ? 1.0F : 0.0F), end}
                         : Range{0, end};
  }
  range.low = std::min(range.low, 0.0F);
  range.high = std::max(range.high, 0.0F);
  if (range.high - range.low < kLeastEnd) range.high = range.low + kLeastEnd;
  return with_exact_zero(range, levels);
}

double squared_error(const TensorStatistics& statistics, Range range, int levels) {
  const auto bins = statistics.bins();
  const double width = width_of(statistics);
  const double step = (static_cast<double>(range.high) - range.low) / (levels - 1);
  double error = 0;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (bins[i] == 0) continue;
    const double value = (static_cast<double>(i) + 0.5) * width - statistics.reach();
    const double code = std::round((value - range.low) / step);
    const double rounded = range.low + std::clamp(code, 0.0, levels - 1.0) * step;
    error += static_cast<double>(bins[i]) * (value - rounded) * (value - rounded);
  }
  return error;
}

Range least_error(const TensorStatistics& statistics, bool symmetric, int levels) {
  Range best = legal({statistics.low(), statistics.high()}, symmetric, levels);
  double least = squared_error(statistics, best, levels);
  for (int i = 1; i < kMseSteps; ++i) {
    const float shrink = 1 - static_cast<float>(i) / kMseSteps;
    const Range range =
        legal({statistics.low() * shrink, statistics.high() * shrink}, symmetric, levels);
    const double error = squared_error(statistics, range, levels);
    if (error >= least) continue;
    least = error;
    best = range;
  }
  return best;
}

// These loops see every activation of every sample: kLanes of them at once, so that the compiler
// can use vectors.
constexpr std::size_t kLanes = 16;

bool all_finite(std::span<const float> values) {
  std::array<float, kLanes> lanes{};  // 0 × infinity and 0 × NaN are NaN
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += values[i + lane] * 0.0F;
  }
  float sum = 0;
  for (; i < values.size(); ++i) sum += values[i] * 0.0F;
  for (const float lane : lanes) sum += lane;
  return sum == 0;
}

using Ends = TensorStatistics::Ends;

Ends ends_of(std::span<const float> values) {
  std::array<float, kLanes> low{};
  std::array<float, kLanes> high{};
  std::array<float, kLanes> sum{};
  low.fill(std::numeric_limits<float>::infinity());
  high.fill(-std::numeric_limits<float>::infinity());
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float value = values[i + lane];
      low[lane] = value < low[lane] ? value : low[lane];
      high[lane] = value > high[lane] ? value : high[lane];
      sum[lane] += value;
    }
  }
  Ends ends;
  for (std::size_t lane = 0; lane < kLanes && i > 0; ++lane) {
    ends.merge({low[lane], high[lane], static_cast<double>(sum[lane])});
  }
  for (; i < values.size(); ++i) ends.merge({values[i], values[i], static_cast<double>(values[i])});
  return ends;
}

void add_row(const float* row, std::vector<Ends>& channels) {
  for (std::size_t i = 0; i < channels.size(); ++i) {
    channels[i].merge({row[i], row[i], static_cast<double>(row[i])});
  }
}

}  // namespace

void TensorStatistics::Ends::merge(const Ends& other) {
  low = std::min(low, other.low);
  high = std::max(high, other.high);
  sum += other.sum;
}

void TensorStatistics::add(std::span<const float> values, const model::Shape& shape,
                           bool channels_last) {
  std::vector<float> cleaned;
  if (!all_finite(values)) {
    // Rare: zeros, which every range holds anyway, stand for what is not finite.
    cleaned.assign(values.begin(), values.end());
    for (float& value : cleaned) {
      if (std::isfinite(value)) continue;
      value = 0;
      ++not_finite_;
    }
    values = cleaned;
  }
  if (values.empty()) return;
  const std::size_t axis = channels_last || shape.size() < 3 ? shape.size() - 1 : 1;
  std::size_t channels = 1;
  std::size_t inner = values.size();
  if (shape.size() >= 2) {
    channels = static_cast<std::size_t>(shape[axis]);
    inner = 1;
    for (std::size_t i = axis + 1; i < shape.size(); ++i) {
      inner *= static_cast<std::size_t>(shape[i]);
    }
  }
  const Ends all = add_channels(values, channels, inner);
  low_ = samples_ == 0 ? all.low : std::min(low_, all.low);
  high_ = samples_ == 0 ? all.high : std::max(high_, all.high);
  sum_low_ += all.low;
  sum_high_ += all.high;
  ++samples_;
  count(values, std::max(std::abs(all.low), std::abs(all.high)));
}

TensorStatistics::Ends TensorStatistics::add_channels(std::span<const float> values,
                                                      std::size_t channels, std::size_t inner) {
  std::vector<Ends> found(channels);
  if (inner == 1) {
    for (std::size_t at = 0; at + channels <= values.size(); at += channels) {
      add_row(values.data() + at, found);
    }
  } else {
    for (std::size_t at = 0; at + inner <= values.size(); at += inner) {
      found[at / inner % channels].merge(ends_of(values.subspan(at, inner)));
    }
  }
  Ends all;
  for (const Ends& ends : found) all.merge(ends);
  if (channel_sum_.empty()) {
    channel_sum_.assign(channels, 0);
    channel_low_.assign(channels, std::numeric_limits<float>::infinity());
    channel_high_.assign(channels, -std::numeric_limits<float>::infinity());
  }
  if (channel_sum_.size() != channels) return all;  // of open size: no statistics by channel
  for (std::size_t i = 0; i < channels; ++i) {
    channel_low_[i] = std::min(channel_low_[i], found[i].low);
    channel_high_[i] = std::max(channel_high_[i], found[i].high);
    channel_sum_[i] += found[i].sum;
  }
  channel_count_ += static_cast<double>(values.size()) / static_cast<double>(channels);
  return all;
}

void TensorStatistics::count(std::span<const float> values, float largest) {
  if (bins_.empty()) bins_.assign(kBins, 0);
  if (reach_ == 0) reach_ = largest;
  while (static_cast<double>(largest) > reach_) widen();
  constexpr std::size_t kHalf = kBins / 2;
  constexpr auto kMiddle = static_cast<float>(kHalf);
  const float scale = reach_ > 0 ? kMiddle / static_cast<float>(reach_) : 0;
  // Odd, so that it is no multiple of a row's usual length.
  const std::size_t stride = values.size() / kMostCounted | 1U;
  for (std::size_t i = 0; i < values.size(); i += stride) {
    const float place =
        std::clamp(values[i] * scale + kMiddle, 0.0F, static_cast<float>(kBins - 1));
    ++bins_[static_cast<std::size_t>(place)];
  }
}

void TensorStatistics::widen() {
  reach_ *= 2;
  std::vector<std::uint64_t> wider(kBins, 0);
  for (std::size_t i = 0; i < kBins; ++i) wider[kBins / 4 + i / 2] += bins_[i];
  bins_ = std::move(wider);
}

double TensorStatistics::mean_low() const {
  return samples_ == 0 ? 0 : sum_low_ / static_cast<double>(samples_);
}
double TensorStatistics::mean_high() const {
  return samples_ == 0 ? 0 : sum_high_ / static_cast<double>(samples_);
}

std::vector<double> TensorStatistics::channel_means() const {
  std::vector<double> means = channel_sum_;
  for (double& mean : means) mean /= std::max(1.0, channel_count_);
  return means;
}

std::string_view name_of(RangeMethod method) {
  switch (method) {
    case RangeMethod::kMinMax:
      return "min-max";
    case RangeMethod::kPercentile:
      return "percentile";
    case RangeMethod::kMse:
      return "mse";
  }
  return "min-max";
}

Range range_of(const TensorStatistics& statistics, RangeMethod method, bool symmetric, int levels) {
  const bool counted = !statistics.bins().empty();
  if (method == RangeMethod::kMse && counted) return least_error(statistics, symmetric, levels);
  if (method == RangeMethod::kPercentile && counted) {
    return legal(percentile(statistics, kPercentile), symmetric, levels);
  }
  return legal(
      {static_cast<float>(statistics.mean_low()), static_cast<float>(statistics.mean_high())},
      symmetric, levels);
}

}  // namespace tachostat::optimize
