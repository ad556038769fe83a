#include "profile/compare_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tachostat::profile {
namespace {

using testing::ElementsAre;

LayerProfile layer(std::string name, std::string type, std::vector<std::string> originals,
                   const std::vector<int>& producers) {
  LayerProfile one{
      .name = std::move(name), .originals = std::move(originals), .type = std::move(type)};
  for (const int producer : producers) one.inputs.push_back({.producer = producer});
  return one;
}

// As an engine that numbers its own nodes anew each time names them.
Profile numbered(int number) {
  const std::string made = "Multiply_" + std::to_string(number);
  Profile profile;
  profile.layers = {
      layer("x_to_" + made, "Reorder", {}, {Tensor::kModelInput}),
      layer(made, "Convolution", {made, "Conv@0", "Relu@0"}, {0, Tensor::kConstant}),
      layer("Conv@1", "Convolution", {"Conv@1"}, {1, Tensor::kConstant}),
      layer(made + "_back", "Reorder", {}, {1}),
  };
  return profile;
}

std::vector<std::string> names_in(const Matching& matching, std::size_t profile) {
  std::vector<std::string> names;
  for (const MatchedLayer& one : matching.layers) {
    names.push_back(one.in[profile] == nullptr ? "-" : one.in[profile]->name);
  }
  return names;
}

TEST(CompareMatch, ByNameThenOriginalsThenPlace) {
  const Profile a = numbered(1);
  const Profile b = numbered(2);
  const Profile* const both[] = {&a, &b};
  const Matching matching = match_layers(both);
  EXPECT_THAT(names_in(matching, 0),
              ElementsAre("x_to_Multiply_1", "Multiply_1", "Conv@1", "Multiply_1_back"));
  EXPECT_THAT(names_in(matching, 1),
              ElementsAre("x_to_Multiply_2", "Multiply_2", "Conv@1", "Multiply_2_back"));
  EXPECT_EQ(matching.count(1, MatchedBy::kName), 1U);
  EXPECT_EQ(matching.count(1, MatchedBy::kOriginals), 1U);
  EXPECT_EQ(matching.count(1, MatchedBy::kPlace), 2U);
}

TEST(CompareMatch, WhatHasNoPartnerStandsAlone) {
  Profile a;
  Profile b;
  a.layers = {layer("old", "Relu", {"r"}, {}), layer("same", "Relu", {}, {})};
  b.layers = {layer("same", "Relu", {}, {}), layer("new", "Relu", {"s"}, {})};
  const Profile* const both[] = {&a, &b};
  const Matching matching = match_layers(both);
  EXPECT_THAT(names_in(matching, 0), ElementsAre("old", "same", "-"));
  EXPECT_THAT(names_in(matching, 1), ElementsAre("-", "same", "new"));
}

TEST(CompareMatch, EqualNamesFindOneEach) {
  Profile a;
  a.layers = {layer("twin", "Relu", {}, {}), layer("twin", "Relu", {}, {})};
  const Profile b = a;
  const Profile* const both[] = {&a, &b};
  const Matching matching = match_layers(both);
  EXPECT_EQ(matching.layers.size(), 2U);
  EXPECT_EQ(matching.count(1, MatchedBy::kName), 2U);
}

// The one with most of the model's layers in common, not the first.
TEST(CompareMatch, OriginalsPreferTheLargestOverlap) {
  Profile a;
  Profile b;
  a.layers = {layer("a0", "Conv", {"p"}, {}), layer("a1", "Conv", {"q", "r"}, {})};
  b.layers = {layer("b0", "Conv", {"p", "q", "r"}, {})};
  const Profile* const both[] = {&a, &b};
  EXPECT_THAT(names_in(match_layers(both), 1), ElementsAre("-", "b0"));
}

}  // namespace
}  // namespace tachostat::profile
