#include "engine/openvino/openvino.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openvino/opsets/opset13.hpp>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <latch>
#include <openvino/openvino.hpp>
#include <set>

#include "base/status.h"
#include "base/thread.h"
#include "engine/openvino/applied.h"
#include "engine/openvino/memory.h"
#include "engine/openvino/openvino_test_support.h"

namespace tachostat::engine {
namespace {

namespace fs = std::filesystem;
namespace op = ov::opset13;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OpenvinoTest : public OpenvinoFolderTest {
 protected:
  // y = conv(x) with a ReLU: open batch and width.
  model::Graph convolution() const {
    auto x = parameter("x", {-1, 3, 8, -1});
    auto weights = op::Constant::create(ov::element::f32, {8, 3, 3, 3}, ramp(8 * 27));
    auto conv =
        std::make_shared<op::Convolution>(x, weights, ov::Strides{1, 1}, ov::CoordinateDiff{1, 1},
                                          ov::CoordinateDiff{1, 1}, ov::Strides{1, 1});
    conv->set_friendly_name("conv");
    auto relu = std::make_shared<op::Relu>(conv);
    relu->set_friendly_name("relu");
    relu->output(0).set_names({"y"});
    return save({relu}, {x});
  }

  // sum = a + b, product = a × b on [?,4].
  model::Graph arithmetic() const {
    auto a = parameter("a", {-1, 4});
    auto b = parameter("b", {-1, 4});
    auto sum = std::make_shared<op::Add>(a, b);
    sum->output(0).set_names({"sum"});
    auto product = std::make_shared<op::Multiply>(a, b);
    product->output(0).set_names({"product"});
    return save({sum, product}, {a, b});
  }

  static std::vector<float> bare(const model::Graph& graph, const std::vector<float>& input,
                                 const model::Shape& shape) {
    ov::Core core;
    auto network = core.read_model(graph.path);
    network->reshape(ov::PartialShape(std::vector<ov::Dimension>(shape.begin(), shape.end())));
    auto request = core.compile_model(network, "CPU", ov::num_streams(1)).create_infer_request();
    ov::Tensor tensor(ov::element::f32, ov::Shape(shape.begin(), shape.end()));
    std::memcpy(tensor.data(), input.data(), tensor.get_byte_size());
    request.set_input_tensor(tensor);
    request.infer();
    const ov::Tensor output = request.get_output_tensor();
    return {output.data<float>(), output.data<float>() + output.get_size()};
  }
};

TEST_F(OpenvinoTest, CapabilitiesAreThere) {
  EXPECT_EQ(engine().name(), "openvino");
  const Capabilities& capabilities = engine().capabilities();
  EXPECT_FALSE(capabilities.version.empty());
  EXPECT_THAT(capabilities.devices, Contains("CPU"));
  EXPECT_THAT(capabilities.precisions, Contains(model::Precision::kF32));
  EXPECT_GE(capabilities.hardware_threads, 1);
}

TEST_F(OpenvinoTest, ResultsAreThoseOfTheBareEngine) {
  const model::Graph graph = convolution();
  const model::Shape shape = {2, 3, 8, 20};
  const std::vector<float> input = ramp(2 * 3 * 8 * 20);
  const std::vector<float> expected = bare(graph, input, shape);
  for (const model::InputShapes& bucket :
       {model::InputShapes{}, model::InputShapes{{"x", shape}}}) {
    auto session = engine().load(graph, {.shapes = bucket}, nullptr);
    ASSERT_TRUE(session.ok()) << session.status();
    for (int i = 0; i < 3; ++i) {
      const Outputs outputs = infer(**session, {tensor("x", input, shape)});
      ASSERT_TRUE(outputs.ok()) << outputs.status();
      ASSERT_EQ(outputs->size(), 1);
      EXPECT_EQ((*outputs)[0].name, "y");
      EXPECT_THAT((*outputs)[0].shape, ElementsAre(2, 8, 8, 20));
      EXPECT_EQ(values_of((*outputs)[0]), expected);
    }
  }
}

TEST_F(OpenvinoTest, AppliedTellsWhatRuns) {
  const model::Graph graph = convolution();
  const model::Variant variant{.precision = model::Precision::kF32,
                               .threads = 2,
                               .streams = 2,
                               .shapes = {{"x", {1, 3, 8, 8}}}};
  auto session = engine().load(graph, variant, nullptr);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ((*session)->variant(), variant);
  const Applied& applied = (*session)->applied();
  EXPECT_EQ(applied.precision, "f32");
  EXPECT_EQ(applied.threads, 2);
  EXPECT_EQ(applied.streams, 2);
  const auto conv = std::find_if(applied.layers.begin(), applied.layers.end(),
                                 [](const AppliedLayer& l) { return l.type == "Convolution"; });
  ASSERT_NE(conv, applied.layers.end());
  EXPECT_THAT(conv->originals, Contains("conv"));
  EXPECT_EQ(conv->precision, "f32");
  EXPECT_FALSE(conv->kernel.empty());
  EXPECT_FALSE(conv->layout.empty());
  std::set<std::string> names;
  for (const AppliedLayer& layer : applied.layers) {
    EXPECT_NE(layer.type, "Const") << layer.name;
    EXPECT_TRUE(names.insert(layer.name).second) << layer.name;
  }
}

TEST_F(OpenvinoTest, SeveralInputsInAnyOrderAndSeveralOutputs) {
  auto session = *engine().load(arithmetic(), {}, nullptr);
  const Tensor a = tensor("a", {1, 2, 3, 4}, {1, 4});
  const Tensor b = tensor("b", {5, 6, 7, 8}, {1, 4});
  const Outputs outputs = infer(*session, {b, a});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  ASSERT_EQ(outputs->size(), 2);
  EXPECT_EQ(computed_results(session->applied()).size(), 2U);
  EXPECT_EQ((*outputs)[0].name, "sum");
  EXPECT_THAT(values_of((*outputs)[0]), ElementsAre(6, 8, 10, 12));
  EXPECT_EQ((*outputs)[1].name, "product");
  EXPECT_THAT(values_of((*outputs)[1]), ElementsAre(5, 12, 21, 32));
}

TEST_F(OpenvinoTest, OutputsThatShowAnInputLeaveItIntact) {
  auto x = parameter("x", {1, 4});
  auto relu = std::make_shared<op::Relu>(x);
  auto shape = op::Constant::create(ov::element::i64, {2}, {2, 2});
  auto reshaped = std::make_shared<op::Reshape>(x, shape, false);
  auto session = *engine().load(save({relu, x, reshaped}, {x}), {}, nullptr);
  EXPECT_EQ(computed_results(session->applied()).size(), 1U);
  for (int i = 0; i < 2; ++i) {
    const Tensor input = tensor("x", {1, -2, 3, -4}, {1, 4});
    const Outputs outputs = infer(*session, {input});
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    EXPECT_THAT(values_of((*outputs)[0]), ElementsAre(1, 0, 3, 0));
    EXPECT_THAT(values_of((*outputs)[1]), ElementsAre(1, -2, 3, -4));
    EXPECT_THAT(values_of((*outputs)[2]), ElementsAre(1, -2, 3, -4));
    EXPECT_THAT(values_of(input), ElementsAre(1, -2, 3, -4));
  }
}

TEST_F(OpenvinoTest, MisalignedInputsAreCopied) {
  auto session = *engine().load(arithmetic(), {}, nullptr);
  const std::vector<float> values = {1, 2, 3, 4};
  auto bytes = std::make_shared<std::vector<std::byte>>(17);
  std::memcpy(bytes->data() + 1, values.data(), 16);
  const Tensor odd{.name = "a",
                   .type = model::DataType::kF32,
                   .shape = {1, 4},
                   .data = std::span(*bytes).subspan(1),
                   .owner = bytes};
  const Outputs outputs = infer(*session, {odd, tensor("b", values, {1, 4})});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(values_of((*outputs)[0]), ElementsAre(2, 4, 6, 8));
}

TEST_F(OpenvinoTest, EmptyBatchDoesNotCrash) {
  auto session = *engine().load(arithmetic(), {}, nullptr);
  const Outputs outputs = infer(*session, {tensor("a", {}, {0, 4}), tensor("b", {}, {0, 4})});
  if (outputs.ok()) {
    EXPECT_TRUE((*outputs)[0].data.empty());
  }
}

TEST_F(OpenvinoTest, JoinedRequestsUpToTheBatch) {
  auto session =
      engine().load(arithmetic(), {.batch = 3, .shapes = {{"a", {1, 4}}, {"b", {1, 4}}}}, nullptr);
  ASSERT_TRUE(session.ok()) << session.status();
  for (std::int64_t rows = 1; rows <= 3; ++rows) {
    const std::vector<float> values = ramp(static_cast<std::size_t>(rows) * 4);
    const Outputs outputs =
        infer(**session, {tensor("a", values, {rows, 4}), tensor("b", values, {rows, 4})});
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    EXPECT_THAT((*outputs)[0].shape, ElementsAre(rows, 4));
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(values_of((*outputs)[0])[i], 2 * values[i]);
    }
  }
  const std::vector<float> four = ramp(16);
  EXPECT_EQ(
      infer(**session, {tensor("a", four, {4, 4}), tensor("b", four, {4, 4})}).status().code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_F(OpenvinoTest, RefusesABatchThatOutputsLose) {
  auto x = parameter("x", {1, 4});
  auto sum = std::make_shared<op::ReduceSum>(x, op::Constant::create(ov::element::i64, {2}, {0, 1}),
                                             false);
  sum->output(0).set_names({"total"});
  const model::Graph graph = save({sum}, {x});
  const absl::Status status = engine().load(graph, {.batch = 2}, nullptr).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(base::message_of(status)), HasSubstr("'total'"));
  EXPECT_TRUE(engine().load(graph, {.batch = 1}, nullptr).ok());
}

TEST_F(OpenvinoTest, WrongInputsAreRefusedThroughTheCompletion) {
  auto session = *engine().load(arithmetic(), {}, nullptr);
  const Tensor a = tensor("a", {1, 2, 3, 4}, {1, 4});
  const auto code = [&](std::vector<Tensor> inputs) {
    return infer(*session, std::move(inputs)).status().code();
  };
  EXPECT_EQ(code({}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({a}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({a, a}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({a, tensor("b", {1, 2, 3}, {1, 3})}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({a, tensor("b", {1, 2, 3}, {1, 4})}), absl::StatusCode::kInvalidArgument);
  Tensor integer = tensor("b", {1, 2, 3, 4}, {1, 4});
  integer.type = model::DataType::kI32;
  EXPECT_EQ(code({a, integer}), absl::StatusCode::kInvalidArgument);
  // Shapes that pass the ports' check but not the operator's.
  EXPECT_FALSE(infer(*session, {tensor("a", ramp(8), {2, 4}), tensor("b", ramp(12), {3, 4})}).ok());
  EXPECT_TRUE(infer(*session, {a, tensor("b", {1, 2, 3, 4}, {1, 4})}).ok());
}

struct ThreadWatcher final : Observer {
  void on_start(std::uint64_t) noexcept override { ++started; }
  void on_end(const Execution& execution) noexcept override {
    wrong_thread += execution.thread != base::this_thread_id();
    wrong_order += execution.begin > execution.end;
    wrong_bucket += execution.bucket != "a[1,4];b[1,4]";
    ++ended;
  }
  std::atomic<int> started{0}, ended{0}, wrong_thread{0}, wrong_order{0}, wrong_bucket{0};
};

TEST_F(OpenvinoTest, ManyInferencesOverStreams) {
  ThreadWatcher watcher;
  constexpr int kCount = 200;
  std::atomic<int> good{0};
  {
    auto session = *engine().load(arithmetic(), {.threads = 2, .streams = 2}, &watcher);
    for (int i = 0; i < kCount; ++i) {
      const auto value = static_cast<float>(i);
      const std::vector<float> values = {value, value, value, value};
      session->infer({tensor("a", values, {1, 4}), tensor("b", values, {1, 4})},
                     [&good, value](const Outputs& outputs) {
                       good += outputs.ok() && values_of((*outputs)[0])[3] == 2 * value &&
                               values_of((*outputs)[1])[0] == value * value;
                     });
    }
  }  // waits
  EXPECT_EQ(good, kCount);
  EXPECT_EQ(watcher.started, kCount);
  EXPECT_EQ(watcher.ended, kCount);
  EXPECT_EQ(watcher.wrong_thread, 0);
  EXPECT_EQ(watcher.wrong_order, 0);
  EXPECT_EQ(watcher.wrong_bucket, 0);
}

TEST_F(OpenvinoTest, CompletionsMayInferAgainAndRunOnEngineThreads) {
  auto session = *engine().load(arithmetic(), {}, nullptr);
  const Tensor a = tensor("a", {1, 2, 3, 4}, {1, 4});
  const Tensor b = tensor("b", {1, 2, 3, 4}, {1, 4});
  std::latch done(1);
  std::set<int> threads;
  int left = 10;
  std::function<void()> next = [&] {
    session->infer({a, b}, [&](const Outputs&) {
      threads.insert(base::this_thread_id());
      if (--left > 0) {
        next();
      } else {
        done.count_down();
      }
    });
  };
  next();
  done.wait();
  EXPECT_EQ(threads.size(), 1);
  EXPECT_FALSE(threads.contains(base::this_thread_id()));
}

TEST_F(OpenvinoTest, OutputsOutliveTheSessionAndAreNotOverwritten) {
  Outputs first = absl::UnknownError("");
  {
    auto session =
        *engine().load(arithmetic(), {.shapes = {{"a", {1, 4}}, {"b", {1, 4}}}}, nullptr);
    const Tensor one = tensor("b", {1, 1, 1, 1}, {1, 4});
    first = infer(*session, {tensor("a", {1, 2, 3, 4}, {1, 4}), one});
    const Outputs second = infer(*session, {tensor("a", {9, 9, 9, 9}, {1, 4}), one});
    EXPECT_NE((*first)[0].data.data(), (*second)[0].data.data());
  }
  EXPECT_THAT(values_of((*first)[0]), ElementsAre(2, 3, 4, 5));
}

TEST_F(OpenvinoTest, LoadRefusesWhatItCannotDo) {
  const model::Graph graph = arithmetic();
  const auto code = [&](const model::Variant& variant) {
    return engine().load(graph, variant, nullptr).status().code();
  };
  EXPECT_EQ(code({.engine = "other"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.device = "TPU"}), absl::StatusCode::kNotFound);
  EXPECT_EQ(code({.threads = 1, .streams = 2}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.threads = -1}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.streams = 2, .pinning = true}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.shapes = {{"a", {1, 4}}}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.shapes = {{"a", {1, 4}}, {"b", {1, 5}}}}),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(OpenvinoTest, LoadRefusesFilesThatChanged) {
  model::Graph graph = arithmetic();
  model::Graph renamed = graph;
  renamed.inputs[0].name = "z";
  EXPECT_EQ(engine().load(renamed, {}, nullptr).status().code(),
            absl::StatusCode::kInvalidArgument);
  graph.outputs[0].type = model::DataType::kString;
  EXPECT_EQ(engine().load(graph, {}, nullptr).status().code(), absl::StatusCode::kInvalidArgument);
  graph = arithmetic();
  fs::remove(graph.path);
  EXPECT_EQ(engine().load(graph, {}, nullptr).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(OpenvinoTest, EngineChoosesWhatTheVariantLeavesOpen) {
  auto session = engine().load(arithmetic(), {.streams = 0}, nullptr);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_GE((*session)->applied().streams, 1);
  EXPECT_GE((*session)->applied().threads, (*session)->applied().streams);
}

TEST(OpenvinoRecogniserTest, MatchesTheBareEngine) {
  std::string path;
  const fs::path lib = fs::path(TACHOSTAT_SOURCE_DIR) / ".venv/lib";
  if (fs::exists(lib)) {
    for (const auto& python : fs::directory_iterator(lib)) {
      const fs::path file = python.path() / "site-packages/rapidocr/models/PP-OCRv6_rec_small.onnx";
      if (fs::exists(file)) path = file.string();
    }
  }
  if (path.empty()) GTEST_SKIP() << "the recogniser is not installed";
  const model::InputShapes bucket = {{"x", {1, 3, 48, 160}}};
  const auto graph = model::read(path);
  ASSERT_TRUE(graph.ok()) << graph.status();
  auto session = engine().load(*graph, {.threads = 2, .streams = 2, .shapes = bucket}, nullptr);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(computed_results((*session)->applied()).size(), 1U);
  // A sanitizer's allocator does not tell.
  if (heap_in_use() > 0) {
    EXPECT_GT((*session)->memory_bytes(), 1 << 20);
  }

  const std::vector<float> input = ramp(3 * 48 * 160);
  ov::Core core;
  auto network = core.read_model(path);
  network->reshape(ov::PartialShape{1, 3, 48, 160});
  auto request =
      core.compile_model(network, "CPU", ov::num_streams(1), ov::inference_num_threads(1))
          .create_infer_request();
  ov::Tensor bare(ov::element::f32, {1, 3, 48, 160}, static_cast<const void*>(input.data()));
  request.set_input_tensor(bare);
  request.infer();
  const ov::Tensor expected = request.get_output_tensor();
  for (int i = 0; i < 4; ++i) {
    const Outputs outputs = infer(**session, {tensor("x", input, {1, 3, 48, 160})});
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    ASSERT_EQ((*outputs)[0].data.size(), expected.get_byte_size());
    EXPECT_EQ(std::memcmp((*outputs)[0].data.data(), expected.data(), expected.get_byte_size()), 0);
  }
}

}  // namespace
}  // namespace tachostat::engine
