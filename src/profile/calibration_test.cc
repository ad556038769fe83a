#include "profile/calibration.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace tachostat::profile {
namespace {

namespace fs = std::filesystem;

Calibration made() {
  Calibration calibration;
  calibration.fingerprint.processor = "Test 3000";
  calibration.fingerprint.cpus = {0, 1};
  calibration.fingerprint.cores = 2;
  calibration.taken = "2026-11-24T10:00:00.000Z";
  calibration.seconds = 2.5;
  const auto add = [&](const char* group, const char* what, const char* how, const char* unit,
                       int threads, double median) {
    calibration.figures.push_back({.group = group,
                                   .what = what,
                                   .how = how,
                                   .unit = unit,
                                   .threads = threads,
                                   .median = median,
                                   .low = 0.9 * median,
                                   .high = 1.1 * median,
                                   .best = 1.2 * median,
                                   .repeats = 9});
  };
  add("compute", "f32", "fma avx2", "FLOP/s", 1, 1e11);
  add("compute", "f32", "fma avx2", "FLOP/s", 2, 2e11);
  add("compute", "f32", "fma avx512f", "FLOP/s", 2, 3e11);
  add("compute", "int8", "madd avx2", "OP/s", 2, 4e11);
  add("bandwidth", "L2", "triad", "B/s", 2, 9e10);
  add("bandwidth", "L3", "read", "B/s", 2, 8e10);
  add("bandwidth", "L3", "triad", "B/s", 2, 5e10);
  add("bandwidth", "DRAM", "triad", "B/s", 2, 2e10);
  add("latency", "wake", "median", "s", 2, 5e-5);
  calibration.figures[0].theory = 1.25e11;
  calibration.figures[0].basis = "by hand";
  return calibration;
}

class CalibrationFile : public testing::Test {
 public:
  CalibrationFile()
      : folder_(fs::path(testing::TempDir()) /
                (std::string("calibration_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())),
        path_((folder_ / "cache/tachostat/calibration.json").string()) {
    fs::remove_all(folder_);
  }
  ~CalibrationFile() override { fs::remove_all(folder_); }

 protected:
  void damage(const std::string& text) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << text;
  }
  absl::StatusOr<Calibration> load() const { return load_calibration(path_, made().fingerprint); }

  const fs::path folder_;
  const std::string path_;
};

TEST_F(CalibrationFile, ComesBackAsItWasSaved) {
  ASSERT_TRUE(save_calibration(made(), path_).ok());
  const auto back = load();
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(to_json(*back), to_json(made()));
  EXPECT_EQ(back->figures[0].theory, 1.25e11);
  EXPECT_EQ(back->figures[1].theory, -1);
  // Nothing half-written is left beside it.
  EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(path_).parent_path()), {}), 1);
}

TEST_F(CalibrationFile, AnOlderOneIsReplaced) {
  ASSERT_TRUE(save_calibration(made(), path_).ok());
  Calibration newer = made();
  newer.seconds = 7;
  ASSERT_TRUE(save_calibration(newer, path_).ok());
  EXPECT_EQ(load()->seconds, 7);
}

TEST_F(CalibrationFile, NoneIsNotFound) {
  EXPECT_EQ(load().status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(load_calibration("", {}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CalibrationFile, AnotherMachinesIsRefused) {
  ASSERT_TRUE(save_calibration(made(), path_).ok());
  Fingerprint other = made().fingerprint;
  other.microcode = "0x2";
  const absl::Status status = load_calibration(path_, other).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("microcode"), absl::string_view::npos);
}

TEST_F(CalibrationFile, DamagedOnesAreErrors) {
  ASSERT_TRUE(save_calibration(made(), path_).ok());
  const std::string whole = to_json(made());
  for (const std::string& text :
       {std::string(), whole.substr(0, whole.size() / 2), std::string("[]"), std::string("{}"),
        std::string("{\"version\": 99}"), std::string(100'000, '['),
        std::string("{\"version\":1,\"fingerprint\":{},\"taken\":\"\",\"seconds\":1,"
                    "\"figures\":[]}"),
        std::string("\0\xff\xfe", 3)}) {
    damage(text);
    const absl::Status status = load().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text.substr(0, 40);
  }
  damage(whole);
  EXPECT_TRUE(load().ok());
}

TEST_F(CalibrationFile, APlaceThatCannotBeWrittenIsAnError) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "file") << "x";
  EXPECT_EQ(save_calibration(made(), (folder_ / "file/calibration.json").string()).code(),
            absl::StatusCode::kUnavailable);
}

TEST(RooflineOf, TakesTheFastestInstructionsAndTheLastCache) {
  const Roofline roofline = roofline_of(made(), 2);
  EXPECT_EQ(roofline.threads, 2);
  EXPECT_EQ(roofline.peak_f32_flops, 3e11);
  EXPECT_EQ(roofline.single_f32_flops, 1e11);
  EXPECT_EQ(roofline.peak_int8_ops, 4e11);
  EXPECT_EQ(roofline.peak_bf16_flops, -1);
  EXPECT_EQ(roofline.memory_bandwidth, 2e10);
  EXPECT_EQ(roofline.cache_bandwidth, 5e10);
}

TEST(RooflineOf, TakesTheNearestNumberOfThreads) {
  EXPECT_EQ(roofline_of(made(), 16).peak_f32_flops, 3e11);
  EXPECT_EQ(roofline_of(made(), 1).peak_f32_flops, 1e11);
  EXPECT_EQ(roofline_of(made(), 1).memory_bandwidth, -1);
  EXPECT_EQ(roofline_of({}, 4).peak_f32_flops, -1);
}

TEST(CalibrationText, ShowsSpreadAndTheory) {
  const std::string text = to_text(made());
  EXPECT_NE(text.find("±10.0 %"), std::string::npos) << text;
  EXPECT_NE(text.find("96 % of 125GFLOP/s: by hand"), std::string::npos) << text;
  EXPECT_NE(text.find("50.0us"), std::string::npos) << text;
}

}  // namespace
}  // namespace tachostat::profile
