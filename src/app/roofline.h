// The roofline that commands and the server use: the calibrated one where this machine has it.
#pragma once

#include <string>

#include "profile/calibration.h"
#include "profile/profile.h"

namespace tachostat::app {

// Of this process on the real machine.
profile::Fingerprint this_machine();

// From the calibration at `path` (profile::calibration_path() by default) when there is one for
// this machine; else measured quickly, for about `milliseconds`. A calibration that cannot be used
// is logged with its reason. Never calibrates.
profile::Roofline roofline(int threads, int milliseconds = 200,
                           const std::string& path = profile::calibration_path());

}  // namespace tachostat::app
