#include <gmock/gmock.h>

#include "trace/formats/corpus_test_support.h"

namespace tachostat::trace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Litert, ReadsTheRunOrderOfTheRegularRuns) {
  const auto import = import_text(corpus("litert", "ops.csv"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->tool, "litert benchmark_model");
  EXPECT_EQ(import->requests, 67u);
  EXPECT_EQ(import->request_mean_ns, 7.53e6);
  ASSERT_EQ(import->layers.size(), 3u);  // nothing of the initialisation
  EXPECT_EQ(import->layers[0].type, "TfLiteXNNPackDelegate");
  EXPECT_EQ(import->layers[0].name, "[conv1/Relu, conv2/Relu]:71");
  EXPECT_THAT(import->layers[0].originals, ElementsAre("conv1/Relu", "conv2/Relu"));
  const LayerRow& conv = import->layers[1];
  EXPECT_EQ(conv.count, 2 * 67u);
  EXPECT_EQ(conv.mean_ns, 1.25e6);
  EXPECT_EQ(conv.metrics.at("first_ns"), 1.5e6);
  EXPECT_EQ(conv.metrics.at("memory_kb"), 12.5);
}

TEST(Litert, PutsADelegatesOperatorsInPlaceOfItsNode) {
  const auto import = import_text(corpus("litert", "delegate.log"));
  ASSERT_TRUE(import.ok()) << import.status();
  ASSERT_EQ(import->layers.size(), 3u);
  EXPECT_EQ(import->layers[0].type, "SOFTMAX");
  const LayerRow& conv = import->layers[1];
  EXPECT_EQ(conv.type, "Convolution");
  EXPECT_EQ(conv.kernel, "Convolution (NHWC, F32) IGEMM");
  EXPECT_EQ(conv.layout, "NHWC");
  EXPECT_EQ(conv.precision, "f32");
  EXPECT_EQ(conv.device, "delegate");
  EXPECT_EQ(conv.count, 50u);
  // The log's own figure, not the sum of the operators.
  EXPECT_EQ(import->request_mean_ns, 7454.97e3);
}

TEST(Litert, ReadsProtobuf) {
  const auto import = import_text(corpus("litert", "profile.pb"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->model, "model.tflite");
  EXPECT_EQ(import->requests, 50u);
  ASSERT_EQ(import->layers.size(), 2u);
  const LayerRow& conv = import->layers[0];
  EXPECT_EQ(conv.name, "[c]:5");
  EXPECT_EQ(conv.type, "CONV_2D");
  EXPECT_THAT(conv.originals, ElementsAre("c"));
  EXPECT_EQ(conv.count, 100u);
  EXPECT_EQ(conv.mean_ns, 1.25e6);
  EXPECT_EQ(conv.min_ns, 1.2e6);
  EXPECT_EQ(conv.max_ns, 1.6e6);
  EXPECT_EQ(conv.metrics.at("memory_kb"), 12);
  EXPECT_EQ(import->layers[1].device, "delegate");
}

TEST(Litert, ReadsWhatTheRuntimeWrote) {
  const auto import = import_file(sample("litert_profile_summary.txt"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->requests, 20u);
  ASSERT_EQ(import->layers.size(), 89u);
  const LayerRow& conv = import->layers[0];
  EXPECT_EQ(conv.name, "Convolution (NHWC, F32) IGEMM:0");
  EXPECT_EQ(conv.type, "Convolution");
  EXPECT_EQ(conv.count, 20u);
  EXPECT_NEAR(conv.mean_ns, 785e3, 1);
  expect_sound_rows(*import);
}

TEST(Litert, SaysWhatIsWrong) {
  EXPECT_THAT(import_text("nothing", "litert").status().ToString(), HasSubstr("Run Order"));
  EXPECT_FALSE(import_text("", "litert").ok());
  EXPECT_THAT(import_text("=== Run Order ===\nname\n", "litert").status().ToString(),
              HasSubstr("line 2: expected the header"));
  EXPECT_THAT(import_text("=== Run Order ===\nnode type, first\n", "litert").status().ToString(),
              HasSubstr("lacks"));
  const std::string head = "=== Run Order ===\nnode type, avg_ms, times called, name\n";
  EXPECT_THAT(import_text(head + "CONV, 1\n", "litert").status().ToString(),
              HasSubstr("line 3: 2 fields, the header has 4"));
  EXPECT_THAT(import_text(head + "CONV, slow, 1, c\n", "litert").status().ToString(),
              HasSubstr("\"avg ms\" is \"slow\""));
  EXPECT_TRUE(import_text(head + "CONV, 1, 1, c\n", "litert").ok());
  for (const char* name : {"ops.csv", "delegate.log", "profile.pb"}) {
    expect_clear_answers_to_damage(corpus("litert", name), "litert");
  }
}

}  // namespace
}  // namespace tachostat::trace
