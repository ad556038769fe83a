// A log-linear histogram of non-negative integers: every power of two is cut into 2^kSubBits equal
// buckets, so a quantile is off by at most 1/2^kSubBits of its value. The method is HdrHistogram's
// (Tene, 2012). Fixed memory, O(1) record, mergeable.
#pragma once

#include <cstdint>
#include <vector>

namespace tachostat::base {

// Thread-compatible.
class Histogram {
 public:
  static constexpr int kSubBits = 5;  // relative error at most 1/32, 3.1 %

  void record(std::uint64_t value, std::uint64_t times = 1);
  void merge(const Histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  std::uint64_t sum() const { return sum_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const { return max_; }
  double mean() const {
    return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }

  // The value at quantile q in [0, 1], clamped to [min, max]; 0 when empty.
  std::uint64_t quantile(double q) const;

  // Values of at most `value`, the bucket that holds it counted as a whole.
  std::uint64_t count_up_to(std::uint64_t value) const;

  // Non-empty buckets, for files: pairs of (bucket index, count) in ascending order.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> buckets() const;
  // Rebuilds what buckets(), min, max and sum describe; indexes out of range are ignored.
  static Histogram from_buckets(const std::vector<std::pair<std::uint32_t, std::uint64_t>>& buckets,
                                std::uint64_t min, std::uint64_t max, std::uint64_t sum);

  static std::uint32_t bucket_of(std::uint64_t value);
  static std::uint64_t lower_bound_of(std::uint32_t bucket);

 private:
  std::uint64_t& at(std::uint32_t bucket);

  // Of the lowest bucket used to the highest, grown on demand: most hold times of one size.
  std::uint32_t first_ = 0;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t min_ = UINT64_MAX;
  std::uint64_t max_ = 0;
};

}  // namespace tachostat::base
