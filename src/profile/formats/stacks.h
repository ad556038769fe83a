// A profile as stacks, for flame graphs when there is no timeline.
#pragma once

#include "profile/profile.h"
#include "trace/stacks.h"

namespace tachostat::profile {

// Model, layer, kernel. A layer's time is at its kernel, or at itself when that is not known; the
// model's own time is what lies in no layer, and its count that of the requests.
trace::Stacks stacks_of(const Profile& profile);

}  // namespace tachostat::profile
