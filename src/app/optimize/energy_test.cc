#include "app/optimize/energy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tachostat::app {
namespace {

namespace fs = std::filesystem;
using ::testing::Optional;

// A machine of two packages; the first one's cores and memory are counted too, and the platform.
class EnergyMeterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(::testing::TempDir()) / fmt::format("joules_{}_{}", test->name(), getpid());
  }
  void TearDown() override { fs::remove_all(root_); }

  void zone(const std::string& entry, const std::string& name, std::uint64_t joules) {
    const fs::path folder = root_ / "sys/class/powercap" / entry;
    fs::create_directories(folder);
    std::ofstream(folder / "name") << name << "\n";
    std::ofstream(folder / "energy_uj") << joules * 1'000'000 << "\n";
    std::ofstream(folder / "max_energy_range_uj") << 1'000'000'000'000 << "\n";
  }
  void zones() {
    zone("intel-rapl:0", "package-0", 100);
    zone("intel-rapl:0:0", "core", 60);
    zone("intel-rapl:0:1", "dram", 7);
    zone("intel-rapl:1", "package-1", 50);
    zone("intel-rapl:2", "psys", 900);
  }
  EnergyMeter meter() const { return EnergyMeter({.root = root_.string()}); }

  fs::path root_;
};

TEST_F(EnergyMeterTest, AddsPackagesAndTheirMemoryOnly) {
  zones();
  EXPECT_THAT(meter().joules(), Optional(::testing::DoubleNear(157, 1e-6)));
}

TEST_F(EnergyMeterTest, GrowsWithTheCounters) {
  zones();
  EnergyMeter one = meter();
  const auto before = one.joules();
  zone("intel-rapl:1", "package-1", 53);
  const auto after = one.joules();
  ASSERT_TRUE(before && after);
  EXPECT_NEAR(*after - *before, 3, 1e-6);
}

TEST_F(EnergyMeterTest, APackageThatVanishesLeavesNoSum) {
  zones();
  EnergyMeter one = meter();
  EXPECT_TRUE(one.joules());
  fs::remove_all(root_ / "sys/class/powercap/intel-rapl:1");
  EXPECT_FALSE(one.joules());
}

TEST_F(EnergyMeterTest, WithoutCountersThereIsNone) {
  fs::create_directories(root_);
  EXPECT_FALSE(meter().joules());
  EXPECT_THAT(std::string(meter().available().message()), ::testing::HasSubstr("powercap"));
}

}  // namespace
}  // namespace tachostat::app
