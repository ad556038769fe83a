#include "app/roofline.h"

#include "base/log.h"
#include "base/status.h"

namespace tachostat::app {
namespace {

profile::Roofline with_machine(profile::Roofline roofline) {
  profile::add_machine(this_machine(), profile::instruction_sets(profile::this_processor()),
                       roofline);
  return roofline;
}

}  // namespace

profile::Fingerprint this_machine() {
  return profile::fingerprint_of("/", profile::allowed_processors());
}

profile::Roofline roofline(int threads, int milliseconds, const std::string& path) {
  const auto calibration = profile::load_calibration(path, this_machine());
  if (calibration.ok()) {
    profile::Roofline calibrated = profile::roofline_of(*calibration, threads);
    if (calibrated.peak_f32_flops > 0 && calibrated.memory_bandwidth > 0) {
      return with_machine(std::move(calibrated));
    }
  } else if (calibration.status().code() != absl::StatusCode::kNotFound) {
    spdlog::warn("the roofline is measured quickly: {}", calibration.status().message());
  }
  return with_machine(profile::measure_roofline(threads, milliseconds));
}

}  // namespace tachostat::app
