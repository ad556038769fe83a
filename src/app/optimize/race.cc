#include "app/optimize/race.h"

#include <nlohmann/json.hpp>

#include "base/status.h"

namespace tachostat::app {
namespace {

using Json = nlohmann::json;

std::string written(const std::vector<Lap>& laps) {
  Json array = Json::array();
  for (const Lap& lap : laps) {
    array.push_back({{"ms", lap.ms}, {"joules", lap.joules}, {"memory", lap.memory_bytes}});
  }
  return array.dump();
}

absl::StatusOr<std::vector<Lap>> read(const std::string& text) {
  try {
    std::vector<Lap> laps;
    for (const Json& lap : Json::parse(text)) {
      laps.push_back({lap.at("ms"), lap.at("joules"), lap.at("memory")});
    }
    return laps;
  } catch (const Json::exception& error) {
    return base::internal("a kept race cannot be read: {}", error.what());
  }
}

}  // namespace

absl::StatusOr<std::vector<Lap>> race(const Track& track, std::string_view stage,
                                      std::span<const model::Variant> variants,
                                      LineUpOptions options) {
  std::string what(stage);
  for (const model::Variant& variant : variants) {
    what += fmt::format("\n{} {}", variant.id(), variant.recipe.hash());
  }
  options.joules = track.joules;
  bool stopped = false;
  options.progress = [&, may_go_on = options.progress](int done) {
    stopped = track.progress && !track.progress(stage, static_cast<double>(done) / options.rounds);
    return !stopped && (!may_go_on || may_go_on(done));
  };
  const auto make = [&]() -> absl::StatusOr<std::string> {
    TS_ASSIGN_OR_RETURN(const std::vector<Lap> laps, line_up(track.clock, track.engine, track.graph,
                                                             variants, track.inputs, options));
    if (stopped) return absl::CancelledError(fmt::format("{} was stopped", stage));
    return written(laps);
  };
  TS_ASSIGN_OR_RETURN(const std::string text, track.journal.once(what, make));
  return read(text);
}

}  // namespace tachostat::app
