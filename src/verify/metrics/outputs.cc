#include "verify/metrics/outputs.h"

#include <algorithm>
#include <numeric>

#include "base/status.h"
#include "verify/values.h"

namespace tachostat::verify {

absl::StatusOr<std::vector<Output>> outputs_of(std::span<const engine::Tensor> tensors) {
  std::vector<Output> outputs;
  for (const engine::Tensor& tensor : tensors) {
    auto values = values_of(tensor);
    if (!values) {
      return base::invalid_argument("output '{}' is {}: only numbers can be judged", tensor.name,
                                    model::name_of(tensor.type));
    }
    if (static_cast<std::int64_t>(values->size()) != model::elements_of(tensor.shape)) {
      return base::invalid_argument("output '{}' of shape {} has {} elements", tensor.name,
                                    model::to_string(tensor.shape), values->size());
    }
    outputs.push_back({tensor.name, is_floating(tensor.type), tensor.shape, *std::move(values)});
  }
  return outputs;
}

bool has_class_axis(const model::Shape& shape) {
  return !shape.empty() && shape.size() <= 3 &&
         (shape.back() >= 2 || shape.back() == model::kDynamic);
}

const Output* class_output(const std::vector<Output>& outputs) {
  const auto found = std::find_if(outputs.begin(), outputs.end(), [](const Output& output) {
    return output.floating && !output.values.empty() && has_class_axis(output.shape);
  });
  return found == outputs.end() ? nullptr : &*found;
}

std::size_t largest_of(std::span<const double> row) {
  return static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

std::size_t rows_of(const Output& output) {
  return output.values.size() / static_cast<std::size_t>(output.shape.back());
}

std::span<const double> row_of(const Output& output, std::size_t index) {
  const auto length = static_cast<std::size_t>(output.shape.back());
  return std::span(output.values).subspan(index * length, length);
}

std::size_t edit_distance(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace tachostat::verify
