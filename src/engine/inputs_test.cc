#include "engine/inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/status.h"

namespace tachostat::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

model::Graph two_inputs() {
  model::Graph graph;
  graph.name = "two";
  graph.inputs = {{"x", model::DataType::kF32, {model::kDynamic, 2}},
                  {"n", model::DataType::kI64, {1}}};
  return graph;
}

Tensor tensor(std::string name, model::DataType type, model::Shape shape, std::size_t bytes) {
  static const std::array<std::byte, 256> zeros{};
  return {.name = std::move(name),
          .type = type,
          .shape = std::move(shape),
          .data = std::span(zeros).first(bytes),
          .owner = nullptr};
}

std::string error_of(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(base::message_of(status));
}

TEST(AcceptedInputsTest, BucketFixesAndBatchOpens) {
  model::Variant variant{.batch = 4, .shapes = {{"x", {3, 2}}}};
  const auto accepted = accepted_inputs(two_inputs(), variant);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_THAT((*accepted)[0].port.shape, ElementsAre(model::kDynamic, 2));
  EXPECT_EQ((*accepted)[0].most_rows, 12);
  EXPECT_EQ((*accepted)[1].most_rows, 4);

  variant.batch = 1;
  EXPECT_THAT((*accepted_inputs(two_inputs(), variant))[0].port.shape, ElementsAre(3, 2));
  variant.shapes.clear();
  variant.batch = 8;
  const auto open = accepted_inputs(two_inputs(), variant);
  EXPECT_EQ((*open)[0].most_rows, -1);
}

TEST(AcceptedInputsTest, RefusesBadBuckets) {
  const auto refuse = [](model::InputShapes shapes) {
    return error_of(
        accepted_inputs(two_inputs(), model::Variant{.shapes = std::move(shapes)}).status());
  };
  EXPECT_THAT(refuse({{"z", {1}}}), HasSubstr("'z'"));
  EXPECT_THAT(refuse({{"x", {1}}}), HasSubstr("[?,2]"));
  EXPECT_THAT(refuse({{"n", {1}}}), HasSubstr("lacks input 'x'"));
  EXPECT_THAT(refuse({{"x", {model::kDynamic, 2}}}), HasSubstr("open"));
}

TEST(MatchInputsTest, OrdersAndRefuses) {
  using model::DataType;
  const auto accepted = *accepted_inputs(two_inputs(), {.batch = 2, .shapes = {{"x", {2, 2}}}});
  const Tensor x = tensor("x", DataType::kF32, {3, 2}, 24);
  const Tensor n = tensor("n", DataType::kI64, {1}, 8);
  std::vector<int> order;
  ASSERT_TRUE(match_inputs(accepted, {n, x}, order).ok());
  EXPECT_THAT(order, ElementsAre(1, 0));

  const auto refuse = [&](const std::vector<Tensor>& inputs) {
    return error_of(match_inputs(accepted, inputs, order));
  };
  EXPECT_THAT(refuse({}), HasSubstr("missing"));
  EXPECT_THAT(refuse({x}), HasSubstr("'n' is missing"));
  EXPECT_THAT(refuse({x, x, n}), HasSubstr("twice"));
  EXPECT_THAT(refuse({x, n, tensor("y", DataType::kF32, {1}, 4)}), HasSubstr("no input 'y'"));
  EXPECT_THAT(refuse({tensor("x", DataType::kF64, {3, 2}, 48), n}), HasSubstr("must be f32"));
  EXPECT_THAT(refuse({tensor("x", DataType::kF32, {3, 3}, 36), n}), HasSubstr("[3,3]"));
  EXPECT_THAT(refuse({tensor("x", DataType::kF32, {5, 2}, 40), n}), HasSubstr("1 to 4 rows"));
  EXPECT_THAT(refuse({tensor("x", DataType::kF32, {0, 2}, 0), n}), HasSubstr("1 to 4 rows"));
  EXPECT_THAT(refuse({tensor("x", DataType::kF32, {3, 2}, 20), n}), HasSubstr("24 bytes"));
}

}  // namespace
}  // namespace tachostat::engine
