#include "serve/answer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace tachostat::serve {
namespace {

template <class T>
engine::Tensor tensor_of(model::DataType type, std::vector<T> values) {
  auto memory = std::make_shared<std::vector<T>>(std::move(values));
  return {.name = "y",
          .type = type,
          .shape = {static_cast<std::int64_t>(memory->size())},
          .data = std::as_bytes(std::span(*memory)),
          .owner = memory};
}

absl::StatusOr<JsonAnswer> answer(engine::Tensor tensor, const InferRequest& request = {}) {
  const ServedModel model{.name = "m\"1", .platform = "", .graph = {}};
  std::vector<engine::Tensor> outputs;
  outputs.push_back(std::move(tensor));
  return write_infer_answer(model, request, std::move(outputs));
}

TEST(AnswerJson, WritesNumbersThatReadBackTheSame) {
  const std::vector<float> values = {0, -0.0f, 1.0f / 3, 1e-45f, 3.4028235e38f, -1};
  InferRequest request;
  request.id = "i\n";
  const auto written = answer(tensor_of(model::DataType::kF32, values), request);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_FALSE(written->binary);
  const auto json = nlohmann::json::parse(written->json);
  EXPECT_EQ(json["model_name"], "m\"1");
  EXPECT_EQ(json["id"], "i\n");
  const auto& output = json["outputs"][0];
  EXPECT_EQ(output["datatype"], "FP32");
  EXPECT_EQ(output["shape"], nlohmann::json({6}));
  EXPECT_EQ(output["data"].get<std::vector<float>>(), values);
}

TEST(AnswerJson, WritesIntegersAndStrings) {
  const auto big = answer(tensor_of<std::uint64_t>(model::DataType::kU64, {UINT64_MAX}));
  ASSERT_TRUE(big.ok());
  EXPECT_EQ(nlohmann::json::parse(big->json)["outputs"][0]["data"][0], UINT64_MAX);
  const auto small = answer(tensor_of<std::int8_t>(model::DataType::kI8, {-128, 127}));
  ASSERT_TRUE(small.ok());
  EXPECT_EQ(nlohmann::json::parse(small->json)["outputs"][0]["data"], nlohmann::json({-128, 127}));
  const std::string text("\2\0\0\0a\"\0\0\0\0", 10);
  const auto strings =
      answer(tensor_of(model::DataType::kString, std::vector<char>(text.begin(), text.end())));
  ASSERT_TRUE(strings.ok());
  EXPECT_EQ(nlohmann::json::parse(strings->json)["outputs"][0]["data"],
            nlohmann::json({"a\"", ""}));
}

TEST(AnswerJson, BinaryTensorsAreHandedOnUncopied) {
  engine::Tensor tensor = tensor_of<float>(model::DataType::kF32, {1, 2});
  const std::byte* data = tensor.data.data();
  InferRequest request;
  request.binary_outputs = true;
  const auto written = answer(std::move(tensor), request);
  ASSERT_TRUE(written.ok());
  EXPECT_TRUE(written->binary);
  ASSERT_EQ(written->tail.size(), 1u);
  EXPECT_EQ(written->tail[0].data.data(), data);
  EXPECT_EQ(nlohmann::json::parse(written->json)["outputs"][0]["parameters"]["binary_data_size"],
            8);
}

TEST(AnswerJson, AnOutputsWishOverridesTheDefault) {
  InferRequest request;
  request.binary_outputs = true;
  request.outputs = {{.name = "y", .binary = false}};
  const auto written = answer(tensor_of<float>(model::DataType::kF32, {1}), request);
  ASSERT_TRUE(written.ok());
  EXPECT_FALSE(written->binary);
}

TEST(AnswerJson, WhatJsonCannotHoldIsRefused) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const engine::Tensor& tensor :
       {tensor_of<float>(model::DataType::kF32, {1, NAN}),
        tensor_of<float>(model::DataType::kF32, {-infinity}),
        tensor_of<std::uint16_t>(model::DataType::kF16, {0}),
        tensor_of<std::uint16_t>(model::DataType::kBF16, {0}),
        tensor_of<char>(model::DataType::kString, {1, 0, 0, 0, '\xff'})}) {
    const auto written = answer(tensor);
    EXPECT_EQ(written.status().code(), absl::StatusCode::kFailedPrecondition);
    InferRequest binary;
    binary.binary_outputs = true;
    EXPECT_TRUE(answer(tensor, binary).ok());
  }
}

}  // namespace
}  // namespace tachostat::serve
