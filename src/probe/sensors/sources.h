// Every sensor there is; make_sensors() builds them in this order.
#pragma once

#include <memory>

#include "probe/sensors/sensor.h"

namespace tachostat::probe {

std::unique_ptr<Sensor> make_rapl(const SensorOptions& options);
std::unique_ptr<Sensor> make_hwmon(const SensorOptions& options);
std::unique_ptr<Sensor> make_battery(const SensorOptions& options);
std::unique_ptr<Sensor> make_thermal(const SensorOptions& options);
std::unique_ptr<Sensor> make_throttle(const SensorOptions& options);
std::unique_ptr<Sensor> make_frequency(const SensorOptions& options);
std::unique_ptr<Sensor> make_cgroup(const SensorOptions& options);
std::unique_ptr<Sensor> make_pressure(const SensorOptions& options);
std::unique_ptr<Sensor> make_scheduler(const SensorOptions& options);
std::unique_ptr<Sensor> make_processors(const SensorOptions& options);
std::unique_ptr<Sensor> make_numa(const SensorOptions& options);
std::unique_ptr<Sensor> make_devfreq(const SensorOptions& options);
std::unique_ptr<Sensor> make_jetson(const SensorOptions& options);
std::unique_ptr<Sensor> make_qualcomm(const SensorOptions& options);
std::unique_ptr<Sensor> make_nvidia(const SensorOptions& options);
std::unique_ptr<Sensor> make_perf(const SensorOptions& options);

}  // namespace tachostat::probe
