// VTune, uProf and Streamline.
#include "trace/formats/hotspots.h"

#include <gmock/gmock.h>

#include "trace/formats/corpus_test_support.h"

namespace tachostat::trace {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(Vtune, ReadsFunctionsWithTheirMetrics) {
  const auto import = import_text(corpus("vtune", "hotspots.csv"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->tool, "vtune");
  ASSERT_EQ(import->layers.size(), 3u);
  const LayerRow& hot = import->layers[0];
  EXPECT_EQ(hot.name, "brgemm<float, 4>");
  EXPECT_EQ(hot.type, "function");
  EXPECT_EQ(hot.kernel, "libopenvino.so!brgemm<float, 4>");
  EXPECT_EQ(hot.count, 1u);
  EXPECT_EQ(hot.mean_ns, 2.5e9);
  EXPECT_EQ(hot.metrics.at("Instructions Retired:Self"), 8.6e9);
  EXPECT_EQ(hot.metrics.at("CPI Rate:Self"), 0.5);
  EXPECT_EQ(hot.metrics.count("CPU Time:Total"), 0u);  // of callees too
  // One name in two modules.
  EXPECT_EQ(import->layers[1].name, "libc.so.6!memcpy");
  EXPECT_EQ(import->layers[2].name, "app!memcpy");
  EXPECT_THAT(import->notes, Contains(HasSubstr("functions, not layers")));
}

TEST(Vtune, AddsUpACallTreeAndReadsUnits) {
  const auto import = import_text(corpus("vtune", "topdown.csv"));
  ASSERT_TRUE(import.ok()) << import.status();
  ASSERT_EQ(import->layers.size(), 2u);
  EXPECT_EQ(import->layers[0].name, "infer");
  EXPECT_EQ(import->layers[0].mean_ns, 2.5e9);
  EXPECT_EQ(import->layers[1].name, "main");
}

TEST(Vtune, ReadsTasksWithTheirCounts) {
  const auto import = import_text(corpus("vtune", "tasks.csv"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->layers[0].name, "Convolution_1");
  EXPECT_EQ(import->layers[0].count, 25u);
  EXPECT_EQ(import->layers[0].mean_ns, 30e6);
}

TEST(Vtune, SaysWhatIsWrong) {
  EXPECT_THAT(import_text("", "vtune").status().ToString(), HasSubstr("no header"));
  EXPECT_THAT(import_text("a,b\n1,2\n", "vtune").status().ToString(), HasSubstr("no header"));
  EXPECT_THAT(import_text("Function,CPU Time\nf,quick\n", "vtune").status().ToString(),
              HasSubstr("line 2: \"CPU Time\" is \"quick\""));
  EXPECT_FALSE(import_text("Module,Function,CPU Time\nm,f\n", "vtune").ok());
  const auto events = import_text("Function,Module,Clockticks\nf,m,100\n", "vtune");
  ASSERT_TRUE(events.ok()) << events.status();
  EXPECT_EQ(events->layers[0].count, 0u);
  EXPECT_EQ(events->layers[0].metrics.at("Clockticks"), 100);
  for (const char* name : {"hotspots.csv", "topdown.csv", "tasks.csv"}) {
    expect_clear_answers_to_damage(corpus("vtune", name), "vtune");
  }
}

TEST(Uprof, ReadsTheHottestFunctions) {
  const auto import = import_text(corpus("uprof", "report.csv"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->tool, "uprof 5.1.701.0");
  EXPECT_EQ(import->model, "server");
  ASSERT_EQ(import->layers.size(), 2u);
  const LayerRow& hot = import->layers[0];
  EXPECT_EQ(hot.name, "brgemm<float, 4>");
  EXPECT_EQ(hot.kernel, "libopenvino.so!brgemm<float, 4>");
  EXPECT_EQ(hot.mean_ns, 8.25e9);
  EXPECT_EQ(hot.metrics.at("CYCLES_NOT_IN_HALT"), 25e9);
  EXPECT_EQ(hot.metrics.at("RETIRED_INST"), 62.5e9);  // of the table sorted by it
  EXPECT_THAT(import->notes, Contains(HasSubstr("--detail")));
}

TEST(Uprof, PrefersTheWholeSummary) {
  const auto import = import_text(corpus("uprof", "detail.csv"));
  ASSERT_TRUE(import.ok()) << import.status();
  ASSERT_EQ(import->layers.size(), 3u);
  EXPECT_EQ(import->layers[2].name, "baz");
  EXPECT_EQ(import->layers[0].mean_ns, 1.23e9);
}

TEST(Uprof, SaysWhatIsWrong) {
  EXPECT_THAT(import_text("", "uprof").status().ToString(), HasSubstr("no table of functions"));
  const std::string title = "10 HOTTEST FUNCTIONS (Sort Event - CPU_TIME)\n";
  EXPECT_THAT(import_text(title + "FUNCTION,CPU_TIME,Module\nf,long,m\n").status().ToString(),
              HasSubstr("\"CPU_TIME\" is \"long\""));
  EXPECT_FALSE(import_text(title + "PROCESS,CPU_TIME\nf,1\n").ok());
  EXPECT_FALSE(import_text(title).ok());
  for (const char* name : {"report.csv", "detail.csv"}) {
    expect_clear_answers_to_damage(corpus("uprof", name), "uprof");
  }
}

TEST(Streamline, ReadsSamplesOfFunctions) {
  const auto import = import_text(corpus("streamline", "functions.csv"));
  ASSERT_TRUE(import.ok()) << import.status();
  ASSERT_EQ(import->layers.size(), 3u);
  const LayerRow& hot = import->layers[0];
  EXPECT_EQ(hot.name, "arm_conv_kernel");
  EXPECT_EQ(hot.kernel, "libmodel.so!arm_conv_kernel");
  EXPECT_EQ(hot.mean_ns, 1.25e9);
  EXPECT_EQ(hot.metrics.at("samples"), 1250);
  EXPECT_EQ(hot.metrics.at("% Self"), 62.5);
  EXPECT_EQ(import->layers[1].name, "libc.so!memcpy");
  EXPECT_THAT(import->notes, Contains(HasSubstr("1 ms each")));
  const auto paths = import_text(corpus("streamline", "callpath.csv"));
  ASSERT_TRUE(paths.ok()) << paths.status();
  EXPECT_EQ(paths->layers[0].name, "infer");
  EXPECT_EQ(paths->layers[0].mean_ns, 12.5e6);
}

TEST(Streamline, ReadsCountersOverTime) {
  const auto import = import_text(corpus("streamline", "timeline.csv"));
  ASSERT_TRUE(import.ok()) << import.status();
  ASSERT_EQ(import->trace.counters.size(), 3u);
  const CounterTrack& user = import->trace.counters[0];
  EXPECT_EQ(user.name, "CPU Activity:User (%)");
  EXPECT_EQ(user.unit, "%");
  ASSERT_EQ(user.points.size(), 3u);
  EXPECT_EQ(user.points[1], (std::pair<std::uint64_t, double>(1'000'000, 95.0)));
  EXPECT_EQ(import->trace.counters[1].points[0].second, 1e6);
  EXPECT_EQ(import->trace.counters[2].unit, "Hz");
  EXPECT_EQ(import->trace.counters[2].points.size(), 2u);  // one field is empty
}

TEST(Streamline, SaysWhatIsWrong) {
  EXPECT_THAT(import_text("", "streamline").status().ToString(), HasSubstr("no header"));
  EXPECT_THAT(import_text("Self,Function Name\nmany,f\n").status().ToString(),
              HasSubstr("\"Self\" is \"many\""));
  EXPECT_THAT(import_text("Index,Time,Cycles\n0,1,1\n1,0.5,1\n").status().ToString(),
              HasSubstr("ascend"));
  EXPECT_THAT(import_text("Index,Time,Cycles\n0,1,x\n").status().ToString(),
              HasSubstr("\"Cycles\" is \"x\""));
  for (const char* name : {"functions.csv", "timeline.csv", "callpath.csv"}) {
    expect_clear_answers_to_damage(corpus("streamline", name), "streamline");
  }
}

TEST(Hotspots, KeepTheHottestRowsRatios) {
  Hotspots spots;
  ASSERT_TRUE(spots.add({"f", "m", 10, 1, {{"CPI Rate", 2}, {"Cycles", 5}}}).ok());
  ASSERT_TRUE(spots.add({"f", "m", 5, 1, {{"CPI Rate", 9}, {"Cycles", 7}}}).ok());
  Import import;
  spots.move_to(import);
  ASSERT_EQ(import.layers.size(), 1u);
  EXPECT_EQ(import.layers[0].mean_ns, 15);
  EXPECT_EQ(import.layers[0].metrics.at("CPI Rate"), 2);
  EXPECT_EQ(import.layers[0].metrics.at("Cycles"), 12);
}

}  // namespace
}  // namespace tachostat::trace
