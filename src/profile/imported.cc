// Another tool's spans and rows become a Profile.
#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "base/status.h"
#include "profile/export.h"
#include "profile/imported_device.h"

namespace tachostat::profile {
namespace {

using trace::Kind;
using trace::LayerRow;
using trace::Span;

constexpr double kLongest = 86'400e9;  // a day: what no layer takes

bool plausible(double nanoseconds) {
  return std::isfinite(nanoseconds) && nanoseconds >= 0 && nanoseconds <= kLongest;
}

// `count` executions of which a table tells no more than this.
base::Histogram histogram_of(const LayerRow& row) {
  base::Histogram time;
  const auto mean = static_cast<std::uint64_t>(std::llround(row.mean_ns));
  const auto value_or_mean = [&](double ns) {
    return plausible(ns) ? static_cast<std::uint64_t>(std::llround(ns)) : mean;
  };
  const std::uint64_t least = std::min(value_or_mean(row.min_ns), mean);
  const std::uint64_t most = std::max(value_or_mean(row.max_ns), mean);
  const std::uint64_t middle = std::clamp(value_or_mean(row.median_ns), least, most);
  if (row.count < 3) {
    time.record(mean, row.count);
    return time;
  }
  time.record(least);
  time.record(middle, row.count - 2);
  time.record(most);
  // The inner values stand at the median; the sum is what the table says.
  return base::Histogram::from_buckets(time.buckets(), least, most, mean * row.count);
}

struct Measured {
  base::Histogram time{};
  std::map<std::uint32_t, std::uint64_t> kernels{};  // name, time inside this layer
};

struct Timeline {
  std::vector<std::uint32_t> order{};  // layers' names as first seen
  std::unordered_map<std::uint32_t, Measured> layers{};
  base::Histogram requests{};
  std::uint64_t begin_ns = UINT64_MAX;
  std::uint64_t end_ns = 0;
  std::uint64_t outside = 0;  // layers before the first request or after the last
};

// Requests set the stretch that counts: warm-up before the first and what follows the last is left
// out.
void find_stretch(const trace::Trace& trace, Timeline& line) {
  for (const Kind wanted : {Kind::kRequest, Kind::kLayer}) {
    for (const Span& span : trace.spans) {
      if (span.kind != wanted || span.end_ns < span.begin_ns) continue;
      line.begin_ns = std::min(line.begin_ns, span.begin_ns);
      line.end_ns = std::max(line.end_ns, span.end_ns);
      if (wanted == Kind::kRequest) line.requests.record(span.end_ns - span.begin_ns);
    }
    if (line.end_ns != 0) return;
  }
}

Timeline read_timeline(const trace::Trace& trace) {
  Timeline line;
  find_stretch(trace, line);
  std::vector<const Span*> sorted;
  for (const Span& span : trace.spans) {
    const bool good = span.end_ns >= span.begin_ns && span.name < trace.names.size();
    if (good && (span.kind == Kind::kLayer || span.kind == Kind::kPrimitive)) {
      sorted.push_back(&span);
    }
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const Span* a, const Span* b) {
    if (a->thread != b->thread) return a->thread < b->thread;
    if (a->begin_ns != b->begin_ns) return a->begin_ns < b->begin_ns;
    if (a->end_ns != b->end_ns) return a->end_ns > b->end_ns;
    return a->depth < b->depth;
  });
  const Span* layer = nullptr;  // the outermost one that is open on this thread
  std::uint64_t kernels_until = 0;
  for (const Span* span : sorted) {
    const bool inside =
        layer != nullptr && layer->thread == span->thread && span->begin_ns < layer->end_ns;
    if (span->kind == Kind::kPrimitive) {
      if (!inside || span->begin_ns < kernels_until) continue;
      kernels_until = std::min(span->end_ns, layer->end_ns);
      line.layers[layer->name].kernels[span->name] += kernels_until - span->begin_ns;
      continue;
    }
    if (inside) continue;
    if (span->begin_ns < line.begin_ns || span->begin_ns >= line.end_ns) {
      layer = nullptr;
      ++line.outside;
      continue;
    }
    layer = span;
    kernels_until = 0;
    Measured& measured = line.layers[span->name];
    if (measured.time.count() == 0) line.order.push_back(span->name);
    measured.time.record(span->end_ns - span->begin_ns);
  }
  return line;
}

std::string slowest_kernel(const trace::Trace& trace, const Measured& measured) {
  const auto most =
      std::max_element(measured.kernels.begin(), measured.kernels.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == measured.kernels.end() ? std::string() : trace.names[most->first];
}

absl::StatusOr<LayerProfile> layer_of(const LayerRow& row) {
  LayerProfile layer{.name = row.name,
                     .originals = row.originals,
                     .type = row.type,
                     .kernel = row.kernel,
                     .precision = row.precision,
                     .layout = row.layout,
                     .device = row.device,
                     .metrics = row.metrics};
  std::erase_if(layer.metrics, [](const auto& metric) { return !std::isfinite(metric.second); });
  if (std::isfinite(row.flops) && row.flops >= 0) layer.work.flops = row.flops;
  if (std::isfinite(row.bytes) && row.bytes >= 0) {
    // The tool tells one number for all traffic.
    layer.work.weight_bytes = 0;
    layer.work.input_bytes = row.bytes;
    layer.work.output_bytes = 0;
  }
  if (row.count == 0) return layer;
  if (!plausible(row.mean_ns) || static_cast<double>(row.count) * row.mean_ns > 1e18) {
    return base::invalid_argument("layer '{}': {} executions of {} ns are not plausible", row.name,
                                  row.count, row.mean_ns);
  }
  layer.time = histogram_of(row);
  return layer;
}

// Request time: as marked, as told, or everything as one request.
base::Histogram requests_of(const trace::Import& import, const Timeline& line, double layers_ns) {
  if (line.requests.count() > 0) return line.requests;
  base::Histogram time;
  const std::uint64_t count = std::max<std::uint64_t>(import.requests, 1);
  double mean = import.request_mean_ns;
  if (!plausible(mean)) {
    const double all =
        line.end_ns > 0 ? static_cast<double>(line.end_ns - line.begin_ns) : layers_ns;
    mean = all / static_cast<double>(count);
  }
  if (static_cast<double>(count) * mean < 1e18) {
    time.record(static_cast<std::uint64_t>(std::llround(mean)), count);
  }
  return time;
}

}  // namespace

absl::StatusOr<Profile> from_import(const trace::Import& import) {
  const Timeline line = read_timeline(import.trace);
  Profile profile{.model = import.model.empty() ? "imported" : import.model,
                  .variant = import.tool,
                  .dropped_spans = import.trace.dropped};
  std::unordered_map<std::string_view, std::size_t> at;
  std::vector<bool> from_spans;
  for (const LayerRow& row : import.layers) {
    if (!at.emplace(row.name, profile.layers.size()).second) {
      return base::invalid_argument("layer '{}' is in the table twice", row.name);
    }
    TS_ASSIGN_OR_RETURN(LayerProfile layer, layer_of(row));
    profile.layers.push_back(std::move(layer));
    from_spans.push_back(false);
  }
  for (const std::uint32_t name : line.order) {
    const Measured& measured = line.layers.at(name);
    const std::string& text = import.trace.names[name];
    const auto [known, added] = at.emplace(text, profile.layers.size());
    if (added) {
      profile.layers.push_back({.name = text});
      from_spans.push_back(false);
    }
    LayerProfile& layer = profile.layers[known->second];
    // Spans are preferred to a row's totals; a name may have several numbers.
    if (!from_spans[known->second]) layer.time.clear();
    from_spans[known->second] = true;
    layer.time.merge(measured.time);
    if (layer.kernel.empty()) layer.kernel = slowest_kernel(import.trace, measured);
  }
  const double layers_ns = profile.layer_total_ns();
  if (layers_ns <= 0) {
    return base::invalid_argument("{}: no layer with a time in it; is it the right kind of file?",
                                  import.tool);
  }
  profile.request_time = requests_of(import, line, layers_ns);
  const auto requests_ns = static_cast<double>(profile.request_time.sum());
  profile.unattributed_ns = static_cast<std::uint64_t>(std::max(0.0, requests_ns - layers_ns));
  for (LayerProfile& layer : profile.layers) {
    layer.share = requests_ns > 0 ? static_cast<double>(layer.time.sum()) / requests_ns : 0;
  }
  fill_device_readings(import.trace, profile.readings);
  return profile;
}

}  // namespace tachostat::profile
