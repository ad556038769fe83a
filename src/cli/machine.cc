#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/engines.h"
#include "app/roofline.h"
#include "base/log.h"
#include "base/status.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "probe/probe.h"
#include "probe/sensors/poller.h"
#include "probe/sensors/topology.h"
#include "profile/calibration.h"
#include "profile/profile.h"
#include "profile/rates.h"

namespace tachostat::cli {
namespace {

using nlohmann::json;

struct Flags {
  bool calibrate = false;
};

json describe(const engine::Engine& engine) {
  const engine::Capabilities& capabilities = engine.capabilities();
  json precisions = json::array();
  for (const model::Precision precision : capabilities.precisions) {
    precisions.push_back(model::name_of(precision));
  }
  return {{"name", engine.name()},
          {"version", capabilities.version},
          {"devices", capabilities.devices},
          {"native_precisions", std::move(precisions)},
          {"hardware_threads", capabilities.hardware_threads}};
}

json describe(const std::vector<profile::InstructionSet>& sets) {
  json all = json::array();
  for (const profile::InstructionSet& set : sets) {
    all.push_back({{"name", set.name}, {"present", set.present}});
  }
  return all;
}

// Everything that the command prints.
struct Machine {
  json engines = json::array();
  int threads = 1;
  profile::Fingerprint fingerprint{};
  std::vector<profile::InstructionSet> sets{};
  absl::StatusOr<profile::Calibration> calibration = absl::NotFoundError("");
  profile::Roofline roofline{};
  std::string spans{};
  probe::Topology topology{};
  std::shared_ptr<const probe::SensorSnapshot> sensors{};
};

json to_json(const Machine& machine) {
  return {
      {"engines", machine.engines},
      {"processor", json::parse(profile::to_json(machine.fingerprint))},
      {"instruction_sets", describe(machine.sets)},
      {"roofline", json::parse(profile::to_json(machine.roofline))},
      {"calibration", machine.calibration.ok() ? json::parse(profile::to_json(*machine.calibration))
                                               : json(nullptr)},
      {"spans", machine.spans},
      {"topology", json::parse(probe::to_json(machine.topology))},
      {"sensors", json::parse(probe::to_json(*machine.sensors)).at("sensors")}};
}

void print_engines(const json& engines) {
  for (const json& engine : engines) {
    fmt::print("engine {} {}\n  devices     {}\n  arithmetic  {}\n  threads     {}\n",
               engine["name"].get<std::string>(), engine["version"].get<std::string>(),
               fmt::join(engine["devices"].get<std::vector<std::string>>(), ", "),
               fmt::join(engine["native_precisions"].get<std::vector<std::string>>(), ", "),
               engine["hardware_threads"].get<int>());
  }
}

void print_processor(const profile::Fingerprint& machine,
                     const std::vector<profile::InstructionSet>& sets) {
  const auto known = [](const std::string& text) { return text.empty() ? "unknown" : text; };
  fmt::print("processor     {}, {} cores, {} threads\n", known(machine.processor), machine.cores,
             machine.cpus.size());
  for (const profile::Cache& cache : machine.caches) {
    fmt::print("  L{:<10} {} for {}\n", cache.level,
               base::format_size(static_cast<double>(cache.bytes)),
               cache.sharing == 1 ? "one thread" : fmt::format("{} threads", cache.sharing));
  }
  fmt::print("  memory      {}\n  governor    {}\n",
             base::format_size(static_cast<double>(machine.memory_bytes)), known(machine.governor));
  std::vector<std::string_view> present;
  std::vector<std::string_view> absent;
  for (const profile::InstructionSet& set : sets) {
    (set.present ? present : absent).push_back(set.name);
  }
  fmt::print("  has         {}\n  has not     {}\n", fmt::join(present, " "),
             fmt::join(absent, " "));
}

void print_quick(const profile::Roofline& roofline, const absl::Status& why) {
  const auto rate = [](double value, const char* unit) {
    return value < 0 ? std::string("not measured") : base::format_count(value) + unit;
  };
  fmt::print(
      "roofline, {} threads, measured quickly: {}\n  peak f32    {} ({} with one thread)\n"
      "  memory      {}\n  cache       {}\n",
      roofline.threads, why.message(), rate(roofline.peak_f32_flops, "FLOP/s"),
      rate(roofline.single_f32_flops, "FLOP/s"), rate(roofline.memory_bandwidth, "B/s"),
      rate(roofline.cache_bandwidth, "B/s"));
}

void print(const Machine& machine) {
  print_engines(machine.engines);
  print_processor(machine.fingerprint, machine.sets);
  if (machine.calibration.ok()) {
    fmt::print("roofline, {}", profile::to_text(*machine.calibration));
  } else {
    print_quick(machine.roofline, machine.calibration.status());
  }
  fmt::print("layer spans   {}\nsensors\n{}", machine.spans, probe::to_text(*machine.sensors));
}

// Shows progress on a terminal; SIGINT ends it, and what was kept before stays.
absl::StatusOr<profile::Calibration> calibrate(const Machine& machine) {
  profile::CalibrateOptions options{.fingerprint = machine.fingerprint, .sets = machine.sets};
  catch_interrupt();
  absl::StatusOr<profile::Calibration> calibration;
  {
    const Progress progress;
    options.progress = [&](double done, std::string_view what) {
      progress.show(fmt::format("calibrating: {:.0f} %, {}", 100 * done, what));
      return !interrupted();
    };
    calibration = profile::calibrate(base::SystemClock(), profile::ThreadTime(), options);
  }
  TS_RETURN_IF_ERROR(calibration.status());
  const std::string path = profile::calibration_path();
  const absl::Status saved = path.empty()
                                 ? base::not_found("neither XDG_CACHE_HOME nor HOME is set")
                                 : profile::save_calibration(*calibration, path);
  if (!saved.ok()) spdlog::warn("the calibration is not kept: {}", saved.message());
  return calibration;
}

absl::StatusOr<Machine> look(const Flags& flags) {
  Machine machine;
  for (const std::string_view name : app::engine_names()) {
    TS_ASSIGN_OR_RETURN(const auto engine, app::make_engine(name));
    machine.engines.push_back(describe(*engine));
    machine.threads = std::max(machine.threads, engine->capabilities().hardware_threads);
  }
  machine.fingerprint = app::this_machine();
  machine.sets = profile::instruction_sets(profile::this_processor());
  if (flags.calibrate) {
    machine.calibration = calibrate(machine);
    TS_RETURN_IF_ERROR(machine.calibration.status());
  } else {
    machine.calibration =
        profile::load_calibration(profile::calibration_path(), machine.fingerprint);
  }
  machine.roofline = machine.calibration.ok()
                         ? profile::roofline_of(*machine.calibration, machine.threads)
                         : profile::measure_roofline(machine.threads, 500);
  profile::add_machine(machine.fingerprint, machine.sets, machine.roofline);
  probe::SpanSource& spans = probe::itt_source();
  const absl::Status itt = spans.available();
  machine.spans = itt.ok() ? fmt::format("available, {:.0f} ns each", spans.nanoseconds_per_span())
                           : fmt::format("unavailable: {}", itt.message());
  machine.topology = probe::read_topology({});
  const base::SystemClock clock;
  probe::SensorPoller poller(clock, probe::make_sensors({}), {});
  poller.poll();
  machine.sensors = poller.snapshot();
  return machine;
}

absl::Status run(const Common& common, const Flags& flags) {
  TS_ASSIGN_OR_RETURN(const Machine machine, look(flags));
  if (common.json) {
    fmt::print("{}\n", to_json(machine).dump(2));
  } else {
    print(machine);
  }
  return absl::OkStatus();
}

}  // namespace

Run add_machine(CLI::App& command) {
  auto flags = std::make_shared<Flags>();
  command.add_flag("--calibrate", flags->calibrate,
                   "measure the roofline anew, for some seconds on every core, and keep it");
  return [flags](const Common& common) {
    const absl::Status status = run(common, *flags);
    return status.ok() ? kYes : report(status);
  };
}

}  // namespace tachostat::cli
