#include "app/roofline.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tachostat::app {
namespace {

class RooflineTest : public testing::Test {
 public:
  RooflineTest()
      : path_(std::string(testing::TempDir()) + "/roofline_" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + ".json") {
    std::filesystem::remove(path_);
  }
  ~RooflineTest() override { std::filesystem::remove(path_); }

 protected:
  static profile::Calibration calibration() {
    profile::Calibration made{.fingerprint = this_machine()};
    made.figures = {
        {.group = "compute", .what = "f32", .threads = 1, .median = 12345},
        {.group = "bandwidth", .what = "DRAM", .how = "triad", .threads = 1, .median = 678}};
    return made;
  }

  const std::string path_;
};

TEST_F(RooflineTest, IsTheCalibratedOneWhereThereIsOne) {
  ASSERT_TRUE(profile::save_calibration(calibration(), path_).ok());
  EXPECT_EQ(roofline(1, 4, path_).peak_f32_flops, 12345);
  EXPECT_EQ(roofline(1, 4, path_).memory_bandwidth, 678);
}

TEST_F(RooflineTest, IsMeasuredQuicklyWithoutOne) {
  EXPECT_GT(roofline(1, 4, path_).peak_f32_flops, 12345);
}

TEST_F(RooflineTest, AnotherMachinesOrADamagedOneIsNotUsed) {
  profile::Calibration other = calibration();
  other.fingerprint.processor = "another";
  ASSERT_TRUE(profile::save_calibration(other, path_).ok());
  EXPECT_GT(roofline(1, 4, path_).peak_f32_flops, 12345);
  std::ofstream(path_) << "{\"version\":";
  EXPECT_GT(roofline(1, 4, path_).peak_f32_flops, 12345);
}

TEST_F(RooflineTest, AnIncompleteOneIsNotUsed) {
  profile::Calibration part = calibration();
  part.figures.pop_back();
  ASSERT_TRUE(profile::save_calibration(part, path_).ok());
  EXPECT_GT(roofline(1, 4, path_).memory_bandwidth, 0);
}

}  // namespace
}  // namespace tachostat::app
