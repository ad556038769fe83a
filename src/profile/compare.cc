#include "profile/compare.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "profile/compare_differences.h"
#include "profile/compare_notes.h"
#include "profile/compare_slices.h"
#include "profile/compare_statistics.h"
#include "profile/compare_table.h"

namespace tachostat::profile {
namespace {

Ratio ratio_of(const Difference& difference, double alpha) {
  const double half = half_width(difference, 1 - alpha);
  return {.value = std::exp(difference.value),
          .low = std::exp(difference.value - half),
          .high = std::exp(difference.value + half)};
}

// Half of alpha each for the total and for all layers together: one of many, the total of few runs
// would never be sure of anything.
constexpr double kFamilies = 2;

void correct(const std::vector<Difference>& tests, std::span<Ratio* const> ratios) {
  std::vector<double> slower;
  std::vector<double> faster;
  for (const Difference& test : tests) {
    slower.push_back(p_above(test));
    faster.push_back(p_above({-test.value, test.error, test.df}));
  }
  slower = holm(slower);
  faster = holm(faster);
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    ratios[i]->p_slower = std::min(1.0, kFamilies * slower[i]);
    ratios[i]->p_faster = std::min(1.0, kFamilies * faster[i]);
  }
}

Change change_of(const Ratio& ratio, const CompareOptions& options) {
  const double over = 1 + options.fail_over;
  if (ratio.p_slower <= options.alpha && ratio.value > over) return Change::kSlower;
  if (ratio.p_faster <= options.alpha && ratio.value < 1 / over) return Change::kFaster;
  return Change::kSame;
}

void judge(const Differences& differences, Comparison& to) {
  std::vector<Ratio*> relative;
  std::vector<Ratio*> absolute;
  for (Compared& layer : to.layers) {
    relative.push_back(&layer.relative);
    absolute.push_back(&layer.absolute);
  }
  Ratio* const total[] = {&to.total.relative};
  correct({differences.total}, total);
  correct(differences.relative, relative);
  to.total.absolute = to.total.relative;
  to.total.change = change_of(to.total.relative, to.options);
  // A family of its own, entered only when the total has failed already: it adds no false alarm.
  if (to.total.change == Change::kSlower) correct(differences.absolute, absolute);
  for (Compared& layer : to.layers) {
    layer.change = change_of(layer.relative, to.options);
    // All else became faster: a layer that only stayed as it was is no regression.
    if (layer.change == Change::kSlower && to.total.change == Change::kFaster &&
        layer.absolute.value <= 1 + to.options.fail_over) {
      layer.change = Change::kSame;
    }
    if (layer.change == Change::kSame && to.total.change == Change::kSlower &&
        change_of(layer.absolute, to.options) == Change::kSlower) {
      layer.change = Change::kSlower;
      layer.with_total = true;
    }
  }
}

void fill_rows(const CompareTable& table, const Differences& differences, Comparison& to) {
  const auto mean_ns = [](std::span<const double> logs) { return std::exp(mean_of(logs)); };
  const double alpha = to.options.alpha;
  to.total = {.name = "total",
              .base_ns = mean_ns(table.base_total),
              .head_ns = mean_ns(table.head_total),
              .share = 1,
              .absolute = ratio_of(differences.total, alpha),
              .relative = ratio_of(differences.total, alpha)};
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const LayerProfile& layer = *table.columns[c]->in.front();
    to.layers.push_back({.name = layer.name,
                         .type = layer.type,
                         .base_ns = mean_ns(column_of(table.base, c)),
                         .head_ns = mean_ns(column_of(table.head, c)),
                         .share = table.shares[c],
                         .absolute = ratio_of(differences.absolute[c], alpha),
                         .relative = ratio_of(differences.relative[c], alpha)});
  }
}

void note_matching(std::span<const RunView> base, const CompareTable& table, Comparison& to) {
  const std::size_t head = base.size();  // HEAD's first run
  to.by_name = table.matching.count(head, MatchedBy::kName);
  to.by_originals = table.matching.count(head, MatchedBy::kOriginals);
  to.by_place = table.matching.count(head, MatchedBy::kPlace);
  to.common = std::exp(table.common);
  to.normalised = table.normalised;
  if (to.by_originals + to.by_place > 0) {
    to.notes.push_back(fmt::format(
        "layers matched: {} by name, {} by the model's layers inside them, {} by their place",
        to.by_name, to.by_originals, to.by_place));
  }
  if (!to.normalised) {
    to.notes.push_back(
        fmt::format("fewer than {} layers to test: what moves all alike (clock, neighbours) cannot "
                    "be told from a change, so layers are compared as they are",
                    kLeastLayersInCommon));
  }
}

void find_changes(std::span<const SliceSeries> head, Comparison& to) {
  for (std::size_t c = 0; c < to.layers.size(); ++c) {
    if (to.layers[c].change != Change::kSlower) continue;
    to.layers[c].since = change_in_run(head, c, to.options.alpha, to.options.seed);
  }
}

}  // namespace

bool Comparison::regressed() const {
  return total.change == Change::kSlower ||
         std::any_of(layers.begin(), layers.end(),
                     [](const Compared& layer) { return layer.change == Change::kSlower; });
}

absl::StatusOr<Comparison> compare(std::span<const RunView> base, std::span<const RunView> head,
                                   const CompareOptions& options) {
  TS_RETURN_IF_ERROR(check_runs("BASE", base));
  TS_RETURN_IF_ERROR(check_runs("HEAD", head));
  Comparison result{.options = options, .base = side_of(base), .head = side_of(head)};
  describe_sides(base, head, result);
  const CompareTable table = table_of(base, head, result);
  std::vector<SliceSeries> slices;
  for (std::size_t i = 0; i < head.size(); ++i) {
    slices.push_back(slices_of(table, *head[i].profile, base.size() + i));
  }
  Differences differences;
  if (base.size() + head.size() >= 3) {
    differences = between_runs(table);
  } else {
    TS_ASSIGN_OR_RETURN(
        differences, between_slices(table, slices_of(table, *base[0].profile, 0), slices.front()));
  }
  fill_rows(table, differences, result);
  note_matching(base, table, result);
  judge(differences, result);
  find_changes(slices, result);
  std::stable_sort(
      result.layers.begin(), result.layers.end(),
      [](const Compared& a, const Compared& b) { return a.relative.value > b.relative.value; });
  return result;
}

absl::StatusOr<Comparison> compare(std::span<const ComparedRun> base,
                                   std::span<const ComparedRun> head,
                                   const CompareOptions& options) {
  const auto views_of = [](std::span<const ComparedRun> runs) {
    std::vector<RunView> views;
    views.reserve(runs.size());
    for (const ComparedRun& run : runs) views.push_back({run.source, &run.profile});
    return views;
  };
  return compare(views_of(base), views_of(head), options);
}

}  // namespace tachostat::profile
