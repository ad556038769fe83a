// What the server and its models are, as the protocol's JSON pages and as values that gRPC uses
// too.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "serve/serve.h"

namespace tachostat::serve {

inline constexpr std::string_view kServerName = "tachostat";
std::string_view server_version();
std::vector<std::string> server_extensions();

// Triton's name for a data type in model configurations, "TYPE_FP32".
std::string config_type_of(model::DataType type);

std::string server_metadata_json();
std::string model_metadata_json(const ServedModel& model);
std::string model_config_json(const ServedModel& model);
std::string statistics_json(const std::vector<std::shared_ptr<const ServedModel>>& models);
std::string repository_index_json(const Repository& repository, bool only_ready);

}  // namespace tachostat::serve
