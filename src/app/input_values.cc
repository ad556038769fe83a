#include "app/input_values.h"

#include <algorithm>
#include <cmath>

#include "verify/values.h"

namespace tachostat::app {
namespace {

// Pieces of the tensor, evenly spread, as one; all of it when it is small.
engine::Tensor sample_of(const engine::Tensor& tensor) {
  constexpr std::size_t kPieces = 64;
  const std::size_t size = static_cast<std::size_t>(model::bits_of(tensor.type)) / 8;
  if (size == 0 || tensor.data.size() / size <= InputValues::kMostElements) return tensor;
  const std::size_t piece = InputValues::kMostElements / kPieces;
  const std::size_t step = tensor.data.size() / size / kPieces;
  auto bytes = std::make_shared<std::vector<std::byte>>();
  bytes->reserve(InputValues::kMostElements * size);
  for (std::size_t i = 0; i < kPieces; ++i) {
    const auto part = tensor.data.subspan(i * step * size, piece * size);
    bytes->insert(bytes->end(), part.begin(), part.end());
  }
  engine::Tensor sample = tensor;
  sample.data = *bytes;
  sample.owner = std::move(bytes);
  return sample;
}

}  // namespace

InputValues::PerInput& InputValues::of(const std::string& name) {
  const auto known = std::find_if(inputs_.begin(), inputs_.end(),
                                  [&](const PerInput& one) { return one.name == name; });
  if (known != inputs_.end()) return *known;
  return inputs_.emplace_back(PerInput{.name = name});
}

void InputValues::add(const std::vector<engine::Tensor>& inputs) {
  for (const engine::Tensor& input : inputs) {
    const auto values = verify::values_of(sample_of(input));
    if (!values || values->empty()) continue;
    double sum = 0;
    double squares = 0;
    for (const double value : *values) {
      sum += value;
      squares += value * value;
    }
    if (!std::isfinite(squares)) continue;  // what is not a number tells nothing of the others
    PerInput& to = of(input.name);
    const auto count = static_cast<double>(values->size());
    to.low = to.requests == 0 ? sum / count : std::min(to.low, sum / count);
    to.high = to.requests == 0 ? sum / count : std::max(to.high, sum / count);
    to.requests += 1;
    to.count += count;
    to.sum += sum;
    to.squares += squares;
    if (to.requests < static_cast<double>(kKept)) continue;
    for (double* const figure : {&to.requests, &to.count, &to.sum, &to.squares}) *figure /= 2;
  }
}

void InputValues::fill(Readings& readings) const {
  for (const PerInput& one : inputs_) {
    const auto requests = static_cast<std::uint64_t>(one.requests);
    const double mean = one.sum / one.count;
    const double deviation = std::sqrt(std::max(0.0, one.squares / one.count - mean * mean));
    readings["input/" + one.name + "/mean"] = {
        .mean = mean, .low = one.low, .high = one.high, .n = requests, .unit = "1"};
    readings["input/" + one.name + "/deviation"] = reading_of(deviation, "1", requests);
  }
}

}  // namespace tachostat::app
