#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "verify/verify.h"

namespace tachostat::verify {
namespace {

using nlohmann::json;

TEST(Trial, IsWrittenWhole) {
  Trial trial;
  trial.base = "openvino.CPU f32 2t 1s b1";
  trial.candidate = "openvino.CPU f32 2t 2s b1";
  trial.outcome = Trial::Outcome::kProved;
  trial.pairs = 12;
  trial.ratio = 0.8;
  trial.ratio_low = 0.75;
  trial.ratio_high = 0.85;
  trial.agreement.labels = 300;
  trial.unix_ms = 1795465328125;
  const json value = json::parse(to_json(trial));
  EXPECT_EQ(value["outcome"], "proved");
  EXPECT_EQ(value["candidate"], trial.candidate);
  EXPECT_EQ(value["pairs"], 12);
  EXPECT_EQ(value["ratio_high"], 0.85);
  EXPECT_EQ(value["agreement"]["labels"], 300);
  EXPECT_NEAR(value["agreement"]["drop_bound"].get<double>(), 0.00994, 1e-5);
  EXPECT_EQ(value["unix_ms"], 1795465328125);
}

TEST(Trial, HasNullForNoBoundAndSurvivesBadText) {
  Trial trial;
  trial.ratio_high = std::numeric_limits<double>::infinity();
  trial.reason = "layer \xff\xfe";
  const json value = json::parse(to_json(trial));
  EXPECT_TRUE(value["ratio_high"].is_null());
  EXPECT_EQ(value["outcome"], "refused");
}

}  // namespace
}  // namespace tachostat::verify
