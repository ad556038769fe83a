// A governor whose serving variant fails or hangs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "govern/fake_plant.h"
#include "govern/fake_store.h"
#include "govern/govern.h"

namespace tachostat::govern {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

const model::Variant kStart{.threads = 2};
const model::Variant kOther{.threads = 1};

verify::Point point(const model::Variant& variant, double service_ms) {
  return {.variant = variant, .service_ms = service_ms, .capacity = 1e3 / service_ms};
}

class RecoveryTest : public testing::Test {
 protected:
  RecoveryTest() {
    plant_.behaviour = [this](const model::Variant& variant) {
      FakeBehaviour behaviour;
      if (variant == failing_) behaviour.failure_rate = 1;
      return behaviour;
    };
    plant_.graph_value.name = "net";
    options_.start = kStart;
    options_.learn = Learn::kOff;
    options_.verified = {point(kStart, 10), point(kOther, 14)};
  }
  void start() {
    governor_ = std::make_unique<Governor>(clock_, plant_, make_fixed(), log_, nullptr, options_);
    ASSERT_TRUE(governor_->start().ok());
    plant_.set_traffic({.rate = 30});
  }
  void run(double seconds) {
    const base::Time end = clock_.now() + base::from_seconds(seconds);
    while (clock_.now() < end) {
      plant_.run(milliseconds(50));
      governor_->step();
    }
  }
  std::vector<Decision> of_kind(const std::string& kind) const {
    std::vector<Decision> found;
    for (const Decision& decision : log_.decisions()) {
      if (decision.kind == kind) found.push_back(decision);
    }
    return found;
  }

  base::ManualClock clock_;
  FakePlant plant_{clock_, 1};
  DecisionLog log_{clock_, nullptr, "net"};
  GovernorOptions options_;
  std::optional<model::Variant> failing_;
  std::unique_ptr<Governor> governor_;
};

TEST_F(RecoveryTest, NothingHappensWhileAllIsWell) {
  start();
  run(30);
  EXPECT_TRUE(of_kind("fallback").empty());
}

TEST_F(RecoveryTest, LeavesAVariantThatFailsWithinTwoSeconds) {
  failing_ = kStart;
  start();
  run(3);
  const auto fallbacks = of_kind("fallback");
  ASSERT_EQ(fallbacks.size(), 1U);
  EXPECT_EQ(fallbacks[0].from, kStart.id());
  EXPECT_EQ(fallbacks[0].to, kOther.id());
  EXPECT_THAT(fallbacks[0].reason, HasSubstr("failed"));
  EXPECT_THAT(fallbacks[0].reason, HasSubstr("for 30"));
  run(20);
  EXPECT_EQ(of_kind("fallback").size(), 1U);
  EXPECT_EQ(governor_->state().variant, kOther.id());
}

TEST_F(RecoveryTest, WhereNothingElseIsVerifiedItSaysSoOnce) {
  failing_ = kStart;
  options_.verified.pop_back();
  start();
  run(20);
  EXPECT_TRUE(of_kind("fallback").empty());
  ASSERT_EQ(of_kind("degraded").size(), 1U);
  EXPECT_THAT(of_kind("degraded")[0].reason, HasSubstr("no other verified variant"));
}

TEST_F(RecoveryTest, DoesNotFallBackToWhatIsTooInaccurate) {
  failing_ = kStart;
  options_.verified[1].drop_bound = 0.5;
  start();
  run(20);
  EXPECT_TRUE(of_kind("fallback").empty());
}

TEST_F(RecoveryTest, WhenEverythingFailsItDoesNotGoRoundInCircles) {
  plant_.behaviour = [](const model::Variant&) {
    FakeBehaviour behaviour;
    behaviour.failure_rate = 1;
    return behaviour;
  };
  start();
  run(25);
  EXPECT_EQ(of_kind("fallback").size(), 1U);
  EXPECT_EQ(of_kind("degraded").size(), 1U);
}

}  // namespace
}  // namespace tachostat::govern
