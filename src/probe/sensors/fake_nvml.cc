#include "probe/sensors/fake_nvml.h"

#include <cstring>

// NOLINTBEGIN(readability-identifier-naming): the names are NVIDIA's.
extern "C" {

static FakeNvmlState state;

FakeNvmlState* fake_nvml_state() { return &state; }

int nvmlInit_v2() { return state.init_result; }
int nvmlShutdown() {
  ++state.shutdowns;
  return 0;
}
const char* nvmlErrorString(int result) {
  return result == 9 ? "Driver Not Loaded" : result == 15 ? "GPU is lost" : "Not Supported";
}
int nvmlDeviceGetCount_v2(unsigned int* count) {
  *count = state.devices;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void** handle) {
  *handle = reinterpret_cast<char*>(&state) + index;
  return 0;
}
static int answer(void* handle) {
  return handle == reinterpret_cast<char*>(&state) + state.lost ? 15 : 0;
}
int nvmlDeviceGetName(void* handle, char* name, unsigned int size) {
  std::strncpy(name, "NVIDIA Fake 100", size);
  return answer(handle);
}
int nvmlSystemGetDriverVersion(char* version, unsigned int size) {
  std::strncpy(version, "555.42", size);
  return 0;
}
int nvmlDeviceGetPowerUsage(void* handle, unsigned int* milliwatts) {
  *milliwatts = state.milliwatts;
  return answer(handle);
}
int nvmlDeviceGetTotalEnergyConsumption(void* handle, unsigned long long* millijoules) {
  *millijoules = state.millijoules;
  return state.energy_result != 0 ? state.energy_result : answer(handle);
}
int nvmlDeviceGetTemperature(void* handle, int sensor, unsigned int* celsius) {
  *celsius = sensor == 0 ? state.celsius : 0;
  return answer(handle);
}
int nvmlDeviceGetClockInfo(void* handle, int clock, unsigned int* megahertz) {
  *megahertz = clock == 1 ? state.megahertz : clock == 2 ? 2619 : 0;
  return answer(handle);
}
int nvmlDeviceGetCurrentClocksThrottleReasons(void* handle, unsigned long long* reasons) {
  *reasons = state.reasons;
  return answer(handle);
}
int nvmlDeviceGetUtilizationRates(void* handle, unsigned int* rates) {
  rates[0] = 97;
  rates[1] = 41;
  return answer(handle);
}
int nvmlDeviceGetMemoryInfo(void* handle, unsigned long long* memory) {
  memory[0] = 80ULL << 30;
  memory[1] = 60ULL << 30;
  memory[2] = 20ULL << 30;
  return answer(handle);
}
}
// NOLINTEND(readability-identifier-naming)
