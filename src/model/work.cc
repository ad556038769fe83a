#include "model/work.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "model/work/operators.h"
#include "model/work/traffic.h"

namespace tachostat::model {
namespace {

std::unordered_map<std::string_view, const Operator*> all_operators() {
  std::unordered_map<std::string_view, const Operator*> all;
  for (const auto& family :
       {kElementwiseOperators, kReductionOperators, kConvolutionOperators, kProductOperators,
        kRecurrentOperators, kSamplingOperators, kTransformOperators, kDetectionOperators,
        kMovingOperators, kBodyOperators}) {
    for (const Operator& one : family) all.emplace(one.type, &one);
  }
  return all;
}

void count_bytes(const Layer& layer, Work& work) {
  work.weight_bytes = work.input_bytes = work.output_bytes = 0;
  const Traffic traffic = traffic_of(layer);
  if (traffic == Traffic::kView) return;
  for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
    double& total = layer.inputs[i].constant ? work.weight_bytes : work.input_bytes;
    total = sum_or_unknown(total, input_bytes(layer, i, traffic));
  }
  for (const Value& output : layer.outputs) {
    work.output_bytes = sum_or_unknown(work.output_bytes, bytes_of(output));
  }
}

}  // namespace

const Operator* find_operator(std::string_view type) {
  static const std::unordered_map<std::string_view, const Operator*> all = all_operators();
  const auto found = all.find(type);
  return found == all.end() ? nullptr : found->second;
}

Traffic traffic_of(const Layer& layer) {
  const Operator* known = find_operator(layer.type);
  return known == nullptr ? Traffic::kAll : known->traffic;
}

double elements(const Value& value) {
  return is_static(value.shape) ? static_cast<double>(elements_of(value.shape)) : kNotCounted;
}

double bytes_of(const Value& value) {
  const int bits = bits_of(value.type);
  const double count = elements(value);
  return bits == 0 || count < 0 ? kNotCounted : std::ceil(count * bits / 8);
}

double sum_or_unknown(double a, double b) { return a < 0 || b < 0 ? kNotCounted : a + b; }

double times(double a, double b) { return a < 0 || b < 0 ? kNotCounted : a * b; }

double product_from(const Shape& shape, std::size_t first) {
  return std::accumulate(
      shape.begin() + static_cast<std::ptrdiff_t>(std::min(first, shape.size())), shape.end(), 1.0,
      [](double product, std::int64_t d) { return product * static_cast<double>(d); });
}

double per_output(const Layer& layer, const WorkHints&, double parameter) {
  return times(parameter, elements(layer.outputs[0]));
}

double per_input(const Layer& layer, const WorkHints&, double parameter) {
  return times(parameter, elements(layer.inputs[0]));
}

double nothing(const Layer&, const WorkHints&, double) { return 0; }

double input_bytes(const Layer& layer, std::size_t input, Traffic traffic) {
  const double whole = bytes_of(layer.inputs[input]);
  if (input != 0 || whole < 0) return whole;
  if (traffic == Traffic::kReturned && !layer.outputs.empty()) {
    const double returned = elements(layer.outputs[0]) * bits_of(layer.inputs[0].type) / 8;
    return returned < 0 ? whole : std::min(whole, std::ceil(returned));
  }
  if (traffic == Traffic::kIndexed && layer.inputs.size() > 1) {
    const double rows = elements(layer.inputs[1]);
    const double row = product_from(layer.inputs[0].shape, 1) * bits_of(layer.inputs[0].type) / 8;
    return rows < 0 ? whole : std::min(whole, std::ceil(rows * row));
  }
  return whole;
}

bool knows_operator(std::string_view type) { return find_operator(type) != nullptr; }

Work count_work(const Layer& layer, const WorkHints& hints) {
  if (hints.body) return *hints.body;
  Work work;
  const Operator* known = find_operator(layer.type);
  const bool moves = known != nullptr && known->flops == nothing;
  if (moves || (known != nullptr && !layer.inputs.empty() && !layer.outputs.empty())) {
    work.flops = known->flops(layer, hints, known->parameter);
  }
  count_bytes(layer, work);
  return work;
}

}  // namespace tachostat::model
