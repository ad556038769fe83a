#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "profile/columns.h"
#include "profile/profile.h"

namespace tachostat::profile {
namespace {

constexpr std::size_t kColumn = 10;
constexpr std::size_t kName = 60;

std::string duration(double nanoseconds) {
  if (nanoseconds < 0) return "-";
  return base::format_nanoseconds(nanoseconds);
}

std::string line_of(std::initializer_list<std::string> columns, std::string_view name) {
  std::string line;
  for (const std::string& column : columns) line += right(column, kColumn);
  return line + "  " + shortened(name, kName) + "\n";
}

}  // namespace

std::string to_threads_text(const Profile& profile, int top) {
  std::vector<const LayerProfile*> known;
  for (const LayerProfile& layer : profile.layers) {
    if (layer.threads.executions > 0) known.push_back(&layer);
  }
  if (known.empty()) return "no layer's threads are known\n";
  if (top > 0) {
    std::stable_sort(known.begin(), known.end(), [](const LayerProfile* a, const LayerProfile* b) {
      return a->time.sum() > b->time.sum();
    });
    known.resize(std::min(known.size(), static_cast<std::size_t>(top)));
  }
  std::string text = line_of(
      {"mean", "threads", "busy", "imbalance", "idle", "dispatch", "spread", "tail", "seen"},
      "layer");
  for (const LayerProfile* layer : known) {
    const ThreadStats& threads = layer->threads;
    text +=
        line_of({duration(layer->time.mean()), fmt::format("{:.1f}", threads.participants),
                 duration(threads.busy_ns),
                 threads.imbalance < 0 ? "-" : fmt::format("{:.2f}", threads.imbalance),
                 threads.idle_share < 0 ? "-" : fmt::format("{:.0f}%", threads.idle_share * 100),
                 duration(threads.dispatch_ns), duration(threads.start_spread_ns),
                 duration(threads.tail_ns), fmt::format("{}", threads.executions)},
                layer->name);
  }
  return text;
}

}  // namespace tachostat::profile
