// The collector with the engine that it is made for: what OpenVINO really emits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <openvino/openvino.hpp>
#include <openvino/opsets/opset8.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/thread.h"
#include "probe/itt/collector.h"
#include "probe/probe.h"

namespace tachostat::probe {
namespace {

using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;
using trace::Kind;
using trace::Span;

std::shared_ptr<ov::op::v0::Constant> constant(const ov::Shape& shape) {
  return ov::op::v0::Constant::create(ov::element::f32, shape,
                                      std::vector<float>(ov::shape_size(shape), 0.01f));
}

// Two convolutions and a matrix product, big enough for more than one thread.
std::shared_ptr<ov::Model> small_model() {
  auto input = std::make_shared<ov::opset8::Parameter>(ov::element::f32, ov::Shape{1, 16, 64, 64});
  std::shared_ptr<ov::Node> last = input;
  for (const char* name : {"first", "second"}) {
    last = std::make_shared<ov::opset8::Convolution>(last, constant({16, 16, 3, 3}),
                                                     ov::Strides{1, 1}, ov::CoordinateDiff{1, 1},
                                                     ov::CoordinateDiff{1, 1}, ov::Strides{1, 1});
    last->set_friendly_name(name);
    last = std::make_shared<ov::opset8::Relu>(last);
  }
  last = std::make_shared<ov::opset8::MatMul>(last, constant({64, 64}));
  last->set_friendly_name("product");
  auto result = std::make_shared<ov::opset8::Result>(last);
  return std::make_shared<ov::Model>(ov::ResultVector{result}, ov::ParameterVector{input}, "small");
}

std::string recogniser() {
  const std::filesystem::path lib = std::filesystem::path(TACHOSTAT_SOURCE_DIR) / ".venv" / "lib";
  std::error_code none;
  for (const auto& python : std::filesystem::directory_iterator(lib, none)) {
    const auto file =
        python.path() / "site-packages" / "rapidocr" / "models" / "PP-OCRv6_rec_small.onnx";
    if (std::filesystem::exists(file, none)) return file.string();
  }
  return "";
}

class Openvino : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(source_.available().ok()) << source_.available(); }
  void TearDown() override { source_.set_depth(Depth::kOff); }

  void compile(const std::shared_ptr<ov::Model>& model, const ov::Shape& shape) {
    model->reshape(ov::PartialShape(shape));
    compiled_ = core_.compile_model(model, "CPU", ov::inference_num_threads(2), ov::num_streams(1));
    request_ = compiled_.create_infer_request();
    ov::Tensor input(ov::element::f32, shape);
    std::fill_n(input.data<float>(), input.get_size(), 0.5f);
    request_.set_input_tensor(input);
    request_.infer();
    drained();
  }
  trace::Trace drained() {
    trace::Trace trace;
    source_.drain(trace);
    return trace;
  }
  // One looked-at inference.
  trace::Trace look(Depth depth) {
    source_.set_depth(depth);
    request_.infer();
    source_.set_depth(Depth::kOff);
    return drained();
  }
  std::set<std::string> executed_layers() const {
    std::set<std::string> names;
    for (const auto& node : compiled_.get_runtime_model()->get_ordered_ops()) {
      names.insert(node->get_friendly_name());
    }
    return names;
  }

  SpanSource& source_ = itt_source();
  ov::Core core_;
  ov::CompiledModel compiled_;
  ov::InferRequest request_;
};

std::vector<Span> of_kind(const trace::Trace& trace, Kind kind) {
  std::vector<Span> spans;
  std::copy_if(trace.spans.begin(), trace.spans.end(), std::back_inserter(spans),
               [kind](const Span& span) { return span.kind == kind; });
  return spans;
}

bool inside(const Span& inner, const Span& outer) {
  return outer.begin_ns <= inner.begin_ns && inner.end_ns <= outer.end_ns;
}

std::uint64_t total_ns(const std::vector<Span>& spans) {
  std::uint64_t sum = 0;
  for (const Span& span : spans) sum += span.end_ns - span.begin_ns;
  return sum;
}

// What must hold for every looked-at inference: one request, its layers inside it one after the
// other, named as the runtime model names them.
void check_layers(const trace::Trace& trace, const std::set<std::string>& executed) {
  const std::vector<Span> requests = of_kind(trace, Kind::kRequest);
  ASSERT_THAT(requests, SizeIs(1));
  std::vector<Span> layers = of_kind(trace, Kind::kLayer);
  ASSERT_FALSE(layers.empty());
  std::sort(layers.begin(), layers.end(),
            [](const Span& a, const Span& b) { return a.begin_ns < b.begin_ns; });
  for (std::size_t i = 0; i < layers.size(); ++i) {
    EXPECT_TRUE(inside(layers[i], requests[0]));
    EXPECT_EQ(layers[i].thread, requests[0].thread);
    EXPECT_GT(layers[i].depth, requests[0].depth);
    EXPECT_TRUE(executed.contains(std::string(trace.name(layers[i])))) << trace.name(layers[i]);
    if (i > 0) {
      EXPECT_GE(layers[i].begin_ns, layers[i - 1].end_ns);
    }
  }
  EXPECT_LE(total_ns(layers), total_ns(requests));
  EXPECT_EQ(trace.dropped, 0u);
}

TEST_F(Openvino, EmitsNothingWhenOff) {
  compile(small_model(), {1, 16, 64, 64});
  const std::uint64_t before = source_.emitted();
  for (int i = 0; i < 3; ++i) request_.infer();
  EXPECT_EQ(source_.emitted(), before);
  EXPECT_THAT(drained().spans, IsEmpty());
}

TEST_F(Openvino, EmitsRequestAndLayers) {
  compile(small_model(), {1, 16, 64, 64});
  const trace::Trace trace = look(Depth::kLayers);
  check_layers(trace, executed_layers());
  EXPECT_THAT(of_kind(trace, Kind::kOperator), IsEmpty());
  EXPECT_THAT(of_kind(trace, Kind::kWorker), IsEmpty());
  std::vector<std::string> names;
  for (const Span& layer : of_kind(trace, Kind::kLayer)) names.emplace_back(trace.name(layer));
  EXPECT_THAT(names, IsSupersetOf({"first", "second", "product"}));
}

TEST_F(Openvino, EmitsKernelsInsideTheirLayers) {
  compile(small_model(), {1, 16, 64, 64});
  const trace::Trace trace = look(Depth::kKernels);
  check_layers(trace, executed_layers());
  const Span request = of_kind(trace, Kind::kRequest).at(0);
  const std::vector<Span> layers = of_kind(trace, Kind::kLayer);
  const std::vector<Span> operators = of_kind(trace, Kind::kOperator);
  EXPECT_EQ(operators.size(), layers.size());
  for (const Span& layer : layers) {
    EXPECT_TRUE(std::any_of(operators.begin(), operators.end(),
                            [&](const Span& op) { return inside(layer, op); }));
  }
  std::vector<std::string> primitives;
  for (const Span& primitive : of_kind(trace, Kind::kPrimitive)) {
    primitives.emplace_back(trace.name(primitive));
    EXPECT_TRUE(std::any_of(layers.begin(), layers.end(),
                            [&](const Span& layer) { return inside(primitive, layer); }) ||
                primitive.thread != request.thread);
  }
  EXPECT_THAT(primitives, ::testing::Contains("convolution"));
  std::set<std::uint32_t> threads;
  for (const Span& worker : of_kind(trace, Kind::kWorker)) {
    EXPECT_TRUE(inside(worker, request));
    threads.insert(worker.thread);
  }
  EXPECT_FALSE(threads.empty());
  EXPECT_EQ(trace.threads.size(), std::set(trace.threads.begin(), trace.threads.end()).size());
}

TEST_F(Openvino, CreatesNoNamesWhileItRuns) {
  compile(small_model(), {1, 16, 64, 64});
  trace::Trace trace = look(Depth::kKernels);
  const std::size_t names = trace.names.size();
  source_.set_depth(Depth::kKernels);
  for (int i = 0; i < 20; ++i) request_.infer();
  source_.set_depth(Depth::kOff);
  source_.drain(trace);
  EXPECT_LE(trace.names.size(), names + 2);  // a worker may do something for the first time
}

TEST_F(Openvino, SamplesRealRequests) {
  compile(small_model(), {1, 16, 64, 64});
  Sampler sampler(source_, {.budget = 0, .depth = Depth::kKernels, .warmup = 4});
  const base::SystemClock clock;
  for (int i = 0; i < 12; ++i) {
    sampler.on_start(5);
    const auto begin = clock.now().time_since_epoch().count();
    request_.infer();
    const auto end = clock.now().time_since_epoch().count();
    sampler.on_end({.session = 5,
                    .thread = static_cast<std::uint32_t>(base::this_thread_id()),
                    .begin_ns = static_cast<std::uint64_t>(begin),
                    .end_ns = static_cast<std::uint64_t>(end),
                    .bucket = "x"});
  }
  const Sampler::Report report = sampler.report();
  EXPECT_EQ(report.requests, 12u);
  EXPECT_EQ(report.sampled, 4u);
  EXPECT_GT(report.cost_when_sampled, 0);
  const trace::Trace trace = sampler.drain();
  EXPECT_THAT(trace.marks, SizeIs(4));
  for (const Span& span : trace.spans) {
    EXPECT_TRUE(std::any_of(trace.marks.begin(), trace.marks.end(), [&](const auto& mark) {
      return mark.begin_ns <= span.begin_ns && span.end_ns <= mark.end_ns;
    }));
  }
  // A synchronous request with one stream runs on its caller's thread, so its spans are found by
  // it.
  EXPECT_THAT(of_kind(trace, Kind::kRequest), SizeIs(4));
  EXPECT_THAT(of_kind(trace, Kind::kWorker), ::testing::Not(IsEmpty()));
}

TEST_F(Openvino, LayersFillTheRequestOfARealModel) {
  const std::string file = recogniser();
  if (file.empty()) GTEST_SKIP() << "no recogniser in .venv";
  compile(core_.read_model(file), {1, 3, 48, 320});
  double best = 0;
  for (int i = 0; i < 10; ++i) {
    const trace::Trace trace = look(Depth::kLayers);
    check_layers(trace, executed_layers());
    EXPECT_GT(of_kind(trace, Kind::kLayer).size(), 100u);
    best = std::max(best, static_cast<double>(total_ns(of_kind(trace, Kind::kLayer))) /
                              static_cast<double>(total_ns(of_kind(trace, Kind::kRequest))));
  }
  RecordProperty("layer_share", std::to_string(best));
  EXPECT_GT(best, 0.8);
}

}  // namespace
}  // namespace tachostat::probe
