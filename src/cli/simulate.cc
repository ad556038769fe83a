#include "simulate/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stop_token>
#include <thread>

#include "base/status.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/progress.h"

namespace tachostat::cli {
namespace {

struct Flags {
  std::string scenario;
  std::string policy;
  std::string start;
  std::string duration;
  std::int64_t seed = -1;
  std::uint64_t seeds = 1;
};

absl::StatusOr<simulate::Scenario> scenario_of(const Flags& flags) {
  TS_ASSIGN_OR_RETURN(simulate::Scenario scenario, simulate::read_scenario(flags.scenario));
  if (flags.seed >= 0) scenario.seed = static_cast<std::uint64_t>(flags.seed);
  if (!flags.duration.empty()) {
    TS_ASSIGN_OR_RETURN(scenario.duration, base::parse_duration(flags.duration));
  }
  for (simulate::SimulatedModel& model : scenario.models) {
    if (!flags.policy.empty()) model.policy = flags.policy;
    if (flags.start.empty()) continue;
    if (model.find(flags.start) == nullptr) {
      return base::invalid_argument("--start: model '{}' has no variant '{}'", model.name,
                                    flags.start);
    }
    model.start = flags.start;
  }
  return scenario;
}

// Every model that asks for a share of requests in time has it.
bool attained(const simulate::Scenario& scenario, const simulate::Report& report) {
  for (std::size_t i = 0; i < report.models.size(); ++i) {
    const std::optional<double> asked = scenario.models[i].attain;
    if (asked && report.models[i].attainment() < *asked) return false;
  }
  return true;
}

template <class AnyReport>
void print(const Common& common, const AnyReport& report) {
  fmt::print("{}{}", common.json ? simulate::to_json(report) : simulate::to_text(report),
             common.json ? "\n" : "");
}

absl::StatusOr<int> run(const Common& common, const Flags& flags) {
  TS_ASSIGN_OR_RETURN(const simulate::Scenario scenario, scenario_of(flags));
  catch_interrupt();
  std::stop_source stop;
  const Progress line;
  const simulate::Options options{
      .progress =
          [&](double share) {
            line.show(fmt::format("simulating {}: {:.0f} %", scenario.name, share * 100));
            if (interrupted()) stop.request_stop();
          },
      .stop = stop.get_token()};
  if (flags.seeds > 1) {
    const int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    TS_ASSIGN_OR_RETURN(const simulate::ManyReport report,
                        simulate::simulate_many(scenario, flags.seeds, threads, options));
    print(common, report);
    return kYes;
  }
  TS_ASSIGN_OR_RETURN(const simulate::Report report, simulate::simulate(scenario, options));
  print(common, report);
  return attained(scenario, report) ? kYes : kNo;
}

}  // namespace

Run add_simulate(CLI::App& parser) {
  auto flags = std::make_shared<Flags>();
  parser.add_option("scenario", flags->scenario, "what happens, as TOML (docs/simulate.md)")
      ->required();
  parser.add_option("--policy", flags->policy,
                    "ladder, predictive, bandit or fixed, for every model");
  parser.add_option("--start", flags->start, "the variant that serves first, by name");
  parser.add_option("--duration", flags->duration, "of virtual time, such as 60s");
  parser.add_option("--seed", flags->seed, "of everything random")->check(CLI::NonNegativeNumber);
  parser.add_option("--seeds", flags->seeds, "how many seeds, from the first on, in one report")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1000000}));
  return [flags](const Common& common) {
    const absl::StatusOr<int> result = run(common, *flags);
    return result.ok() ? *result : report(result.status());
  };
}

}  // namespace tachostat::cli
