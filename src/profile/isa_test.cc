#include "profile/isa.h"

#include <gtest/gtest.h>

namespace tachostat::profile {
namespace {

// A processor with every bit set.
ProcessorWords everything(std::uint64_t xcr0) {
  return {.architecture = Architecture::kX86,
          .cpuid =
              [](std::uint32_t, std::uint32_t) {
                return std::array<std::uint32_t, 4>{~0U, ~0U, ~0U, ~0U};
              },
          .xcr0 = xcr0};
}

TEST(InstructionSets, AProcessorsBitsAreReadWhereTheyLie) {
  const ProcessorWords zen3 = {.architecture = Architecture::kX86,
                               .cpuid =
                                   [](std::uint32_t leaf, std::uint32_t subleaf) {
                                     std::array<std::uint32_t, 4> words{};
                                     if (leaf == 1) words[2] = 1U << 12 | 1U << 20 | 1U << 28;
                                     if (leaf == 7 && subleaf == 0) words[1] = 1U << 5;
                                     return words;
                                   },
                               .xcr0 = 7};
  const auto sets = instruction_sets(zen3);
  EXPECT_TRUE(has(sets, "avx2"));
  EXPECT_TRUE(has(sets, "fma"));
  EXPECT_TRUE(has(sets, "sse4_2"));
  EXPECT_FALSE(has(sets, "f16c"));
  EXPECT_FALSE(has(sets, "avx512f"));
  EXPECT_FALSE(has(sets, "no such set"));
}

TEST(InstructionSets, WhatTheSystemDoesNotSaveIsAbsent) {
  EXPECT_TRUE(has(instruction_sets(everything(0x600e6)), "amx_int8"));
  EXPECT_TRUE(has(instruction_sets(everything(0xe6)), "avx512_vnni"));
  EXPECT_FALSE(has(instruction_sets(everything(0xe6)), "amx_int8"));
  EXPECT_FALSE(has(instruction_sets(everything(0x6)), "avx512f"));
  EXPECT_TRUE(has(instruction_sets(everything(0x6)), "avx_vnni"));
  EXPECT_FALSE(has(instruction_sets(everything(0)), "avx"));
  EXPECT_TRUE(has(instruction_sets(everything(0)), "sse4_2"));
}

TEST(InstructionSets, ArmsComeFromTheSystemsWords) {
  const auto sets = instruction_sets(
      {.architecture = Architecture::kArm, .hwcap = 1U << 1 | 1U << 20, .hwcap2 = 1U << 13});
  EXPECT_TRUE(has(sets, "asimddp"));
  EXPECT_TRUE(has(sets, "i8mm"));
  EXPECT_FALSE(has(sets, "bf16"));
  EXPECT_FALSE(has(sets, "sve"));
}

TEST(InstructionSets, AnUnknownArchitectureHasNone) {
  EXPECT_TRUE(instruction_sets({}).empty());
  EXPECT_TRUE(instruction_sets({.architecture = Architecture::kX86}).empty());
}

TEST(InstructionSets, ThisProcessorSaysSomething) {
#if defined(__x86_64__) || defined(__aarch64__)
  EXPECT_FALSE(instruction_sets(this_processor()).empty());
#endif
}

}  // namespace
}  // namespace tachostat::profile
