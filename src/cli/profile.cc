#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <memory>

#include "app/engines.h"
#include "app/profile_run.h"
#include "base/log.h"
#include "base/status.h"
#include "cli/cli.h"
#include "trace/formats/chrome.h"

namespace tachostat::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

struct Flags {
  ProfileFlags profile;
  std::string format = "text";
  std::string output;
  int top = 0;
  bool workers = false;
};

absl::Status write_report(const Flags& flags, bool json, const app::ProfileRun& run,
                          std::ostream& out) {
  if (json || flags.format == "json") {
    out << profile::to_json(run.profile) << '\n';
  } else if (flags.format == "chrome") {
    trace::write_chrome(run.trace, out);
  } else {
    out << profile::to_text(run.profile, flags.top);
    if (flags.workers) out << '\n' << profile::to_threads_text(run.profile, flags.top);
  }
  out.flush();
  return out.good() ? absl::OkStatus()
                    : absl::UnavailableError("the report could not be written whole");
}

absl::Status run(const Common& common, const Flags& flags) {
  // Opened first: a place that cannot be written is better known before the work than after.
  std::ofstream file;
  if (!flags.output.empty()) {
    file.open(flags.output, std::ios::binary);
    if (!file) return base::invalid_argument("cannot write '{}'", flags.output);
  }
  TS_ASSIGN_OR_RETURN(const app::ProfileRun run, profile_model(flags.profile));
  if (!flags.output.empty()) return write_report(flags, common.json, run, file);
  std::ostringstream text;
  TS_RETURN_IF_ERROR(write_report(flags, common.json, run, text));
  fmt::print("{}", text.str());
  return absl::OkStatus();
}

}  // namespace

void ProfileFlags::add_to(CLI::App& command) {
  command.add_option("model", model, "a model file: ONNX, OpenVINO IR, TFLite, …")->required();
  command.add_option("--requests", requests, "requests to look at")
      ->check(CLI::Range(10, 1'000'000))
      ->capture_default_str();
  command
      .add_option("--shape", shapes,
                  "an input's shape, e.g. x[1,3,48,320]; may be given for each input")
      ->allow_extra_args(false);
  command.add_flag("--static", static_shapes, "compile for exactly the requests' shapes");
  variant.add_to(command);
}

absl::StatusOr<app::ProfileRun> profile_model(const ProfileFlags& flags) {
  app::ProfileOptions options;
  TS_ASSIGN_OR_RETURN(options.variant, flags.variant.variant());
  TS_ASSIGN_OR_RETURN(const model::InputShapes given, parse_shapes(flags.shapes));
  TS_ASSIGN_OR_RETURN(const auto engine, app::make_engine(flags.variant.engine));
  TS_ASSIGN_OR_RETURN(const model::Graph graph, model::read(flags.model));
  TS_ASSIGN_OR_RETURN(options.shapes, app::fill_open_dimensions(graph, given));
  for (const model::Port& input : graph.inputs) {
    if (!model::is_static(input.shape) && !given.contains(input.name)) {
      spdlog::info("input '{}' is open {}: profiled at {}; --shape chooses another", input.name,
                   model::to_string(input.shape), model::to_string(options.shapes[input.name]));
    }
  }
  if (flags.static_shapes) options.variant.shapes = options.shapes;
  options.requests = flags.requests;
  std::signal(SIGINT, [](int) { interrupted = 1; });
  const bool terminal = isatty(STDERR_FILENO) == 1;
  options.progress = [&](int done) {
    if (terminal) fmt::print(stderr, "\r{} of {} requests", done, flags.requests);
    return interrupted == 0;
  };
  absl::StatusOr<app::ProfileRun> run =
      app::profile_model(*engine, probe::itt_source(), graph, options);
  if (terminal) fmt::print(stderr, "\r\033[K");
  return run;
}

Run add_profile(CLI::App& command) {
  auto flags = std::make_shared<Flags>();
  flags->profile.add_to(command);
  command.add_option("--format", flags->format, "text, json, or chrome (a trace for a viewer)")
      ->check(CLI::IsMember({"text", "json", "chrome"}))
      ->capture_default_str();
  command.add_option("-o,--output", flags->output, "write here instead of stdout");
  command
      .add_option("--top", flags->top, "only the most expensive layers in text; 0: all, in order")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command.add_flag("--workers", flags->workers,
                   "in text, also how each layer used the request's threads");
  return [flags](const Common& common) {
    const absl::Status status = run(common, *flags);
    return status.ok() ? kYes : report(status);
  };
}

}  // namespace tachostat::cli
