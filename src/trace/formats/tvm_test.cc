#include <gmock/gmock.h>

#include "trace/formats/corpus_test_support.h"

namespace tachostat::trace {
namespace {

using testing::HasSubstr;

std::string report(std::string_view call) { return "{\"calls\":[" + std::string(call) + "]}"; }

TEST(Tvm, AddsUpCallsOfOneOperator) {
  const auto import = import_text(corpus("tvm", "report.json"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->tool, "tvm");
  EXPECT_EQ(import->requests, 1u);
  EXPECT_EQ(import->request_mean_ns, 50e3);
  ASSERT_EQ(import->layers.size(), 3u);
  const LayerRow& conv = import->layers[0];
  EXPECT_EQ(conv.name, "fused_nn_conv2d");
  EXPECT_EQ(conv.kernel, "fused_nn_conv2d 7ca9e1a3");
  EXPECT_EQ(conv.count, 2u);
  EXPECT_EQ(conv.mean_ns, 22.5e3);
  EXPECT_EQ(conv.min_ns, 20.5e3);
  EXPECT_EQ(conv.max_ns, 24.5e3);
  EXPECT_EQ(conv.device, "cpu0");
  EXPECT_EQ(conv.layout, "NCHW");
  EXPECT_EQ(conv.precision, "f32");
  EXPECT_EQ(conv.bytes, 4 * (192 + 12 + 256));
  EXPECT_EQ(conv.metrics.at("PAPI_L2_DCM"), 200);
  // Another device: another layer.
  EXPECT_EQ(import->layers[2].name, "fused_nn_relu #2");
  EXPECT_EQ(import->layers[2].device, "cuda0");
  EXPECT_EQ(import->layers[2].bytes, -1);
  EXPECT_EQ(import->layers[2].metrics.at("occupancy"), 0.5);
}

TEST(Tvm, SaysWhatIsWrong) {
  EXPECT_THAT(import_text("", "tvm").status().ToString(), HasSubstr("not whole JSON"));
  EXPECT_THAT(import_text("{}", "tvm").status().ToString(), HasSubstr("\"calls\""));
  EXPECT_THAT(import_text("[]", "tvm").status().ToString(), HasSubstr("\"calls\""));
  EXPECT_THAT(import_text(report("7"), "tvm").status().ToString(), HasSubstr("calls[0]"));
  EXPECT_THAT(import_text(report("{\"Name\":5}"), "tvm").status().ToString(),
              HasSubstr("\"Name\""));
  const auto error_of = [](std::string_view rest) {
    return import_text(report("{\"Name\":\"a\"" + std::string(rest) + "}"), "tvm")
        .status()
        .ToString();
  };
  EXPECT_THAT(error_of(""), HasSubstr("Duration (us)"));
  EXPECT_THAT(error_of(",\"Duration (us)\":{\"microseconds\":-1}"), HasSubstr("Duration (us)"));
  EXPECT_THAT(error_of(",\"Duration (us)\":1,\"Count\":{\"count\":0}"), HasSubstr("\"Count\""));
  EXPECT_EQ(error_of(",\"Duration (us)\":1"), "OK");
  EXPECT_FALSE(import_text(std::string(100'000, '['), "tvm").ok());
  expect_clear_answers_to_damage(corpus("tvm", "report.json"), "tvm");
}

}  // namespace
}  // namespace tachostat::trace
