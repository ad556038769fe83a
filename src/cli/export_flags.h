// --format, -o, --top and --anonymize: how a command gives out a profile.
#pragma once

#include <CLI/CLI.hpp>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "profile/export.h"

namespace tachostat::cli {

struct ExportFlags {
  std::string format = "text";
  std::string output;  // a file; empty: stdout
  int top = 0;
  bool workers = false;
  bool anonymize = false;
  std::string key_file;

  void add_to(CLI::App& command);
};

// When the profile's requests ran; see profile::ExportInput.
struct ExportTimes {
  std::uint64_t begin_unix_ns = 0;
  std::uint64_t end_unix_ns = 0;
  std::int64_t trace_to_unix_ns = 0;
};

// A report's place, format and key, all known to be good before the work is done. Move-only.
class Report {
 public:
  // `json` is the flag --json, which is --format json. InvalidArgument: no such format, a place
  // that cannot be written, a binary format for a terminal, no usable key.
  static absl::StatusOr<Report> open(const ExportFlags& flags, bool json);

  // Hashes names first when asked to; a new key is printed to stderr.
  absl::Status write(profile::Profile profile, trace::Trace trace, const ExportTimes& times);

 private:
  Report() = default;

  const profile::Exporter* exporter_ = nullptr;
  int top_ = 0;
  bool workers_ = false;
  std::string key_;     // empty: names stay
  std::ofstream file_;  // not open: stdout
};

}  // namespace tachostat::cli
