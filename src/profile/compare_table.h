// Profiles of two sides as a table of logarithms: a row for each run, a column for each layer that
// is tested.
#pragma once

#include <span>
#include <vector>

#include "profile/compare.h"
#include "profile/compare_match.h"

namespace tachostat::profile {

struct CompareTable {
  using Rows = std::vector<std::vector<double>>;

  std::vector<const MatchedLayer*> columns;  // into `matching`; BASE's runs come first in each
  std::vector<double> shares;                // of request time, of the side where it is larger
  Rows base, head;                           // log of nanoseconds in one request
  std::vector<double> base_total, head_total;
  // The same less what all layers of a run have in common; equal to base and head when there are
  // too few layers to tell.
  Rows base_relative, head_relative;
  double common = 0;  // HEAD - BASE of what was taken away
  bool normalised = false;

  Matching matching;
};

// What a layer takes of one undisturbed request.
double per_request_ns(const Profile& profile, const LayerProfile& layer);

// A layer's say in what all have in common: its share, but no layer is all.
std::vector<double> weights_of(std::span<const double> shares);
// With fewer layers, one that changed would be what all have in common.
inline constexpr std::size_t kLeastLayersInCommon = 8;

// Also fills the layers that are not tested into `to`.
CompareTable table_of(std::span<const RunView> base, std::span<const RunView> head, Comparison& to);

// Column `column` of rows.
std::vector<double> column_of(const CompareTable::Rows& rows, std::size_t column);

}  // namespace tachostat::profile
