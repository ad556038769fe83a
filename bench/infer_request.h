// The request that load generators send.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "inference.grpc.pb.h"

namespace tachostat {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

// "x=1,3,48,320", inputs separated by ";".
inline Shapes parse_shapes(const std::string& text) {
  Shapes shapes;
  std::istringstream inputs(text);
  for (std::string one; std::getline(inputs, one, ';');) {
    const std::size_t at = one.find('=');
    std::istringstream dimensions(one.substr(at + 1));
    for (std::string d; std::getline(dimensions, d, ',');) {
      shapes[one.substr(0, at)].push_back(std::stoll(d));
    }
  }
  return shapes;
}

inline std::vector<float> values_for(std::size_t count) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(0, 1);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(random);
  return values;
}

inline inference::ModelInferRequest request_of(const std::string& model, const Shapes& shapes) {
  inference::ModelInferRequest request;
  request.set_model_name(model);
  for (const auto& [name, shape] : shapes) {
    auto* input = request.add_inputs();
    input->set_name(name);
    input->set_datatype("FP32");
    std::size_t count = 1;
    for (const std::int64_t dimension : shape) {
      input->add_shape(dimension);
      count *= static_cast<std::size_t>(dimension);
    }
    const auto values = values_for(count);
    request.add_raw_input_contents(values.data(), values.size() * sizeof(float));
  }
  return request;
}

}  // namespace tachostat
