#include "base/hash.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace tachostat::base {
namespace {

// FIPS 180-2, appendix B.1.
constexpr std::string_view kAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, MatchesThePublishedVector) { EXPECT_EQ(sha256("abc"), kAbc); }

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const std::string path = testing::TempDir() + "hash_test." + std::to_string(getpid());
  std::ofstream(path) << "abc";
  EXPECT_EQ(*sha256_file(path), kAbc);
  std::remove(path.c_str());
  EXPECT_EQ(sha256_file(path).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tachostat::base
