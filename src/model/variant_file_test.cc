#include "model/variant_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tachostat::model {
namespace {

using ::testing::HasSubstr;

VariantFile file() {
  VariantFile file{.model_path = "net.onnx",
                   .model_hash = "aa",
                   .data_hash = "bb",
                   .engine_version = "1",
                   .machine = "cc"};
  file.variant.recipe = *Recipe::Create("int8", {{"quantise", R"({"activations":[]})"}});
  file.drop_bound = 0.004;
  file.metric = "top1";
  file.service_ms = 1.5;
  file.capacity = 900;
  file.proof = R"({"samples":800})";
  return file;
}

TEST(VariantFile, ReadsBackWhatItWrote) {
  const auto again = variant_file_from_json(to_json(file()));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->variant, file().variant);
  EXPECT_EQ(again->model_hash, "aa");
  EXPECT_EQ(again->drop_bound, 0.004);
  EXPECT_EQ(again->capacity, 900);
  EXPECT_EQ(again->proof, R"({"samples":800})");
}

TEST(VariantFile, NoticesDamage) {
  std::string text = to_json(file());
  text.replace(text.find("0.004"), 5, "0.001");
  EXPECT_THAT(variant_file_from_json(text).status().message(), HasSubstr("damaged"));
}

TEST(VariantFile, RefusesWhatIsNone) {
  EXPECT_THAT(variant_file_from_json("{").status().message(), HasSubstr("not a variant file"));
  EXPECT_THAT(variant_file_from_json("{}").status().message(), HasSubstr("not a variant file"));
  EXPECT_THAT(
      variant_file_from_json(R"({"format":"tachostat variant","version":9})").status().message(),
      HasSubstr("newer Tachostat"));
}

TEST(VariantFile, AProofThatIsNoObjectIsLeftOut) {
  VariantFile odd = file();
  odd.proof = "nonsense";
  EXPECT_EQ(variant_file_from_json(to_json(odd))->proof, "{}");
}

}  // namespace
}  // namespace tachostat::model
