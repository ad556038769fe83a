// A variant that accepts any shape spends time on shapes in every request: inferring them, sizing
// buffers, looking kernels up. It lies between the layers, so it shows as time inside no layer.
#include "base/status.h"
#include "base/units.h"
#include "diagnose/layers.h"

namespace tachostat::diagnose {
namespace {

constexpr double kLeastOverhead = 0.03;  // share of request time inside no layer

// Part of that time is the request's own start and end, which fixed shapes do not save.
constexpr double kBestCut = 0.6;
constexpr double kLeastCut = 0.1;

}  // namespace

std::vector<Finding> find_dynamic_shapes(const profile::Profile& profile,
                                         const profile::Roofline&) {
  const std::uint64_t requests = profile.request_time.count();
  if (requests < kMinRequests || profile.static_shapes) return {};
  if (profile.bucket.find('[') == std::string::npos) return {};  // no shapes were recorded
  // Lost spans of layers would be taken for time inside no layer.
  if (profile.dropped_spans > 0 || profile.layer_total_ns() <= 0) return {};
  const double outside = static_cast<double>(profile.unattributed_ns) /
                         static_cast<double>(profile.request_time.sum());
  if (outside < kLeastOverhead) return {};
  Finding finding{.rule = "dynamic-shapes"};
  finding.summary = fmt::format(
      "{} of request time is spent in no layer, and the variant is ready for any shape while {} "
      "requests looked at had {}: compiled for that shape it need not work shapes out again",
      percent(outside), requests, profile.bucket);
  finding.share = outside;
  finding.gain_low = kLeastCut * outside;
  finding.gain_high = kBestCut * outside;
  finding.evidence = {{"time inside no layer", outside, "share", requests},
                      {"time inside no layer per request",
                       static_cast<double>(profile.unattributed_ns) / static_cast<double>(requests),
                       "ns", requests}};
  finding.remedies = {Remedy::kStaticShapes};
  return {std::move(finding)};
}

}  // namespace tachostat::diagnose
