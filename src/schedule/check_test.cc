#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "schedule/schedule.h"

namespace tachostat::schedule {
namespace {

using engine::Tensor;
using model::DataType;
using testing::HasSubstr;

model::Graph graph() {
  model::Graph graph;
  graph.name = "net";
  graph.inputs = {{"image", DataType::kF32, {-1, 3, 2, -1}}, {"ids", DataType::kI64, {1}}};
  return graph;
}

Tensor tensor(std::string name, DataType type, model::Shape shape, std::size_t bytes) {
  auto data = std::make_shared<std::vector<std::byte>>(bytes);
  return {std::move(name), type, std::move(shape), *data, data};
}
Tensor image() { return tensor("image", DataType::kF32, {1, 3, 2, 5}, 120); }
Tensor ids() { return tensor("ids", DataType::kI64, {1}, 8); }

std::string refusal(const std::vector<Tensor>& inputs) {
  const absl::Status status = check_inputs(graph(), inputs);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(base::message_of(status));
}

TEST(CheckInputs, TakesWhatTheModelDeclaresInAnyOrder) {
  EXPECT_TRUE(check_inputs(graph(), {image(), ids()}).ok());
  EXPECT_TRUE(check_inputs(graph(), {ids(), image()}).ok());
  EXPECT_TRUE(check_inputs(model::Graph(), {}).ok());
}

TEST(CheckInputs, NamesWhatIsWrong) {
  EXPECT_THAT(refusal({image()}), HasSubstr("input 'ids' is missing: expected INT64 [1]"));
  EXPECT_THAT(refusal({}), HasSubstr("input 'image' is missing"));
  EXPECT_THAT(refusal({image(), ids(), ids()}), HasSubstr("'ids' is given twice"));
  EXPECT_THAT(refusal({image(), tensor("id", DataType::kI64, {1}, 8)}),
              HasSubstr("no input 'id'; its inputs: 'image', 'ids'"));
  EXPECT_THAT(refusal({image(), tensor("ids", DataType::kI32, {1}, 4)}),
              HasSubstr("expected INT64 [1], found INT32 [1]"));
  EXPECT_THAT(refusal({tensor("image", DataType::kF32, {1, 4, 2, 5}, 160), ids()}),
              HasSubstr("expected FP32 [?,3,2,?], found FP32 [1,4,2,5]"));
  EXPECT_THAT(refusal({tensor("image", DataType::kF32, {1, 3, 2}, 24), ids()}),
              HasSubstr("found FP32 [1,3,2]"));
}

TEST(CheckInputs, NeverTrustsSizes) {
  EXPECT_THAT(refusal({tensor("image", DataType::kF32, {1, 3, 2, 5}, 119), ids()}),
              HasSubstr("expected 120 bytes, found 119"));
  EXPECT_THAT(refusal({tensor("image", DataType::kF32, {1, 3, 2, -5}, 0), ids()}),
              HasSubstr("found FP32 [1,3,2,?]"));
  const model::Shape hostile = {INT64_MAX / 2, 3, 2, INT64_MAX / 2};
  EXPECT_THAT(refusal({tensor("image", DataType::kF32, hostile, 8), ids()}),
              HasSubstr("more elements than any memory"));
  // The product wraps around to 0 in 64 bits.
  const model::Shape wrapping = {std::int64_t{1} << 32, 3, 2, std::int64_t{1} << 32};
  EXPECT_FALSE(check_inputs(graph(), {tensor("image", DataType::kF32, wrapping, 0), ids()}).ok());
}

TEST(CheckInputs, TakesStringsOfAnyLength) {
  model::Graph words;
  words.inputs = {{"words", DataType::kString, {-1}}};
  EXPECT_TRUE(check_inputs(words, {tensor("words", DataType::kString, {2}, 11)}).ok());
}

}  // namespace
}  // namespace tachostat::schedule
