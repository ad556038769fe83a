// Races of equals, as `tachostat optimize` runs them: the model's defaults against itself with
// recipes that do nothing. Prints one JSON array: by race, the ratios and whether one was said to
// be faster. bench/race_aa.py makes the table.
#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/engines.h"
#include "app/optimize/line_up.h"
#include "app/profile_run.h"
#include "base/clock.h"
#include "base/status.h"
#include "model/steps.h"

namespace tachostat {
namespace {

using nlohmann::json;

constexpr int kEquals = 5;

// Each has another hash, so none is taken for another.
absl::StatusOr<model::Recipe> nothing(int number) {
  TS_ASSIGN_OR_RETURN(const model::Recipe::Step step, model::to_step(model::Expose{}));
  return model::Recipe::Create(
      fmt::format("nothing, {} times", number),
      std::vector<model::Recipe::Step>(static_cast<std::size_t>(number), step));
}

absl::StatusOr<json> race(engine::Engine& engine, const model::Graph& graph,
                          const std::vector<engine::Tensor>& inputs, std::uint64_t seed) {
  std::vector<model::Variant> variants(1 + kEquals);
  for (int i = 1; i <= kEquals; ++i) {
    TS_ASSIGN_OR_RETURN(variants[static_cast<std::size_t>(i)].recipe, nothing(i));
  }
  base::SystemClock clock;
  // As `optimize` does: what lags behind leaves.
  TS_ASSIGN_OR_RETURN(const auto laps, app::line_up(clock, engine, graph, variants, inputs,
                                                    {.rounds = 24, .stay = 1, .seed = seed}));
  json ratios = json::array();
  bool said = false;
  for (int i = 1; i <= kEquals; ++i) {
    const app::Ratio ratio =
        app::ratio_of(laps[0].ms, laps[static_cast<std::size_t>(i)].ms, kEquals);
    ratios.push_back({ratio.value, ratio.low, ratio.high});
    said |= ratio.faster;
  }
  return json{{"ratios", ratios}, {"said_faster", said}};
}

absl::Status run(const std::string& path, const std::string& shapes_text, int races) {
  TS_ASSIGN_OR_RETURN(const auto engine, app::make_engine("openvino"));
  TS_ASSIGN_OR_RETURN(const model::Graph graph, model::read(path));
  const model::InputShapes shapes = json::parse(shapes_text).get<model::InputShapes>();
  TS_ASSIGN_OR_RETURN(const auto filled, app::fill_open_dimensions(graph, shapes));
  TS_ASSIGN_OR_RETURN(const auto inputs, app::synthetic_inputs(graph, filled, 1));
  json all = json::array();
  for (int i = 0; i < races; ++i) {
    TS_ASSIGN_OR_RETURN(json one, race(*engine, graph, inputs, static_cast<std::uint64_t>(i)));
    all.push_back(std::move(one));
  }
  fmt::print("{}\n", all.dump());
  return absl::OkStatus();
}

}  // namespace
}  // namespace tachostat

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: race_aa MODEL SHAPES RACES\n");
    return 2;
  }
  const absl::Status status = tachostat::run(argv[1], argv[2], std::atoi(argv[3]));
  if (!status.ok()) fmt::print(stderr, "race_aa: {}\n", status.ToString());
  return status.ok() ? 0 : 3;
}
