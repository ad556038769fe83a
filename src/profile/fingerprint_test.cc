#include "profile/fingerprint.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tachostat::profile {
namespace {

namespace fs = std::filesystem;

class FingerprintTest : public testing::Test {
 public:
  FingerprintTest()
      : root_(fs::path(testing::TempDir()) /
              (std::string("fingerprint_") +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~FingerprintTest() override { fs::remove_all(root_); }

 protected:
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  // Two cores of two threads.
  void make_machine() const {
    write("proc/cpuinfo",
          "processor\t: 0\nmodel name\t: Test 3000\nmicrocode\t: 0xa1\nflags\t: avx2\n\n"
          "processor\t: 1\nmodel name\t: Other\n");
    write("proc/meminfo", "MemTotal:       16311234 kB\nMemFree: 1 kB\n");
    for (int cpu = 0; cpu < 4; ++cpu) {
      write("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list",
            cpu < 2 ? "0-1\n" : "2,3\n");
    }
    const std::string cpu = "sys/devices/system/cpu/cpu0/";
    const auto cache = [&](int index, const char* level, const char* type, const char* size,
                           const char* shared) {
      const std::string at = cpu + "cache/index" + std::to_string(index) + "/";
      write(at + "level", level);
      write(at + "type", type);
      write(at + "size", size);
      write(at + "shared_cpu_list", shared);
    };
    cache(0, "1\n", "Data\n", "32K\n", "0-1\n");
    cache(1, "1\n", "Instruction\n", "32K\n", "0-1\n");
    cache(2, "2\n", "Unified\n", "512K\n", "0-1\n");
    cache(3, "3\n", "Unified\n", "16M\n", "0-3\n");
    write(cpu + "cpufreq/scaling_governor", "performance\n");
    write("sys/fs/cgroup/cpu.max", "max 100000\n");
  }

  Fingerprint read(const std::vector<int>& allowed = {0, 1, 2, 3}) const {
    return fingerprint_of(root_.string(), allowed);
  }

  const fs::path root_;
};

TEST_F(FingerprintTest, ReadsTheMachinesFiles) {
  make_machine();
  const Fingerprint print = read();
  EXPECT_EQ(print.processor, "Test 3000");
  EXPECT_EQ(print.microcode, "0xa1");
  EXPECT_EQ(print.cores, 2);
  EXPECT_EQ(print.cpus, (std::vector{0, 2, 1, 3}));  // each core first
  ASSERT_EQ(print.caches.size(), 3U);
  EXPECT_EQ(print.caches[0].bytes, 32U << 10);
  EXPECT_EQ(print.caches[0].sharing, 2);
  EXPECT_EQ(print.caches[2].level, 3);
  EXPECT_EQ(print.caches[2].bytes, 16U << 20);
  EXPECT_EQ(print.caches[2].sharing, 4);
  EXPECT_EQ(print.memory_bytes, std::uint64_t{62} * (256U << 20));
  EXPECT_EQ(print.governor, "performance");
  EXPECT_EQ(print.quota, "");
}

TEST_F(FingerprintTest, OnlyAllowedProcessorsCount) {
  make_machine();
  const Fingerprint print = read({0, 1});
  EXPECT_EQ(print.cores, 1);
  EXPECT_EQ(print.caches[2].sharing, 2);
  EXPECT_NE(print.hash(), read().hash());
  EXPECT_EQ(difference(print, read()), "cpus is [0,1], it was [0,2,1,3]");
}

TEST_F(FingerprintTest, AnotherSettingIsAnotherFingerprint) {
  make_machine();
  const Fingerprint before = read();
  EXPECT_EQ(difference(read(), before), "");
  EXPECT_EQ(read().hash(), before.hash());
  write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  EXPECT_EQ(difference(read(), before), "governor is \"powersave\", it was \"performance\"");
  write("sys/fs/cgroup/cpu.max", "150000 100000\n");
  EXPECT_EQ(read().quota, "150000 100000");
}

TEST_F(FingerprintTest, AFewKilobytesOfMemoryMakeNoOtherMachine) {
  make_machine();
  const Fingerprint before = read();
  write("proc/meminfo", "MemTotal:       16300000 kB\n");
  EXPECT_EQ(difference(read(), before), "");
}

TEST_F(FingerprintTest, AnEmptyMachineIsUnknownNotWrong) {
  const Fingerprint print = read({5});
  EXPECT_EQ(print.cpus, std::vector{5});
  EXPECT_EQ(print.cores, 1);
  EXPECT_TRUE(print.caches.empty());
  EXPECT_EQ(print.memory_bytes, 0U);
}

TEST_F(FingerprintTest, DamagedFilesAreLeftOut) {
  make_machine();
  write("proc/cpuinfo", ":\n: :\nmodel name\n\n");
  write("proc/meminfo", "MemTotal: lots\n");
  write("sys/devices/system/cpu/cpu0/cache/index0/size", "huge\n");
  write("sys/devices/system/cpu/cpu0/cache/index2/shared_cpu_list", "9-0,x,-4,,\n");
  const Fingerprint print = read();
  EXPECT_EQ(print.processor, "");
  EXPECT_EQ(print.memory_bytes, 0U);
  ASSERT_EQ(print.caches.size(), 2U);
  EXPECT_EQ(print.caches[0].sharing, 1);
}

TEST_F(FingerprintTest, ComesBackFromJson) {
  make_machine();
  const auto back = fingerprint_from_json(to_json(read()));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(difference(*back, read()), "");
  EXPECT_FALSE(fingerprint_from_json("[]").ok());
  EXPECT_FALSE(fingerprint_from_json("{\"processor\": 3}").ok());
}

TEST(AllowedProcessors, AreNeverNone) { EXPECT_FALSE(allowed_processors().empty()); }

}  // namespace
}  // namespace tachostat::profile
