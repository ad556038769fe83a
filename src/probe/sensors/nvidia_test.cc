#include <dlfcn.h>

#include "probe/sensors/fake_nvml.h"
#include "probe/sensors/sources.h"
#include "probe/sensors/test_roots.h"

namespace tachostat::probe {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

class Nvidia : public testing::Test {
 protected:
  void SetUp() override {
    void* const library = dlopen(FAKE_NVML_LIBRARY, RTLD_NOW);
    ASSERT_NE(library, nullptr) << dlerror();
    const auto find = reinterpret_cast<FakeNvmlState* (*)()>(dlsym(library, "fake_nvml_state"));
    ASSERT_NE(find, nullptr);
    state_ = find();
    *state_ = {.init_result = 0,
               .devices = 1,
               .lost = ~0U,
               .energy_result = 0,
               .milliwatts = 412500,
               .millijoules = 7000000,
               .celsius = 64,
               .megahertz = 1755,
               .reasons = 0x04,
               .shutdowns = 0};
  }
  static std::unique_ptr<Sensor> make() {
    SensorOptions options = at_root(root_of("empty"));
    options.nvml_library = FAKE_NVML_LIBRARY;
    return make_nvidia(options);
  }

  FakeNvmlState* state_ = nullptr;
};

TEST_F(Nvidia, TellsWhatTheDriverKnows) {
  const auto nvidia = make();
  ASSERT_TRUE(nvidia->available().ok()) << nvidia->available();
  // The fake has neither a power limit nor a greatest clock, as an old driver.
  EXPECT_THAT(
      values_of(*nvidia),
      UnorderedElementsAre(
          Pair("nvidia/gpu0", 412.5), Pair("nvidia/gpu0/energy", 7000),
          Pair("nvidia/gpu0/temperature", 64), Pair("nvidia/gpu0/clock", 1755e6),
          Pair("nvidia/gpu0/memory_clock", 2619e6), Pair("nvidia/gpu0/busy", 0.97),
          Pair("nvidia/gpu0/memory_busy", 0.41), Pair("nvidia/gpu0/memory_used", 20.0 * (1 << 30)),
          Pair("nvidia/gpu0/memory_total", 80.0 * (1 << 30)),
          Pair("nvidia/gpu0/slowed_by/power_cap", 1), Pair("nvidia/gpu0/slowed_by/thermal", 0),
          Pair("nvidia/gpu0/slowed_by/hardware", 0)));
  EXPECT_THAT(facts_of(*nvidia), UnorderedElementsAre(Pair("nvidia/driver", "555.42"),
                                                      Pair("nvidia/gpu0", "NVIDIA Fake 100")));
}

TEST_F(Nvidia, LeavesOutWhatAGpuDoesNotHave) {
  state_->energy_result = 3;
  EXPECT_THAT(values_of(*make()), Not(Contains(Key("nvidia/gpu0/energy"))));
}

TEST_F(Nvidia, GoesOnWithTheOthersWhenAGpuIsLost) {
  state_->devices = 2;
  const auto nvidia = make();
  state_->lost = 0;
  const auto values = values_of(*nvidia);
  EXPECT_THAT(values, Contains(Key("nvidia/gpu1")));
  EXPECT_THAT(values, Not(Contains(Key("nvidia/gpu0"))));
}

TEST_F(Nvidia, FailsWhenNoGpuAnswers) {
  const auto nvidia = make();
  state_->lost = 0;
  std::vector<Reading> readings;
  EXPECT_THAT(reason(nvidia->read(readings)), HasSubstr("GPU is lost"));
}

TEST_F(Nvidia, LeavesOutWhatCannotBeTrue) {
  state_->milliwatts = ~0U;
  state_->celsius = 255;
  const auto nvidia = make();
  EXPECT_THAT(values_of(*nvidia), Not(Contains(Key("nvidia/gpu0"))));
  EXPECT_THAT(nvidia->left_out(), ElementsAre(HasSubstr("4294967.295 W"), HasSubstr("255 Cel")));
}

TEST_F(Nvidia, KeepsItsEnergyWhenTheDriverStartsAnew) {
  const auto nvidia = make();
  values_of(*nvidia);
  state_->millijoules = 1000;
  EXPECT_EQ(values_of(*nvidia)["nvidia/gpu0/energy"], 7000);
  state_->millijoules = 3000;
  EXPECT_EQ(values_of(*nvidia)["nvidia/gpu0/energy"], 7002);
}

TEST_F(Nvidia, TellsHeatFromPower) {
  state_->reasons = 0x40 | 0x01;
  EXPECT_THAT(values_of(*make()), IsSupersetOf({Pair("nvidia/gpu0/slowed_by/thermal", 1.),
                                                Pair("nvidia/gpu0/slowed_by/power_cap", 0.)}));
}

TEST_F(Nvidia, SaysWhyItIsNotThere) {
  state_->init_result = 9;
  EXPECT_THAT(reason(make()->available()), HasSubstr("Driver Not Loaded"));
  state_->init_result = 0;
  state_->devices = 0;
  EXPECT_THAT(reason(make()->available()), HasSubstr("shows no GPU"));
  SensorOptions options = at_root(root_of("empty"));
  options.nvml_library = "/nowhere/libnvidia-ml.so.1";
  EXPECT_THAT(reason(make_nvidia(options)->available()), HasSubstr("no NVIDIA driver"));
  options.nvml_library = "libm.so.6";
  EXPECT_THAT(reason(make_nvidia(options)->available()), HasSubstr("has not the functions"));
}

TEST_F(Nvidia, ClosesWhatItOpened) {
  make();
  EXPECT_EQ(state_->shutdowns, 1);
}

}  // namespace
}  // namespace tachostat::probe
