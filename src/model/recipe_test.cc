#include "model/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model.h"
#include "model/steps.h"

namespace tachostat::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Recipe int8(std::string name, float high) {
  const Quantise quantise{.activations = {{.edge = {"conv", 0}, .low = {0}, .high = {high}}},
                          .weights = {{.edge = {"conv", 1}, .levels = 255, .headroom = 2}}};
  return *Recipe::Create(std::move(name), {*to_step(quantise)});
}

TEST(Recipe, IsNothingByDefault) {
  EXPECT_TRUE(Recipe().empty());
  EXPECT_EQ(to_json(Recipe()), "null");
  EXPECT_EQ(Recipe().id(), "");
  EXPECT_TRUE(Recipe::Create("none", {})->empty());
}

TEST(Recipe, ReadsBackWhatItWrote) {
  const Recipe recipe = int8("int8 1/1", 0.1F);
  const auto again = recipe_from_json(to_json(recipe));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, recipe);
  EXPECT_EQ(again->id(), recipe.id());
  const auto quantise = quantise_from(again->steps()[0].arguments);
  ASSERT_TRUE(quantise.ok()) << quantise.status();
  EXPECT_EQ(quantise->activations[0].edge, (Edge{"conv", 0}));
  EXPECT_THAT(quantise->activations[0].high, ElementsAre(0.1F));
  EXPECT_EQ(quantise->weights[0].headroom, 2);
}

TEST(Recipe, IsKnownByWhatItDoesNotByItsName) {
  EXPECT_EQ(int8("a", 1), int8("b", 1));
  EXPECT_FALSE(int8("a", 1) == int8("a", 2));
  EXPECT_NE(int8("a", 1).id(), int8("a", 2).id());
}

TEST(Recipe, WhitespaceAndOrderOfArgumentsDoNotMatter) {
  const auto a = Recipe::Create("r", {{"shift", R"({"layers":[],"a":1})"}});
  const auto b = Recipe::Create("r", {{"shift", R"({ "a": 1, "layers": [] })"}});
  EXPECT_EQ(*a, *b);
}

TEST(Recipe, RefusesWhatIsNoRecipe) {
  EXPECT_THAT(recipe_from_json("[]").status().message(), HasSubstr("a recipe must be"));
  EXPECT_THAT(recipe_from_json(R"({"name":"x","steps":[{"pass":"p"}]})").status().message(),
              HasSubstr("a recipe's step must be"));
  EXPECT_FALSE(Recipe::Create("x", {{"p", "[1]"}}).ok());
  EXPECT_FALSE(Recipe::Create("x", {{"", "{}"}}).ok());
}

TEST(Steps, RefuseRangesThatAreNone) {
  for (const char* range :
       {R"("low":[1],"high":[0])", R"("low":[0],"high":[1,2])", R"("low":[],"high":[])",
        R"("low":["x"],"high":[1])", R"("low":[0],"high":[1e999])"}) {
    const std::string text =
        std::string(R"({"weights":[],"activations":[{"layer":"a",)") + range + "}]}";
    EXPECT_FALSE(quantise_from(text).ok()) << text;
  }
}

TEST(Variant, CarriesItsRecipe) {
  Variant variant;
  variant.recipe = int8("int8", 1);
  EXPECT_THAT(variant.id(), HasSubstr(" int8#"));
  const auto again = variant_from_json(to_json(variant));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, variant);
}

}  // namespace
}  // namespace tachostat::model
