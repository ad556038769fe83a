// The energy that the machine's processors have used, to tell what a request costs. It is of all
// that runs there: idle cores and neighbours are in it, so only what is measured in turns may be
// compared.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "probe/sensors/sensor.h"

namespace tachostat::app {

// Thread-compatible.
class EnergyMeter {
 public:
  explicit EnergyMeter(const probe::SensorOptions& options);
  // Unavailable with the reason.
  const absl::Status& available() const { return available_; }
  // Joules of all packages and their memory, since some moment. Nothing: no sensor counts energy
  // here, or one of them cannot be read just now.
  std::optional<double> joules();

 private:
  absl::Status available_;
  std::unique_ptr<probe::Sensor> rapl_;
  std::size_t zones_ = 0;  // as many as at first
};

}  // namespace tachostat::app
