// Three parts of the data that share no sample: what a variant is made and tried on, what picks
// among variants, and what the report is measured on, once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "verify/data/dataset.h"

namespace tachostat::verify {

// Indices into the dataset, in the order to use them: a prefix of each is a fair sample.
struct Splits {
  std::vector<std::size_t> search;     // calibration and search, 30 %
  std::vector<std::size_t> selection;  // 20 %
  std::vector<std::size_t> report;     // 50 %: the bound of the drop is about 3 ÷ its size
};

inline constexpr std::size_t kLeastPerSplit = 8;
inline constexpr std::size_t kLeastSamples = 40;

// The same for the same labels, size and seed, on every machine. With class labels, every class is
// spread over the parts in their shares. InvalidArgument below kLeastSamples.
absl::StatusOr<Splits> split(const Dataset& data, std::uint64_t seed);

// What speed is measured on: the first of `samples` that has the most frequent shapes among them.
struct Usual {
  std::size_t sample = 0;
  bool only = true;  // no other shapes occur
};
Usual usual_of(const Dataset& data, std::span<const std::size_t> samples);

}  // namespace tachostat::verify
