#include "app/optimize/kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/optimize/timed_engine_test_support.h"
#include "model/steps.h"
#include "store/store.h"

namespace tachostat::app {
namespace {

using std::chrono::microseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kLayers[] = {"a", "b"};

// Microseconds of layers "a" and "b" with a variant's recipe: each layer's kind is "1" or "2" where
// the recipe says so, else "".
using LayerTime = std::function<int(const std::string& layer, const std::string& kind)>;

std::string kind_of(const model::Variant& variant, const std::string& layer) {
  for (const model::Recipe::Step& step : variant.recipe.steps()) {
    const auto kernels = model::kernels_from(step.arguments);
    for (const model::Kernels::Layer& one : kernels->layers) {
      if (one.layer == layer) return one.kinds.front();
    }
  }
  return "";
}

class KernelEngine final : public TimedEngine {
 public:
  KernelEngine(base::ManualClock& clock, const LayerTime& time, int choices)
      : TimedEngine(clock,
                    [time](const model::Variant& variant) {
                      microseconds sum{0};
                      for (const char* layer : kLayers) {
                        sum += microseconds(time(layer, kind_of(variant, layer)));
                      }
                      return sum;
                    }),
        choices_(choices) {}

  std::vector<model::Kernels> kernel_choices(const model::Graph&, const engine::Applied&) override {
    std::vector<model::Kernels> choices;
    for (int i = 1; i <= choices_; ++i) {
      const std::string kind = std::to_string(i);
      choices.push_back({{{"a", {kind}}, {"b", {kind}}}});
    }
    return choices;
  }

 private:
  int choices_;
};

// Twelve slices of one request each.
class LayerBench final : public optimize::Bench {
 public:
  explicit LayerBench(LayerTime time) : time_(std::move(time)) {}
  absl::StatusOr<std::vector<profile::Profile>> profile(
      std::span<const model::Variant> variants) override {
    std::vector<profile::Profile> profiles;
    for (const model::Variant& variant : variants) {
      profile::Profile profile;
      for (const char* name : kLayers) {
        profile::LayerProfile layer{.name = name, .originals = {name}};
        const auto ns = static_cast<std::uint64_t>(time_(name, kind_of(variant, name))) * 1000;
        layer.slices.assign(12, {.count = 1, .sum_ns = ns});
        profile.layers.push_back(std::move(layer));
      }
      profiles.push_back(std::move(profile));
    }
    return profiles;
  }

 private:
  LayerTime time_;
};

class KernelsTest : public ::testing::Test {
 protected:
  KernelChoice choose(const LayerTime& time, int choices = 2) {
    KernelEngine engine(clock_, time, choices);
    LayerBench bench(time);
    const Track track{clock_, engine, graph_, inputs_, journal_};
    const auto chosen = choose_kernels(track, bench, variant_, "int8", 1);
    EXPECT_TRUE(chosen.ok()) << chosen.status();
    return chosen.ok() ? *chosen : KernelChoice();
  }
  std::string kind(const KernelChoice& choice, const std::string& layer) {
    model::Variant variant = variant_;
    variant.recipe = choice.recipe;
    return kind_of(variant, layer);
  }

  base::ManualClock clock_;
  const model::Graph graph_ = engine::identity_graph();
  const std::vector<engine::Tensor> inputs_ = {engine::f32_tensor("x", {1, 2, 3, 4}, {1, 4})};
  const std::unique_ptr<store::Store> store_ = store::open_memory();
  Journal journal_{clock_, *store_, "test"};
  const model::Variant variant_ = {.engine = "fake"};
};

TEST_F(KernelsTest, EachLayerGetsWhatIsFasterForIt) {
  const KernelChoice choice = choose([](const std::string& layer, const std::string& kind) {
    if (layer == "a") return kind == "1" ? 700 : 1000;
    return kind == "2" ? 600 : 1000;
  });
  EXPECT_EQ(kind(choice, "a"), "1");
  EXPECT_EQ(kind(choice, "b"), "2");
  EXPECT_THAT(choice.notes, ElementsAre(HasSubstr("1 first at 2 layers: 0.850"),
                                        HasSubstr("2 first at 2 layers: 0.800"),
                                        HasSubstr("what was faster at 2 layers: 0.650")));
}

TEST_F(KernelsTest, OneKindEverywhereWinsWhereMixingCosts) {
  // Alone each layer is faster with another kind, but between unlike kinds something is moved.
  const LayerTime alone = [](const std::string& layer, const std::string& kind) {
    if (layer == "a") return kind == "1" ? 700 : 1000;
    return kind == "1" ? 900 : kind == "2" ? 850 : 1000;
  };
  KernelEngine engine(
      clock_,
      [&alone](const std::string& layer, const std::string& kind) {
        return alone(layer, kind) + (kind == "2" ? 400 : 0);
      },
      2);
  LayerBench bench(alone);
  const Track track{clock_, engine, graph_, inputs_, journal_};
  const auto choice = choose_kernels(track, bench, variant_, "int8", 1);
  ASSERT_TRUE(choice.ok()) << choice.status();
  EXPECT_EQ(kind(*choice, "a"), "1");
  EXPECT_EQ(kind(*choice, "b"), "1");
}

TEST_F(KernelsTest, NothingIsTakenThatDoesNotPay) {
  const KernelChoice choice = choose(
      [](const std::string&, const std::string& kind) { return kind.empty() ? 1000 : 1100; });
  EXPECT_TRUE(choice.recipe.empty());
  EXPECT_THAT(choice.notes, SizeIs(2));
}

TEST_F(KernelsTest, AnEngineThatHasNoChoiceIsLeftAlone) {
  const KernelChoice choice =
      choose([](const std::string&, const std::string&) { return 1000; }, 0);
  EXPECT_TRUE(choice.recipe.empty());
  EXPECT_THAT(choice.notes, IsEmpty());
}

}  // namespace
}  // namespace tachostat::app
