// Counting a layer's operations and traffic from its types and shapes, by its operator's name.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace tachostat::model {

// What a count needs beyond types and shapes; the reader takes it from the operator's attributes.
struct WorkHints {
  // What one output element of a pooling, an interpolation or a similar operator combines, in
  // elements of the input; 0: it copies one, -1: unknown. Of a Fourier transform: the points that
  // one transform joins. Of an LRN: the window's elements.
  double window = -1;
  // Multiply-adds of an Einsum: the product of all its letters' lengths.
  double multiply_adds = -1;
  // Of one execution of a layer with a body, all trips together.
  std::optional<Work> body = std::nullopt;
};

// Conventions: a multiply-add is two operations; element-wise functions count the arithmetic of
// their definition, with a transcendental function as one; biases inside recurrent cells and their
// gates' element-wise parts are left out. Views (Reshape and its like) move nothing; a look-up
// reads what it returns, not its table. Where the work depends on the data (NonMaxSuppression),
// what is done at least is counted.
Work count_work(const Layer& layer, const WorkHints& hints);

// Whether count_work can count this operator, its shapes being known.
bool knows_operator(std::string_view type);

// Types that an engine applied, of floating-point values; kUnknown: as the model declares.
struct AppliedTypes {
  DataType weights = DataType::kUnknown;
  DataType inputs = DataType::kUnknown;   // activations
  DataType outputs = DataType::kUnknown;  // activations
};

// A layer's work with its bytes counted again at the types that were applied. Values that are not
// floating-point, as indices, stay as they are; so does what a body moves.
Work with_types(const Layer& layer, const AppliedTypes& applied);

// The work of layers of a graph that run as one. The graph must outlive it; thread-safe.
class FusedWork {
 public:
  explicit FusedWork(const Graph& graph);

  // Operations and weights add up. What one of the layers makes for another stays inside; the rest
  // counts once: each value that comes from outside, and the outputs of each layer that is used
  // outside or by nobody. -1 only where nothing could be counted. `layers` are indices into
  // graph.layers, in any order, without repetition.
  Work of(std::span<const int> layers, const AppliedTypes& applied) const;

 private:
  const Graph& graph_;
  std::vector<std::vector<int>> consumers_;  // by layer
};

}  // namespace tachostat::model
