#include "base/status.h"

namespace tachostat::base {

absl::Status with_context(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), fmt::format("{}: {}", context, status.message()));
}

}  // namespace tachostat::base
