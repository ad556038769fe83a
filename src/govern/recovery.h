// Leaves a variant that fails or hangs for one that is known to be good, at once: no window, no
// dwell. Policies choose among those that work.
#pragma once

#include <cstdint>
#include <string>

#include "govern/core.h"

namespace tachostat::govern {

// Used by the governor's thread only.
class Recovery {
 public:
  explicit Recovery(Core& core) : core_(core) {}

  // `piece`: traffic since the last step, not of a trial's blocks, which guard themselves. True:
  // something else serves now.
  bool step(const Observation& piece);

 private:
  bool leave(const std::string& why, base::Duration bar);
  const verify::Point* stand_in() const;

  Core& core_;
  Observation seen_;  // since the last look
  int episodes_ = 0;  // of failing variants; each bars for longer
  bool told_ = false;
};

}  // namespace tachostat::govern
