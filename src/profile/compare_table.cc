#include "profile/compare_table.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "profile/compare_statistics.h"

namespace tachostat::profile {
namespace {

constexpr double kMostWeight = 0.05;

bool ran(const LayerProfile* layer) {
  return layer != nullptr && layer->time.count() > 0 && layer->time.sum() > 0;
}

// Of one layer on one side.
struct Presence {
  std::size_t runs = 0;
  double share = 0;  // means over the runs that have it
  double ns = 0;
};
Presence presence_of(std::span<const RunView> runs, std::span<const LayerProfile* const> in) {
  Presence presence;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!ran(in[i])) continue;
    ++presence.runs;
    presence.share += static_cast<double>(in[i]->time.sum()) /
                      static_cast<double>(runs[i].profile->request_time.sum());
    presence.ns += per_request_ns(*runs[i].profile, *in[i]);
  }
  if (presence.runs > 0) {
    presence.share /= static_cast<double>(presence.runs);
    presence.ns /= static_cast<double>(presence.runs);
  }
  return presence;
}

const LayerProfile& first_of(const MatchedLayer& layer) {
  return **std::find_if(layer.in.begin(), layer.in.end(), ran);
}

// Tested, untested, or of one side only.
void choose_columns(std::span<const RunView> base, std::span<const RunView> head,
                    CompareTable& table, Comparison& to) {
  std::size_t now_and_then = 0;
  for (const MatchedLayer& layer : table.matching.layers) {
    const std::span<const LayerProfile* const> in(layer.in);
    const Presence before = presence_of(base, in.first(base.size()));
    const Presence after = presence_of(head, in.subspan(base.size()));
    if (before.runs + after.runs == 0) continue;
    if (before.runs == 0 || after.runs == 0) {
      const LayerProfile& one = first_of(layer);
      const Presence& there = before.runs == 0 ? after : before;
      (before.runs == 0 ? to.added : to.removed)
          .push_back({one.name, one.type, there.ns, there.share});
    } else if (before.runs < base.size() || after.runs < head.size()) {
      ++now_and_then;
    } else if (std::max(before.share, after.share) < to.options.least_share) {
      ++to.untested;
    } else {
      table.columns.push_back(&layer);
      table.shares.push_back(std::max(before.share, after.share));
    }
  }
  for (auto* const list : {&to.added, &to.removed}) {
    std::stable_sort(list->begin(), list->end(),
                     [](const OneSided& a, const OneSided& b) { return a.ns > b.ns; });
  }
  if (now_and_then > 0) {
    to.notes.push_back(fmt::format(
        "{} layer(s) took time in some runs of a side only: they are not tested", now_and_then));
  }
}

void fill_rows(std::span<const RunView> runs, std::size_t first, const CompareTable& table,
               CompareTable::Rows& rows, std::vector<double>& totals) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::vector<double>& row = rows.emplace_back();
    for (const MatchedLayer* const layer : table.columns) {
      row.push_back(std::log(per_request_ns(*runs[i].profile, *layer->in[first + i])));
    }
    totals.push_back(std::log(undisturbed_ns(runs[i].profile->request_time)));
  }
}

// Takes from each run the weighted median of its layers' distances from their own level: what
// moves all layers alike (clock, neighbours). The level is the mean of both sides' medians.
void remove_common(CompareTable& table) {
  std::vector<double> levels;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    levels.push_back((median_of(column_of(table.base, c)) + median_of(column_of(table.head, c))) /
                     2);
  }
  const std::vector<double> weights = weights_of(table.shares);
  const auto remove = [&](CompareTable::Rows& rows) {
    double sum = 0;
    for (std::vector<double>& row : rows) {
      std::vector<double> distances;
      for (std::size_t c = 0; c < row.size(); ++c) distances.push_back(row[c] - levels[c]);
      const double common = weighted_median(distances, weights);
      for (double& x : row) x -= common;
      sum += common;
    }
    return sum / static_cast<double>(rows.size());
  };
  const double base = remove(table.base_relative);
  table.common = remove(table.head_relative) - base;
}

}  // namespace

double per_request_ns(const Profile& profile, const LayerProfile& layer) {
  return undisturbed_ns(layer.time) * static_cast<double>(layer.time.count()) /
         static_cast<double>(profile.request_time.count());
}

std::vector<double> weights_of(std::span<const double> shares) {
  std::vector<double> weights;
  for (const double share : shares) weights.push_back(std::min(share, kMostWeight));
  return weights;
}

std::vector<double> column_of(const CompareTable::Rows& rows, std::size_t column) {
  std::vector<double> values;
  for (const std::vector<double>& row : rows) values.push_back(row[column]);
  return values;
}

CompareTable table_of(std::span<const RunView> base, std::span<const RunView> head,
                      Comparison& to) {
  CompareTable table;
  std::vector<const Profile*> profiles;
  for (const auto& side : {base, head}) {
    for (const RunView& run : side) profiles.push_back(run.profile);
  }
  table.matching = match_layers(profiles);
  choose_columns(base, head, table, to);
  fill_rows(base, 0, table, table.base, table.base_total);
  fill_rows(head, base.size(), table, table.head, table.head_total);
  table.base_relative = table.base;
  table.head_relative = table.head;
  table.normalised = table.columns.size() >= kLeastLayersInCommon;
  if (table.normalised) remove_common(table);
  return table;
}

}  // namespace tachostat::profile
