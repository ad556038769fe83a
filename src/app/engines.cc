#include "app/engines.h"

#include <fmt/ranges.h>

#include <array>

#include "base/status.h"
#include "engine/openvino/openvino.h"

namespace tachostat::app {
namespace {

struct NamedEngine {
  std::string_view name;
  absl::StatusOr<std::unique_ptr<engine::Engine>> (*make)();
};

constexpr std::array kEngines = {
    NamedEngine{"openvino", engine::make_openvino},
};

}  // namespace

std::vector<std::string_view> engine_names() {
  std::vector<std::string_view> names;
  for (const NamedEngine& engine : kEngines) names.push_back(engine.name);
  return names;
}

absl::StatusOr<std::unique_ptr<engine::Engine>> make_engine(std::string_view name) {
  for (const NamedEngine& engine : kEngines) {
    if (engine.name == name) return engine.make();
  }
  return base::not_found("no engine '{}': this build has {}", name,
                         fmt::join(engine_names(), ", "));
}

}  // namespace tachostat::app
