#include <array>

#include "base/status.h"
#include "probe/probe.h"

namespace tachostat::probe {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"off", "layers", "kernels", "counters"};

}  // namespace

std::string_view name_of(Depth depth) { return kNames[static_cast<std::size_t>(depth)]; }

absl::StatusOr<Depth> depth_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Depth>(i);
  }
  return base::invalid_argument("depth '{}': expected off, layers, kernels or counters", name);
}

absl::Status SpanSource::available_at(Depth depth) {
  if (absl::Status status = available(); !status.ok() || depth != Depth::kCounters) return status;
  if (counters() != nullptr) return absl::OkStatus();
  return base::unavailable("this source of spans counts nothing");
}

}  // namespace tachostat::probe
