#include "profile/compare_slices.h"

#include <algorithm>
#include <cmath>

#include "profile/change_point.h"
#include "profile/compare_statistics.h"

namespace tachostat::profile {
namespace {

constexpr std::size_t kLeastSlices = 8;

// The last slice may hold a few requests only: its mean is not like the others'.
std::size_t whole_slices(const std::vector<Slice>& slices) {
  if (slices.size() < 2) return slices.size();
  return slices.back().count * 2 < slices.front().count ? slices.size() - 1 : slices.size();
}

bool usable(const LayerProfile& layer, std::size_t slices) {
  if (layer.slices.size() < slices) return false;
  return std::all_of(layer.slices.begin(),
                     layer.slices.begin() + static_cast<std::ptrdiff_t>(slices),
                     [](const Slice& slice) { return slice.sum_ns > 0; });
}

void remove_common(std::span<const double> shares, std::vector<std::vector<double>>& layers) {
  const std::vector<double> weights = weights_of(shares);
  std::vector<double> levels;
  for (const auto& layer : layers) levels.push_back(median_of(layer));
  for (std::size_t i = 0; i < layers.front().size(); ++i) {
    std::vector<double> distances;
    for (std::size_t c = 0; c < layers.size(); ++c) distances.push_back(layers[c][i] - levels[c]);
    const double common = weighted_median(distances, weights);
    for (auto& layer : layers) layer[i] -= common;
  }
}

}  // namespace

SliceSeries slices_of(const CompareTable& table, const Profile& profile, std::size_t run) {
  SliceSeries series;
  const std::size_t slices = whole_slices(profile.slices);
  if (slices < kLeastSlices) return series;
  for (const MatchedLayer* const layer : table.columns) {
    if (!usable(*layer->in[run], slices)) return series;
  }
  for (std::size_t i = 0; i < slices; ++i) {
    if (profile.slices[i].sum_ns == 0 || profile.slices[i].count == 0) return {};
    series.total.push_back(std::log(profile.slices[i].mean_ns()));
  }
  for (const MatchedLayer* const layer : table.columns) {
    std::vector<double>& values = series.layers.emplace_back();
    for (std::size_t i = 0; i < slices; ++i) {
      values.push_back(std::log(static_cast<double>(layer->in[run]->slices[i].sum_ns) /
                                static_cast<double>(profile.slices[i].count)));
    }
  }
  if (table.normalised) remove_common(table.shares, series.layers);
  return series;
}

std::optional<ChangeInRun> change_in_run(std::span<const SliceSeries> head, std::size_t column,
                                         double alpha, std::uint64_t seed) {
  const auto runs = static_cast<double>(head.size());
  // Enough that the least p, corrected for the runs, is well below alpha.
  const double resamples = std::clamp(4 * runs / alpha, 999.0, 100'000.0);
  std::optional<ChangeInRun> found;
  for (std::size_t run = 0; run < head.size(); ++run) {
    if (head[run].layers.empty()) continue;
    const std::vector<double>& series = head[run].layers[column];
    const auto step =
        find_change_point(series, {.resamples = static_cast<int>(resamples), .seed = seed + run});
    if (!step || step->after <= step->before) continue;
    const double p = std::min(1.0, step->p * runs);
    if (p > alpha || (found && found->p <= p)) continue;
    found = ChangeInRun{.run = run,
                        .slice = step->index,
                        .slices = series.size(),
                        .ratio = std::exp(step->after - step->before),
                        .p = p};
  }
  return found;
}

}  // namespace tachostat::profile
