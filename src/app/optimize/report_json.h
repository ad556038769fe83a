// Parts of the result as JSON, for report.json and for the proofs in variant files.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "app/optimize/optimize_run.h"

namespace tachostat::app {

// Bytes that are no UTF-8 are replaced.
std::string dump(const nlohmann::json& json, int indent = -1);
nlohmann::json json_of(const Outcome& outcome);

}  // namespace tachostat::app
