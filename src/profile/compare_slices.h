// What a run's slices of time tell a comparison: how sure one run is of itself, and where in it a
// layer changed.
#pragma once

#include <optional>
#include <vector>

#include "profile/compare.h"
#include "profile/compare_table.h"

namespace tachostat::profile {

// Logs of means, slice by slice; empty when the profile has too few slices.
struct SliceSeries {
  std::vector<double> total;
  std::vector<std::vector<double>> layers;  // of each column, less what all have in common
};
// `run` counts over both sides, BASE's first.
SliceSeries slices_of(const CompareTable& table, const Profile& profile, std::size_t run);

// The clearest step up of column `column` inside a run of HEAD, if it is significant at `alpha`.
std::optional<ChangeInRun> change_in_run(std::span<const SliceSeries> head, std::size_t column,
                                         double alpha, std::uint64_t seed);

}  // namespace tachostat::profile
