#include <algorithm>
#include <map>
#include <numeric>
#include <openvino/op/broadcast.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/equal.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/greater_eq.hpp>
#include <openvino/op/less.hpp>
#include <openvino/op/logical_or.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/one_hot.hpp>
#include <openvino/op/select.hpp>
#include <openvino/op/shape_of.hpp>
#include <openvino/op/squeeze.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/op/util/broadcast_base.hpp>
#include <optional>

#include "engine/openvino/passes/element_wise.h"
#include "engine/openvino/passes/rewrites.h"
#include "engine/openvino/passes/weights.h"

namespace tachostat::engine {
namespace {

using NodePtr = std::shared_ptr<ov::Node>;
using Output = ov::Output<ov::Node>;
using ov::op::v0::Constant;

// Numbers that say which row each place of a tensor takes; any other number takes none, which is
// zeros.
struct Encoding {
  Output numbers;
  std::int64_t rows = 0;
  bool squeeze = false;  // the numbers' last axis, which is 1
};

NodePtr scalar(const ov::element::Type& type, std::int64_t value) {
  return Constant::create(type, {}, {value});
}

// 0, 1, 2, … along the last axis, and nothing else: how many.
std::optional<std::int64_t> counting(const Output& output) {
  const auto constant = constant_of(output);
  if (constant == nullptr || constant->get_shape().empty()) return std::nullopt;
  const std::vector<std::int64_t> values = constant->cast_vector<std::int64_t>();
  if (constant->get_shape().back() != values.size()) return std::nullopt;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != static_cast<std::int64_t>(i)) return std::nullopt;
  }
  return static_cast<std::int64_t>(values.size());
}

bool ends_with_one(const Output& tensor) {
  const ov::PartialShape& shape = tensor.get_partial_shape();
  if (shape.rank().is_dynamic() || shape.size() < 2) return false;
  return shape[shape.size() - 1] == 1;
}

// What a broadcast of [..., 1] to [..., rows] spreads; nothing when any other axis grows, or might.
std::optional<Output> spread_along_rows(const Output& wide, std::int64_t rows) {
  const auto broadcast =
      std::dynamic_pointer_cast<ov::op::v3::Broadcast>(wide.get_node_shared_ptr());
  if (broadcast == nullptr || broadcast->get_input_size() != 2) return std::nullopt;
  const auto mode = broadcast->get_broadcast_spec().m_type;
  if (mode != ov::op::BroadcastType::NUMPY && mode != ov::op::BroadcastType::BIDIRECTIONAL) {
    return std::nullopt;
  }
  const Output narrow = broadcast->input_value(0);
  const ov::PartialShape& after = wide.get_partial_shape();
  const ov::PartialShape& before = narrow.get_partial_shape();
  bool fits = ends_with_one(narrow) && after.rank().is_static() && after.size() == before.size() &&
              after[after.size() - 1] == rows;
  for (std::size_t i = 0; fits && i + 1 < after.size(); ++i) {
    fits = after[i].is_static() && after[i] == before[i];
  }
  return fits ? std::optional(narrow) : std::nullopt;
}

// Numbers [..., 1], perhaps broadcast to [..., rows] first, held against 0, 1, 2, …
std::optional<Encoding> equal_to_counting(const ov::Node& equal) {
  for (const std::size_t side : {0, 1}) {
    const Output numbers = equal.input_value(side);
    const ov::PartialShape& shape = numbers.get_partial_shape();
    const auto rows = counting(equal.input_value(1 - side));
    const bool fits = rows && numbers.get_element_type().is_integral_number() &&
                      shape.rank().is_static() &&
                      shape.size() >= equal.get_input_partial_shape(1 - side).size();
    if (!fits) continue;
    if (ends_with_one(numbers)) return Encoding{numbers, *rows, true};
    if (const auto narrow = spread_along_rows(numbers, *rows))
      return Encoding{*narrow, *rows, true};
  }
  return std::nullopt;
}

std::optional<Encoding> one_hot(const ov::Node& node) {
  const auto depth = constant_of(node.input_value(1));
  const auto on = constant_of(node.input_value(2));
  const auto off = constant_of(node.input_value(3));
  const auto* const encoder = dynamic_cast<const ov::op::v1::OneHot*>(&node);
  const ov::Rank rank = node.get_output_partial_shape(0).rank();
  const bool known =
      encoder != nullptr && depth != nullptr && on != nullptr && off != nullptr && rank.is_static();
  if (!known || (encoder->get_axis() != -1 && encoder->get_axis() != rank.get_length() - 1)) {
    return std::nullopt;
  }
  if (on->cast_vector<float>()[0] != 1 || off->cast_vector<float>()[0] != 0) return std::nullopt;
  return Encoding{node.input_value(0), depth->cast_vector<std::int64_t>()[0]};
}

std::optional<Encoding> encoding_of(const Output& input) {
  NodePtr node = input.get_node_shared_ptr();
  while (std::dynamic_pointer_cast<ov::op::v0::Convert>(node) != nullptr) {
    node = node->get_input_node_shared_ptr(0);
  }
  if (dynamic_cast<const ov::op::v1::Equal*>(node.get()) != nullptr)
    return equal_to_counting(*node);
  if (dynamic_cast<const ov::op::v1::OneHot*>(node.get()) != nullptr) return one_hot(*node);
  return std::nullopt;
}

// One number, or one for each column: the same for every row.
bool same_for_rows(const Output& output, std::size_t columns) {
  const auto constant = constant_of(output);
  if (constant == nullptr) return false;
  const ov::Shape& shape = constant->get_shape();
  const std::size_t size = ov::shape_size(shape);
  return size == 1 || (size == columns && !shape.empty() && shape.back() == columns);
}

// The product and what is computed from it element by element, the same for every row, in order.
std::vector<NodePtr> tail_of(const NodePtr& product, std::size_t columns) {
  constexpr std::size_t kMost = 32;
  std::vector<NodePtr> tail = {product};
  for (std::size_t i = 0; i < tail.size() && tail.size() < kMost; ++i) {
    for (const ov::Input<ov::Node>& reader : tail[i]->output(0).get_target_inputs()) {
      const NodePtr node = reader.get_node()->shared_from_this();
      const auto fits = [&](const Output& input) {
        return holds(tail, input.get_node()) || same_for_rows(input, columns);
      };
      const auto inputs = node->input_values();
      const bool good =
          !holds(tail, node.get()) && is_element_wise(*node) &&
          std::all_of(inputs.begin(), inputs.end(), fits) &&
          node->get_output_partial_shape(0).same_scheme(product->get_output_partial_shape(0));
      if (good) tail.push_back(node);
    }
  }
  return tail;
}

// The only one of the tail that anything outside reads; null when there are several.
NodePtr exit_of(const std::vector<NodePtr>& tail) {
  NodePtr exit;
  for (const NodePtr& node : tail) {
    const auto readers = node->output(0).get_target_inputs();
    const bool leaves = std::any_of(readers.begin(), readers.end(), [&tail](const auto& reader) {
      return !holds(tail, reader.get_node());
    });
    if (!leaves) continue;
    if (exit != nullptr) return nullptr;
    exit = node;
  }
  return exit;
}

// [rows + 1, columns]: what `exit` is for each number, and for any other in the last row.
Output table_of(const Output& matrix, const std::vector<NodePtr>& tail, const NodePtr& exit) {
  const std::size_t columns = matrix.get_shape()[1];
  const NodePtr none =
      Constant::create(matrix.get_element_type(), {1, columns}, std::vector<float>(columns, 0.0F));
  std::map<const ov::Node*, Output> computed;
  computed[tail.front().get()] =
      std::make_shared<ov::op::v0::Concat>(ov::OutputVector{matrix, none}, 0)->output(0);
  for (const NodePtr& node : tail) {
    if (computed.contains(node.get())) continue;
    ov::OutputVector inputs;
    for (const Output& input : node->input_values()) {
      const auto before = computed.find(input.get_node());
      if (before != computed.end()) {
        inputs.push_back(before->second);
        continue;
      }
      const auto constant = constant_of(input);
      const std::size_t size = ov::shape_size(constant->get_shape());
      inputs.push_back(
          std::make_shared<Constant>(*constant, size == 1 ? ov::Shape{} : ov::Shape{size}));
    }
    const NodePtr copy = node->clone_with_new_inputs(inputs);
    copy->set_friendly_name(node->get_friendly_name() + "/table");
    computed[node.get()] = copy->output(0);
  }
  return computed.at(exit.get());
}

// Numbers outside of 0 … rows - 1 become `rows`.
NodePtr row_numbers(const Encoding& encoding, const std::string& name) {
  const auto named = [&name](const char* what, NodePtr node) {
    node->set_friendly_name(name + "/" + what);
    return node;
  };
  using namespace ov::op;
  Output numbers = encoding.numbers;
  if (encoding.squeeze) {
    numbers =
        named("numbers", std::make_shared<v0::Squeeze>(numbers, whole_numbers({-1})))->output(0);
  }
  const ov::element::Type type = numbers.get_element_type();
  const NodePtr none = scalar(type, encoding.rows);
  const NodePtr low = named("low", std::make_shared<v1::Less>(numbers, scalar(type, 0)));
  const NodePtr high = named("high", std::make_shared<v1::GreaterEqual>(numbers, none));
  const NodePtr outside = named("outside", std::make_shared<v1::LogicalOr>(low, high));
  return named("rows", std::make_shared<v1::Select>(outside, none, numbers));
}

}  // namespace

bool rewrite_table(Network& network, const std::shared_ptr<ov::Node>& layer) {
  const auto product = std::dynamic_pointer_cast<ov::op::v0::MatMul>(layer);
  if (product == nullptr || product->get_transpose_a()) return false;
  const auto weights = weights_of(product->input(1));
  if (!weights.ok() || (*weights)->get_shape().size() != 2) return false;
  const std::optional<Encoding> encoding = encoding_of(product->input_value(0));
  if (!encoding) return false;
  Output matrix = (*weights)->output(0);
  if (product->get_transpose_b()) {
    matrix = std::make_shared<ov::op::v1::Transpose>(matrix, whole_numbers({1, 0}))->output(0);
  }
  if (matrix.get_shape()[0] != static_cast<std::size_t>(encoding->rows)) return false;
  std::vector<NodePtr> tail = tail_of(product, matrix.get_shape()[1]);
  NodePtr exit = exit_of(tail);
  if (exit == nullptr) {
    tail = {product};
    exit = product;
  }
  const Output table = table_of(matrix, tail, exit);
  const NodePtr rows = row_numbers(*encoding, layer->get_friendly_name());
  network.replace(exit->output(0),
                  std::make_shared<ov::op::v8::Gather>(table, rows, scalar(ov::element::i64, 0)));
  return true;
}

}  // namespace tachostat::engine
