// What a device's lines in an imported trace say of it: readings "device/…".
#pragma once

#include <map>
#include <string>

#include "profile/profile.h"
#include "trace/trace.h"

namespace tachostat::profile {

// Nothing without marked requests or without a line of a device ("GPU 0 stream 7"). Of several
// devices the busiest one counts.
void fill_device_readings(const trace::Trace& trace, std::map<std::string, Reading>& readings);

}  // namespace tachostat::profile
