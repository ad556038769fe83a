#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/mutex.h"
#include "base/status.h"
#include "base/thread.h"
#include "simulate/simulate.h"

namespace tachostat::simulate {
namespace {

using nlohmann::json;

ManyModel of_one(const ModelReport& one) {
  return {.name = one.name,
          .policy = one.policy,
          .arrivals = one.arrivals,
          .in_time = one.in_time,
          .refused = one.refused,
          .failed = one.failed,
          .lost = one.lost,
          .switches = one.switches,
          .promoted = one.promoted,
          .seeds_with_switches = one.switches > 0 ? 1U : 0U,
          .seeds_with_promotions = one.promoted > 0 ? 1U : 0U,
          .bound_in_time = one.bound_in_time,
          .worst_attainment = one.attainment(),
          .worst_of_bound = one.of_bound()};
}

void add(ManyModel& total, const ManyModel& one) {
  total.arrivals += one.arrivals;
  total.in_time += one.in_time;
  total.refused += one.refused;
  total.failed += one.failed;
  total.lost += one.lost;
  total.switches += one.switches;
  total.promoted += one.promoted;
  total.seeds_with_switches += one.seeds_with_switches;
  total.seeds_with_promotions += one.seeds_with_promotions;
  total.bound_in_time += one.bound_in_time;
  total.worst_attainment = std::min(total.worst_attainment, one.worst_attainment);
  total.worst_of_bound = std::min(total.worst_of_bound, one.worst_of_bound);
}

// Seeds that threads take one by one.
class Seeds {
 public:
  Seeds(const Scenario& scenario, std::uint64_t count, const Options& options)
      : scenario_(scenario), count_(count), options_(options), found_(count) {}

  void work() {
    while (const std::optional<std::uint64_t> seed = take()) {
      Scenario scenario = scenario_;
      scenario.seed += *seed;
      keep(*seed, simulate(scenario, {.progress = nullptr, .stop = options_.stop}));
    }
  }

  // In the order of the seeds, so that sums of fractions do not depend on the threads.
  absl::StatusOr<ManyReport> report() {
    base::MutexLock lock(mutex_);
    TS_RETURN_IF_ERROR(error_);
    ManyReport total{.scenario = scenario_.name, .first_seed = scenario_.seed, .seeds = count_};
    const base::Duration counted = scenario_.duration - scenario_.warm_up;
    total.hours = static_cast<double>(count_) * scenario_.nodes * base::to_seconds(counted) / 3600;
    for (const std::vector<ManyModel>& models : found_) {
      if (total.models.empty()) {
        total.models = models;
        continue;
      }
      for (std::size_t i = 0; i < models.size(); ++i) add(total.models[i], models[i]);
    }
    return total;
  }

 private:
  std::optional<std::uint64_t> take() {
    base::MutexLock lock(mutex_);
    if (next_ == count_ || !error_.ok()) return std::nullopt;
    return next_++;
  }

  void keep(std::uint64_t seed, const absl::StatusOr<Report>& one) {
    base::MutexLock lock(mutex_);
    if (!one.ok()) {
      if (error_.ok()) error_ = one.status();
      return;
    }
    for (const ModelReport& model : one->models) found_[seed].push_back(of_one(model));
    ++done_;
    if (options_.progress) {
      options_.progress(static_cast<double>(done_) / static_cast<double>(count_));
    }
  }

  const Scenario& scenario_;
  const std::uint64_t count_;
  const Options& options_;
  base::Mutex mutex_;
  std::uint64_t next_ TS_GUARDED_BY(mutex_) = 0;
  std::uint64_t done_ TS_GUARDED_BY(mutex_) = 0;
  std::vector<std::vector<ManyModel>> found_ TS_GUARDED_BY(mutex_);  // by seed, then model
  absl::Status error_ TS_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<ManyReport> simulate_many(const Scenario& scenario, std::uint64_t seeds, int threads,
                                         const Options& options) {
  Seeds work(scenario, seeds, options);
  {
    std::vector<std::jthread> others;
    for (int i = 1; i < threads; ++i) {
      others.push_back(
          base::start_thread("simulate", [&work](const std::stop_token&) { work.work(); }));
    }
    work.work();
  }
  return work.report();
}

std::string to_json(const ManyReport& report) {
  json models = json::array();
  for (const ManyModel& model : report.models) {
    models.push_back({{"name", model.name},
                      {"policy", model.policy},
                      {"arrivals", model.arrivals},
                      {"in_time", model.in_time},
                      {"refused", model.refused},
                      {"failed", model.failed},
                      {"lost", model.lost},
                      {"attainment", model.attainment()},
                      {"worst_attainment", model.worst_attainment},
                      {"of_bound", model.of_bound()},
                      {"worst_of_bound", model.worst_of_bound},
                      {"switches", model.switches},
                      {"switches_per_hour", static_cast<double>(model.switches) / report.hours},
                      {"promoted", model.promoted},
                      {"seeds_with_switches", model.seeds_with_switches},
                      {"seeds_with_promotions", model.seeds_with_promotions}});
  }
  const json document = {
      {"version", 1},          {"scenario", report.scenario}, {"first_seed", report.first_seed},
      {"seeds", report.seeds}, {"hours", report.hours},       {"models", std::move(models)}};
  return document.dump(2, ' ', false, json::error_handler_t::replace);
}

std::string to_text(const ManyReport& report) {
  std::string text = fmt::format("{}: {} seeds from {} on, {:.1f} hours of virtual time\n",
                                 report.scenario, report.seeds, report.first_seed, report.hours);
  for (const ManyModel& model : report.models) {
    text += fmt::format(
        "\n{}, policy {}\n"
        "  {} requests: {:.2f} % in time (worst seed {:.2f} %), {} refused, {} failed, {} lost\n"
        "  {:.1f} % of what no schedule can exceed (worst seed {:.1f} %)\n"
        "  {} switches ({:.3f} an hour) in {} seeds, {} candidates proved in {} seeds\n",
        model.name, model.policy, model.arrivals, model.attainment() * 100,
        model.worst_attainment * 100, model.refused, model.failed, model.lost,
        model.of_bound() * 100, model.worst_of_bound * 100, model.switches,
        static_cast<double>(model.switches) / report.hours, model.seeds_with_switches,
        model.promoted, model.seeds_with_promotions);
  }
  return text;
}

}  // namespace tachostat::simulate
