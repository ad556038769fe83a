// OTLP, the OpenTelemetry protocol, as the protobuf bytes that a collector takes by HTTP at
// /v1/traces and /v1/metrics (content type application/x-protobuf). Names and attributes are in
// docs/design/export-formats.md.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "profile/export.h"

namespace tachostat::profile {

// Spans per request, so that one stays below the 4 MiB that collectors take by default.
inline constexpr std::size_t kOtlpBatch = 4'000;

// ExportTraceServiceRequests: a trace per inference with a span for it and for each of its layers
// and stages. Empty without a timeline. The same input gives the same trace and span ids.
std::vector<std::string> otlp_traces(const ExportInput& input, std::size_t batch = kOtlpBatch);

// One ExportMetricsServiceRequest: distributions and figures of the profile, which count from
// input.begin_unix_ns on (cumulative), and the points of the trace's counters.
std::string otlp_metrics(const ExportInput& input);

}  // namespace tachostat::profile
