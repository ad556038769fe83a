// How a test scripts the fake management library, a shared library of its own that the sensor
// opens by its path (FAKE_NVML_LIBRARY).
#pragma once

extern "C" {

struct FakeNvmlState {
  int init_result;
  unsigned int devices;
  unsigned int lost;  // the device of this index has fallen off its bus; ~0u: none
  int energy_result;  // 3: not supported, as before Volta
  unsigned int milliwatts;
  unsigned long long millijoules;
  unsigned int celsius;
  unsigned int megahertz;
  unsigned long long reasons;
  int shutdowns;
};

// By dlsym from the same library.
FakeNvmlState* fake_nvml_state();
}
