#include <gmock/gmock.h>

#include "base/status.h"
#include "trace/formats/import_test_support.h"

namespace tachostat::trace {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

TEST(OnnxRuntime, ReadsARealProfile) {
  const auto import = import_file(sample("onnxruntime.json"));
  ASSERT_TRUE(import.ok()) << import.status();
  expect_sound(*import);
  EXPECT_EQ(import->tool, "onnxruntime");
  EXPECT_THAT(names_of(import->trace, Kind::kRequest),
              ElementsAre("model_run", "model_run", "model_run"));
  EXPECT_THAT(names_of(import->trace, Kind::kStage),
              Contains("SequentialExecutor::Execute").Times(3 + 3));  // the branches' too
  // The nodes of a branch are inside the If that runs it.
  EXPECT_THAT(names_of(import->trace, Kind::kOperator),
              UnorderedElementsAre("branch_Exp", "branch_Exp", "branch_Sin"));
  EXPECT_EQ(names_of(import->trace, Kind::kLayer).size(), 18u);  // three runs of six
  const LayerRow* conv = row_named(*import, "r_nchwc");          // Conv and Relu, fused
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(conv->type, "Conv");
  EXPECT_EQ(conv->device, "CPUExecutionProvider");
  EXPECT_EQ(conv->precision, "f32");
  EXPECT_EQ(conv->metrics.at("activation_size"), 3 * 16 * 16 * 4);
  EXPECT_EQ(conv->metrics.at("parameter_size"), 8 * 3 * 3 * 3 * 4);
  EXPECT_EQ(conv->metrics.at("output_size"), 8 * 16 * 16 * 4);
  EXPECT_EQ(conv->bytes, (3 * 16 * 16 + 8 * 3 * 3 * 3 + 8 * 16 * 16) * 4);
  EXPECT_GE(conv->metrics.at("main_thread.Run"), 0);
}

TEST(OnnxRuntime, TellsNodesOfOneNameApart) {
  const auto import = import_text(R"([
{"cat":"Session","ph":"X","name":"session_initialization","pid":1,"tid":1,"ts":0,"dur":1,"args":{}},
{"cat":"Node","ph":"X","name":"R_kernel_time","pid":1,"tid":1,"ts":10,"dur":2,"args":{"node_index":"3","op_name":"ReorderInput"}},
{"cat":"Node","ph":"X","name":"R_kernel_time","pid":1,"tid":1,"ts":20,"dur":2,"args":{"node_index":"8","op_name":"ReorderInput"}},
{"cat":"Node","ph":"X","name":"R_fence_before","pid":1,"tid":1,"ts":30,"dur":0,"args":{"op_name":"ReorderInput"}},
{"cat":"Kernel","ph":"X","name":"gemm","pid":1,"tid":-1,"ts":12,"dur":1,"args":{}}])");
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_THAT(names_of(import->trace, Kind::kLayer), ElementsAre("R", "R (node 8)"));
  EXPECT_THAT(names_of(import->trace, Kind::kOther), ElementsAre("R_fence_before"));
  EXPECT_THAT(names_of(import->trace, Kind::kPrimitive), ElementsAre("gemm"));
  EXPECT_EQ(import->layers[0].bytes, -1);
}

TEST(OnnxRuntime, TakesMembersOfOtherTypesForMissing) {
  const auto import = import_text(
      R"([{"cat":"Node","ph":"X","name":"n_kernel_time","ts":1,"dur":2,"args":{"op_name":5,"provider":null,
"input_type_shape":"x","output_size":-4,"activation_size":"abc","parameter_size":[1],"thread_scheduling_stats":{"main_thread":3}}},
{"cat":"Node","ph":"X","name":"m_kernel_time","ts":3,"dur":2,"args":[]},
{"cat":"Node","ph":"X","name":"_kernel_time","ts":3,"dur":2}])",
      "onnxruntime");
  ASSERT_TRUE(import.ok()) << import.status();
  ASSERT_EQ(import->layers.size(), 3u);
  EXPECT_EQ(import->layers[0].type, "");
  EXPECT_EQ(import->layers[0].bytes, -1);
}

TEST(OnnxRuntime, ReadsAFileThatItsProcessNeverFinished) {
  const std::string node =
      R"({"cat":"Node","ph":"X","name":"n_kernel_time","ts":1,"dur":2,"args":{}})";
  EXPECT_TRUE(import_text("[\n" + node + ",\n").ok());
  const absl::Status cut = import_text("[\n" + node + ",\n{\"cat\":\"Node\"").status();
  EXPECT_THAT(base::message_of(cut), HasSubstr("cut off"));
  EXPECT_FALSE(import_text("", "onnxruntime").ok());
}

}  // namespace
}  // namespace tachostat::trace
