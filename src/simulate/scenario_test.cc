#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "simulate/simulate.h"

namespace tachostat::simulate {
namespace {

using testing::HasSubstr;

constexpr const char* kModel = R"(
[[model]]
name = "net"
p99 = "40ms"
[[model.variant]]
name = "fast"
service = ["8ms", "12ms"]
batch = 2
[[model.arrivals]]
rate = 50
)";

class ScenarioTest : public testing::Test {
 public:
  ScenarioTest() { std::filesystem::create_directories(folder); }
  ~ScenarioTest() override { std::filesystem::remove_all(folder); }

 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  }
  std::string error_of(const std::string& text) {
    const auto scenario = read_scenario(write("bad.toml", text));
    return scenario.ok() ? "" : std::string(scenario.status().message());
  }

  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(ScenarioTest, FillsInWhatIsNotSaid) {
  const auto scenario = read_scenario(write("small.toml", kModel));
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->name, "small");
  const SimulatedModel& model = scenario->models[0];
  EXPECT_EQ(model.start, "fast");
  EXPECT_EQ(model.classes.size(), 1U);
  EXPECT_EQ(model.variants[0].service.by_batch[1], std::chrono::milliseconds(12));
  EXPECT_EQ(model.arrivals[0].kind, Arrivals::Kind::kPoisson);
}

TEST_F(ScenarioTest, SaysWhereAnErrorIsAndWhatWasExpected) {
  EXPECT_THAT(error_of("nodes = 0\n"), HasSubstr("'nodes': expected a whole number from 1"));
  EXPECT_THAT(error_of(std::string("speed = 1\n") + kModel), HasSubstr("unknown key 'speed'"));
  EXPECT_THAT(error_of(std::string(kModel) + "rat = 3\n"),
              HasSubstr("bad.toml: model 1: arrivals 1: unknown key 'rat'"));
  EXPECT_THAT(error_of(std::string("duration = 60\n") + kModel),
              HasSubstr("'duration': expected a duration such as \"20ms\", found 60"));
  EXPECT_THAT(error_of(""), HasSubstr("at least one [[model]]"));
  EXPECT_THAT(error_of("= 3"), HasSubstr("line 1"));
  EXPECT_THAT(error_of(std::string(kModel) + "[[event]]\nkind = \"storm\"\n"),
              HasSubstr("one of slow, cores, taken, fail, hang, down, found 'storm'"));
}

TEST_F(ScenarioTest, ReadsTimesToReplay) {
  write("times.txt", "# seconds\n0.5\n0.25\n");
  std::string text = kModel;
  text.replace(text.find("rate = 50"), 9, "kind = \"replay\"\nfile = \"times.txt\"");
  const auto scenario = read_scenario(write("replay.toml", text));
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->models[0].arrivals[0].times[0], std::chrono::milliseconds(250));
  write("times.txt", "0.5\nsoon\n");
  EXPECT_THAT(error_of(text), HasSubstr("line 2: expected seconds"));
}

TEST_F(ScenarioTest, NoDamageBringsItDown) {
  const std::string whole = kModel;
  std::uint64_t dice = 1;
  const auto draw = [&dice](std::size_t below) {
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(dice >> 33) % below;
  };
  const std::string letters = "[]{}=\"'#.,\n\\ 0-1e+_:tf\t";
  for (int i = 0; i < 3000; ++i) {
    std::string text = whole;
    for (std::size_t cut = 0; cut <= draw(4); ++cut) {
      text[draw(text.size())] = letters[draw(letters.size())];
    }
    if (draw(3) == 0) text.resize(draw(text.size()));
    error_of(text);  // any answer will do
  }
  for (const char* text : {"[[[", "[", "a.b.", "\"", "x = [1, ", "a = {b", "\xff\xfe"}) {
    EXPECT_NE(error_of(text), "") << text;
  }
}

TEST_F(ScenarioTest, NoFileIsNotFound) {
  EXPECT_EQ(read_scenario("/nowhere.toml").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ScenarioTest, ReadsEveryScenarioOfTheBenchmarks) {
  int read = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(TACHOSTAT_SOURCE_DIR "/bench/scenarios")) {
    if (file.path().extension() != ".toml") continue;
    const auto scenario = read_scenario(file.path().string());
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    ++read;
  }
  EXPECT_GE(read, 8);
}

}  // namespace
}  // namespace tachostat::simulate
