#include <fmt/ranges.h>

#include <array>
#include <ostream>

#include "base/status.h"
#include "profile/export.h"
#include "profile/formats/formats.h"
#include "profile/formats/stacks.h"
#include "trace/formats/chrome.h"
#include "trace/formats/collapsed.h"
#include "trace/formats/perfetto.h"
#include "trace/formats/speedscope.h"

namespace tachostat::profile {
namespace {

absl::Status write_text(const ExportInput& input, std::ostream& out) {
  out << to_text(input.profile, input.top);
  if (input.workers) out << '\n' << to_threads_text(input.profile, input.top);
  return absl::OkStatus();
}

absl::Status write_json(const ExportInput& input, std::ostream& out) {
  out << to_json(input.profile) << '\n';
  return absl::OkStatus();
}

absl::Status need_timeline(const ExportInput& input, std::string_view format) {
  if (has_timeline(input.trace)) return absl::OkStatus();
  return base::failed_precondition(
      "{} draws spans over time, and this profile has none; formats that don't need them: text, "
      "json, pprof, speedscope, collapsed, csv, otlp-metrics",
      format);
}

template <void (*write)(const trace::Trace&, std::ostream&)>
absl::Status write_timeline(const ExportInput& input, std::string_view format, std::ostream& out) {
  TS_RETURN_IF_ERROR(need_timeline(input, format));
  write(input.trace, out);
  return absl::OkStatus();
}

absl::Status write_chrome(const ExportInput& input, std::ostream& out) {
  return write_timeline<trace::write_chrome>(input, "chrome", out);
}

absl::Status write_perfetto(const ExportInput& input, std::ostream& out) {
  return write_timeline<trace::write_perfetto>(input, "perfetto", out);
}

absl::Status write_traces(const ExportInput& input, std::ostream& out) {
  TS_RETURN_IF_ERROR(need_timeline(input, "otlp-traces"));
  return write_otlp_traces(input, out);
}

absl::Status write_speedscope(const ExportInput& input, std::ostream& out) {
  if (input.trace.spans.empty()) {
    trace::write_speedscope(stacks_of(input.profile), input.profile.model, out);
  } else {
    trace::write_speedscope(input.trace, input.profile.model, out);
  }
  return absl::OkStatus();
}

absl::Status write_collapsed(const ExportInput& input, std::ostream& out) {
  const bool timeline = !input.trace.spans.empty();
  trace::write_collapsed(timeline ? trace::fold(input.trace) : stacks_of(input.profile), out);
  return absl::OkStatus();
}

constexpr std::array kExporters = {
    Exporter{"text", "a table for people", ".txt", false, write_text},
    Exporter{"json", "our own, for diagnose, compare and scripts", ".json", false, write_json},
    Exporter{"chrome", "chrome://tracing, ui.perfetto.dev", ".trace.json", false, write_chrome},
    Exporter{"perfetto", "ui.perfetto.dev, trace_processor", ".perfetto-trace", true,
             write_perfetto},
    Exporter{"pprof", "go tool pprof, Pyroscope, Speedscope", ".pb.gz", true, write_pprof},
    Exporter{"speedscope", "speedscope.app", ".speedscope.json", false, write_speedscope},
    Exporter{"collapsed", "flamegraph.pl, inferno", ".folded", false, write_collapsed},
    Exporter{"csv", "spreadsheets, one row per layer", ".csv", false, write_csv},
    Exporter{"otlp-traces", "OpenTelemetry collectors, Jaeger, Tempo", ".otlp-traces.json", false,
             write_traces},
    Exporter{"otlp-metrics", "OpenTelemetry collectors, Prometheus", ".otlp-metrics.json", false,
             write_otlp_metrics},
};

}  // namespace

bool has_timeline(const trace::Trace& trace) {
  return !trace.spans.empty() || !trace.counters.empty();
}

std::span<const Exporter> exporters() { return kExporters; }

absl::StatusOr<const Exporter*> exporter_named(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Exporter& exporter : kExporters) {
    if (exporter.name == name) return &exporter;
    names.push_back(exporter.name);
  }
  return base::invalid_argument("no format '{}'; there are: {}", name, fmt::join(names, ", "));
}

}  // namespace tachostat::profile
