// How long one session's inferences take, by how many requests they join: learned from those that
// ended.
#pragma once

#include <array>

namespace tachostat::schedule {

// Thread-compatible.
class BatchTimes {
 public:
  void add(int requests, double nanoseconds);

  // Expected of an inference that joins so many; 0: nothing is known. Between two sizes that were
  // seen it lies on the line through them, and beyond the largest on the line through the last two.
  // Of larger batches than any that was seen nothing bad is assumed: only running one tells.
  double expect(int requests) const;

 private:
  static constexpr int kBuckets = 12;  // 1, 2, 3-4, 5-8, …; the last holds all that is larger
  struct Bucket {
    double requests = 0;  // moving averages; 0: nothing was seen
    double nanoseconds = 0;
  };

  std::array<Bucket, kBuckets> buckets_{};
};

}  // namespace tachostat::schedule
