#include "base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tachostat::base {
namespace {
constexpr std::uint64_t kSub = 1ULL << Histogram::kSubBits;
}

// Values below 2^kSubBits have a bucket each; above, `shift` drops the bits below the kept
// precision.
std::uint32_t Histogram::bucket_of(std::uint64_t value) {
  if (value < kSub) return static_cast<std::uint32_t>(value);
  const int shift = std::bit_width(value) - 1 - kSubBits;
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(shift) + 1) * kSub +
                                    ((value >> shift) - kSub));
}

std::uint64_t Histogram::lower_bound_of(std::uint32_t bucket) {
  if (bucket < kSub) return bucket;
  const std::uint64_t shift = bucket / kSub - 1;
  return (kSub + bucket % kSub) << shift;
}

std::uint64_t& Histogram::at(std::uint32_t bucket) {
  if (counts_.empty()) first_ = bucket;
  if (bucket < first_) {
    counts_.insert(counts_.begin(), first_ - bucket, 0);
    first_ = bucket;
  }
  if (bucket - first_ >= counts_.size()) counts_.resize(bucket - first_ + 1);
  return counts_[bucket - first_];
}

void Histogram::record(std::uint64_t value, std::uint64_t times) {
  if (times == 0) return;
  at(bucket_of(value)) += times;
  count_ += times;
  sum_ += value * times;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  for (std::uint32_t i = 0; i < other.counts_.size(); ++i) {
    if (other.counts_[i] != 0) at(other.first_ + i) += other.counts_[i];
  }
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::clear() { *this = Histogram(); }

std::uint64_t Histogram::quantile(double q) const {
  if (q <= 0) return min();
  if (q >= 1) return max_;
  if (count_ == 0) return 0;
  const double wanted = q * static_cast<double>(count_);
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(wanted)));
  std::uint64_t seen = 0;
  for (std::uint32_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) {
      // The bucket's middle, so that the error is two-sided.
      const std::uint64_t low = lower_bound_of(first_ + i);
      const std::uint64_t high = lower_bound_of(first_ + i + 1) - 1;
      return std::clamp(low + (high - low) / 2, min_, max_);
    }
  }
  return max_;
}

std::uint64_t Histogram::count_up_to(std::uint64_t value) const {
  if (count_ == 0 || value < min_) return 0;
  if (value >= max_) return count_;
  const std::uint32_t last = bucket_of(value);
  std::uint64_t seen = 0;
  for (std::uint32_t i = 0; i < counts_.size() && first_ + i <= last; ++i) seen += counts_[i];
  return seen;
}

std::vector<std::pair<std::uint32_t, std::uint64_t>> Histogram::buckets() const {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> result;
  for (std::uint32_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] != 0) result.emplace_back(first_ + i, counts_[i]);
  }
  return result;
}

Histogram Histogram::from_buckets(
    const std::vector<std::pair<std::uint32_t, std::uint64_t>>& buckets, std::uint64_t min,
    std::uint64_t max, std::uint64_t sum) {
  const std::uint32_t last = bucket_of(UINT64_MAX);
  Histogram result;
  for (const auto& [bucket, times] : buckets) {
    if (bucket <= last) result.record(lower_bound_of(bucket), times);
  }
  if (result.count_ > 0) {
    result.min_ = min;
    result.max_ = max;
    result.sum_ = sum;
  }
  return result;
}

}  // namespace tachostat::base
