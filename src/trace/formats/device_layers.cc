#include "trace/formats/device_layers.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace tachostat::trace {
namespace {

constexpr std::uint32_t kNone = Timeline::kNone;

std::int64_t begin_of(const Timeline& timeline, std::uint32_t span) {
  return Timeline::begin_of(timeline.spans()[span]);
}
std::int64_t end_of(const Timeline& timeline, std::uint32_t span) {
  return Timeline::end_of(timeline.spans()[span]);
}

void add_requests(Timeline& timeline, const std::vector<DeviceWork>& work,
                  std::vector<std::uint32_t> requests) {
  std::sort(requests.begin(), requests.end(), [&](std::uint32_t a, std::uint32_t b) {
    return begin_of(timeline, a) < begin_of(timeline, b);
  });
  struct Extent {
    std::int64_t begin = std::numeric_limits<std::int64_t>::max();
    std::int64_t end = std::numeric_limits<std::int64_t>::min();
  };
  std::vector<Extent> extents(requests.size());
  std::map<std::uint32_t, std::size_t> on_line;
  for (const DeviceWork& one : work) {
    ++on_line[timeline.spans()[one.span].thread];
    const auto after = std::upper_bound(
        requests.begin(), requests.end(), one.launched_ns,
        [&](std::int64_t at, std::uint32_t request) { return at < begin_of(timeline, request); });
    if (after == requests.begin()) continue;
    const auto request = static_cast<std::size_t>(after - requests.begin()) - 1;
    if (one.launched_ns >= end_of(timeline, requests[request])) continue;
    Extent& extent = extents[request];
    extent.begin = std::min(extent.begin, begin_of(timeline, one.span));
    extent.end = std::max(extent.end, end_of(timeline, one.span));
  }
  const auto busiest =
      std::max_element(on_line.begin(), on_line.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  for (std::size_t i = 0; i < extents.size(); ++i) {
    std::int64_t duration = 0;
    if (extents[i].end <= extents[i].begin ||
        __builtin_sub_overflow(extents[i].end, extents[i].begin, &duration)) {
      continue;
    }
    const std::uint32_t added = timeline.add(timeline.spans()[requests[i]].name, busiest->first,
                                             extents[i].begin, duration, Kind::kRequest);
    if (added != kNone) timeline.add_flow(requests[i], added);
  }
}

}  // namespace

std::uint32_t DeviceLayer::longest_kernel() const {
  return std::max_element(kernel_ns.begin(), kernel_ns.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

std::map<std::uint32_t, DeviceLayer> add_device_layers(Timeline& timeline,
                                                       std::vector<DeviceWork> work,
                                                       std::vector<std::uint32_t> requests) {
  std::sort(work.begin(), work.end(), [&](const DeviceWork& a, const DeviceWork& b) {
    const Span& x = timeline.spans()[a.span];
    const Span& y = timeline.spans()[b.span];
    return std::make_tuple(x.thread, Timeline::begin_of(x), a.span) <
           std::make_tuple(y.thread, Timeline::begin_of(y), b.span);
  });
  std::map<std::uint32_t, DeviceLayer> layers;
  for (std::size_t i = 0; i < work.size();) {
    const Span first = timeline.spans()[work[i].span];
    const std::uint32_t owner = work[i].owner;
    const std::uint32_t name = owner == kNone ? first.name : timeline.spans()[owner].name;
    DeviceLayer& layer =
        layers.try_emplace(name, DeviceLayer{.device = work[i].device}).first->second;
    std::int64_t end = Timeline::end_of(first);
    std::size_t next = i;
    for (; next < work.size(); ++next) {
      const Span& kernel = timeline.spans()[work[next].span];
      if (kernel.thread != first.thread) break;
      if (next > i && (owner == kNone || work[next].owner != owner)) break;
      end = std::max(end, Timeline::end_of(kernel));
      // Its own duration fits: Timeline::add() saw to it.
      layer.kernel_ns[kernel.name] +=
          static_cast<double>(Timeline::end_of(kernel) - Timeline::begin_of(kernel));
    }
    std::int64_t duration = 0;
    if (!__builtin_sub_overflow(end, Timeline::begin_of(first), &duration)) {
      const std::uint32_t added =
          timeline.add(name, first.thread, Timeline::begin_of(first), duration, Kind::kLayer);
      if (owner != kNone && added != kNone) timeline.add_flow(owner, added);
    }
    i = next;
  }
  add_requests(timeline, work, std::move(requests));
  return layers;
}

}  // namespace tachostat::trace
