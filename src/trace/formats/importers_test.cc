#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "trace/formats/chrome.h"
#include "trace/formats/formats.h"

namespace tachostat::trace {
namespace {

using testing::HasSubstr;

TEST(Importers, HaveDistinctNamesAndHelp) {
  std::set<std::string_view> names;
  for (const Importer* importer : importers()) {
    EXPECT_TRUE(names.insert(importer->name).second) << importer->name;
    EXPECT_FALSE(importer->help.empty()) << importer->name;
  }
}

TEST(Importers, ReadOurOwnTraceUnasked) {
  Trace trace;
  trace.names = {"conv"};
  trace.spans = {{.begin_ns = 1000, .end_ns = 3000, .name = 0, .thread = 7, .kind = Kind::kLayer}};
  std::ostringstream text;
  write_chrome(trace, text);
  auto input = Input::of(text.str());
  ASSERT_TRUE(input.ok());
  const auto import = import_from(*input);
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->tool, "tachostat");
  ASSERT_EQ(import->trace.spans.size(), 1u);
  EXPECT_EQ(import->trace.spans[0].begin_ns, 1000u);
}

TEST(Importers, NameTheFormatsWhenNoneFits) {
  auto input = Input::of("nothing that anyone writes", "odd.bin");
  ASSERT_TRUE(input.ok());
  const absl::Status unknown = import_from(*input).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(unknown.ToString(), HasSubstr("odd.bin"));
  EXPECT_THAT(unknown.ToString(), HasSubstr("tachostat"));
  EXPECT_THAT(import_from(*input, "no-such").status().ToString(), HasSubstr("'no-such'"));
}

TEST(Combine, JoinsRowsByNameAndFillsWhatIsOpen) {
  Import times{.tool = "a"};
  times.layers = {{.name = "conv", .count = 5, .mean_ns = 100}, {.name = "only times"}};
  Import facts{.tool = "b", .model = "net"};
  facts.layers = {{.name = "conv", .type = "Convolution", .precision = "i8"},
                  {.name = "only facts"}};
  const auto whole = combine({times, facts});
  ASSERT_TRUE(whole.ok());
  ASSERT_EQ(whole->layers.size(), 3u);
  EXPECT_EQ(whole->layers[0].count, 5u);
  EXPECT_EQ(whole->layers[0].type, "Convolution");
  EXPECT_EQ(whole->layers[2].name, "only facts");
  EXPECT_EQ(whole->tool, "a, b");
  EXPECT_EQ(whole->model, "net");
}

TEST(Combine, RefusesTwoTimelines) {
  Import one;
  one.trace.names = {"x"};
  one.trace.spans = {{.begin_ns = 1, .end_ns = 2}};
  EXPECT_FALSE(combine({one, one}).ok());
  EXPECT_FALSE(combine({}).ok());
}

}  // namespace
}  // namespace tachostat::trace
