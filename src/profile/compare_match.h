// Which layers of several profiles are the same one.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "profile/profile.h"

namespace tachostat::profile {

// One layer, as each profile has it; null in those that have not.
struct MatchedLayer {
  std::vector<const LayerProfile*> in;
};

enum class MatchedBy { kName, kOriginals, kPlace };
struct Matching {
  std::vector<MatchedLayer> layers;  // in the first profile's order; others after them
  // How a profile's layers found theirs, e.g. of[profile][MatchedBy::kName].
  std::vector<std::vector<std::size_t>> counts;

  std::size_t count(std::size_t profile, MatchedBy by) const {
    return counts[profile][static_cast<std::size_t>(by)];
  }
};

// By name; what is left by the model's layers inside it (the most in common); what is left by its
// place: type and the layers that its inputs come from. Refers to the profiles.
Matching match_layers(std::span<const Profile* const> profiles);

}  // namespace tachostat::profile
