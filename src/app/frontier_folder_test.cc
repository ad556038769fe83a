#include "app/frontier_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <openvino/openvino.hpp>
#include <openvino/opsets/opset13.hpp>

#include "base/status.h"

namespace tachostat::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FrontierFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / fmt::format("ff_{}_{}", test->name(), getpid());
    fs::create_directories(folder_ / "variants");
    auto x = std::make_shared<ov::opset13::Parameter>(ov::element::f32, ov::PartialShape{1, 4});
    auto relu = std::make_shared<ov::opset13::Relu>(x);
    model_ = (folder_ / "net.xml").string();
    ov::serialize(std::make_shared<ov::Model>(ov::OutputVector{relu}, ov::ParameterVector{x}),
                  model_, (folder_ / "net.bin").string());
    hash_ = model::read(model_)->hash;
  }
  void TearDown() override { fs::remove_all(folder_); }

  model::VariantFile file(double service_ms, int threads) const {
    model::VariantFile file{.model_path = model_,
                            .model_hash = hash_,
                            .data_hash = "d",
                            .engine_version = "7",
                            .machine = "m",
                            .variant = {.threads = threads}};
    file.metric = "top1";
    file.service_ms = service_ms;
    file.drop_bound = 0.002;
    return file;
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / "variants" / name) << text;
  }
  absl::StatusOr<FrontierFolder> read(const std::string& model_path = "") const {
    return read_frontier(folder_.string(), model_path, "m", "7");
  }

  fs::path folder_;
  std::string model_, hash_;
};

TEST_F(FrontierFolderTest, GivesTheProvedVariantsFastestFirst) {
  write("a.json", to_json(file(9, 1)));
  write("b.json", to_json(file(3, 2)));
  const auto found = read();
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->verified.size(), 2U);
  EXPECT_EQ(found->verified[0].variant.threads, 2);
  EXPECT_EQ(found->verified[0].drop_bound, 0.002);
  EXPECT_TRUE(found->unproved.empty());
  EXPECT_EQ(found->model_path, model_);
}

TEST_F(FrontierFolderTest, WhatWasProvedElsewhereIsProposedAnew) {
  model::VariantFile other = file(3, 2);
  other.machine = "n";
  write("a.json", to_json(other));
  model::VariantFile older = file(4, 1);
  older.engine_version = "6";
  write("b.json", to_json(older));
  const auto found = read();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->verified.empty());
  ASSERT_EQ(found->unproved.size(), 2U);
  EXPECT_THAT(found->unproved[0].reason, HasSubstr("another machine"));
  EXPECT_THAT(found->unproved[1].reason, HasSubstr("engine version 6"));
}

TEST_F(FrontierFolderTest, ADamagedFileIsLeftOutAndNoneIsAnError) {
  write("a.json", "{\"format\":");
  EXPECT_THAT(read().status().message(), HasSubstr("holds no variant that can be read"));
  write("b.json", to_json(file(3, 2)));
  const auto found = read();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->verified.size(), 1U);
}

TEST_F(FrontierFolderTest, VariantsOfAnotherModelAreRefused) {
  model::VariantFile other = file(3, 2);
  other.model_hash = "0123456789abcdef";
  write("a.json", to_json(other));
  EXPECT_THAT(read().status().message(), HasSubstr("made for another model"));
}

TEST_F(FrontierFolderTest, AMovedModelIsNamed) {
  model::VariantFile moved = file(3, 2);
  moved.model_path = "/gone/net.xml";
  write("a.json", to_json(moved));
  EXPECT_EQ(read().status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(read(model_).ok());
}

}  // namespace
}  // namespace tachostat::app
