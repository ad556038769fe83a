// Whether two sides may be compared at all, and what the reader of a comparison must know.
#pragma once

#include <span>

#include "absl/status/status.h"
#include "profile/compare.h"

namespace tachostat::profile {

// InvalidArgument names the run that cannot be used. `side`: "BASE", "HEAD".
absl::Status check_runs(std::string_view side, std::span<const RunView> runs);

ComparedSide side_of(std::span<const RunView> runs);

// Fills differences, and the notes that follow from the sides and the options.
void describe_sides(std::span<const RunView> base, std::span<const RunView> head, Comparison& to);

}  // namespace tachostat::profile
