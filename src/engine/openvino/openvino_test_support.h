// For tests in the real engine: networks of the test's own, and answers as vectors.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <latch>
#include <openvino/op/parameter.hpp>
#include <openvino/openvino.hpp>
#include <string>
#include <vector>

#include "engine/openvino/openvino.h"

namespace tachostat::engine {

using Outputs = absl::StatusOr<std::vector<Tensor>>;

// One engine for the program, as in the product.
inline Engine& engine() {
  static const auto made = make_openvino();
  return **made;
}

inline std::vector<float> ramp(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(static_cast<int>(i * 37 % 101) - 50) / 16;
  }
  return values;
}

inline Tensor tensor(const std::string& name, const std::vector<float>& values,
                     model::Shape shape) {
  auto copy = std::make_shared<const std::vector<float>>(values);
  return {.name = name,
          .type = model::DataType::kF32,
          .shape = std::move(shape),
          .data = std::as_bytes(std::span(*copy)),
          .owner = copy};
}

inline std::vector<float> values_of(const Tensor& tensor) {
  std::vector<float> values(tensor.data.size() / sizeof(float));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

inline Outputs infer(Session& session, std::vector<Tensor> inputs) {
  Outputs result = absl::UnknownError("no completion");
  std::latch done(1);
  session.infer(std::move(inputs), [&](Outputs outputs) {
    result = std::move(outputs);
    done.count_down();
  });
  done.wait();
  return result;
}

// Keeps networks in a folder of the test's own.
class OpenvinoFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) /
              fmt::format("ov_{}_{}", test->name(), getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  model::Graph save(const ov::OutputVector& outputs, const ov::ParameterVector& inputs) const {
    const std::string xml = (folder_ / "net.xml").string();
    ov::serialize(std::make_shared<ov::Model>(outputs, inputs, "net"), xml,
                  (folder_ / "net.bin").string());
    return *model::read(xml);
  }

  static std::shared_ptr<ov::op::v0::Parameter> parameter(const std::string& name,
                                                          const ov::PartialShape& shape) {
    auto node = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, shape);
    node->output(0).set_names({name});
    node->set_friendly_name(name);
    return node;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace tachostat::engine
