#include <gmock/gmock.h>

#include "base/status.h"
#include "trace/formats/import_test_support.h"

namespace tachostat::trace {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// By the published schema; no GPU was at hand.
constexpr const char* kProfile = R"json([
  { "count" : 200 }
, { "name" : "Reformatting CopyNode for Input Tensor 0 to conv1 + relu1", "timeMs" : 2, "averageMs" : 0.01, "medianMs" : 0.009, "percentage" : 5 }
, { "name" : "conv1 + relu1", "timeMs" : 30, "averageMs" : 0.15, "medianMs" : 0.14, "percentage" : 75 }
, { "name" : "PWN(gelu)", "timeMs" : 8, "percentage" : 20 }
])json";

constexpr const char* kLayers = R"({"Layers": [{
  "Name": "conv1 + relu1",
  "LayerType": "CaskConvolution",
  "Inputs": [{"Name": "x", "Location": "Device", "Dimensions": [1,64,28,28], "Format/Datatype": "Thirty-two wide channel vectorized row major Int8 format"}],
  "Outputs": [{"Name": "y", "Location": "Device", "Dimensions": [1,256,28,28], "Format/Datatype": "Row major linear FP16 format."}],
  "ParameterType": "Convolution", "Kernel": [3,3], "OutMaps": 256, "Groups": 1,
  "Weights": {"Type": "Int8", "Count": 147456}, "Bias": {"Type": "Float", "Count": 256},
  "TacticName": "sm80_xmma_fprop", "TacticValue": "0x11bde0e1d9f2f35d", "StreamId": 0,
  "Metadata": "[ONNX Layer: /conv1]\u001e[ONNX Layer: /relu1]"
},{
  "Name": "shape", "LayerType": "NoOp",
  "Inputs": [{"Name": "y", "Dimensions": [-1,256], "Format/Datatype": "N/A due to dynamic shapes"}],
  "Outputs": [{"Name": "z", "Dimensions": [-1,256], "Format/Datatype": "N/A due to dynamic shapes"}]
}], "Bindings": ["x", "z"]})";

TEST(TensorRt, ReadsTheProfile) {
  const auto import = import_text(kProfile);
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->tool, "tensorrt");
  EXPECT_EQ(import->requests, 200u);
  ASSERT_EQ(import->layers.size(), 3u);
  const LayerRow& conv = import->layers[1];
  EXPECT_EQ(conv.name, "conv1 + relu1");
  EXPECT_EQ(conv.count, 200u);
  EXPECT_DOUBLE_EQ(conv.mean_ns, 150'000);
  EXPECT_DOUBLE_EQ(conv.median_ns, 140'000);
  EXPECT_THAT(conv.originals, ElementsAre("conv1", "relu1"));
  EXPECT_THAT(import->layers[0].originals, IsEmpty());
  EXPECT_THAT(import->layers[2].originals, ElementsAre("gelu"));
  EXPECT_DOUBLE_EQ(import->layers[2].mean_ns, 40'000);
  EXPECT_DOUBLE_EQ(import->request_mean_ns, 200'000);
}

TEST(TensorRt, ReadsDetailedLayers) {
  const auto import = import_text(kLayers);
  ASSERT_TRUE(import.ok()) << import.status();
  ASSERT_EQ(import->layers.size(), 2u);
  const LayerRow& conv = import->layers[0];
  EXPECT_EQ(conv.type, "Convolution");
  EXPECT_EQ(conv.kernel, "sm80_xmma_fprop");
  EXPECT_EQ(conv.precision, "f16");
  EXPECT_EQ(conv.layout, "Row major linear FP16 format.");
  EXPECT_THAT(conv.originals, ElementsAre("/conv1", "/relu1"));
  EXPECT_EQ(conv.flops, 2.0 * 256 * 28 * 28 * 64 * 9);
  EXPECT_EQ(conv.bytes, 64.0 * 28 * 28 + 2.0 * 256 * 28 * 28 + 147456 + 4 * 256);
  EXPECT_EQ(conv.count, 0u);
  EXPECT_EQ(import->layers[1].bytes, -1);
  EXPECT_EQ(import->layers[1].precision, "");
}

TEST(TensorRt, JoinsBothFilesOfOneRun) {
  auto profile = import_text(kProfile);
  auto layers = import_text(kLayers);
  ASSERT_TRUE(profile.ok() && layers.ok());
  const auto both = combine({*profile, *layers});
  ASSERT_TRUE(both.ok()) << both.status();
  const LayerRow* conv = row_named(*both, "conv1 + relu1");
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(conv->count, 200u);
  EXPECT_EQ(conv->kernel, "sm80_xmma_fprop");
  EXPECT_EQ(both->layers.size(), 4u);
}

TEST(TensorRt, ReadsNamesOnlyAndSaysSo) {
  const auto import =
      import_text("{\"Layers\": [\"a + b\"\n,\"a + b\"],\n\"Bindings\": [\"x:0\"\n]}");
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->layers[0].name, "a + b");
  EXPECT_EQ(import->layers[1].name, "a + b (2)");
  EXPECT_THAT(import->notes, Contains(HasSubstr("--profilingVerbosity=detailed")));
}

TEST(TensorRt, RefusesWhatItWouldHaveToGuess) {
  for (const char* text :
       {"", "7", "[", "[]", "[7]", "{}", R"({"Layers":7})", R"({"Layers":[]})", R"([{"count":3}])",
        R"([{"name":"a"}])", R"([{"name":"a","timeMs":"x"}])", R"([{"name":"a","timeMs":-1}])"}) {
    const auto import = import_text(text, "tensorrt", "p.json");
    ASSERT_FALSE(import.ok()) << text;
    EXPECT_THAT(base::message_of(import.status()), HasSubstr("p.json")) << text;
  }
  const std::string whole = kLayers;
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    EXPECT_FALSE(import_text(whole.substr(0, size), "tensorrt").ok()) << size;
  }
  EXPECT_FALSE(import_text(std::string(1 << 20, '['), "tensorrt").ok());
}

TEST(TensorRt, TakesMembersOfOtherTypesForMissing) {
  const auto import = import_text(
      R"({"Layers":[{"Name":"a","LayerType":5,"Inputs":{},"Outputs":[7,{"Dimensions":"x"},{"Dimensions":[1e300,1e300]}],
"Weights":[],"OutMaps":"x","ParameterType":null,"Metadata":3}, 7, {"Name":{}}]})",
      "tensorrt");
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->layers.size(), 2u);
  EXPECT_EQ(import->layers[0].flops, -1);
}

}  // namespace
}  // namespace tachostat::trace
