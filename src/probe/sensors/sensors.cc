#include "probe/sensors/sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {

std::vector<std::unique_ptr<Sensor>> make_sensors(const SensorOptions& options) {
  std::vector<std::unique_ptr<Sensor>> sensors;
  for (const auto make : {
           make_rapl,
           make_hwmon,
           make_battery,
           make_thermal,
           make_throttle,
           make_frequency,
           make_cgroup,
           make_pressure,
           make_scheduler,
           make_processors,
           make_numa,
           make_devfreq,
           make_jetson,
           make_qualcomm,
           make_nvidia,
           make_perf,
       }) {
    sensors.push_back(make(options));
  }
  return sensors;
}

}  // namespace tachostat::probe
