// How requests reach the model: batches, shapes, queues, bytes on the wire. Times here are of whole
// responses unless a rule says otherwise.
#include <algorithm>
#include <array>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/case.h"

namespace tachostat::diagnose {
namespace {

// Seconds of one response, all stages together; -1: the profile is not of a server.
double response_s(const Case& c) {
  const profile::Reading* const compute = c.reading("serving/compute");
  if (compute == nullptr || compute->n < kMinRequests) return -1;
  double total = compute->mean;
  for (const char* stage : {"serving/queue", "serving/decode", "serving/encode"}) {
    total += std::max(0.0, c.reading_or(stage, 0));
  }
  return total;
}

std::vector<Finding> find_underfilled_batches(const Case& c) {
  constexpr double kHalf = 0.5;
  const double limit = c.reading_or("serving/batch_limit", 1);
  const double batch = c.reading_or("serving/batch", 1);
  if (response_s(c) < 0 || limit < 2 || batch >= kHalf * limit) return {};
  const double in_flight = c.reading_or("serving/in_flight", 0);
  // What is the same for a batch as for one request is paid more often than need be; the weights'
  // share of the traffic bounds it where layers' work is known.
  const std::vector<int> all = c.pick([](const LayerFacts& layer) { return layer.weights >= 0; });
  const double weights = c.mean(all, [](const LayerFacts& layer) { return layer.weights; });
  const double best = (all.empty() ? 0.5 : std::clamp(weights, 0.1, 0.75)) *
                      (1 - batch / std::min(limit, std::max(batch, in_flight)));
  if (!(best > 0)) return {};  // not a number where nothing is in flight
  Finding finding = Case::about("underfilled-batches", 1, 0.1 * best, best, Objective::kThroughput);
  finding.summary = fmt::format(
      "batches hold {:.2f} requests of {:.0f} that fit, though {:.2f} are in flight: waiting a "
      "little longer would fill them",
      batch, limit, in_flight);
  finding.evidence = {c.told("requests in a batch", "serving/batch", ""),
                      c.told("requests that fit", "serving/batch_limit", ""),
                      c.told("requests in flight", "serving/in_flight", "")};
  finding.remedies = {{Remedy::kBatch, {{"delay", "longer"}}}};
  finding.confidence = 0.6;
  return {std::move(finding)};
}

std::vector<Finding> find_padding(const Case& c) {
  constexpr double kLeast = 0.05;
  const double padded = c.reading_or("serving/padded_share", 0);
  if (!c.enough_requests() || padded < kLeast) return {};
  Finding finding = Case::about("padding", padded, 0.4, 1, Objective::kLatency);
  finding.summary = fmt::format(
      "{} of the elements that are computed are padding: shapes of requests and those of the "
      "variant are far apart",
      percent(padded));
  finding.evidence = {c.told("padding", "serving/padded_share", "share")};
  finding.remedies = {Remedy::kShapeBuckets};
  finding.confidence = 0.85;
  return {std::move(finding)};
}

std::vector<Finding> find_queueing(const Case& c) {
  constexpr double kLeast = 0.3;
  const double total = response_s(c);
  const double queue = c.reading_or("serving/queue", 0);
  if (total <= 0 || queue < kLeast * total) return {};
  const double busy = c.reading_or("serving/busy_share", -1);
  Finding finding = Case::about("queueing", queue / total, 0.2, 0.95, Objective::kResponse);
  finding.summary = fmt::format(
      "{} of a response's time is waiting for its turn ({}), computing takes {}{}",
      percent(queue / total), base::format_nanoseconds(queue * 1e9),
      base::format_nanoseconds(c.reading_or("serving/compute", 0) * 1e9),
      busy >= 0 ? fmt::format("; the model is busy {} of the time", percent(busy)) : "");
  finding.evidence = {c.told("time in the queue", "serving/queue", "s"),
                      c.told("time computing", "serving/compute", "s")};
  finding.remedies = {Remedy::kThreadsAndStreams, Remedy::kBatch, Remedy::kCapacity};
  finding.confidence = 0.85;
  return {std::move(finding)};
}

std::vector<Finding> find_serialisation(const Case& c) {
  constexpr double kLeast = 0.1;
  const double total = response_s(c);
  const double wire = std::max(0.0, c.reading_or("serving/decode", 0)) +
                      std::max(0.0, c.reading_or("serving/encode", 0));
  if (total <= 0 || wire < kLeast * total) return {};
  const double json = c.reading_or("serving/json_share", -1);
  Finding finding = Case::about("serialisation", wire / total, json > 0.5 ? 0.5 : 0.2, 0.95,
                                Objective::kResponse);
  finding.summary = fmt::format(
      "{} of a response's time goes into reading requests and writing answers ({}){}",
      percent(wire / total), base::format_nanoseconds(wire * 1e9),
      json > 0 ? fmt::format("; {} of the requests carry numbers as text", percent(json)) : "");
  finding.evidence = {c.told("time to read a request", "serving/decode", "s"),
                      c.told("time to write an answer", "serving/encode", "s")};
  finding.remedies = {{Remedy::kClient, {{"tensors", "binary"}}}, Remedy::kShareBuffers};
  finding.confidence = json > 0.5 ? 0.95 : 0.75;
  return {std::move(finding)};
}

std::vector<Finding> find_client_bound(const Case& c) {
  constexpr double kMissed = 0.95;
  constexpr double kBusy = 0.5;
  const double wanted = c.reading_or("target/rate", -1);
  const double rate = c.reading_or("serving/rate", -1);
  const double busy = c.reading_or("serving/busy_share", -1);
  if (wanted <= 0 || rate < 0 || busy < 0 || rate >= kMissed * wanted || busy >= kBusy) return {};
  const double missing = 1 - rate / wanted;
  Finding finding = Case::about("client-bound", missing, 0.5, 1, Objective::kThroughput);
  finding.summary = fmt::format(
      "{:.3g} of {:.3g} requests a second arrive and the model is busy {} of the time: who asks "
      "holds the rate back, not the model",
      rate, wanted, percent(busy));
  finding.evidence = {c.told("requests", "serving/rate", "1/s"),
                      c.told("requests wanted", "target/rate", "1/s"),
                      c.told("model busy", "serving/busy_share", "share")};
  finding.remedies = {{Remedy::kClient, {{"requests in flight", "more"}}}};
  finding.confidence = 0.9;
  return {std::move(finding)};
}

std::vector<Finding> find_cold_shapes(const Case& c) {
  constexpr double kLeast = 0.02;
  const double cold = c.reading_or("serving/cold_share", 0);
  if (!c.enough_requests() || cold < kLeast) return {};
  Finding finding = Case::about("cold-shapes", cold, 0.6, 1, Objective::kLatency);
  finding.summary = fmt::format(
      "{} of request time is the first request of each new shape, {:.3g} times a usual one: "
      "kernels are made while it waits",
      percent(cold), c.reading_or("serving/cold_factor", 0));
  finding.evidence = {
      c.told("time of first requests beyond the usual", "serving/cold_share", "share"),
      c.told("shapes seen", "serving/shapes", "")};
  finding.remedies = {Remedy::kWarmUp, Remedy::kShapeBuckets};
  finding.confidence = 0.85;
  return {std::move(finding)};
}

bool has_open_shape(const LayerFacts& layer) {
  const auto is_open = [](const profile::Tensor& tensor) {
    return !model::is_static(tensor.shape);
  };
  return std::any_of(layer.profile->inputs.begin(), layer.profile->inputs.end(), is_open);
}

// A variant that accepts any shape spends time on shapes in every request: inferring them, sizing
// buffers, looking kernels up. It lies between the layers, so it shows as time inside no layer.
std::vector<Finding> find_dynamic_shapes(const Case& c) {
  // What stays outside the layers of a variant with fixed shapes, for each of them: little more
  // than the call. How much of the rest is the request's own start, end and copies is not told, so
  // nothing of it is promised at the low end.
  constexpr double kCallNs = 200;
  const profile::Profile& profile = c.profile();
  if (!c.enough_requests() || profile.static_shapes) return {};
  if (profile.bucket.find('[') == std::string::npos) return {};  // no shapes were recorded
  // Lost spans of layers would be taken for time inside no layer.
  if (profile.dropped_spans > 0 || profile.layer_total_ns() <= 0 || c.request_ns() <= 0) return {};
  const double outside = static_cast<double>(profile.unattributed_ns) /
                         static_cast<double>(profile.request_time.sum());
  if (outside < kMinOverhead) return {};
  const double layers =
      static_cast<double>(c.executions_of(c.pick([](const LayerFacts&) { return true; }))) /
      static_cast<double>(c.requests());
  const double outside_ns = outside * c.request_ns();
  // Kernels that were made for any shape get better too, by how much differs; conversions around
  // them, which a layout chosen for one shape does without, may go altogether.
  constexpr double kBestKernels = 0.3;
  std::vector<Cut> kernels = cuts(c.pick(has_open_shape), 0, kBestKernels);
  for (Cut& cut : kernels) {
    if (is_conversion(c.layer(cut.layer).kind)) cut.high = 1;
  }
  Finding finding = c.about("dynamic-shapes", kernels);
  const Finding between = Case::about("dynamic-shapes", outside, 0,
                                      1 - layers * kCallNs / outside_ns, Objective::kLatency);
  finding.parts.insert(finding.parts.end(), between.parts.begin(), between.parts.end());
  finding.share += between.share;
  finding.gain_low += between.gain_low;
  finding.gain_high += between.gain_high;
  finding.summary = fmt::format(
      "{} of request time is spent in no layer, and the variant is ready for any shape while {} "
      "requests looked at had {}: compiled for that shape it need not work shapes out again",
      percent(outside), c.requests(), profile.bucket);
  finding.evidence = {
      {"time inside no layer", outside, "share", c.requests()},
      {"time inside no layer per request",
       static_cast<double>(profile.unattributed_ns) / static_cast<double>(c.requests()), "ns",
       c.requests()}};
  finding.remedies = {Remedy::kStaticShapes};
  finding.confidence = 0.6;
  return {std::move(finding)};
}

constexpr std::array<Rule, 7> kRules = {{
    {"underfilled-batches", "`serving/batch` against `serving/batch_limit` and `serving/in_flight`",
     "under half full while more requests are in flight", "batch (longer delay)",
     "the weights' share of the traffic × what is missing; at least a tenth of that",
     "batching amortises weights", find_underfilled_batches},
    {"padding", "`serving/padded_share`", "5 %", "shape-buckets", "40 % to 100 % of the padding",
     "shapes of requests and variants", find_padding},
    {"queueing", "`serving/queue` against `serving/compute`", "30 % of a response",
     "threads-and-streams, batch, capacity", "20 % to 95 % of the waiting",
     "queueing theory: waiting grows without bound as the server fills", find_queueing},
    {"serialisation", "`serving/decode` and `serving/encode`", "10 % of a response",
     "client (binary tensors), share-buffers",
     "20 % (50 % where most requests are text) to 95 % of it",
     "Open Inference Protocol: binary tensor data extension", find_serialisation},
    {"client-bound", "`serving/rate` against `target/rate`, `serving/busy_share`",
     "under 95 % of the wanted rate, busy under half of the time",
     "client (more requests in flight)", "half to all of what is missing", "Little's law",
     find_client_bound},
    {"cold-shapes", "`serving/cold_share`: time of each shape's first request beyond the usual",
     "2 % of request time", "warm-up, shape-buckets", "60 % to 100 % of it",
     "engines make kernels per shape", find_cold_shapes},
    {"dynamic-shapes", "request time inside no layer, of a variant whose shapes are open",
     "3 % of request time; no span was lost", "static-shapes",
     "nothing to all of it but 0.2 µs for each layer, and nothing to 30 % of layers whose kernels "
     "were made for any shape, or all of conversions among them",
     "shape inference on the request path", find_dynamic_shapes},
}};

}  // namespace

std::span<const Rule> serving_rules() { return kRules; }

}  // namespace tachostat::diagnose
