// What governing costs: the processor time of Governor::step() for many registered models under
// traffic, by policy. One JSON line: {"policy", "models", "virtual_s", "steps", "cpu_s",
// "share_of_a_core"}.
//
//   governor_cost POLICY MODELS SECONDS
#include <fmt/format.h>
#include <time.h>

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "govern/fake_plant.h"
#include "govern/govern.h"

namespace tachostat {
namespace {

constexpr base::Duration kStep = std::chrono::milliseconds(50);  // as the server's
constexpr double kRate = 20;                                     // requests per second of a model

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Model {
  explicit Model(std::uint64_t number) : plant(clock, number), log(clock, nullptr, "net") {}

  base::ManualClock clock;
  govern::FakePlant plant;
  govern::DecisionLog log;
  std::unique_ptr<govern::Governor> governor;
};

std::unique_ptr<Model> make(const std::string& policy, std::uint64_t number) {
  auto model = std::make_unique<Model>(number);
  govern::GovernorOptions options;
  options.learn = govern::Learn::kOff;
  options.targets.p99 = std::chrono::milliseconds(50);
  options.start = {.threads = 2};
  for (int streams = 1; streams <= 6; ++streams) {
    const double service_ms = 8 + 2 * streams;
    options.verified.push_back({.variant = {.threads = 2, .streams = streams},
                                .service_ms = service_ms,
                                .capacity = streams * 1e3 / service_ms});
  }
  model->plant.graph_value.name = "net";
  model->governor = std::make_unique<govern::Governor>(model->clock, model->plant,
                                                       govern::make_policy(policy, number).value(),
                                                       model->log, nullptr, std::move(options));
  if (!model->governor->start().ok()) return nullptr;
  model->plant.set_traffic({.rate = kRate});
  return model;
}

}  // namespace
}  // namespace tachostat

int main(int argc, char** argv) {
  using namespace tachostat;
  if (argc != 4 || !govern::make_policy(argv[1], 1).ok()) {
    fmt::print(stderr, "usage: governor_cost POLICY MODELS SECONDS\n");
    return 2;
  }
  spdlog::set_level(spdlog::level::off);
  const int models = std::stoi(argv[2]);
  const double seconds = std::stod(argv[3]);
  std::vector<std::unique_ptr<Model>> all;
  for (int i = 0; i < models; ++i) {
    all.push_back(make(argv[1], static_cast<std::uint64_t>(i + 1)));
    if (all.back() == nullptr) return 3;
  }
  double cpu = 0;
  std::uint64_t steps = 0;
  for (base::Duration at{0}; base::to_seconds(at) < seconds; at += kStep) {
    for (const auto& model : all) model->plant.run(kStep);
    const double before = cpu_seconds();
    for (const auto& model : all) model->governor->step();
    cpu += cpu_seconds() - before;
    steps += all.size();
  }
  fmt::print(
      R"({{"policy": "{}", "models": {}, "virtual_s": {}, "steps": {}, "cpu_s": {:.6f}, "share_of_a_core": {:.6f}}})"
      "\n",
      argv[1], models, seconds, steps, cpu, cpu / seconds);
  return 0;
}
