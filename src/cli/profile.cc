#include <fmt/format.h>
#include <memory>

#include "app/engines.h"
#include "app/profile_run.h"
#include "app/roofline.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/export_flags.h"
#include "cli/progress.h"
#include "cli/server.h"

namespace tachostat::cli {
namespace {

struct Flags {
  ProfileFlags profile;
  ExportFlags exported;
};

absl::Status run(const Common& common, const Flags& flags) {
  TS_ASSIGN_OR_RETURN(Report report, Report::open(flags.exported, common.json));
  const base::SystemClock clock;
  ExportTimes times;
  const std::chrono::nanoseconds begin = clock.unix_time();
  times.trace_to_unix_ns = (begin - clock.now().time_since_epoch()).count();
  times.begin_unix_ns = static_cast<std::uint64_t>(begin.count());
  TS_ASSIGN_OR_RETURN(app::ProfileRun run, profile_model(flags.profile));
  times.end_unix_ns = static_cast<std::uint64_t>(clock.unix_time().count());
  return report.write(std::move(run.profile), std::move(run.trace), times);
}

}  // namespace

void ProfileFlags::add_to(CLI::App& command) {
  command
      .add_option(
          "model", model,
          "a model file: ONNX, OpenVINO IR, TFLite, …; or a running server, http://HOST:PORT")
      ->required();
  add_options_to(command);
}

void ProfileFlags::add_options_to(CLI::App& command) {
  command.add_option("--name", name, "of a server's model, when it has several");
  command
      .add_option(
          "--depth", depth,
          "layers; kernels: and kernels and worker threads; counters: layers, and what each "
          "counts (cycles, misses, faults: what this machine has)")
      ->check(CLI::IsMember({"layers", "kernels", "counters"}))
      ->capture_default_str();
  command.add_option("--duration", duration, "of the look at a server, at most")
      ->capture_default_str();
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

namespace {

// Counts on a terminal; false once the user interrupted.
std::function<bool(int)> counting(const Progress& progress, int requests,
                                  const std::string& label) {
  catch_interrupt();
  return [&progress, requests, label](int done) {
    progress.show(fmt::format("{}{} of {} requests", label, done, requests));
    return !interrupted();
  };
}

absl::StatusOr<app::ProfileRun> profile_url(const ProfileFlags& flags, const std::string& label) {
  TS_ASSIGN_OR_RETURN(const Server server, Server::connect(flags.model, flags.name));
  const Progress progress;
  return profile_server(server, {.depth = flags.depth,
                                 .requests = flags.requests,
                                 .duration = flags.duration,
                                 .progress = counting(progress, flags.requests, label)});
}

// All but the one that counts in the threads that are being profiled.
std::vector<std::unique_ptr<probe::Sensor>> quiet_sensors() {
  std::vector<std::unique_ptr<probe::Sensor>> sensors = probe::make_sensors({});
  std::erase_if(sensors, [](const auto& sensor) { return sensor->name() == "perf"; });
  return sensors;
}

}  // namespace

absl::StatusOr<app::ProfileRun> profile_model(const ProfileFlags& flags, const std::string& label) {
  if (is_url(flags.model)) return profile_url(flags, label);
  app::ProfileOptions options;
  TS_ASSIGN_OR_RETURN(options.variant, flags.variant.variant());
  TS_ASSIGN_OR_RETURN(const model::InputShapes given, parse_shapes(flags.shapes));
  const base::SystemClock clock;
  probe::SensorPoller sensors(clock, quiet_sensors(), {.period = {}});
  options.sensors = &sensors;
  TS_ASSIGN_OR_RETURN(const auto engine, app::make_engine(flags.variant.engine));
  TS_ASSIGN_OR_RETURN(const model::Graph graph, model::read(flags.model));
  TS_ASSIGN_OR_RETURN(options.shapes, app::fill_open_dimensions(graph, given));
  for (const model::Port& input : graph.inputs) {
    // A labelled run is one of many; their report tells the shapes.
    if (label.empty() && !model::is_static(input.shape) && !given.contains(input.name)) {
      spdlog::info("input '{}' is open {}: profiled at {}; --shape chooses another", input.name,
                   model::to_string(input.shape), model::to_string(options.shapes[input.name]));
    }
  }
  if (flags.static_shapes) options.variant.shapes = options.shapes;
  options.requests = flags.requests;
  options.machine = app::this_machine().hash();
  TS_ASSIGN_OR_RETURN(options.depth, probe::depth_named(flags.depth));
  const Progress progress;
  options.progress = counting(progress, flags.requests, label);
  return app::profile_model(*engine, probe::itt_source(), graph, options);
}

Run add_profile(CLI::App& command) {
  auto flags = std::make_shared<Flags>();
  flags->profile.add_to(command);
  flags->exported.add_to(command);
  return [flags](const Common& common) {
    const absl::Status status = run(common, *flags);
    return status.ok() ? kYes : report(status);
  };
}

}  // namespace tachostat::cli
