// The few functions of NVIDIA's management library that are used here, declared by ourselves and
// found at run time: the library comes with the driver. The binary interface is that of nvml.h
// (NVML API Reference Guide), which keeps old entry points for good; the numbers below are its own.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace tachostat::probe {

struct Nvml {
  using Device = struct NvmlDevice*;
  using Result = int;
  static constexpr Result kSuccess = 0;
  enum Clock : int { kGraphics = 0, kSm = 1, kMemory = 2 };
  static constexpr int kGpuTemperature = 0;
  struct Utilization {
    unsigned int gpu;     // percent of the last sample period with a kernel running
    unsigned int memory;  // percent with memory being read or written
  };
  struct Memory {
    unsigned long long total;  // bytes
    unsigned long long free;
    unsigned long long used;
  };

  // Always there.
  Result (*init)() = nullptr;
  Result (*shutdown)() = nullptr;
  const char* (*error_string)(Result) = nullptr;
  Result (*count)(unsigned int*) = nullptr;
  Result (*handle)(unsigned int, Device*) = nullptr;
  Result (*name)(Device, char*, unsigned int) = nullptr;
  // Null where the library is too old for it.
  Result (*driver_version)(char*, unsigned int) = nullptr;
  Result (*power)(Device, unsigned int*) = nullptr;             // mW
  Result (*power_limit)(Device, unsigned int*) = nullptr;       // mW
  Result (*energy)(Device, unsigned long long*) = nullptr;      // mJ since the driver was loaded
  Result (*temperature)(Device, int, unsigned int*) = nullptr;  // Cel
  Result (*clock)(Device, int, unsigned int*) = nullptr;        // MHz
  Result (*max_clock)(Device, int, unsigned int*) = nullptr;    // MHz
  Result (*throttle_reasons)(Device, unsigned long long*) = nullptr;
  Result (*utilization)(Device, Utilization*) = nullptr;
  Result (*memory)(Device, Memory*) = nullptr;

  // NotFound: no such library; FailedPrecondition: it is not NVML. The library stays loaded.
  static absl::StatusOr<Nvml> open(const std::string& library);
};

}  // namespace tachostat::probe
