#include "app/optimize/report_html.h"

#include <gtest/gtest.h>

#include <limits>

#include "app/optimize/report_parts.h"

namespace tachostat::app {
namespace {

constexpr const char* kHostile = "<script>alert('&\"')</script>\x01\xff";

Outcome outcome(const std::string& name, Outcome::Verdict verdict, double ms, double ratio) {
  return {.name = name,
          .reason = "a reason",
          .variant = {},
          .verdict = verdict,
          .selection = {20, 0, 0.1},
          .report = {50, 0.001, 0.008},
          .service_ms = ms,
          .saturated_ms = ms,
          .latency = {ratio, ratio * 0.9, ratio * 1.1, 24, ratio * 1.1 < 1},
          .throughput_time = {ratio, ratio * 0.9, ratio * 1.1, 24}};
}

OptimizeResult result_of() {
  OptimizeResult result;
  result.model = "net";
  result.metric = "top1";
  result.samples = 1000;
  result.report_samples = 500;
  result.outcomes = {outcome("f32", Outcome::Verdict::kBaseline, 10, 1),
                     outcome("one stream", Outcome::Verdict::kVerified, 9, 0.95),
                     outcome("int8, one stream", Outcome::Verdict::kChosen, 5, 0.5)};
  result.chosen = 2;
  result.best_default = 0;
  result.sentence = "int8: twice as fast";
  return result;
}

OptimizeResult nothing_chosen() {
  OptimizeResult result = result_of();
  result.chosen = -1;
  result.outcomes[2].verdict = Outcome::Verdict::kRefused;
  result.outcomes[2].sentence = "not proved accurate";
  result.outcomes[2].report = {500, 0.004, 0.021};
  result.outcomes[2].samples_needed = 1234;
  return result;
}

bool has(const std::string& html, std::string_view part) {
  return html.find(part) != std::string::npos;
}

TEST(ReportHtml, EscapesWhateverMarkupAndControlsAreMadeOf) {
  EXPECT_EQ(escape("a<b>&\"'\x01\n\x7f"), "a&lt;b&gt;&amp;&quot;&#39;   ");
  EXPECT_EQ(escape("\xff|"), "\xEF\xBF\xBD|");
  EXPECT_EQ(escape("×"), "×");
}

TEST(ReportHtml, TextOfOthersIsEscapedEverywhere) {
  OptimizeResult result = nothing_chosen();
  for (std::string* text :
       {&result.model, &result.model_hash, &result.data, &result.data_hash, &result.engine_version,
        &result.machine_name, &result.metric, &result.metric_reason, &result.sentence}) {
    *text = kHostile;
  }
  for (Outcome& one : result.outcomes) {
    one.name = one.reason = one.sentence = kHostile;
    one.variant.device = kHostile;
  }
  profile::LayerProfile layer{.name = kHostile,
                              .originals = {kHostile},
                              .type = kHostile,
                              .kernel = kHostile,
                              .precision = kHostile};
  layer.time.record(1000);
  profile::LayerProfile step = layer;
  step.originals.clear();
  result.before.layers = result.after.layers = {layer, step, layer};
  result.switched = {std::string("int8 product Convolution ") + kHostile, kHostile};
  result.placement.tries = {{kHostile, 1, 2}};
  result.promises = {{.rules = {kHostile},
                      .remedy = kHostile,
                      .objective = kHostile,
                      .summary = kHostile,
                      .tried = kHostile,
                      .against = kHostile}};
  for (const int chosen : {-1, 2}) {
    result.chosen = chosen;
    const std::string html = to_html(result);
    EXPECT_FALSE(has(html, "<script"));
    EXPECT_FALSE(has(html, "alert('"));
    EXPECT_FALSE(has(html, "\x01"));
    EXPECT_FALSE(has(html, "\xff"));
    EXPECT_TRUE(has(html, "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)"));
  }
}

TEST(ReportHtml, NeedsNothingFromElsewhere) {
  const std::string html = to_html(result_of());
  for (const char* part : {"<link", "src=", "url(", "@import", "http:", "https:"}) {
    EXPECT_FALSE(has(html, part)) << part;
  }
  EXPECT_TRUE(has(html, "default-src 'none'"));
}

TEST(ReportHtml, PromisesStandBesideWhatCameOfThem) {
  OptimizeResult result = result_of();
  result.promises = {{.rules = {"compute-bound", "memory-bound"},
                      .remedy = "quantise",
                      .objective = "latency",
                      .summary = "convolutions",
                      .promised_low = 0.2,
                      .promised_high = 0.45,
                      .tried = "int8",
                      .against = "fixed",
                      .gain = 0.37,
                      .gain_low = 0.34,
                      .gain_high = 0.4,
                      .verdict = Promise::Verdict::kHeld},
                     {.rules = {"throttled"}, .remedy = "cooling"}};
  result.outcomes[2].memory_bytes = 82'100'000;
  const std::string html = to_html(result);
  for (const char* part :
       {"compute-bound, memory-bound", "20.0 to 45.0 %", "37.0 %", "34.0 to 40.0 %",
        "int8 against fixed", "held", "cooling", "not tried", "open", "82.1 MB"}) {
    EXPECT_TRUE(has(html, part)) << part;
  }
  result.promises.clear();
  EXPECT_FALSE(has(to_html(result), "held the default back"));
}

TEST(ReportHtml, ShowsEveryOutcomeWithItsVerdictReasonAndSentence) {
  OptimizeResult result = nothing_chosen();
  result.outcomes[1].reason = "all threads";
  const std::string html = to_html(result);
  for (const char* part :
       {"<b>f32</b>", "<b>one stream</b>", "<b>int8, one stream</b>", "all threads",
        "not proved accurate", ">baseline<", ">verified<", ">refused<"}) {
    EXPECT_TRUE(has(html, part)) << part;
  }
}

TEST(ReportHtml, OutcomesThatWereNeverRacedAreListedAndNotDrawn) {
  OptimizeResult result = result_of();
  result.outcomes[1].service_ms = result.outcomes[1].saturated_ms = 0;
  EXPECT_TRUE(has(to_html(result), "not raced"));
  for (Outcome& one : result.outcomes) one.service_ms = one.saturated_ms = 0;
  EXPECT_EQ(frontier_plot(result), "");
}

TEST(ReportHtml, TilesTellTheChosenBesideTheBestDefault) {
  const std::string html = to_html(result_of());
  EXPECT_TRUE(has(html, "2.00×"));
  EXPECT_TRUE(has(html, "was 10.0 ms"));
  EXPECT_FALSE(has(html, "What would be needed"));
}

TEST(ReportHtml, WithoutAChoiceItSaysWhatIsBestAndWhatIsNeeded) {
  const std::string html = to_html(nothing_chosen());
  EXPECT_TRUE(has(html, "The best try was <b>int8, one stream</b>"));
  EXPECT_TRUE(has(html, "About 2468 samples in all would prove 1.00 %"));
  EXPECT_TRUE(has(html, "<b>one stream</b> looks 1.05× as fast"));
}

TEST(ReportHtml, TooFewSamplesForAnyProofAreTold) {
  OptimizeResult result = nothing_chosen();
  result.report_samples = 40;
  EXPECT_TRUE(has(to_html(result), "40 report samples cannot prove"));
}

TEST(ReportHtml, AnIntervalWithoutBoundIsDrawnAndNamed) {
  OptimizeResult result = result_of();
  result.outcomes[2].latency = {0.5, 0, std::numeric_limits<double>::infinity(), 3};
  const std::string html = to_html(result);
  EXPECT_TRUE(has(html, "no bound yet"));
  EXPECT_FALSE(has(html, "nan"));
  EXPECT_FALSE(has(html, "inf\""));
}

TEST(ReportHtml, AnEmptyResultIsAPageStill) {
  const std::string html = to_html({});
  EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(html.ends_with("</html>\n"));
  EXPECT_FALSE(has(html, "Where quantisers pay"));
  EXPECT_FALSE(has(html, "Where the time goes"));
}

TEST(ReportHtml, AnEmptyPlacementIsToldAsNoGain) {
  OptimizeResult result = result_of();
  result.placement.tries = {{"f32", 100, 100}, {"all, around zero", 130, 100}};
  result.placement.f32_ns = 100, result.placement.ns = 130;
  EXPECT_TRUE(has(to_html(result), "nothing is quantised"));
}

TEST(ReportText, LinesFitAndLongSentencesHaveLinesOfTheirOwn) {
  OptimizeResult result = nothing_chosen();
  std::string sentence;
  for (int i = 0; i < 60; ++i) sentence += "wörds ";
  result.outcomes[2].sentence = sentence;
  result.outcomes[1].name = std::string(90, 'n');
  const std::string text = to_text(result);
  EXPECT_TRUE(has(text, "\n    wörds wörds"));
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = text.find('\n', begin);
    std::size_t columns = 0;
    for (const char c : text.substr(begin, end - begin)) columns += (c & 0xC0) != 0x80 ? 1 : 0;
    EXPECT_LE(columns, 100U) << text.substr(begin, end - begin);
    begin = end + 1;
  }
}

}  // namespace
}  // namespace tachostat::app
