// What an optimisation writes is what a server reads.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/optimize/optimize_run.h"
#include "model/variant_file.h"

namespace tachostat::app {
namespace {

namespace fs = std::filesystem;

class OutputTest : public testing::Test {
 public:
  OutputTest() {
    fs::create_directories(folder_);
    options_.model_path = "net.onnx";
    options_.folder = folder_.string();
  }
  ~OutputTest() override { fs::remove_all(folder_); }

 protected:
  // The bound of the only variant, as it is read back.
  double bound_read_back(double bound) {
    Outcome outcome{.name = "int8", .reason = "a reason", .variant = {}};
    outcome.verdict = Outcome::Verdict::kVerified;
    outcome.report = {.samples = 600, .mean = bound / 2, .bound = bound};
    outcome.service_ms = outcome.saturated_ms = 5;
    OptimizeResult result;
    result.model_hash = "hash";
    result.outcomes = {outcome};
    EXPECT_TRUE(write_output(options_, result).ok());
    std::ifstream file(folder_ / "variants" / "int8.json");
    std::ostringstream text;
    text << file.rdbuf();
    const auto read = model::variant_file_from_json(text.str());
    EXPECT_TRUE(read.ok()) << read.status();
    return read.ok() ? read->drop_bound : -1;
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  OptimizeOptions options_;
};

TEST_F(OutputTest, KeepsTheBound) { EXPECT_EQ(bound_read_back(0.004), 0.004); }

TEST_F(OutputTest, WhatIsMoreAccurateThanTheReferenceDropsNothing) {
  EXPECT_EQ(bound_read_back(-0.0075), 0);
}

}  // namespace
}  // namespace tachostat::app
