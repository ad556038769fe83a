// A model's outputs as numbers, and how the metrics look at them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::verify {

struct Output {
  std::string name;
  bool floating = false;
  model::Shape shape;
  std::vector<double> values;
};

// InvalidArgument for a tensor that is not of numbers, or not as long as its shape says.
absl::StatusOr<std::vector<Output>> outputs_of(std::span<const engine::Tensor> tensors);

// True when the last axis of such a shape can be classes: it has 2 or more, and there are at most
// three axes ([C], [batch,C], [batch,steps,C]). The last axis of four or more is taken for a
// picture's width.
bool has_class_axis(const model::Shape& shape);
// The first floating output with a class axis; nothing when there is none.
const Output* class_output(const std::vector<Output>& outputs);

// The first largest of a row.
std::size_t largest_of(std::span<const double> row);
// Row `index` along the last axis, which must not be empty.
std::span<const double> row_of(const Output& output, std::size_t index);
std::size_t rows_of(const Output& output);

// Insertions, deletions and replacements between two sequences.
std::size_t edit_distance(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b);

}  // namespace tachostat::verify
