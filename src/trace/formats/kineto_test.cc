#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/status.h"
#include "trace/formats/import_test_support.h"
#include "trace/formats/kineto_events.h"

namespace tachostat::trace {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string kineto(std::string_view events) {
  return fmt::format(R"({{"schemaVersion": 1, "deviceProperties": [], "traceEvents": [{}]}})",
                     events);
}

std::string event(std::string_view category, std::string_view name, double ts, double duration,
                  std::string_view args = "{}", int tid = 1, int pid = 9) {
  return fmt::format(
      R"({{"ph":"X","cat":"{}","name":"{}","pid":{},"tid":{},"ts":{},"dur":{},"args":{}}})",
      category, name, pid, tid, ts, duration, args);
}

// The index of the only span of that name and kind.
std::size_t only(const Trace& trace, std::string_view name, Kind kind) {
  std::size_t found = trace.spans.size();
  for (std::size_t i = 0; i < trace.spans.size(); ++i) {
    if (trace.spans[i].kind == kind && trace.name(trace.spans[i]) == name) {
      EXPECT_EQ(found, trace.spans.size()) << name << " occurs twice";
      found = i;
    }
  }
  EXPECT_LT(found, trace.spans.size()) << name;
  return found;
}

TEST(Kineto, ReadsARealTraceOfStepsOnTheCpu) {
  const auto import = import_file(sample("pytorch_steps.json.gz"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->tool, "pytorch");
  expect_sound(*import);
  EXPECT_THAT(names_of(import->trace, Kind::kRequest),
              UnorderedElementsAre("ProfilerStep#1", "ProfilerStep#2"));
  EXPECT_EQ(names_of(import->trace, Kind::kLayer).size(), 14u);  // two steps of seven
  ASSERT_EQ(import->layers.size(), 6u);                          // two Relus are alike
  EXPECT_EQ(import->layers[0].name, "aten::conv2d [[1,3,32,32],[8,3,3,3],[8]]");
  EXPECT_EQ(import->layers[0].type, "aten::conv2d");
  EXPECT_EQ(import->layers[0].precision, "f32");
  EXPECT_EQ(import->layers[0].device, "CPU");
  // What an operator calls lies inside it.
  EXPECT_THAT(names_of(import->trace, Kind::kOperator), Contains(HasSubstr("aten::_convolution")));
  EXPECT_THAT(import->notes, IsEmpty());
}

TEST(Kineto, ReadsARealTraceWithStacksModulesAndMemory) {
  const auto import = import_file(sample("pytorch_stack.json.gz"));
  ASSERT_TRUE(import.ok()) << import.status();
  expect_sound(*import);
  // No steps: what record_function() put around operators is an inference.
  EXPECT_THAT(names_of(import->trace, Kind::kRequest), ElementsAre("model_inference"));
  EXPECT_THAT(import->layers[0].originals, ElementsAre("Conv2d_0"));
  ASSERT_EQ(import->trace.counters.size(), 1u);
  EXPECT_EQ(import->trace.counters[0].name, "memory allocated, CPU");
  EXPECT_EQ(import->trace.counters[0].unit, "By");
  EXPECT_GT(import->trace.counters[0].points.size(), 3u);
  EXPECT_THAT(names_of(import->trace, Kind::kOther), Contains("nn.Module: Linear_0"));
}

// By Kineto's published source; no GPU was at hand.
TEST(Kineto, GivesAnOperatorItsKernelsTimeOnTheDevice) {
  const auto import = import_text(kineto(
      event("user_annotation", "ProfilerStep#7", 0, 100) + "," +
      event(
          "cpu_op", "aten::linear", 10, 30,
          R"({"External id": 5, "Input Dims": [[1, 8], [4, 8], []], "Input type": ["c10::Half"]})") +
      "," + event("cpu_op", "aten::addmm", 11, 20, R"({"External id": 6})") + "," +
      event("cuda_runtime", "cudaLaunchKernel", 12, 3, R"({"correlation": 77})") + "," +
      event("cuda_runtime", "cudaLaunchKernel", 16, 3, R"({"correlation": 78})") + "," +
      event("kernel", "gemm", 200, 10,
            R"({"External id": 6, "correlation": 77, "device": 1, "stream": 7,
                "registers per thread": 128, "est. achieved occupancy %": 40})",
            7, 1) +
      "," +
      event("kernel", "bias", 212, 2, R"({"correlation": 78, "device": 1, "stream": 7})", 7, 1) +
      "," +
      event(
          "gpu_memcpy", "Memcpy HtoD", 190, 4,
          R"x({"device": 1, "stream": 7, "correlation": 12, "bytes": 64, "memory bandwidth (GB/s)": inf})x",
          7, 1)));
  ASSERT_TRUE(import.ok()) << import.status();
  expect_sound(*import);
  const Trace& trace = import->trace;
  const Span& layer = trace.spans[only(trace, "aten::linear [[1,8],[4,8]]", Kind::kLayer)];
  EXPECT_EQ(layer.begin_ns, 200'000u);
  EXPECT_EQ(layer.end_ns, 214'000u);
  const Span& request = trace.spans[only(trace, "ProfilerStep#7", Kind::kRequest)];
  EXPECT_EQ(request.begin_ns, 200'000u);
  EXPECT_EQ(request.thread, layer.thread);
  only(trace, "ProfilerStep#7", Kind::kStage);
  EXPECT_THAT(names_of(trace, Kind::kPrimitive),
              UnorderedElementsAre("gemm", "bias", "Memcpy HtoD"));
  const LayerRow* row = row_named(*import, "aten::linear [[1,8],[4,8]]");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->type, "aten::linear");
  EXPECT_EQ(row->kernel, "gemm");
  EXPECT_EQ(row->precision, "f16");
  EXPECT_EQ(row->device, "GPU 1");
  EXPECT_EQ(row->metrics.at("registers per thread"), 128);
  EXPECT_EQ(row->metrics.at("est. achieved occupancy %"), 40);
  // A copy that nothing launched is a layer of its own.
  ASSERT_NE(row_named(*import, "Memcpy HtoD"), nullptr);
  EXPECT_EQ(row_named(*import, "Memcpy HtoD")->metrics.at("bytes"), 64);
  std::vector<std::string> flows;
  for (const Flow& flow : trace.flows) {
    flows.push_back(fmt::format("{} -> {}", trace.name(trace.spans[flow.from]),
                                trace.name(trace.spans[flow.to])));
  }
  EXPECT_THAT(flows,
              UnorderedElementsAre("cudaLaunchKernel -> gemm", "cudaLaunchKernel -> bias",
                                   "aten::linear [[1,8],[4,8]] -> aten::linear [[1,8],[4,8]]",
                                   "ProfilerStep#7 -> ProfilerStep#7"));
  EXPECT_THAT(trace.threads, Contains(std::pair(layer.thread, std::string("GPU 1 stream 7"))));
}

TEST(Kineto, ReadsOlderSpellings) {
  const auto import = import_text(
      kineto(event("Operator", "aten::mm", 0, 10) + "," +
             event("Runtime", "cudaLaunchKernel", 1, 1, R"({"correlation": 3})") + "," +
             event("Kernel", "gemm", 20, 5, R"({"correlation": 3, "external id": 1})", 7, 0)));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_THAT(names_of(import->trace, Kind::kLayer), ElementsAre("aten::mm"));
  EXPECT_THAT(import->notes, Contains(HasSubstr("nothing says where one begins")));
}

TEST(Kineto, KeepsCountersAndThreadNames) {
  const auto import = import_text(kineto(
      R"({"ph":"M","name":"thread_name","pid":9,"tid":1,"ts":0,"args":{"name":"main"}},
         {"ph":"C","name":"queue","pid":9,"tid":1,"ts":5,"args":{"depth": 3, "note": "x"}},)" +
      event("cpu_op", "aten::mm", 0, 10)));
  ASSERT_TRUE(import.ok()) << import.status();
  ASSERT_EQ(import->trace.counters.size(), 1u);
  EXPECT_EQ(import->trace.counters[0].name, "queue depth");
  EXPECT_EQ(import->trace.counters[0].points[0], (std::pair<std::uint64_t, double>(5000, 3)));
  EXPECT_EQ(import->trace.threads[0].second, "main");
}

TEST(Kineto, MovesTimesBelowZeroAndSaysSo) {
  const auto import = import_text(
      kineto(event("cpu_op", "aten::mm", -10.5, 3) + "," + event("cpu_op", "aten::add", 1, 2)));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->trace.spans[0].begin_ns, 0u);
  EXPECT_EQ(import->trace.spans[0].end_ns, 3000u);
  EXPECT_EQ(import->trace.spans[1].begin_ns, 11500u);
  EXPECT_THAT(import->notes, Contains(HasSubstr("10500 ns before zero")));
}

TEST(Kineto, LeavesOutEventsWithoutUsableTimesAndCountsThem) {
  const auto import = import_text(kineto(
      R"({"ph":"X","cat":"cpu_op","name":"no times"},
         {"ph":"X","cat":"cpu_op","name":"times of another type","ts":[1],"dur":{}},
         {"ph":"X","cat":"cpu_op","name":"too large","ts":1e300,"dur":1},
         {"ph":"X","cat":"cpu_op","name":"end too large","ts":9223372036854775,"dur":9223372036854775},
         {"ph":"X","cat":"cpu_op","name":"backwards","ts":5,"dur":-1},
         {"ph":"X","cat":"cpu_op" "name":"no JSON"},
         {"ph":7,"cat":[],"name":{}}, {},)" +
      event("cpu_op", "aten::mm", 1, 2)));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->trace.spans.size(), 1u);
  EXPECT_THAT(import->notes, Contains(HasSubstr("6 events without usable times")));
}

TEST(Kineto, ReadsTimesExactly) {
  const auto import = import_text(
      kineto(R"({"ph":"X","cat":"cpu_op","name":"a","ts":1690000000123456.789,"dur":0.001})"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->trace.spans[0].begin_ns, 1690000000123456789u);
  EXPECT_EQ(import->trace.spans[0].end_ns, 1690000000123456790u);
}

TEST(Kineto, NamesThePlaceWhereAFileIsCutOff) {
  const std::string whole = kineto(event("cpu_op", "aten::mm", 1, 2));
  for (std::size_t size = whole.find("traceEvents"); size < whole.size(); ++size) {
    const absl::Status status = import_text(whole.substr(0, size), "kineto", "cut.json").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << size;
    EXPECT_THAT(base::message_of(status), HasSubstr("cut.json")) << size;
  }
  EXPECT_THAT(base::message_of(import_text("", "kineto").status()), HasSubstr("empty"));
  EXPECT_THAT(base::message_of(import_text("{}", "kineto").status()), HasSubstr("traceEvents"));
  EXPECT_THAT(base::message_of(import_text(R"({"traceEvents":7})", "kineto").status()),
              HasSubstr("traceEvents"));
  EXPECT_THAT(base::message_of(import_text(R"({"traceEvents":[7]})", "kineto").status()),
              HasSubstr("expected an event's object, found '7'"));
  EXPECT_FALSE(import_text(R"({"traceEvents":[{"a" 1}]})", "kineto").ok());
}

TEST(Kineto, SurvivesDeepNestingAndLongTexts) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const auto import =
      import_text(kineto(event("cpu_op", "aten::mm", 1, 2, R"({"Input Dims": )" + deep + "}") +
                         "," + event("cpu_op", std::string(1 << 20, 'x'), 5, 2)));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->trace.spans.size(), 2u);
  EXPECT_FALSE(import_text(std::string(1 << 20, '['), "kineto").ok());
  EXPECT_FALSE(import_text(R"({"traceEvents":[)" + std::string(1 << 20, '{'), "kineto").ok());
}

TEST(Kineto, KeepsAllPythonFunctionsOrNone) {
  KinetoReader reader;
  const JsonEvent op{.phase = "X",
                     .name = "aten::mm",
                     .category = "cpu_op",
                     .begin_ns = 0,
                     .duration_ns = 10,
                     .args = R"({"External id": 1})"};
  // JsonArgs wants its padding behind the text.
  std::string padded(op.args);
  padded.resize(padded.size() + 64);
  JsonEvent padded_op = op;
  padded_op.args = std::string_view(padded).substr(0, op.args.size());
  JsonEvent python{
      .phase = "X", .name = "f", .category = "python_function", .begin_ns = 0, .duration_ns = 1};
  for (std::size_t i = 0; i < KinetoReader::kMostPython; ++i) reader.add(python);
  reader.add(padded_op);
  reader.add(python);
  reader.add(python);
  KinetoEvents events = reader.take();
  EXPECT_EQ(events.timeline.size(), 1u);
  EXPECT_EQ(events.operators.at(1), 0u);
  EXPECT_EQ(events.python_dropped, KinetoReader::kMostPython + 2);
  const Import import = kineto_layers(std::move(events));
  EXPECT_THAT(names_of(import.trace, Kind::kLayer), ElementsAre("aten::mm"));
  EXPECT_THAT(import.notes, Contains(HasSubstr("Python functions were left out")));
}

TEST(ParseUs, IsExactAndRefusesWhatDoesNotFit) {
  std::int64_t ns = 0;
  EXPECT_TRUE(parse_us("12", ns));
  EXPECT_EQ(ns, 12'000);
  EXPECT_TRUE(parse_us("-0.0015", ns));
  EXPECT_EQ(ns, -2);
  EXPECT_TRUE(parse_us("1.5e3", ns));
  EXPECT_EQ(ns, 1'500'000);
  for (const char* text : {"", "-", ".", "abc", "1x", "9223372036854776", "1e300", "--1", "nan"}) {
    EXPECT_FALSE(parse_us(text, ns)) << text;
  }
}

TEST(BareWords, BecomeNull) {
  EXPECT_EQ(
      without_bare_words(R"({"a":nan,"b":-inf,"c":-1e-5,"d":"nan \" inf","e":true,"f":1.5E+3})"),
      R"({"a":null,"b":null,"c":-1e-5,"d":"nan \" inf","e":true,"f":1.5E+3})");
}

}  // namespace
}  // namespace tachostat::trace
