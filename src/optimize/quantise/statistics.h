// What calibration keeps of a tensor: never values, only their statistics.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace tachostat::optimize {

// Thread-compatible. Values that are not finite are counted, and taken as zero.
class TensorStatistics {
 public:
  static constexpr std::size_t kBins = 4096;
  static constexpr std::size_t kMostCounted = 65536;  // values of one sample, evenly spread

  struct Ends {
    float low = std::numeric_limits<float>::infinity();
    float high = -std::numeric_limits<float>::infinity();
    double sum = 0;
    void merge(const Ends& other);
  };

  // One sample's tensor. Channels are axis 1, or the last one where the rank is below 3 or
  // `channels_last`.
  void add(std::span<const float> values, const model::Shape& shape, bool channels_last);
  std::uint64_t samples() const { return samples_; }
  std::uint64_t not_finite() const { return not_finite_; }
  float low() const { return low_; }  // of all samples
  float high() const { return high_; }
  double mean_low() const;  // mean over samples of each one's least value
  double mean_high() const;
  std::span<const float> channel_low() const { return channel_low_; }
  std::span<const float> channel_high() const { return channel_high_; }
  std::vector<double> channel_means() const;
  // Bins of equal width from -reach() to reach(); empty without samples. At least half of the reach
  // is used: it doubles, and neighbours are added up, whenever a larger value comes.
  std::span<const std::uint64_t> bins() const { return bins_; }
  double reach() const { return reach_; }

 private:
  void count(std::span<const float> values, float largest);
  void widen();
  Ends add_channels(std::span<const float> values, std::size_t channels, std::size_t inner);

  std::uint64_t samples_ = 0, not_finite_ = 0;
  float low_ = 0, high_ = 0;
  double sum_low_ = 0, sum_high_ = 0;
  std::vector<float> channel_low_, channel_high_;
  std::vector<double> channel_sum_;
  double channel_count_ = 0;
  std::vector<std::uint64_t> bins_;
  double reach_ = 0;  // 0: only zeros came
};

// How a range is chosen from the statistics.
enum class RangeMethod {
  kMinMax,      // mean over samples of each sample's ends
  kPercentile,  // leaves out 0.01 % of the values at each end
  kMse,         // least mean squared error of the rounded values
};
std::string_view name_of(RangeMethod method);

struct Range {
  float low = 0, high = 0;
};
// Asymmetric ranges include zero and have it as a code, so that padding stays exact; symmetric ones
// end at ±m (or start at 0 when nothing is negative).
Range range_of(const TensorStatistics& statistics, RangeMethod method, bool symmetric, int levels);

}  // namespace tachostat::optimize
