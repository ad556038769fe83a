// Every format that a profile can be written in, by name. A new one is one file, of formats/ here
// (made from a Profile) or of trace/formats/ (made from a Trace), and its line in exporters.cc.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "profile/profile.h"
#include "trace/import.h"
#include "trace/trace.h"

namespace tachostat::profile {

struct ExportInput {
  const Profile& profile;
  const trace::Trace& trace;  // empty when the profile came from a table
  int top = 0;                // text: only the most expensive layers; 0: all, in order
  bool workers = false;       // text: also how layers used threads
  // When the profile's requests ran, as nanoseconds since the Unix epoch; 0: not known.
  std::uint64_t begin_unix_ns = 0;
  std::uint64_t end_unix_ns = 0;
  // What the trace's times lack to be nanoseconds since the Unix epoch.
  std::int64_t trace_to_unix_ns = 0;
};

// Whether the trace holds anything to draw over time.
bool has_timeline(const trace::Trace& trace);

struct Exporter {
  std::string_view name;       // "perfetto", as --format takes it
  std::string_view help;       // what opens it
  std::string_view extension;  // ".perfetto-trace"
  bool binary = false;
  // FailedPrecondition when it needs a timeline and there is none; says which formats don't. The
  // caller checks the stream.
  absl::Status (*write)(const ExportInput& input, std::ostream& out);
};

std::span<const Exporter> exporters();
absl::StatusOr<const Exporter*> exporter_named(std::string_view name);

// What another tool wrote, as a Profile. Layers are those of the import's rows and of its spans of
// kind kLayer, by name; requests its kRequest spans, or `requests`, or the whole stretch as one.
// A table's row of `count` executions becomes a histogram with its mean, minimum and maximum right
// and its inner quantiles all at the median (or the mean).
// InvalidArgument: no layer in it.
absl::StatusOr<Profile> from_import(const trace::Import& import);

// Names replaced by a keyed hash (HMAC-SHA-256 of `key`, 12 hexadecimal digits: "layer-3f9a…"),
// equal names by equal ones, so that two profiles under one key can still be compared; the model's
// name and hash, thread names and bucket input names likewise. Operator types, kernels, precisions,
// shapes and all numbers stay.
void anonymize(std::string_view key, Profile& profile);
void anonymize(std::string_view key, trace::Trace& trace);

}  // namespace tachostat::profile
