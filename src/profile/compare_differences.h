// How much two sides differ, and how sure that is.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "profile/compare_slices.h"
#include "profile/compare_statistics.h"
#include "profile/compare_table.h"

namespace tachostat::profile {

// Of the total, and of each column.
struct Differences {
  Difference total;
  std::vector<Difference> absolute;
  std::vector<Difference> relative;
};

// Runs are the unit: two runs of the same program differ by more than the requests inside one do.
// Three runs or more in all.
Differences between_runs(const CompareTable& table);
// One run each. InvalidArgument when nothing tells their noise.
absl::StatusOr<Differences> between_slices(const CompareTable& table, SliceSeries base,
                                           SliceSeries head);

}  // namespace tachostat::profile
