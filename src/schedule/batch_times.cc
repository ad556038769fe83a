#include "schedule/batch_times.h"

#include <algorithm>
#include <bit>

namespace tachostat::schedule {
namespace {

constexpr double kSmoothing = 1.0 / 8;  // weight of the newest inference

}  // namespace

void BatchTimes::add(int requests, double nanoseconds) {
  const auto size = static_cast<unsigned>(std::max(1, requests));
  const int place = std::min(kBuckets - 1, static_cast<int>(std::bit_width(size - 1)));
  Bucket& bucket = buckets_[static_cast<std::size_t>(place)];
  if (bucket.requests == 0) {
    bucket = {static_cast<double>(size), nanoseconds};
    return;
  }
  bucket.requests += (static_cast<double>(size) - bucket.requests) * kSmoothing;
  bucket.nanoseconds += (nanoseconds - bucket.nanoseconds) * kSmoothing;
}

double BatchTimes::expect(int requests) const {
  const double wanted = std::max(1, requests);
  const Bucket* below = nullptr;  // the two that the line goes through
  const Bucket* above = nullptr;
  for (const Bucket& bucket : buckets_) {
    if (bucket.requests == 0) continue;
    if (above != nullptr && above->requests >= wanted) break;
    below = above;
    above = &bucket;
  }
  if (above == nullptr) return 0;
  if (below == nullptr || above->requests <= below->requests) return above->nanoseconds;
  const double slope =
      (above->nanoseconds - below->nanoseconds) / (above->requests - below->requests);
  // More requests never take less: a falling line is noise.
  return below->nanoseconds + std::max(0.0, slope) * (wanted - below->requests);
}

}  // namespace tachostat::schedule
