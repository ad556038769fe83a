// Times two variants against each other in one process: both are loaded, and short blocks of
// requests of one and of the other follow each other in random order. Loads them anew a few times,
// for where their data lie in memory matters too. Prints one JSON object: of each pair of blocks
// the milliseconds of every inference, by the engine's own threads. bench/gains.py makes ratios.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "app/driver.h"
#include "app/engines.h"
#include "app/profile_run.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"

namespace tachostat {
namespace {

using nlohmann::json;

constexpr double kBlockSeconds = 0.04;
constexpr int kLeastRequests = 2;

// Collects how long each inference took, on the engine's threads.
class Durations final : public engine::Observer {
 public:
  void on_start(std::uint64_t) noexcept override {}
  void on_end(const engine::Execution& execution) noexcept override {
    const base::MutexLock lock(mutex_);
    if (taken_.size() < taken_.capacity()) {
      taken_.push_back(base::to_milliseconds(execution.end - execution.begin));
    }
  }
  void start(std::size_t requests) {
    const base::MutexLock lock(mutex_);
    taken_.clear();
    taken_.reserve(requests);
  }
  std::vector<double> take() {
    const base::MutexLock lock(mutex_);
    return taken_;
  }

 private:
  base::Mutex mutex_;
  std::vector<double> taken_ TS_GUARDED_BY(mutex_);
};

struct Side {
  model::Graph graph{};
  model::Variant variant{};
  std::vector<engine::Tensor> inputs{};

  static absl::StatusOr<Side> of(const std::string& path, const std::string& variant,
                                 const model::InputShapes& shapes) {
    Side side;
    TS_ASSIGN_OR_RETURN(side.graph, model::read(path));
    TS_ASSIGN_OR_RETURN(side.variant, model::variant_from_json(variant));
    TS_ASSIGN_OR_RETURN(const auto filled, app::fill_open_dimensions(side.graph, shapes));
    TS_ASSIGN_OR_RETURN(side.inputs, app::synthetic_inputs(side.graph, filled, 1));
    return side;
  }
};

// A loaded side.
class Loaded {
 public:
  static absl::StatusOr<std::unique_ptr<Loaded>> of(engine::Engine& engine, const Side& side) {
    auto loaded = std::unique_ptr<Loaded>(new Loaded);
    TS_ASSIGN_OR_RETURN(loaded->session_,
                        engine.load(side.graph, side.variant, &loaded->durations_));
    loaded->driver_.emplace(*loaded->session_, side.inputs);
    TS_RETURN_IF_ERROR(loaded->warm_up());
    return loaded;
  }

  absl::StatusOr<std::vector<double>> time_block() {
    // What the other side left in caches, and its threads that still spin, are not this one's.
    TS_RETURN_IF_ERROR(driver_->run(streams()));
    durations_.start(static_cast<std::size_t>(requests_));
    TS_RETURN_IF_ERROR(driver_->run(requests_));
    return durations_.take();
  }

 private:
  Loaded() = default;
  int streams() const { return std::max(1, session_->applied().streams); }

  absl::Status warm_up() {
    const base::SystemClock clock;
    TS_RETURN_IF_ERROR(driver_->run(5));
    const base::Time begin = clock.now();
    TS_RETURN_IF_ERROR(driver_->run(10));
    const double one = base::to_seconds(clock.now() - begin) / 10;
    // As many rounds of its streams as fill a block.
    const int requests = std::max(kLeastRequests, static_cast<int>(kBlockSeconds / one));
    requests_ = (requests + streams() - 1) / streams() * streams();
    return absl::OkStatus();
  }

  Durations durations_;
  std::unique_ptr<engine::Session> session_;
  std::optional<app::Driver> driver_;
  int requests_ = kLeastRequests;
};

absl::Status time_pairs(engine::Engine& engine, const std::array<Side, 2>& sides, double seconds,
                        std::mt19937& random, json& pairs) {
  std::array<std::unique_ptr<Loaded>, 2> loaded;
  for (std::size_t i = 0; i < 2; ++i) {
    TS_ASSIGN_OR_RETURN(loaded[i], Loaded::of(engine, sides[i]));
  }
  const base::SystemClock clock;
  const base::Time begin = clock.now();
  while (base::to_seconds(clock.now() - begin) < seconds) {
    const std::size_t first = random() & 1;
    std::array<std::vector<double>, 2> blocks;
    for (const std::size_t side : {first, 1 - first}) {
      TS_ASSIGN_OR_RETURN(blocks[side], loaded[side]->time_block());
    }
    pairs.push_back(blocks);
  }
  return absl::OkStatus();
}

absl::StatusOr<json> measure(char** argv) {
  const json shapes_json = json::parse(argv[5], nullptr, false);
  if (!shapes_json.is_object()) {
    return base::invalid_argument("SHAPES: expected an object, found '{}'", argv[5]);
  }
  const auto shapes = shapes_json.get<model::InputShapes>();
  TS_ASSIGN_OR_RETURN(const auto engine, app::make_engine("openvino"));
  std::array<Side, 2> sides;
  TS_ASSIGN_OR_RETURN(sides[0], Side::of(argv[1], argv[2], shapes));
  TS_ASSIGN_OR_RETURN(sides[1], Side::of(argv[3], argv[4], shapes));
  const int loads = std::atoi(argv[6]);
  const double seconds = std::atof(argv[7]);
  std::mt19937 random(1);
  json result = json::array();
  for (int load = 0; load < loads; ++load) {
    TS_RETURN_IF_ERROR(time_pairs(*engine, sides, seconds / loads, random, result));
  }
  return json{{"pairs", std::move(result)}};
}

}  // namespace
}  // namespace tachostat

int main(int argc, char** argv) {
  if (argc != 8) {
    fmt::print(stderr, "usage: variant_ratio MODEL VARIANT MODEL VARIANT SHAPES LOADS SECONDS\n");
    return 2;
  }
  const auto result = tachostat::measure(argv);
  if (!result.ok()) {
    fmt::print(stderr, "variant_ratio: {}\n", result.status().message());
    return 3;
  }
  fmt::print("{}\n", result->dump());
}
