#include "trace/links.h"

#include <algorithm>
#include <tuple>

namespace tachostat::trace {
namespace {

// In order at one moment: ends first, so that layers back to back are never both running.
enum class What { kLayerEnds, kLayerBegins, kWorkerBegins };

struct Moment {
  std::uint64_t ns;
  What what;
  std::uint32_t span;
};

constexpr std::uint32_t kNone = Nested::kNone;

void link_workers(const Trace& trace, std::vector<Moment> moments, std::vector<Flow>& flows) {
  std::sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) {
    return std::tie(a.ns, a.what, a.span) < std::tie(b.ns, b.what, b.span);
  });
  // The layers that run, as their number and the sum of their indices: with one, the sum is it.
  std::uint64_t running = 0;
  std::uint64_t sum = 0;
  for (const Moment& moment : moments) {
    if (moment.what == What::kLayerBegins) {
      ++running;
      sum += moment.span;
    } else if (moment.what == What::kLayerEnds) {
      --running;
      sum -= moment.span;
    } else if (running == 1 && trace.spans[sum].thread != trace.spans[moment.span].thread) {
      flows.push_back({.from = static_cast<std::uint32_t>(sum), .to = moment.span});
    }
  }
}

}  // namespace

std::vector<Flow> links(const Trace& trace, const std::vector<Nested>& nested) {
  std::vector<Flow> flows;
  std::vector<Moment> moments;
  // Per entry of nested: the request around it, and whether a layer is.
  std::vector<std::uint32_t> request(nested.size(), kNone);
  std::vector<bool> in_layer(nested.size(), false);
  for (std::uint32_t i = 0; i < nested.size(); ++i) {
    const Nested& entry = nested[i];
    const Kind kind = trace.spans[entry.span].kind;
    const bool inside = entry.parent != kNone && in_layer[entry.parent];
    request[i] = kind == Kind::kRequest  ? entry.span
                 : entry.parent == kNone ? kNone
                                         : request[entry.parent];
    in_layer[i] = inside || kind == Kind::kLayer;
    if (kind == Kind::kLayer && !inside) {
      if (request[i] != kNone) flows.push_back({.from = request[i], .to = entry.span});
      if (entry.end_ns == entry.begin_ns) continue;
      moments.push_back({entry.begin_ns, What::kLayerBegins, entry.span});
      moments.push_back({entry.end_ns, What::kLayerEnds, entry.span});
    } else if (kind == Kind::kWorker || (kind == Kind::kPrimitive && entry.parent == kNone)) {
      moments.push_back({entry.begin_ns, What::kWorkerBegins, entry.span});
    }
  }
  link_workers(trace, std::move(moments), flows);
  return flows;
}

}  // namespace tachostat::trace
