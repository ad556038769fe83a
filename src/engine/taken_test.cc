#include "engine/taken.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/steps.h"

namespace tachostat::engine {
namespace {

using ::testing::ElementsAre;

AppliedLayer layer(std::string name, std::vector<std::string> originals, std::string precision) {
  AppliedLayer made;
  made.name = std::move(name);
  made.originals = std::move(originals);
  made.precision = std::move(precision);
  return made;
}

TEST(Taken, CountsQuantisedLayersThatStayedInFloatingPoint) {
  const model::Quantise quantise{.weights = {{{"a", 1}}, {{"b", 1}}, {{"c", 1}}}};
  const auto recipe = model::Recipe::Create("int8", {*model::to_step(quantise)});
  Applied applied;
  applied.layers = {layer("a", {"a", "relu"}, "u8"), layer("b", {"b"}, "f32"),
                    layer("x", {"c"}, "f8e4m3")};
  const IntegerLayers found = integer_layers(*recipe, applied);
  EXPECT_EQ(found.asked, 3);
  EXPECT_THAT(found.left, ElementsAre("b", "c"));
  EXPECT_EQ(integer_layers({}, applied).asked, 0);
}

}  // namespace
}  // namespace tachostat::engine
