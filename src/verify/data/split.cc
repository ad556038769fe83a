#include "verify/data/split.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>

#include "base/status.h"

namespace tachostat::verify {
namespace {

// std::shuffle is not the same in every standard library.
template <class T>
void shuffle(std::vector<T>& values, std::mt19937_64& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random() % i]);
}

// Samples of one class side by side, classes and samples in random order.
std::vector<std::size_t> by_class(const Dataset& data, std::mt19937_64& random) {
  std::map<std::int64_t, std::vector<std::size_t>> groups;
  const Labels& labels = data.labels();
  for (std::size_t i = 0; i < data.size(); ++i) {
    groups[labels.kind == LabelKind::kClass ? labels.classes[i] : 0].push_back(i);
  }
  std::vector<std::vector<std::size_t>> shuffled;
  for (auto& [label, group] : groups) {
    shuffle(group, random);
    shuffled.push_back(std::move(group));
  }
  shuffle(shuffled, random);
  std::vector<std::size_t> order;
  for (const auto& group : shuffled) order.insert(order.end(), group.begin(), group.end());
  return order;
}

}  // namespace

absl::StatusOr<Splits> split(const Dataset& data, std::uint64_t seed) {
  if (data.size() < kLeastSamples) {
    return base::invalid_argument(
        "'{}' has {} samples: at least {} are needed for calibration, selection and report apart, "
        "and about 700 to prove a drop below 1 %",
        data.path(), data.size(), kLeastSamples);
  }
  std::mt19937_64 random(seed);
  Splits splits;
  const std::array<std::pair<std::vector<std::size_t>*, double>, 3> parts = {
      {{&splits.search, 0.3}, {&splits.selection, 0.2}, {&splits.report, 0.5}}};
  double dealt = 0;
  for (const std::size_t sample : by_class(data, random)) {
    // To the part that is furthest behind its share.
    ++dealt;
    auto* behind = parts[0].first;
    double most = -1;
    for (const auto& [part, share] : parts) {
      const double missing = share * dealt - static_cast<double>(part->size());
      if (missing > most + 1e-9) {
        most = missing;
        behind = part;
      }
    }
    behind->push_back(sample);
  }
  for (const auto& [part, share] : parts) shuffle(*part, random);
  return splits;
}

Usual usual_of(const Dataset& data, std::span<const std::size_t> samples) {
  struct Seen {
    std::size_t count, first;
  };
  std::map<std::string, Seen> seen;  // by shapes
  for (const std::size_t i : samples) {
    ++seen.try_emplace(model::to_string(data.shapes(i)), Seen{0, i}).first->second.count;
  }
  const auto most = std::max_element(seen.begin(), seen.end(), [](const auto& a, const auto& b) {
    return a.second.count < b.second.count;
  });
  if (most == seen.end()) return {};
  return {most->second.first, seen.size() == 1};
}

}  // namespace tachostat::verify
