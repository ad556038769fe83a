#include <algorithm>
#include <bit>
#include <cmath>
#include <ostream>

#include "base/utf8.h"
#include "profile/formats/formats.h"
#include "profile/formats/otlp.h"
#include "profile/formats/otlp_messages.h"

namespace tachostat::profile {
namespace {

// Bounds of the distributions are powers of two of nanoseconds, 1 µs to 17 s, where the buckets of
// base::Histogram begin too: counts are exact but for durations of exactly a bound, which OTLP
// counts below it and we above.
constexpr int kFirstBound = 10;
constexpr int kLastBound = 34;

double seconds(double ns) { return ns / 1e9; }

// OTLP's names of metrics are ASCII letters, digits and "_.-/"; one has one unit.
std::string metric_name_of(const trace::CounterTrack& counter) {
  std::string name = "tachostat.counter.";
  for (const char c : counter.name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-';
    name += fits ? c : '_';
  }
  return name;
}

class Metrics {
 public:
  explicit Metrics(const ExportInput& input) : input_(input) {
    otlp::ResourceMetrics& resource = *request_.add_resource_metrics();
    fill_resource(input.profile, *resource.mutable_resource());
    scope_ = resource.add_scope_metrics();
    fill_scope(*scope_->mutable_scope());
  }

  otlp::ExportMetricsServiceRequest make() {
    add_request();
    add_layers();
    add_counters();
    return std::move(request_);
  }

 private:
  otlp::Metric& add(std::string_view name, std::string_view unit, std::string_view description) {
    otlp::Metric& metric = *scope_->add_metrics();
    metric.set_name(std::string(name));
    metric.set_unit(std::string(unit));
    metric.set_description(std::string(description));
    return metric;
  }

  template <class Point>
  void set_times(Point& point) const {
    point.set_start_time_unix_nano(input_.begin_unix_ns);
    point.set_time_unix_nano(input_.end_unix_ns);
  }

  void add_time(const base::Histogram& time, otlp::Metric& to, OtlpAttributes attributes) const {
    otlp::Histogram& histogram = *to.mutable_histogram();
    histogram.set_aggregation_temporality(otlp::AGGREGATION_TEMPORALITY_CUMULATIVE);
    otlp::HistogramDataPoint& point = *histogram.add_data_points();
    set_times(point);
    *point.mutable_attributes() = std::move(attributes);
    point.set_count(time.count());
    point.set_sum(seconds(static_cast<double>(time.sum())));
    if (time.count() > 0) {
      point.set_min(seconds(static_cast<double>(time.min())));
      point.set_max(seconds(static_cast<double>(time.max())));
    }
    std::vector<std::uint64_t> counts(kLastBound - kFirstBound + 2, 0);
    for (const auto& [bucket, count] : time.buckets()) {
      // How many bounds are at or below the bucket's values.
      const int bits = std::bit_width(base::Histogram::lower_bound_of(bucket));
      counts[static_cast<std::size_t>(std::clamp(bits, kFirstBound, kLastBound + 1) -
                                      kFirstBound)] += count;
    }
    for (const std::uint64_t count : counts) point.add_bucket_counts(count);
    for (int bound = kFirstBound; bound <= kLastBound; ++bound) {
      point.add_explicit_bounds(seconds(std::ldexp(1, bound)));
    }
  }

  void add_gauge(otlp::Metric& to, double value, OtlpAttributes attributes) const {
    otlp::NumberDataPoint& point = *to.mutable_gauge()->add_data_points();
    point.set_time_unix_nano(input_.end_unix_ns);
    point.set_as_double(value);
    *point.mutable_attributes() = std::move(attributes);
  }

  otlp::NumberDataPoint& add_sum(otlp::Metric& to) const {
    otlp::Sum& sum = *to.mutable_sum();
    sum.set_is_monotonic(true);
    sum.set_aggregation_temporality(otlp::AGGREGATION_TEMPORALITY_CUMULATIVE);
    otlp::NumberDataPoint& point = *sum.add_data_points();
    set_times(point);
    return point;
  }

  void add_request() {
    const Profile& profile = input_.profile;
    add_time(profile.request_time,
             add("tachostat.request.duration", "s", "Time of one inference, without queueing"), {});
    add_sum(add("tachostat.request.unattributed", "s", "Request time that lies in no layer"))
        .set_as_double(seconds(static_cast<double>(profile.unattributed_ns)));
    add_sum(add("tachostat.spans.dropped", "{span}", "Spans lost to full rings"))
        .set_as_int(
            static_cast<std::int64_t>(std::min<std::uint64_t>(profile.dropped_spans, INT64_MAX)));
    add_gauge(add("tachostat.profile.overhead", "1", "What profiling cost, of all request time"),
              profile.overhead, {});
  }

  void add_layers() {
    struct Figure {
      const char* name;
      const char* unit;
      const char* description;
      double (*of)(const LayerProfile&);
    };
    static constexpr Figure kFigures[] = {
        {"tachostat.layer.share", "1", "Of all request time",
         [](const LayerProfile& layer) { return layer.share; }},
        {"tachostat.layer.thread_efficiency", "1", "Busy time of threads over wall time",
         [](const LayerProfile& layer) { return layer.thread_efficiency; }},
        {"tachostat.layer.flops", "{operation}", "Operations of one execution",
         [](const LayerProfile& layer) { return layer.work.flops; }},
        {"tachostat.layer.bytes", "By", "Weights and activations of one execution",
         [](const LayerProfile& layer) { return layer.work.bytes(); }},
    };
    std::vector<const LayerProfile*> ran;
    for (const LayerProfile& layer : input_.profile.layers) {
      if (layer.time.count() > 0) ran.push_back(&layer);
    }
    if (ran.empty()) return;
    otlp::Metric& duration =
        add("tachostat.layer.duration", "s", "Time of one execution of a layer");
    for (const LayerProfile* layer : ran) add_time(layer->time, duration, attributes_of(*layer));
    for (const Figure& figure : kFigures) {
      otlp::Metric* metric = nullptr;
      for (const LayerProfile* layer : ran) {
        const double value = figure.of(*layer);
        if (value < 0) continue;
        if (metric == nullptr) metric = &add(figure.name, figure.unit, figure.description);
        add_gauge(*metric, value, attributes_of(*layer));
      }
    }
  }

  static OtlpAttributes attributes_of(const LayerProfile& layer) {
    OtlpAttributes attributes;
    add_attribute("tachostat.layer.name", layer.name.empty() ? "(unnamed)" : layer.name,
                  attributes);
    add_layer_attributes(layer, attributes);
    return attributes;
  }

  void add_counters() {
    for (const trace::CounterTrack& counter : input_.trace.counters) {
      if (counter.points.empty()) continue;
      otlp::Metric& metric = add(metric_name_of(counter), base::to_utf8(counter.unit),
                                 "A sensor or counter over time");
      for (const auto& [ns, value] : counter.points) {
        if (!std::isfinite(value)) continue;
        otlp::NumberDataPoint& point = *metric.mutable_gauge()->add_data_points();
        point.set_time_unix_nano(ns + static_cast<std::uint64_t>(input_.trace_to_unix_ns));
        point.set_as_double(value);
        add_attribute("tachostat.counter.name", counter.name, *point.mutable_attributes());
      }
    }
  }

  const ExportInput& input_;
  otlp::ExportMetricsServiceRequest request_;
  otlp::ScopeMetrics* scope_ = nullptr;
};

}  // namespace

otlp::ExportMetricsServiceRequest make_otlp_metrics(const ExportInput& input) {
  return Metrics(input).make();
}

std::string otlp_metrics(const ExportInput& input) {
  return make_otlp_metrics(input).SerializeAsString();
}

absl::Status write_otlp_metrics(const ExportInput& input, std::ostream& out) {
  std::string line;
  append_otlp_json(make_otlp_metrics(input), line);
  out << line << '\n';
  return absl::OkStatus();
}

}  // namespace tachostat::profile
