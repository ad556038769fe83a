#include "model/metadata.h"

#include <openvino/runtime/core.hpp>

#include "base/status.h"
#include "model/openvino/reason.h"

namespace tachostat::model {

absl::StatusOr<std::string> read_metadata(const std::string& path, const std::string& key) {
  try {
    const auto network = ov::Core().read_model(path);
    // Where OpenVINO's readers put a file's own metadata.
    if (!network->has_rt_info("framework", key)) {
      return base::not_found("'{}' has no metadata '{}'", path, key);
    }
    return network->get_rt_info<std::string>("framework", key);
  } catch (const std::exception& error) {
    return base::invalid_argument("'{}' cannot be read: {}", path, reason_of(error));
  }
}

}  // namespace tachostat::model
