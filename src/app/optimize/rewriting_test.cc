#include "app/optimize/rewriting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/optimize/timed_engine_test_support.h"
#include "model/steps.h"
#include "store/store.h"

namespace tachostat::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Knows two rewrites.
class RewritingEngine final : public TimedEngine {
 public:
  // Of a request: as it is, with "activation", with "table".
  RewritingEngine(base::ManualClock& clock, const std::vector<std::chrono::microseconds>& times)
      : TimedEngine(clock, [times](const model::Variant& variant) {
          std::chrono::microseconds time = times[0];
          for (const model::Recipe::Step& step : variant.recipe.steps()) {
            time += times[step.pass == "activation" ? 1 : 2] - times[0];
          }
          return time;
        }) {}

  absl::StatusOr<std::vector<model::Rewrite>> rewrites(const model::Graph&,
                                                       const model::InputShapes&) override {
    return std::vector<model::Rewrite>{{"activation", {"a", "b"}}, {"table", {"c"}}};
  }
};

class RewritingTest : public ::testing::Test {
 protected:
  Rewriting choose(engine::Engine& engine) {
    const auto chosen =
        choose_rewrites({clock_, engine, graph_, inputs_, journal_}, {.engine = "fake"}, 1);
    EXPECT_TRUE(chosen.ok()) << chosen.status();
    return chosen.ok() ? *chosen : Rewriting();
  }

  std::vector<std::string> passes(const Rewriting& rewriting) {
    std::vector<std::string> names;
    for (const auto& step : rewriting.recipe.steps()) names.push_back(step.pass);
    return names;
  }

  base::ManualClock clock_;
  const model::Graph graph_ = engine::identity_graph();
  const std::vector<engine::Tensor> inputs_ = {engine::f32_tensor("x", {1, 2, 3, 4}, {1, 4})};
  std::unique_ptr<store::Store> store_ = store::open_memory();
  Journal journal_{clock_, *store_, "test"};
};

using std::chrono::microseconds;

TEST_F(RewritingTest, TakesTheKindsThatPay) {
  RewritingEngine engine(clock_, {microseconds(1000), microseconds(900), microseconds(1100)});
  const Rewriting rewriting = choose(engine);
  EXPECT_THAT(passes(rewriting), ElementsAre("activation"));
  EXPECT_THAT(rewriting.notes, ElementsAre(HasSubstr("activation at 2 places: 0.900"),
                                           HasSubstr("table at 1 place: 1.100")));
}

TEST_F(RewritingTest, TakesAllWhenAllPay) {
  RewritingEngine engine(clock_, {microseconds(1000), microseconds(900), microseconds(800)});
  EXPECT_THAT(passes(choose(engine)), ElementsAre("activation", "table"));
}

TEST_F(RewritingTest, TakesNothingThatDoesNotPay) {
  RewritingEngine engine(clock_, {microseconds(1000), microseconds(999), microseconds(1000)});
  EXPECT_THAT(passes(choose(engine)), IsEmpty());
}

TEST_F(RewritingTest, GoesOnFromWhatWasMeasuredBefore) {
  RewritingEngine first(clock_, {microseconds(1000), microseconds(900), microseconds(1100)});
  choose(first);
  RewritingEngine second(clock_, {microseconds(1000), microseconds(1100), microseconds(900)});
  EXPECT_THAT(passes(choose(second)), ElementsAre("activation"));
}

TEST_F(RewritingTest, AnEngineThatKnowsNoneIsLeftAlone) {
  engine::FakeEngine engine;
  const Rewriting rewriting = choose(engine);
  EXPECT_TRUE(rewriting.recipe.empty());
  EXPECT_THAT(rewriting.notes, IsEmpty());
}

}  // namespace
}  // namespace tachostat::app
