#include "profile/compare_differences.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"

namespace tachostat::profile {
namespace {

// The error inside the runs, and the layers' spread around what they have in common,
// for most have not changed (Efron's empirical null, 2004).
class BetweenSlices {
 public:
  BetweenSlices(const CompareTable& table, const SliceSeries& base, const SliceSeries& head)
      : base_(base), head_(head) {
    if (!table.normalised) return;
    std::vector<double> distances;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      distances.push_back(std::abs(table.head_relative[0][c] - table.base_relative[0][c]));
    }
    constexpr double kDeviations = 1.4826;  // of a normal law, in median absolute ones
    spread_ = kDeviations * median_of(std::move(distances));
  }

  Difference total(double value) const {
    return base_.total.empty() ? Difference{value, spread_, kTails}
                               : with(value, base_.total, head_.total);
  }
  Difference layer(double value, std::size_t column) const {
    return base_.layers.empty() ? Difference{value, spread_, kTails}
                                : with(value, base_.layers[column], head_.layers[column]);
  }

 private:
  // Degrees of freedom: of what two runs differ by, a few layers in each pair are far from the rest
  // (measured; docs/design/compare.md).
  static constexpr double kTails = 3;

  Difference with(double value, std::span<const double> base, std::span<const double> head) const {
    const SeriesError a = error_of_mean(base);
    const SeriesError b = error_of_mean(head);
    return {value, std::hypot(a.error, b.error, spread_), std::min(a.size + b.size - 2, kTails)};
  }

  const SliceSeries& base_;
  const SliceSeries& head_;
  double spread_ = 0;
};

}  // namespace

Differences between_runs(const CompareTable& table) {
  Differences all;
  const bool both = table.base.size() >= 2 && table.head.size() >= 2;
  all.total =
      both ? welch(table.base_total, table.head_total) : pooled(table.base_total, table.head_total);
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    all.absolute.push_back(pooled(column_of(table.base, c), column_of(table.head, c)));
    all.relative.push_back(
        pooled(column_of(table.base_relative, c), column_of(table.head_relative, c)));
  }
  moderate(all.absolute);
  moderate(all.relative);
  return all;
}

absl::StatusOr<Differences> between_slices(const CompareTable& table, SliceSeries base,
                                           SliceSeries head) {
  if (base.layers.empty() || head.layers.empty()) {
    if (!table.normalised) {
      return base::invalid_argument(
          "one run on each side, without slices of time and with fewer than {} layers above the "
          "least share: nothing tells the noise; give several runs of each side",
          kLeastLayersInCommon);
    }
    base = head = {};
  }
  const BetweenSlices between(table, base, head);
  Differences all;
  all.total = between.total(table.head_total[0] - table.base_total[0]);
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    all.relative.push_back(between.layer(table.head_relative[0][c] - table.base_relative[0][c], c));
    // What all have in common is uncertain too.
    all.absolute.push_back({table.head[0][c] - table.base[0][c],
                            std::hypot(all.relative.back().error, all.total.error),
                            std::min(all.relative.back().df, all.total.df)});
  }
  return all;
}

}  // namespace tachostat::profile
