#include "engine/inputs.h"

#include <algorithm>

#include "base/status.h"

namespace tachostat::engine {
namespace {

absl::Status fix_shape(model::Port& port, const model::InputShapes& bucket) {
  const auto found = bucket.find(port.name);
  if (found == bucket.end()) {
    if (model::is_static(port.shape)) return absl::OkStatus();
    return base::invalid_argument("the shape bucket {} lacks input '{}', which the model leaves {}",
                                  model::to_string(bucket), port.name,
                                  model::to_string(port.shape));
  }
  port.shape = found->second;
  if (model::is_static(port.shape)) return absl::OkStatus();
  return base::invalid_argument("the shape bucket leaves input '{}' open: {}", port.name,
                                model::to_string(port.shape));
}

absl::Status check_input(const AcceptedInput& accepted, const Tensor& input) {
  const model::Port& port = accepted.port;
  if (input.type != port.type) {
    return base::invalid_argument("input '{}' must be {}, found {}", port.name,
                                  model::name_of(port.type), model::name_of(input.type));
  }
  if (!model::accepts(port.shape, input.shape)) {
    return base::invalid_argument("input '{}' must have shape {}, found {}", port.name,
                                  model::to_string(port.shape), model::to_string(input.shape));
  }
  if (accepted.most_rows >= 0 && (input.shape[0] < 1 || input.shape[0] > accepted.most_rows)) {
    return base::invalid_argument("input '{}' must have 1 to {} rows in shape {}, found {}",
                                  port.name, accepted.most_rows, model::to_string(port.shape),
                                  model::to_string(input.shape));
  }
  const double bytes =
      static_cast<double>(model::elements_of(input.shape)) * model::bits_of(input.type) / 8;
  if (input.type != model::DataType::kString && static_cast<double>(input.data.size()) != bytes) {
    return base::invalid_argument("input '{}' of {} {} must have {} bytes, found {}", port.name,
                                  model::name_of(input.type), model::to_string(input.shape), bytes,
                                  input.data.size());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<AcceptedInput>> accepted_inputs(const model::Graph& graph,
                                                           const model::Variant& variant) {
  for (const auto& [name, shape] : variant.shapes) {
    const model::Port* port = graph.find_input(name);
    if (port == nullptr) {
      return base::invalid_argument("the shape bucket names input '{}', which model '{}' lacks",
                                    name, graph.name);
    }
    if (port->shape.size() != shape.size()) {
      return base::invalid_argument("the shape bucket gives input '{}' {}, the model has {}", name,
                                    model::to_string(shape), model::to_string(port->shape));
    }
  }
  std::vector<AcceptedInput> accepted;
  for (const model::Port& port : graph.inputs) {
    AcceptedInput& input = accepted.emplace_back(AcceptedInput{.port = port});
    model::Shape& shape = input.port.shape;
    if (!variant.shapes.empty()) TS_RETURN_IF_ERROR(fix_shape(input.port, variant.shapes));
    if (variant.batch > 1 && !shape.empty() && shape[0] >= 0) {
      input.most_rows = shape[0] * variant.batch;
      shape[0] = model::kDynamic;
    }
  }
  return accepted;
}

absl::Status match_inputs(const std::vector<AcceptedInput>& accepted,
                          const std::vector<Tensor>& inputs, std::vector<int>& order) {
  order.assign(accepted.size(), -1);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto found = std::find_if(accepted.begin(), accepted.end(), [&](const AcceptedInput& a) {
      return a.port.name == inputs[i].name;
    });
    if (found == accepted.end()) {
      return base::invalid_argument("the model has no input '{}'", inputs[i].name);
    }
    int& place = order[static_cast<std::size_t>(found - accepted.begin())];
    if (place >= 0) return base::invalid_argument("input '{}' is given twice", inputs[i].name);
    TS_RETURN_IF_ERROR(check_input(*found, inputs[i]));
    place = static_cast<int>(i);
  }
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    if (order[i] < 0) return base::invalid_argument("input '{}' is missing", accepted[i].port.name);
  }
  return absl::OkStatus();
}

}  // namespace tachostat::engine
