// The exporters made from a Profile, for exporters.cc. Each writes
// what docs/design/export-formats.md says; callers check the stream.
#pragma once

#include <iosfwd>

#include "absl/status/status.h"
#include "profile/export.h"

namespace tachostat::profile {

// pprof's gzipped protobuf. With a timeline, a sample per stack of spans, the thread as a label;
// without, stacks_of(). Labels "layer", "type", "kernel" and "precision" where a frame is a layer.
absl::Status write_pprof(const ExportInput& input, std::ostream& out);

// One row per layer, RFC 4180, with a heading; empty where a figure is not known.
absl::Status write_csv(const ExportInput& input, std::ostream& out);

// OTLP's JSON encoding of what otlp.h makes, one request a line.
absl::Status write_otlp_traces(const ExportInput& input, std::ostream& out);
absl::Status write_otlp_metrics(const ExportInput& input, std::ostream& out);

}  // namespace tachostat::profile
