// For tests: the machines of test/data/make_roots.py, and copies of them to change.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "probe/sensors/sensor.h"

namespace tachostat::probe {

// The root of one machine, not to be changed: "intel_laptop".
inline std::string root_of(std::string_view machine) {
  return TACHOSTAT_TEST_ROOTS "/" + std::string(machine);
}

// A machine of the test's own, copied or empty.
class ChangedRoot {
 public:
  explicit ChangedRoot(std::string_view machine = "") {
    std::string pattern = testing::TempDir() + "tachostat_root_XXXXXX";
    path_ = mkdtemp(pattern.data());
    if (!machine.empty()) {
      std::filesystem::copy(
          root_of(machine), path_,
          std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
    }
  }
  ~ChangedRoot() { std::filesystem::remove_all(path_); }
  ChangedRoot(const ChangedRoot&) = delete;
  ChangedRoot& operator=(const ChangedRoot&) = delete;

  const std::string& path() const { return path_; }
  void write(std::string_view file, std::string_view content) const {
    const std::filesystem::path at = path_ + std::string(file);
    std::filesystem::create_directories(at.parent_path());
    std::ofstream(at) << content << '\n';
  }
  void remove(std::string_view file) const {
    std::filesystem::remove_all(path_ + std::string(file));
  }

 private:
  std::string path_;
};

inline SensorOptions at_root(const std::string& root) {
  SensorOptions options;
  options.root = root;
  return options;
}

// Reads once; the readings by name. A name that is there twice fails the test.
inline std::map<std::string, double> values_of(Sensor& sensor) {
  std::vector<Reading> readings;
  const absl::Status status = sensor.read(readings);
  EXPECT_TRUE(status.ok()) << status;
  std::map<std::string, double> values;
  for (const Reading& reading : readings) {
    EXPECT_TRUE(values.emplace(reading.name, reading.value).second) << reading.name << " twice";
  }
  return values;
}

inline std::map<std::string, std::string> facts_of(const Sensor& sensor) {
  std::map<std::string, std::string> facts;
  for (const Fact& fact : sensor.facts()) facts.emplace(fact.name, fact.value);
  return facts;
}

inline std::string reason(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

}  // namespace tachostat::probe
