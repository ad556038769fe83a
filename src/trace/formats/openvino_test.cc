#include <gmock/gmock.h>

#include "trace/formats/corpus_test_support.h"

namespace tachostat::trace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string layer(std::string_view attributes) {
  return "<net name=\"n\"><layers><layer id=\"0\" name=\"conv\" type=\"Convolution\"><data " +
         std::string(attributes) + "/></layer></layers></net>";
}

TEST(OpenvinoGraph, MapsEveryAttributeInExecutionOrder) {
  const auto import = import_text(corpus("openvino-graph", "small.xml"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->tool, "openvino");
  EXPECT_EQ(import->model, "net");
  // Constants are no layers.
  ASSERT_EQ(import->layers.size(), 3u);
  const LayerRow& in = import->layers[0];
  EXPECT_EQ(in.name, "in");
  EXPECT_EQ(in.count, 0u);
  EXPECT_EQ(in.mean_ns, -1);
  EXPECT_EQ(in.bytes, -1);  // a dynamic dimension
  const LayerRow& conv = import->layers[1];
  EXPECT_EQ(conv.name, "conv");
  EXPECT_THAT(conv.originals, ElementsAre("conv", "bias", "relu"));
  EXPECT_EQ(conv.type, "Convolution");
  EXPECT_EQ(conv.kernel, "brgconv_avx512_I8");
  EXPECT_EQ(conv.precision, "i8");
  EXPECT_EQ(conv.layout, "acdb");
  EXPECT_EQ(conv.count, 1u);
  EXPECT_EQ(conv.mean_ns, 1'234'000);
  const LayerRow& out = import->layers[2];
  EXPECT_EQ(out.name, "out");
  EXPECT_EQ(out.bytes, 2 * 10 * 4);
}

TEST(OpenvinoGraph, ReadsWhatBenchmarkAppWrote) {
  const auto import = import_file(sample("openvino_exec_graph.xml.gz"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_GT(import->layers.size(), 100u);
  const LayerRow* conv = row_named(*import, "Multiply_10240");
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(conv->kernel, "brgconv_avx2_f32");
  EXPECT_EQ(conv->mean_ns, 36'000);
  // In 1x3x48x192, weights 8x3x3x3, bias 8, out 1x8x24x96.
  EXPECT_EQ(conv->bytes, 4 * (3 * 48 * 192 + 8 * 27 + 8 + 8 * 24 * 96));
  expect_sound_rows(*import);
}

TEST(OpenvinoGraph, SaysWhatIsWrong) {
  EXPECT_THAT(import_text("<html/>", "openvino-graph").status().ToString(), HasSubstr("<html>"));
  EXPECT_THAT(import_text("", "openvino-graph").status().ToString(), HasSubstr("not XML"));
  EXPECT_THAT(import_text(layer("stride=\"1\""), "openvino-graph").status().ToString(),
              HasSubstr("exec_graph_path"));
  EXPECT_THAT(import_text(layer("execTimeMcs=\"soon\""), "openvino-graph").status().ToString(),
              HasSubstr("'conv': execTimeMcs is \"soon\""));
  EXPECT_THAT(import_text(layer("execTimeMcs=\"-5\""), "openvino-graph").status().ToString(),
              HasSubstr("execTimeMcs"));
  EXPECT_THAT(import_text(layer("execOrder=\"first\""), "openvino-graph").status().ToString(),
              HasSubstr("execOrder"));
}

TEST(OpenvinoGraph, TakesNoHarmFromHostileXml) {
  // Entities are not expanded, so they cannot grow; depth costs no stack.
  const std::string bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;\">]>" +
                           layer("execOrder=\"&b;\"");
  EXPECT_FALSE(import_text(bomb, "openvino-graph").ok());
  std::string deep;
  for (int i = 0; i < 300'000; ++i) deep += "<net>";
  EXPECT_FALSE(import_text(deep, "openvino-graph").ok());
  const auto huge = import_text(std::string((std::size_t{32} << 20) + 1, ' '), "openvino-graph");
  EXPECT_EQ(huge.status().code(), absl::StatusCode::kResourceExhausted);
  expect_clear_answers_to_damage(corpus("openvino-graph", "small.xml"), "openvino-graph");
}

TEST(OpenvinoCounters, AddsUpTheTablesOfAllRequests) {
  const std::string table =
      "layerName;execStatus;layerType;execType;realTime (ms);cpuTime (ms)\n"
      "conv;Status.EXECUTED;Convolution;brgconv_avx512_I8;1.5;1.25\n"
      "relu;Status.NOT_RUN;Relu;undef;0.000;0.000\n"
      "Total;;;;1.5;1.25\n\n"
      "layerName;execStatus;layerType;execType;realTime (ms);cpuTime (ms)\n"
      "conv;EXECUTED;Convolution;brgconv_avx512_I8;2.5;1.75\n"
      "relu;OPTIMIZED_OUT;Relu;undef;0.000;0.000\n"
      "Total;;;;2.5;1.75\n\n";
  const auto import = import_text(table);
  ASSERT_TRUE(import.ok()) << import.status();
  ASSERT_EQ(import->layers.size(), 2u);
  const LayerRow& conv = import->layers[0];
  EXPECT_EQ(conv.name, "conv");
  EXPECT_EQ(conv.type, "Convolution");
  EXPECT_EQ(conv.kernel, "brgconv_avx512_I8");
  EXPECT_EQ(conv.precision, "i8");
  EXPECT_EQ(conv.count, 2u);
  EXPECT_EQ(conv.mean_ns, 2e6);
  EXPECT_EQ(conv.min_ns, 1.5e6);
  EXPECT_EQ(conv.max_ns, 2.5e6);
  EXPECT_EQ(conv.metrics.at("cpu_ns"), 1.5e6);
  EXPECT_EQ(import->layers[1].count, 0u);
  EXPECT_EQ(import->layers[1].kernel, "");
}

TEST(OpenvinoCounters, ReadWhatBenchmarkAppWroteTogetherWithItsReport) {
  auto counters = import_file(sample("openvino_detailed_counters.csv"));
  ASSERT_TRUE(counters.ok()) << counters.status();
  auto report = import_file(sample("openvino_report.csv"));
  ASSERT_TRUE(report.ok()) << report.status();
  const auto whole = combine({*counters, *report});
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->requests, 20u);
  EXPECT_EQ(whole->request_mean_ns, 2.0e6);
  EXPECT_EQ(whole->model, "Model1");
  ASSERT_NE(row_named(*whole, "Add@43"), nullptr);
  EXPECT_NEAR(row_named(*whole, "Add@43")->mean_ns, 657e3, 1);
  const auto sorted = import_file(sample("openvino_sorted_counters.csv"));
  ASSERT_TRUE(sorted.ok()) << sorted.status();
  EXPECT_EQ(sorted->layers[0].name, "Add@43");
  expect_sound_rows(*sorted);
}

TEST(OpenvinoCounters, SaysWhatIsWrong) {
  EXPECT_THAT(import_text("layerName;execStatus\n", "openvino-counters").status().ToString(),
              HasSubstr("realTime (ms)"));
  EXPECT_THAT(
      import_text("layerName;execStatus;realTime (ms)\nconv;EXECUTED;fast\n").status().ToString(),
      HasSubstr("line 2: layer 'conv': \"realTime (ms)\" is \"fast\""));
  EXPECT_FALSE(import_text("", "openvino-counters").ok());
  EXPECT_FALSE(import_text("a;b\nc;d\n", "openvino-counters").ok());
  expect_clear_answers_to_damage(corpus("openvino-counters", "counters.csv"), "openvino-counters");
  expect_clear_answers_to_damage(corpus("openvino-counters", "report.csv"), "openvino-counters");
}

}  // namespace
}  // namespace tachostat::trace
