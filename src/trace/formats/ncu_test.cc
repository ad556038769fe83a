#include <gmock/gmock.h>

#include "base/status.h"
#include "trace/formats/import_test_support.h"

namespace tachostat::trace {
namespace {

using testing::HasSubstr;

// By the published guide and printed examples; no GPU was at hand.
constexpr const char* kRaw =
    R"csv(==PROF== Connected to process 1234 (/usr/bin/app)
done, all results fine
==PROF== Disconnected from process 1234
"ID","Process ID","Process Name","Host Name","Kernel Name","Context","Stream","Block Size","Grid Size","Device","CC","dram__bytes.sum","gpu__time_duration.sum","launch__registers_per_thread","sm__sass_thread_inst_executed_op_fadd_pred_on.sum","sm__sass_thread_inst_executed_op_ffma_pred_on.sum","sm__throughput.avg.pct_of_peak_sustained_elapsed"
"","","","","","","","","","","","Mbyte","usecond","register/thread","inst","inst","%"
"0","1234","app","host","void ns::gemm<float, 4>(Params)","1","7","(256, 1, 1)","(8, 2, 1)","0","9.0","2.5","10.5","64","1,000","5,000","42.5"
"1","1234","app","host","void ns::gemm<float, 4>(Params)","1","7","(256, 1, 1)","(8, 2, 1)","0","9.0","3.5","12.5","64","1,000","5,000","43.5"
"2","1234","app","host","void ns::gemm<float, 4>(Params)","1","7","(256, 1, 1)","(16, 2, 1)","0","9.0","n/a","20","64","","","44"
)csv";

constexpr const char* kDetails =
    R"csv("ID","Process ID","Process Name","Host Name","Kernel Name","Context","Stream","Block Size","Grid Size","Device","CC","Section Name","Metric Name","Metric Unit","Metric Value","Rule Name","Rule Type","Rule Description","Estimated Speedup Type","Estimated Speedup"
"0","1","app","host","add(float *)","1","7","(256, 1, 1)","(1, 8, 1)","1","12.0","GPU Speed Of Light Throughput","Memory Throughput","%","14.26","","","","",""
"0","1","app","host","add(float *)","1","7","(256, 1, 1)","(1, 8, 1)","1","12.0","GPU Speed Of Light Throughput","Duration","ns","2,848","","","","",""
"0","1","app","host","add(float *)","1","7","(256, 1, 1)","(1, 8, 1)","1","12.0","Memory Workload Analysis","Memory Throughput","Gbyte/s","12.5","","","","",""
"0","1","app","host","add(float *)","1","7","(256, 1, 1)","(1, 8, 1)","1","12.0","SpeedOfLight","","","","SOLBottleneck","OPT","Memory is ""busy""","",""
"1","1","app","host","add(float *)","1","7","(256, 1, 1)","(1, 8, 1)","1","12.0","GPU Speed Of Light Throughput","Duration","us","3.152","","","","",""
)csv";

TEST(Ncu, ReadsTheRawPage) {
  const auto import = import_text(kRaw);
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->tool, "ncu");
  ASSERT_EQ(import->layers.size(), 2u);
  const LayerRow& row = import->layers[0];
  EXPECT_EQ(row.name, "void ns::gemm<float, 4>(Params) [grid (8, 2, 1), block (256, 1, 1)]");
  EXPECT_EQ(row.kernel, "void ns::gemm<float, 4>(Params)");
  EXPECT_EQ(row.type, "gemm");
  EXPECT_EQ(row.device, "GPU 0");
  EXPECT_EQ(row.count, 2u);
  EXPECT_DOUBLE_EQ(row.mean_ns, 11'500);
  EXPECT_DOUBLE_EQ(row.min_ns, 10'500);
  EXPECT_DOUBLE_EQ(row.max_ns, 12'500);
  EXPECT_DOUBLE_EQ(row.bytes, 3e6);
  EXPECT_DOUBLE_EQ(row.flops, 1000 + 2 * 5000);
  EXPECT_DOUBLE_EQ(row.metrics.at("sm__throughput.avg.pct_of_peak_sustained_elapsed"), 43);
  EXPECT_DOUBLE_EQ(row.metrics.at("launch__registers_per_thread"), 64);
  EXPECT_EQ(import->layers[1].bytes, -1);
  EXPECT_EQ(import->layers[1].flops, -1);
}

TEST(Ncu, CountsBelowZeroAreNoWork) {
  std::string text = kRaw;
  for (const std::string_view good : {"\"2.5\"", "\"3.5\"", "\"5,000\"", "\"1,000\""}) {
    for (std::size_t at = text.find(good); at != text.npos; at = text.find(good)) {
      text.replace(at, good.size(), "\"-7\"");
    }
  }
  const auto import = import_text(text);
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->layers[0].bytes, -1);
  EXPECT_EQ(import->layers[0].flops, -1);
}

TEST(Ncu, ReadsTheDetailsPage) {
  const auto import = import_text(kDetails);
  ASSERT_TRUE(import.ok()) << import.status();
  ASSERT_EQ(import->layers.size(), 1u);
  const LayerRow& row = import->layers[0];
  EXPECT_EQ(row.count, 2u);
  EXPECT_DOUBLE_EQ(row.mean_ns, 3000);
  EXPECT_DOUBLE_EQ(row.metrics.at("Memory Throughput [%]"), 14.26);
  EXPECT_DOUBLE_EQ(row.metrics.at("Memory Throughput [byte/s]"), 12.5e9);
  EXPECT_EQ(row.device, "GPU 1");
}

TEST(Ncu, RefusesWhatHasNoTable) {
  EXPECT_THAT(base::message_of(import_text("==ERROR== permission\n", "ncu", "x.csv").status()),
              HasSubstr("x.csv: no header"));
  EXPECT_FALSE(import_text("", "ncu").ok());
  const std::string raw = kRaw;
  const std::string header = raw.substr(0, raw.find("\"\",\"\""));
  EXPECT_THAT(base::message_of(import_text(header, "ncu").status()), HasSubstr("no kernel"));
  EXPECT_THAT(base::message_of(
                  import_text("\"ID\",\"Process ID\",\"Kernel Name\"\n\"0\",\"1\",\"k\"\n", "ncu")
                      .status()),
              HasSubstr("--page raw"));
  // Cut anywhere: an error or what came before.
  for (std::size_t size = 0; size < raw.size(); size += 11) {
    const auto import = import_text(raw.substr(0, size), "ncu");
    if (import.ok()) {
      EXPECT_LE(import->layers.size(), 2u);
    }
  }
}

}  // namespace
}  // namespace tachostat::trace
