#include "schedule/join.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/fake/fake.h"

namespace tachostat::schedule {
namespace {

using engine::f32_tensor;
using engine::f32_values;
using engine::Tensor;
using testing::ElementsAre;

using Inputs = std::vector<Tensor>;

TEST(Join, PutsRowsInOrderWhateverTheOrderOfInputs) {
  const auto pool = std::make_shared<BufferPool>();
  const Inputs one = {f32_tensor("x", {1, 2}, {1, 2}), f32_tensor("y", {9}, {1, 1})};
  const Inputs two = {f32_tensor("y", {8, 7}, {2, 1}), f32_tensor("x", {3, 4, 5, 6}, {2, 2})};
  ASSERT_TRUE(can_join(one, two));
  ASSERT_EQ(join_key(one), join_key(two));
  const Inputs* const parts[] = {&one, &two};
  const Inputs joined = join(parts, *pool);
  ASSERT_EQ(joined.size(), 2u);
  EXPECT_EQ(joined[0].name, "x");
  EXPECT_EQ(joined[0].shape, (model::Shape{3, 2}));
  EXPECT_THAT(f32_values(joined[0]), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(joined[1].shape, (model::Shape{3, 1}));
  EXPECT_THAT(f32_values(joined[1]), ElementsAre(9, 8, 7));
  for (const Tensor& input : joined) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(input.data.data()) % BufferPool::kAlignment, 0u);
  }
}

TEST(Join, TakesOnlyWhatFits) {
  const Inputs base = {f32_tensor("x", {1, 2}, {1, 2})};
  EXPECT_FALSE(can_join(base, {f32_tensor("x", {1, 2, 3}, {1, 3})}));
  EXPECT_FALSE(can_join(base, {f32_tensor("z", {1, 2}, {1, 2})}));
  EXPECT_FALSE(can_join(base, {f32_tensor("x", {1, 2}, {1, 2, 1})}));
  Inputs typed = base;
  typed[0].type = model::DataType::kI32;
  EXPECT_FALSE(can_join(base, typed));
  EXPECT_NE(join_key(base), join_key(typed));
}

TEST(Join, HasNoKeyForWhatHasNoRows) {
  EXPECT_EQ(join_key({}), 0u);
  EXPECT_EQ(rows_of({f32_tensor("x", {}, {0, 2})}), 0);
  EXPECT_EQ(rows_of({f32_tensor("x", {1, 2}, {1, 2}), f32_tensor("y", {1, 2}, {2, 1})}), 0);
  Inputs scalar = {f32_tensor("x", {1}, {1})};
  scalar[0].shape = {};
  EXPECT_EQ(rows_of(scalar), 0);
  Inputs words = {f32_tensor("x", {1}, {1})};
  words[0].type = model::DataType::kString;
  EXPECT_EQ(join_key(words), 0u);
  // A claim of many rows without data.
  Inputs hollow = {f32_tensor("x", {}, {INT64_MAX, 0})};
  EXPECT_EQ(rows_of(hollow), 0);
}

TEST(Split, GivesViewsThatKeepTheirOwner) {
  std::vector<Tensor> part;
  {
    const std::vector<Tensor> outputs = {f32_tensor("y", {1, 2, 3, 4, 5, 6}, {3, 2})};
    ASSERT_TRUE(has_rows(outputs, 3));
    part = split(outputs, 1, 2);
    EXPECT_EQ(part[0].data.data(), outputs[0].data.data() + 8);
  }
  EXPECT_EQ(part[0].shape, (model::Shape{2, 2}));
  EXPECT_THAT(f32_values(part[0]), ElementsAre(3, 4, 5, 6));
}

TEST(Split, SeesOutputsWithoutRows) {
  EXPECT_FALSE(has_rows({f32_tensor("y", {1, 2}, {2})}, 3));
  Tensor scalar = f32_tensor("y", {1}, {1});
  scalar.shape = {};
  EXPECT_FALSE(has_rows({scalar}, 1));
}

TEST(MayBatch, KnowsFromShapesWhatCannot) {
  model::Graph graph = engine::identity_graph("net", {1, 4});
  EXPECT_TRUE(may_batch(graph));
  graph.outputs[0].shape = {100, 7};
  EXPECT_FALSE(may_batch(graph));
  graph.outputs[0].shape = {};
  EXPECT_TRUE(may_batch(graph));  // may be an unknown rank
  graph.inputs[0].shape = {};
  EXPECT_FALSE(may_batch(graph));
}

TEST(BufferPool, UsesBuffersAgainAndOutlivesItsUsers) {
  auto pool = std::make_shared<BufferPool>();
  std::byte* const first = pool->take(100).get();
  EXPECT_EQ(pool->idle(), 1u);
  std::shared_ptr<std::byte> again = pool->take(3000);
  EXPECT_EQ(again.get(), first);
  EXPECT_EQ(pool->idle(), 0u);
  pool.reset();
  again.reset();  // back into a pool that goes with it
}

TEST(BufferPool, KeepsOnlySome) {
  const auto pool = std::make_shared<BufferPool>();
  std::vector<std::shared_ptr<std::byte>> taken;
  for (std::size_t i = 0; i < BufferPool::kKept + 5; ++i) taken.push_back(pool->take(1));
  taken.clear();
  EXPECT_EQ(pool->idle(), BufferPool::kKept);
}

}  // namespace
}  // namespace tachostat::schedule
