// Layers and inferences on a device's lines: what the host asked for, in the time the device took.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "trace/formats/timeline.h"

namespace tachostat::trace {

// A kernel or a copy on a device's line.
struct DeviceWork {
  std::uint32_t span = 0;
  std::uint32_t owner = Timeline::kNone;  // span on the host that asked for it; the layer's name
  std::int64_t launched_ns = 0;           // when; the work's own begin where nobody knows
  std::uint32_t device = 0;
};

struct DeviceLayer {
  std::uint32_t device = 0;
  std::map<std::uint32_t, double> kernel_ns = {};  // time per kernel's name

  std::uint32_t longest_kernel() const;  // its name
};

// Adds to the timeline:
// - a layer around all work of one owner that follows each other on one line, named as the owner,
//   with a flow from it; work without an owner is a layer of its own name;
// - for each of `requests` (spans on the host) a request from the first to the last work that was
//   launched in it, on the line with most work, with a flow from it.
// Returns the layers by name.
std::map<std::uint32_t, DeviceLayer> add_device_layers(Timeline& timeline,
                                                       std::vector<DeviceWork> work,
                                                       std::vector<std::uint32_t> requests);

}  // namespace tachostat::trace
