#include "trace/formats/csv.h"

#include <gtest/gtest.h>

#include "trace/formats/words.h"

namespace tachostat::trace {
namespace {

using Rows = std::vector<std::vector<std::string>>;

absl::StatusOr<Rows> rows_of(std::string text, char delimiter = ',') {
  auto input = Input::of(std::move(text), "table.csv");
  if (!input.ok()) return input.status();
  CsvReader csv(*input, delimiter);
  Rows rows;
  std::vector<std::string> row;
  for (;;) {
    const auto more = csv.next(row);
    if (!more.ok()) return more.status();
    if (!*more) return rows;
    rows.push_back(row);
  }
}

TEST(Csv, ReadsQuotedFieldsLinesAndEmptyOnes) {
  EXPECT_EQ(rows_of("a,\"b \"\"c\"\", d\",\r\n\r\n\"two\nlines\",x").value(),
            (Rows{{"a", "b \"c\", d", ""}, {}, {"two\nlines", "x"}}));
  EXPECT_EQ(rows_of("a;b,c\n", ';').value(), (Rows{{"a", "b,c"}}));
  EXPECT_EQ(rows_of("").value(), Rows{});
  EXPECT_EQ(rows_of("\xEF\xBB\xBF"
                    "a\n")
                .value(),
            (Rows{{"a"}}));
}

TEST(Csv, IsLenientWhereToolsAre) {
  EXPECT_EQ(rows_of("TASK,\"CPU_TIME\" (seconds)\n").value(),
            (Rows{{"TASK", "CPU_TIME (seconds)"}}));
  EXPECT_EQ(rows_of("a, \"b,c\" ,5\" wide\n").value(), (Rows{{"a", "b,c ", "5\" wide"}}));
}

TEST(Csv, NamesTheLineOfWhatItCannotRead) {
  const auto open = rows_of("a\nb,\"c\nd");
  EXPECT_EQ(open.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(open.status().ToString().find("table.csv: line 2"), std::string::npos);
  const auto nul = rows_of(std::string("a\0b", 3));
  EXPECT_NE(nul.status().ToString().find("NUL"), std::string::npos);
}

TEST(Csv, RefusesRowsWithoutBounds) {
  EXPECT_FALSE(rows_of(std::string(CsvReader::kMostFieldBytes + 2, 'x')).ok());
  EXPECT_FALSE(rows_of(std::string(CsvReader::kMostFields + 2, ',')).ok());
  EXPECT_TRUE(rows_of(std::string(CsvReader::kMostFields - 1, ',')).ok());
  EXPECT_FALSE(rows_of('"' + std::string(CsvReader::kMostFieldBytes + 2, 'x') + '"').ok());
}

TEST(Csv, FindsTheDelimiterOutsideQuotes) {
  EXPECT_EQ(delimiter_of("a,b;c"), ',');
  EXPECT_EQ(delimiter_of("\"a,b,c\";d;e"), ';');
  EXPECT_EQ(delimiter_of("a\tb\tc,d"), '\t');
  EXPECT_EQ(delimiter_of("alone"), ',');
}

TEST(Csv, ReadsNumbersOnlyWhenNothingElseIsThere) {
  EXPECT_EQ(number_of(" 1,234,567.5 "), 1234567.5);
  EXPECT_EQ(number_of("12.5%"), 12.5);
  EXPECT_EQ(number_of("-3e2"), -300);
  for (const char* wrong :
       {"", "nan", "inf", "1,2", "12,34,567", "0x10", "1 2", "1e999", ",123", "--1"}) {
    EXPECT_FALSE(number_of(wrong).has_value()) << wrong;
  }
  EXPECT_EQ(duration_ns_of("1.5ms", 1), 1.5e6);
  EXPECT_EQ(duration_ns_of("2 s", 1), 2e9);
  EXPECT_EQ(duration_ns_of("3us", 1), 3e3);
  EXPECT_EQ(duration_ns_of("7", 1e3), 7e3);
  EXPECT_FALSE(duration_ns_of("ms", 1).has_value());
}

TEST(Words, KnowEveryToolsTypes) {
  EXPECT_EQ(precision_named("FP32"), "f32");
  EXPECT_EQ(precision_named("float32"), "f32");
  EXPECT_EQ(precision_named("QS8"), "");
  EXPECT_EQ(precision_named(""), "");
  EXPECT_EQ(bits_of_precision("bf16"), 16);
  EXPECT_EQ(precision_in_kernel("jit_avx2_I8"), "i8");
  EXPECT_EQ(precision_in_kernel("undef"), "");
}

TEST(Words, MakeUtf8OfAnyBytes) {
  Import import{.tool = "t\xff"};
  import.layers = {{.name = "l\xc3", .originals = {"o\x80"}, .metrics = {{"m\xfe", 1}}}};
  import.trace.names = {"fine \xc3\xa4", "n\xed\xa0\x80"};
  make_utf8(import);
  EXPECT_EQ(import.tool, "t\xEF\xBF\xBD");
  EXPECT_EQ(import.layers[0].name, "l\xEF\xBF\xBD");
  EXPECT_EQ(import.layers[0].originals[0], "o\xEF\xBF\xBD");
  EXPECT_EQ(import.layers[0].metrics.begin()->first, "m\xEF\xBF\xBD");
  EXPECT_EQ(import.trace.names[0], "fine \xc3\xa4");
  EXPECT_NE(import.trace.names[1], "n\xed\xa0\x80");
}

}  // namespace
}  // namespace tachostat::trace
