#include "probe/sensors/nvml.h"

#include <dlfcn.h>

#include <type_traits>

#include "base/status.h"

namespace tachostat::probe {

absl::StatusOr<Nvml> Nvml::open(const std::string& library) {
  void* const loaded = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) {
    const char* const why = dlerror();
    return base::not_found("{}", why == nullptr ? library : why);
  }
  Nvml nvml;
  const auto find = [&](const char* symbol, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(loaded, symbol));
    return function != nullptr;
  };
  const bool complete =
      find("nvmlInit_v2", nvml.init) && find("nvmlShutdown", nvml.shutdown) &&
      find("nvmlErrorString", nvml.error_string) && find("nvmlDeviceGetCount_v2", nvml.count) &&
      find("nvmlDeviceGetHandleByIndex_v2", nvml.handle) && find("nvmlDeviceGetName", nvml.name);
  if (!complete) {
    return base::failed_precondition("{} has not the functions of NVIDIA's management library",
                                     library);
  }
  find("nvmlSystemGetDriverVersion", nvml.driver_version);
  find("nvmlDeviceGetPowerUsage", nvml.power);
  find("nvmlDeviceGetEnforcedPowerLimit", nvml.power_limit);
  find("nvmlDeviceGetTotalEnergyConsumption", nvml.energy);
  find("nvmlDeviceGetTemperature", nvml.temperature);
  find("nvmlDeviceGetClockInfo", nvml.clock);
  find("nvmlDeviceGetMaxClockInfo", nvml.max_clock);
  // The newer name of the same function.
  find("nvmlDeviceGetCurrentClocksEventReasons", nvml.throttle_reasons) ||
      find("nvmlDeviceGetCurrentClocksThrottleReasons", nvml.throttle_reasons);
  find("nvmlDeviceGetUtilizationRates", nvml.utilization);
  find("nvmlDeviceGetMemoryInfo", nvml.memory);
  return nvml;
}

}  // namespace tachostat::probe
