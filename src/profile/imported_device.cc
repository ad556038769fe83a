#include "profile/imported_device.h"

#include <algorithm>
#include <unordered_map>

namespace tachostat::profile {
namespace {

using trace::Kind;
using trace::Span;

struct Stretch {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};
using Stretches = std::vector<Stretch>;

// In order, none touching another.
Stretches joined(Stretches all) {
  std::sort(all.begin(), all.end(),
            [](const Stretch& a, const Stretch& b) { return a.begin < b.begin; });
  Stretches result;
  for (const Stretch& one : all) {
    if (!result.empty() && one.begin <= result.back().end) {
      result.back().end = std::max(result.back().end, one.end);
    } else {
      result.push_back(one);
    }
  }
  return result;
}

double length(const Stretches& all) {
  double sum = 0;
  for (const Stretch& one : all) sum += static_cast<double>(one.end - one.begin);
  return sum;
}

// What two joined lists share.
double shared(const Stretches& a, const Stretches& b) {
  double sum = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const std::uint64_t begin = std::max(a[i].begin, b[j].begin);
    const std::uint64_t end = std::min(a[i].end, b[j].end);
    if (begin < end) sum += static_cast<double>(end - begin);
    a[i].end < b[j].end ? ++i : ++j;
  }
  return sum;
}

bool lies_in(const Stretches& all, std::uint64_t time) {
  const auto after =
      std::upper_bound(all.begin(), all.end(), time,
                       [](std::uint64_t at, const Stretch& one) { return at < one.begin; });
  return after != all.begin() && time < std::prev(after)->end;
}

// Devices of lines: "GPU 0" for "GPU 0 stream 7".
std::unordered_map<std::uint32_t, std::string> devices_of(const trace::Trace& trace) {
  std::unordered_map<std::uint32_t, std::string> devices;
  for (const auto& [line, name] : trace.threads) {
    if (name.starts_with("GPU ")) devices[line] = name.substr(0, name.find(" stream"));
  }
  return devices;
}

struct Device {
  Stretches busy{};
  double kernels = 0;  // that begin inside requests
  double kernel_ns = 0;
};

struct Lines {
  Stretches requests{};
  std::uint64_t count = 0;  // of requests
  Stretches waits{};        // of the host for any device
  std::map<std::string, Device> devices{};
};

// "cudaStreamSynchronize", "hipDeviceSynchronize", "cuCtxSynchronize".
bool is_wait(std::string_view name) { return name.ends_with("Synchronize"); }

Lines read_lines(const trace::Trace& trace) {
  const auto devices = devices_of(trace);
  const std::vector<bool> waits = [&] {
    std::vector<bool> result;
    for (const std::string& name : trace.names) result.push_back(is_wait(name));
    return result;
  }();
  Lines lines;
  for (const Span& span : trace.spans) {
    if (span.kind != Kind::kRequest || span.end_ns <= span.begin_ns) continue;
    lines.requests.push_back({span.begin_ns, span.end_ns});
    ++lines.count;
  }
  lines.requests = joined(std::move(lines.requests));
  for (const Span& span : trace.spans) {
    if (span.end_ns <= span.begin_ns || span.name >= waits.size()) continue;
    const auto on = devices.find(span.thread);
    if (on == devices.end()) {
      if (waits[span.name]) lines.waits.push_back({span.begin_ns, span.end_ns});
      continue;
    }
    if (span.kind != Kind::kPrimitive) continue;
    Device& device = lines.devices[on->second];
    device.busy.push_back({span.begin_ns, span.end_ns});
    if (!lies_in(lines.requests, span.begin_ns)) continue;
    ++device.kernels;
    device.kernel_ns += static_cast<double>(span.end_ns - span.begin_ns);
  }
  return lines;
}

}  // namespace

void fill_device_readings(const trace::Trace& trace, std::map<std::string, Reading>& readings) {
  Lines lines = read_lines(trace);
  const double all = length(lines.requests);
  const Device* busiest = nullptr;
  double most = 0;
  for (auto& [name, device] : lines.devices) {
    device.busy = joined(std::move(device.busy));
    const double busy = shared(device.busy, lines.requests);
    if (busy <= most) continue;
    busiest = &device;
    most = busy;
  }
  if (busiest == nullptr || all <= 0) return;
  const auto set = [&](const char* name, double value, const char* unit, double n) {
    readings[name] = {.mean = value,
                      .low = value,
                      .high = value,
                      .n = static_cast<std::uint64_t>(n),
                      .unit = unit};
  };
  const auto requests = static_cast<double>(lines.count);
  set("device/idle_share", 1 - most / all, "1", requests);
  set("device/host_wait_share", shared(joined(std::move(lines.waits)), lines.requests) / all, "1",
      requests);
  set("device/kernels", busiest->kernels / requests, "1", requests);
  if (busiest->kernels > 0) {
    set("device/kernel_time", busiest->kernel_ns / busiest->kernels * 1e-9, "s", busiest->kernels);
  }
}

}  // namespace tachostat::profile
