#include "profile/compare_match.h"

#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace tachostat::profile {
namespace {

// A layer's place: its type, and where its inputs come from, as indices into Matching::layers.
using Place = std::pair<std::string_view, std::vector<int>>;
constexpr int kUnmatched = -1;

// Matches one profile after the other with what is known so far.
class Matcher {
 public:
  explicit Matcher(std::size_t profiles) : profiles_(profiles) {}

  void add(const Profile& profile) {
    const std::size_t number = matching_.counts.size();
    matching_.counts.emplace_back(3);
    at_.assign(profile.layers.size(), kUnmatched);
    taken_.assign(known_.size(), false);
    by_name(profile);
    by_originals(profile);
    by_place(profile);
    for (std::size_t i = 0; i < profile.layers.size(); ++i) {
      if (at_[i] != kUnmatched) continue;
      at_[i] = static_cast<int>(known_.size());
      known_.push_back({&profile.layers[i], {}});
      matching_.layers.push_back({std::vector<const LayerProfile*>(profiles_)});
    }
    for (std::size_t i = 0; i < profile.layers.size(); ++i) {
      const auto at = static_cast<std::size_t>(at_[i]);
      matching_.layers[at].in[number] = &profile.layers[i];
      if (known_[at].layer == &profile.layers[i]) known_[at].place = *place_of(profile.layers[i]);
    }
  }

  Matching done() { return std::move(matching_); }

 private:
  struct Known {
    const LayerProfile* layer;  // as first seen
    Place place;
  };

  void take(std::size_t layer, std::size_t known, MatchedBy by) {
    at_[layer] = static_cast<int>(known);
    taken_[known] = true;
    ++matching_.counts.back()[static_cast<std::size_t>(by)];
  }

  void by_name(const Profile& profile) {
    std::multimap<std::string_view, std::size_t> names;
    for (std::size_t k = 0; k < known_.size(); ++k) names.emplace(known_[k].layer->name, k);
    for (std::size_t i = 0; i < profile.layers.size(); ++i) {
      const auto found = names.find(profile.layers[i].name);
      if (found == names.end()) continue;
      take(i, found->second, MatchedBy::kName);
      names.erase(found);
    }
  }

  void by_originals(const Profile& profile) {
    std::map<std::string_view, std::size_t> holder;  // of an original; the first of several
    for (std::size_t k = 0; k < known_.size(); ++k) {
      if (taken_[k]) continue;
      for (const std::string& original : known_[k].layer->originals) holder.emplace(original, k);
    }
    for (std::size_t i = 0; i < profile.layers.size(); ++i) {
      if (at_[i] != kUnmatched) continue;
      std::map<std::size_t, int> common;
      for (const std::string& original : profile.layers[i].originals) {
        const auto found = holder.find(original);
        if (found != holder.end() && !taken_[found->second]) ++common[found->second];
      }
      std::optional<std::pair<std::size_t, int>> best;
      for (const auto& [known, count] : common) {
        if (!best || count > best->second) best = {known, count};
      }
      if (best) take(i, best->first, MatchedBy::kOriginals);
    }
  }

  // In order of execution, so that a layer's producers are matched before it.
  void by_place(const Profile& profile) {
    std::multimap<Place, std::size_t> places;
    for (std::size_t k = 0; k < known_.size(); ++k) {
      if (!taken_[k] && !known_[k].place.second.empty()) places.emplace(known_[k].place, k);
    }
    if (places.empty()) return;
    for (std::size_t i = 0; i < profile.layers.size(); ++i) {
      if (at_[i] != kUnmatched) continue;
      const std::optional<Place> place = place_of(profile.layers[i]);
      if (!place || place->second.empty()) continue;
      const auto found = places.find(*place);
      if (found == places.end()) continue;
      take(i, found->second, MatchedBy::kPlace);
      places.erase(found);
    }
  }

  // Nothing when a producer is not matched.
  std::optional<Place> place_of(const LayerProfile& layer) const {
    Place place{layer.type, {}};
    for (const Tensor& input : layer.inputs) {
      int from = input.producer - 1;  // negative ones stay apart from kUnmatched
      if (input.producer >= 0) {
        from = at_[static_cast<std::size_t>(input.producer)];
        if (from == kUnmatched) return std::nullopt;
      }
      place.second.push_back(from);
    }
    return place;
  }

  const std::size_t profiles_;
  Matching matching_;
  std::vector<Known> known_;
  std::vector<bool> taken_;  // of known_, by the profile that is being added
  std::vector<int> at_;      // its layers' indices into known_
};

}  // namespace

Matching match_layers(std::span<const Profile* const> profiles) {
  Matcher matcher(profiles.size());
  for (const Profile* const profile : profiles) matcher.add(*profile);
  return matcher.done();
}

}  // namespace tachostat::profile
