// One file per subcommand; each adds itself to the parser and returns the process's exit code from
// `run`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "app/profile_run.h"
#include "model/model.h"
#include "profile/profile.h"

namespace tachostat::cli {

// What scripts see, for every command.
inline constexpr int kYes = 0;
inline constexpr int kNo = 1;        // the answer is no: a regression, an unreachable target
inline constexpr int kBadUsage = 2;  // bad usage or input
inline constexpr int kFailed = 3;

struct Common {
  std::string log_level = "info";
  bool json = false;
};

// Called after parsing, when its subcommand was named.
using Run = std::function<int(const Common&)>;

Run add_serve(CLI::App& parser);
Run add_profile(CLI::App& parser);
Run add_diagnose(CLI::App& parser);
Run add_machine(CLI::App& parser);
Run add_import(CLI::App& parser);
Run add_top(CLI::App& parser);
Run add_record(CLI::App& parser);
Run add_compare(CLI::App& parser);
Run add_optimize(CLI::App& parser);
Run add_simulate(CLI::App& parser);

// Prints "tachostat: MESSAGE" to stderr; kBadUsage for errors that the user can mend, kFailed else.
int report(const absl::Status& status);

// Options that describe a variant: --engine, --device, --precision, --threads, --streams, --batch,
// --pinning.
struct VariantFlags {
  std::string engine = "openvino";
  std::string device = "CPU";
  std::string precision = "default";
  int threads = 0;
  int streams = 1;
  int batch = 1;
  bool pinning = false;

  void add_to(CLI::App& command);
  absl::StatusOr<model::Variant> variant() const;
};

// What `profile` and `diagnose` run when they are given a model, or a server's address.
struct ProfileFlags {
  std::string model;
  std::string name;  // of the model, when a server has several
  std::string depth = "kernels";
  std::string duration = "30s";  // of the look at a server, at most
  int requests = 200;
  std::vector<std::string> shapes;  // of the requests
  bool static_shapes = false;       // compile for exactly these
  VariantFlags variant;

  void add_to(CLI::App& command);
  void add_options_to(CLI::App& command);  // all but the model
};
// Shows progress on a terminal, after `label`; ends early, with what was seen so far, at SIGINT.
absl::StatusOr<app::ProfileRun> profile_model(const ProfileFlags& flags,
                                              const std::string& label = "");

absl::StatusOr<std::string> read_file(const std::string& path);
// What `profile --json` wrote.
absl::StatusOr<profile::Profile> read_profile(const std::string& path);

// "x[1,3,48,320]", as --shape is written, one for each input.
absl::StatusOr<model::InputShapes> parse_shapes(const std::vector<std::string>& texts);

}  // namespace tachostat::cli
