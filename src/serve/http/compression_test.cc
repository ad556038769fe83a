#include "serve/http/compression.h"

#include <gtest/gtest.h>

namespace tachostat::serve {
namespace {

std::string compressed(std::string_view text, Coding coding) {
  const auto data = compress({std::as_bytes(std::span(text))}, coding);
  EXPECT_TRUE(data.ok());
  return data.value_or("");
}

TEST(Compression, RoundTrips) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>(i * 7 % 251);
  for (const Coding coding : {Coding::kGzip, Coding::kDeflate}) {
    const auto back = decompress(compressed(text, coding), text.size());
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, text);
    EXPECT_EQ(*decompress(compressed("", coding), 10), "");
  }
  const std::string_view first = "ab", second = "cd";
  const auto joined = compress(
      {std::as_bytes(std::span(first)), {}, std::as_bytes(std::span(second))}, Coding::kGzip);
  EXPECT_EQ(*decompress(*joined, 10), "abcd");
}

TEST(Compression, ABombIsStoppedAtTheLimit) {
  const std::string bomb = compressed(std::string(10'000'000, '\0'), Coding::kGzip);
  ASSERT_LT(bomb.size(), 100'000u);
  EXPECT_EQ(decompress(bomb, 1'000'000).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(Compression, BrokenDataIsRefused) {
  const std::string whole = compressed("hello hello hello", Coding::kGzip);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_FALSE(decompress(whole.substr(0, cut), 1000).ok()) << cut;
  }
  EXPECT_FALSE(decompress("plain text", 1000).ok());
  EXPECT_FALSE(decompress(whole + "x", 1000).ok());
}

TEST(Compression, ChoosesWhatTheClientTakes) {
  EXPECT_EQ(choose_coding("gzip", false), Coding::kGzip);
  EXPECT_EQ(choose_coding("br, Deflate;q=0.5, gzip", false), Coding::kDeflate);
  EXPECT_EQ(choose_coding("gzip;q=0, identity", false), Coding::kIdentity);
  EXPECT_EQ(choose_coding("br", false), Coding::kIdentity);
  EXPECT_EQ(choose_coding("", false), Coding::kIdentity);
  EXPECT_EQ(choose_coding(",;,", false), Coding::kIdentity);
  EXPECT_EQ(choose_coding("gzip", true), Coding::kGzip);
  EXPECT_EQ(choose_coding("gzip, deflate", true), Coding::kIdentity);
  EXPECT_EQ(*coding_of("gzip"), Coding::kGzip);
  EXPECT_FALSE(coding_of("br").ok());
}

}  // namespace
}  // namespace tachostat::serve
