// NVIDIA GPUs by the driver's management library.
#include <algorithm>
#include <array>
#include <optional>

#include "base/status.h"
#include "probe/sensors/checks.h"
#include "probe/sensors/nvml.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

struct Reason {
  unsigned long long bits;
  std::string_view name;
};
// Why the clocks are lower than they could be. Left out: idle, and clocks that somebody chose.
constexpr std::array<Reason, 3> kReasons = {{
    {0x04, "power_cap"},        // SwPowerCap
    {0x20 | 0x40, "thermal"},   // SwThermalSlowdown, HwThermalSlowdown
    {0x08 | 0x80, "hardware"},  // HwSlowdown, HwPowerBrakeSlowdown
}};

class Nvidia final : public Sensor {
 public:
  explicit Nvidia(const SensorOptions& options) {
    std::string library = options.nvml_library;
    if (library.empty() && options.root == "/") library = "libnvidia-ml.so.1";
    start(library);
  }
  ~Nvidia() override {
    if (nvml_) nvml_->shutdown();
  }
  Nvidia(const Nvidia&) = delete;
  Nvidia& operator=(const Nvidia&) = delete;

  std::string_view name() const override { return "nvidia"; }
  absl::Status available() const override { return status_; }

  absl::Status read(std::vector<Reading>& out) override {
    TS_RETURN_IF_ERROR(status_);
    left_out_.clear();
    const std::size_t before = out.size();
    for (std::size_t i = 0; i < devices_.size(); ++i) read_device(i, out);
    if (out.size() > before) return absl::OkStatus();
    return base::unavailable("no GPU answers: {}", nvml_->error_string(last_error_));
  }

  std::vector<std::string> left_out() const override { return left_out_; }

  std::vector<Fact> facts() const override {
    std::vector<Fact> facts;
    if (!nvml_) return facts;
    char text[96] = {};
    if (nvml_->driver_version != nullptr &&
        nvml_->driver_version(text, sizeof text) == Nvml::kSuccess) {
      text[sizeof text - 1] = '\0';
      facts.push_back({"nvidia/driver", text});
    }
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      if (nvml_->name(devices_[i].handle, text, sizeof text) != Nvml::kSuccess) continue;
      text[sizeof text - 1] = '\0';
      facts.push_back({fmt::format("nvidia/gpu{}", i), text});
    }
    return facts;
  }

 private:
  struct Device {
    Nvml::Device handle = nullptr;
    Unwrapped energy;  // starts anew when the driver is loaded again
  };

  void start(const std::string& library) {
    if (library.empty()) {
      status_ = base::unavailable("no management library was named for this root");
      return;
    }
    absl::StatusOr<Nvml> nvml = Nvml::open(library);
    if (!nvml.ok()) {
      status_ = base::unavailable("{}: no NVIDIA driver", nvml.status().message());
      return;
    }
    if (const Nvml::Result result = nvml->init(); result != Nvml::kSuccess) {
      status_ = base::unavailable("{}: {}", library, nvml->error_string(result));
      return;
    }
    nvml_ = *nvml;
    unsigned int count = 0;
    if (nvml_->count(&count) != Nvml::kSuccess) count = 0;
    constexpr unsigned int kMostDevices = 256;
    for (unsigned int i = 0; i < std::min(count, kMostDevices); ++i) {
      Nvml::Device handle = nullptr;
      // One that this user may not see, or that fell off its bus.
      if (nvml_->handle(i, &handle) == Nvml::kSuccess) devices_.push_back({handle, {}});
    }
    if (devices_.empty()) status_ = base::unavailable("the NVIDIA driver shows no GPU");
  }

  bool good(Nvml::Result result) {
    if (result != Nvml::kSuccess) last_error_ = result;
    return result == Nvml::kSuccess;
  }

  void level(std::string name, std::string_view unit, double value, std::vector<Reading>& out) {
    if (!plausible(unit, value)) {
      left_out_.push_back(fmt::format("{}: {} {} is not possible", name, value, unit));
      return;
    }
    out.push_back({.name = std::move(name), .unit = std::string(unit), .value = value});
  }

  void read_device(std::size_t index, std::vector<Reading>& out) {
    const std::string prefix = fmt::format("nvidia/gpu{}", index);
    Device& device = devices_[index];
    read_power(prefix, device, out);
    read_clocks(prefix, device, out);
    const Nvml& nvml = *nvml_;
    unsigned int celsius = 0;
    if (nvml.temperature != nullptr &&
        good(nvml.temperature(device.handle, Nvml::kGpuTemperature, &celsius))) {
      level(prefix + "/temperature", "Cel", celsius, out);
    }
    Nvml::Utilization use{};
    if (nvml.utilization != nullptr && good(nvml.utilization(device.handle, &use)) &&
        use.gpu <= 100 && use.memory <= 100) {
      level(prefix + "/busy", "1", use.gpu / 100.0, out);
      level(prefix + "/memory_busy", "1", use.memory / 100.0, out);
    }
    Nvml::Memory memory{};
    if (nvml.memory != nullptr && good(nvml.memory(device.handle, &memory)) &&
        memory.used <= memory.total) {
      level(prefix + "/memory_used", "By", static_cast<double>(memory.used), out);
      level(prefix + "/memory_total", "By", static_cast<double>(memory.total), out);
    }
  }

  void read_power(const std::string& prefix, Device& device, std::vector<Reading>& out) {
    unsigned int milliwatts = 0;
    if (nvml_->power != nullptr && good(nvml_->power(device.handle, &milliwatts))) {
      level(prefix, "W", milliwatts * 1e-3, out);
    }
    if (nvml_->power_limit != nullptr && good(nvml_->power_limit(device.handle, &milliwatts))) {
      level(prefix + "/limit", "W", milliwatts * 1e-3, out);
    }
    unsigned long long millijoules = 0;
    if (nvml_->energy != nullptr && good(nvml_->energy(device.handle, &millijoules))) {
      device.energy.add(millijoules, 0);
      out.push_back({.name = prefix + "/energy",
                     .unit = "J",
                     .kind = Reading::Kind::kCounter,
                     .value = device.energy.total() * 1e-3});
    }
  }

  void read_clocks(const std::string& prefix, const Device& device, std::vector<Reading>& out) {
    const auto add = [&](auto function, Nvml::Clock clock, std::string_view name) {
      unsigned int megahertz = 0;
      // 0: the GPU is asleep.
      if (function != nullptr && good(function(device.handle, clock, &megahertz)) &&
          megahertz > 0) {
        level(fmt::format("{}/{}", prefix, name), "Hz", megahertz * 1e6, out);
      }
    };
    add(nvml_->clock, Nvml::kSm, "clock");
    add(nvml_->clock, Nvml::kMemory, "memory_clock");
    add(nvml_->max_clock, Nvml::kSm, "max_clock");
    unsigned long long bits = 0;
    if (nvml_->throttle_reasons == nullptr ||
        !good(nvml_->throttle_reasons(device.handle, &bits))) {
      return;
    }
    for (const Reason& reason : kReasons) {
      level(fmt::format("{}/slowed_by/{}", prefix, reason.name), "1",
            (bits & reason.bits) != 0 ? 1 : 0, out);
    }
  }

  absl::Status status_;
  std::optional<Nvml> nvml_;  // initialised
  std::vector<Device> devices_;
  std::vector<std::string> left_out_;
  Nvml::Result last_error_ = Nvml::kSuccess;
};

}  // namespace

std::unique_ptr<Sensor> make_nvidia(const SensorOptions& options) {
  return std::make_unique<Nvidia>(options);
}

}  // namespace tachostat::probe
