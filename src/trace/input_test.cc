#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "trace/import.h"

namespace tachostat::trace {
namespace {

std::string packed(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + ",";
  return text;
}

TEST(Input, GivesTheStartAgainAndThenTheRest) {
  const std::string text = long_text();
  auto input = Input::of(text);
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->start(), text.substr(0, Input::kStart));
  EXPECT_EQ(input->all().value(), text);
  char byte = 0;
  EXPECT_EQ(input->read(&byte, 1).value(), 0u);
  EXPECT_EQ(input->start(), text.substr(0, Input::kStart));
}

TEST(Input, UnpacksGzipOfSeveralMembers) {
  const std::string text = long_text();
  auto input = Input::of(packed(text) + packed("the end"));
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->start(), text.substr(0, Input::kStart));
  EXPECT_EQ(input->all().value(), text + "the end");
}

TEST(Input, SaysThatGzipIsCutOffOrDamaged) {
  const std::string whole = packed(long_text());
  auto cut = Input::of(whole.substr(0, whole.size() / 2), "cut.gz");
  ASSERT_TRUE(cut.ok());
  const auto text = cut->all();
  EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(text.status().ToString().find("cut.gz"), std::string::npos);

  std::string damaged = whole;
  damaged[20] = static_cast<char>(damaged[20] ^ 0x55);
  auto start = Input::of(damaged);
  EXPECT_FALSE(start.ok() && start->all().ok());
}

TEST(Input, RefusesMoreThanTheLimit) {
  auto input = Input::of(packed(std::string(1'000'000, 'x')));
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->all(999'999).status().code(), absl::StatusCode::kResourceExhausted);
  auto fits = Input::of(packed(std::string(1'000'000, 'x')));
  EXPECT_EQ(fits->all(1'000'000).value().size(), 1'000'000u);
}

TEST(Input, OpensFilesAndNamesWhatCannotBeOpened) {
  const std::string path = testing::TempDir() + "/input_test.txt";
  std::ofstream(path) << "plain";
  auto input = Input::open(path);
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->plain_path(), path);
  EXPECT_EQ(input->all().value(), "plain");
  std::filesystem::remove(path);
  EXPECT_EQ(Input::open(path).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Input::open(testing::TempDir()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Input, EmptyIsEmpty) {
  auto input = Input::of("");
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->start(), "");
  EXPECT_EQ(input->all().value(), "");
}

}  // namespace
}  // namespace tachostat::trace
