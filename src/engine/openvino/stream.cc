#include "engine/openvino/stream.h"

#include <algorithm>
#include <cstring>

#include "base/status.h"
#include "model/openvino/reason.h"

namespace tachostat::engine {
namespace {

bool is_aligned(const void* data, std::size_t to) {
  return to <= 1 || reinterpret_cast<std::uintptr_t>(data) % to == 0;
}

absl::Status failed(std::string_view what, const std::exception& error) {
  return base::internal("{}: {}", what, model::reason_of(error));
}

}  // namespace

Stream::Stream(ov::CompiledModel& compiled, std::span<const model::Port> outputs,
               const std::unordered_set<std::string>& computed)
    : request_(compiled.create_infer_request()) {
  for (const auto& input : compiled.inputs()) input_types_.push_back(input.get_element_type());
  copies_.resize(input_types_.size());
  shapes_.resize(input_types_.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& compiled_output = compiled.output(i);
    Output& output = outputs_.emplace_back(
        Output{.port = outputs[i], .type = compiled_output.get_element_type(), .shape = {}});
    output.bound = compiled_output.get_partial_shape().is_static() &&
                   computed.contains(compiled_output.get_node()->get_friendly_name());
    if (output.bound) output.shape = compiled_output.get_shape();
  }
}

ov::Tensor Stream::input_tensor(std::size_t index, const Tensor& input) {
  const ov::Shape shape(input.shape.begin(), input.shape.end());
  const ov::element::Type& type = input_types_[index];
  if (input.data.empty()) return ov::Tensor(type, shape);
  if (is_aligned(input.data.data(), type.size())) {
    return ov::Tensor(type, shape, static_cast<const void*>(input.data.data()));
  }
  ov::Tensor& copy = copies_[index];
  if (!copy || copy.get_shape() != shape) copy = ov::Tensor(type, shape);
  std::memcpy(copy.data(), input.data.data(), input.data.size());
  return copy;
}

void Stream::note_shapes(std::span<const Tensor* const> inputs) {
  bool same = !bucket_.empty();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (shapes_[i] == inputs[i]->shape) continue;
    shapes_[i] = inputs[i]->shape;
    same = false;
  }
  if (same) return;
  model::InputShapes shapes;
  for (const Tensor* input : inputs) shapes[input->name] = input->shape;
  bucket_ = model::to_string(shapes);
}

absl::Status Stream::bind(std::span<const Tensor* const> inputs) {
  note_shapes(inputs);
  try {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      request_.set_input_tensor(i, input_tensor(i, *inputs[i]));
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      Output& output = outputs_[i];
      if (!output.bound) continue;
      const std::size_t bytes = (ov::shape_size(output.shape) * output.type.bitwidth() + 7) / 8;
      output.buffer = output.pool.take(bytes);
      request_.set_output_tensor(
          i, ov::Tensor(output.type, output.shape, static_cast<void*>(output.buffer.data.data())));
    }
  } catch (const std::exception& error) {
    return failed("inputs were not accepted", error);
  }
  return absl::OkStatus();
}

absl::Status Stream::run() {
  try {
    request_.infer();
  } catch (const std::exception& error) {
    return failed("inference failed", error);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Tensor>> Stream::outputs() {
  std::vector<Tensor> tensors;
  tensors.reserve(outputs_.size());
  try {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      Output& output = outputs_[i];
      model::Shape shape(output.shape.begin(), output.shape.end());
      if (!output.bound) {
        const ov::Tensor result = request_.get_output_tensor(i);
        const ov::Shape sizes = result.get_shape();
        shape.assign(sizes.begin(), sizes.end());
        output.buffer = output.pool.take(result.get_byte_size());
        if (!output.buffer.data.empty()) {
          std::memcpy(output.buffer.data.data(), result.data(), output.buffer.data.size());
        }
      }
      tensors.push_back({.name = output.port.name,
                         .type = output.port.type,
                         .shape = std::move(shape),
                         .data = output.buffer.data,
                         .owner = std::move(output.buffer.owner)});
    }
  } catch (const std::exception& error) {
    return failed("outputs could not be read", error);
  }
  return tensors;
}

}  // namespace tachostat::engine
