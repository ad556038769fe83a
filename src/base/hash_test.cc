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

// RFC 4231, test cases 2 and 6 (a key longer than the hash's block).
TEST(HmacSha256, MatchesThePublishedVectors) {
  EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_sha256(std::string(131, '\xaa'),
                        "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Sha256, OfPiecesIsThatOfTheWhole) {
  Sha256 hash;
  hash.add("ab");
  hash.add("");
  hash.add("c");
  EXPECT_EQ(hash.hex(), sha256("abc"));
}

}  // namespace
}  // namespace tachostat::base
