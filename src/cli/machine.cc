#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/engines.h"
#include "base/status.h"
#include "base/units.h"
#include "cli/cli.h"
#include "probe/probe.h"
#include "profile/profile.h"

namespace tachostat::cli {
namespace {

using nlohmann::json;

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

void print(const json& machine, const profile::Roofline& roofline) {
  for (const json& engine : machine["engines"]) {
    fmt::print("engine {} {}\n  devices     {}\n  arithmetic  {}\n  threads     {}\n",
               engine["name"].get<std::string>(), engine["version"].get<std::string>(),
               fmt::join(engine["devices"].get<std::vector<std::string>>(), ", "),
               fmt::join(engine["native_precisions"].get<std::vector<std::string>>(), ", "),
               engine["hardware_threads"].get<int>());
  }
  const auto rate = [](double value, const char* unit) {
    return value < 0 ? std::string("not measured") : base::format_count(value) + unit;
  };
  fmt::print(
      "roofline, {} threads\n  peak f32    {} ({} with one thread)\n  memory      {}\n  cache      "
      " {}\n",
      roofline.threads, rate(roofline.peak_f32_flops, "FLOP/s"),
      rate(roofline.single_f32_flops, "FLOP/s"), rate(roofline.memory_bandwidth, "B/s"),
      rate(roofline.cache_bandwidth, "B/s"));
  fmt::print("layer spans   {}\n", machine["spans"].get<std::string>());
}

absl::Status run(const Common& common) {
  json engines = json::array();
  int threads = 1;
  for (const std::string_view name : app::engine_names()) {
    TS_ASSIGN_OR_RETURN(const auto engine, app::make_engine(name));
    engines.push_back(describe(*engine));
    threads = std::max(threads, engine->capabilities().hardware_threads);
  }
  const profile::Roofline roofline = profile::measure_roofline(threads, 500);
  probe::SpanSource& spans = probe::itt_source();
  const absl::Status itt = spans.available();
  const json machine = {
      {"engines", std::move(engines)},
      {"roofline", json::parse(profile::to_json(roofline))},
      {"spans", itt.ok() ? fmt::format("available, {:.0f} ns each", spans.nanoseconds_per_span())
                         : fmt::format("unavailable: {}", itt.message())}};
  if (common.json) {
    fmt::print("{}\n", machine.dump(2));
  } else {
    print(machine, roofline);
  }
  return absl::OkStatus();
}

}  // namespace

Run add_machine(CLI::App&) {
  return [](const Common& common) {
    const absl::Status status = run(common);
    return status.ok() ? kYes : report(status);
  };
}

}  // namespace tachostat::cli
