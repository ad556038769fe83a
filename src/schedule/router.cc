#include "schedule/router.h"

#include <algorithm>

namespace tachostat::schedule {
namespace {

bool has_shapes(const std::vector<engine::Tensor>& inputs, const model::InputShapes& shapes) {
  return std::all_of(shapes.begin(), shapes.end(), [&](const auto& expected) {
    return std::any_of(inputs.begin(), inputs.end(), [&](const engine::Tensor& input) {
      return input.name == expected.first && input.shape == expected.second;
    });
  });
}

}  // namespace

Router::Router(const model::Plan& plan) {
  for (std::size_t i = 0; i < plan.shares.size(); ++i) {
    const model::Plan::Share& share = plan.shares[i];
    if (!(share.weight > 0)) continue;
    auto place = std::find_if(classes_.begin(), classes_.end(),
                              [&](const Class& each) { return each.shapes == share.shapes; });
    if (place == classes_.end()) {
      place = classes_.insert(share.shapes.empty() ? classes_.end() : classes_.begin(),
                              Class{.shapes = share.shapes});
    }
    place->turns.push_back({.share = static_cast<int>(i), .weight = share.weight});
    place->total += share.weight;
  }
}

int Router::class_of(const std::vector<engine::Tensor>& inputs) const {
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    if (has_shapes(inputs, classes_[i].shapes)) return static_cast<int>(i);
  }
  return -1;
}

int Router::choose(int request_class) const {
  const std::vector<Turn>& turns = classes_[static_cast<std::size_t>(request_class)].turns;
  const auto next = std::max_element(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) {
    return a.credit + a.weight < b.credit + b.weight;
  });
  return next->share;
}

void Router::commit(int request_class, int share) {
  Class& chosen = classes_[static_cast<std::size_t>(request_class)];
  for (Turn& turn : chosen.turns) {
    turn.credit += turn.weight;
    if (turn.share == share) turn.credit -= chosen.total;
  }
}

}  // namespace tachostat::schedule
