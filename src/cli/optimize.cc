#include <fmt/format.h>

#include <memory>

#include "app/engines.h"
#include "app/optimize/energy.h"
#include "app/optimize/optimize_run.h"
#include "app/roofline.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/progress.h"

namespace tachostat::cli {
namespace {

struct Flags {
  std::string model;
  std::string data;
  std::string folder;
  std::string metric;
  std::string max_drop = "1%";
  std::string objective = "latency";
  std::string budget;
  std::string memory;
  std::uint64_t seed = 1;
  std::string engine = "openvino";
  std::string device = "CPU";
};

absl::StatusOr<app::Objective> objective_of(std::string_view text) {
  for (const app::Objective one :
       {app::Objective::kLatency, app::Objective::kThroughput, app::Objective::kEnergy}) {
    if (app::name_of(one) == text) return one;
  }
  return base::invalid_argument("no objective '{}': latency, throughput or energy", text);
}

absl::StatusOr<app::OptimizeOptions> options_of(const Flags& flags) {
  app::OptimizeOptions options;
  options.model_path = flags.model;
  options.data_path = flags.data;
  options.folder = flags.folder;
  options.metric = flags.metric;
  TS_ASSIGN_OR_RETURN(options.max_drop, base::parse_percent(flags.max_drop));
  TS_ASSIGN_OR_RETURN(options.objective, objective_of(flags.objective));
  options.seed = flags.seed;
  if (!flags.budget.empty()) {
    TS_ASSIGN_OR_RETURN(options.budget, base::parse_duration(flags.budget));
  }
  if (!flags.memory.empty()) {
    TS_ASSIGN_OR_RETURN(options.memory_limit, base::parse_size(flags.memory));
  }
  options.base.engine = flags.engine;
  options.base.device = flags.device;
  const profile::Fingerprint machine = app::this_machine();
  options.machine = machine.hash();
  options.machine_name = fmt::format("{}, {} cores", machine.processor, machine.cores);
  options.roofline = [threads = static_cast<int>(profile::allowed_processors().size())] {
    return app::roofline(threads);
  };
  const auto meter = std::make_shared<app::EnergyMeter>(probe::SensorOptions());
  if (options.objective == app::Objective::kEnergy) {
    TS_RETURN_IF_ERROR(
        base::with_context(meter->available(), "--objective energy needs energy counters"));
  }
  options.joules = [meter] { return meter->joules(); };
  return options;
}

absl::StatusOr<int> run(const Common& common, const Flags& flags) {
  TS_ASSIGN_OR_RETURN(app::OptimizeOptions options, options_of(flags));
  TS_ASSIGN_OR_RETURN(const auto engine, app::make_engine(flags.engine));
  const Progress progress;
  catch_interrupt();
  options.progress = [&progress](std::string_view stage, double done) {
    progress.show(fmt::format("{} ({:.0f} %)", stage, done * 100));
    return !interrupted();
  };
  base::SystemClock clock;
  TS_ASSIGN_OR_RETURN(const app::OptimizeResult result,
                      app::optimize_model(clock, *engine, probe::itt_source(), options));
  TS_RETURN_IF_ERROR(app::write_output(options, result));
  fmt::print("{}\n", common.json ? app::to_json(result) : app::to_text(result));
  return result.chosen >= 0 ? kYes : kNo;
}

}  // namespace

Run add_optimize(CLI::App& command) {
  auto flags = std::make_shared<Flags>();
  command.add_option("model", flags->model, "a model file: ONNX, OpenVINO IR, TFLite, …")
      ->required();
  command
      .add_option("--data", flags->data,
                  "samples, an .npz or a folder of them, with labels or without (docs/data.md)")
      ->required();
  command
      .add_option(
          "-o,--output", flags->folder,
          "folder for the variants and the report; what was measured is kept there, so that "
          "a run that was stopped goes on")
      ->required();
  command.add_option("--metric", flags->metric,
                     "what accurate means: top1, top5, text, map, cosine, kl, agreement or "
                     "program:COMMAND; by default what suits the data");
  command
      .add_option("--max-drop", flags->max_drop,
                  "the 95 % bound of the metric's drop against f32 must be no higher")
      ->capture_default_str();
  command.add_option("--objective", flags->objective, "latency, throughput or energy")
      ->capture_default_str();
  command.add_option(
      "--budget", flags->budget,
      "about the time that it may take, e.g. 10m; each step then ends with the best so "
      "far; a later run with the same folder goes on");
  command.add_option("--memory", flags->memory,
                     "how much a variant may hold for weights and activations, e.g. 200MB");
  command.add_option("--seed", flags->seed, "of the data's parts and of the search")
      ->capture_default_str();
  command.add_option("--engine", flags->engine)->capture_default_str();
  command.add_option("--device", flags->device)->capture_default_str();
  return [flags](const Common& common) {
    const absl::StatusOr<int> code = run(common, *flags);
    return code.ok() ? *code : report(code.status());
  };
}

}  // namespace tachostat::cli
