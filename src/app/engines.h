// The engines that this build knows. A new engine is a folder under engine/ and one line here.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"

namespace tachostat::app {

std::vector<std::string_view> engine_names();
// NotFound lists the known names.
absl::StatusOr<std::unique_ptr<engine::Engine>> make_engine(std::string_view name);

}  // namespace tachostat::app
