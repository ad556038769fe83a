#include "profile/formats/otlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "otlp.pb.h"
#include "profile/formats/formats.h"

namespace tachostat::profile {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Refers to both; kept together for ExportInput.
struct Example {
  Profile profile{.model = "net", .model_hash = "ab", .variant = "v", .bucket = "x[1,3]"};
  trace::Trace trace;

  Example() {
    profile.request_time.record(3'000, 2);
    profile.request_time.record(2'048);
    profile.unattributed_ns = 7;
    LayerProfile& conv = profile.layers.emplace_back();
    conv.name = "Conv \"1\"\n\xff";
    conv.type = "Convolution";
    conv.kernel = "brgconv";
    conv.precision = "f32";
    conv.share = 0.25;
    conv.time.record(500);
    conv.time.record(UINT64_MAX / 4);
    conv.work = {.flops = 10, .weight_bytes = 1, .input_bytes = 2, .output_bytes = 3};
    profile.layers.emplace_back().name = "never";

    using trace::Kind;
    trace.names = {"inference", profile.layers[0].name, "body", "decode"};
    trace.spans = {
        {.begin_ns = 100, .end_ns = 200, .name = 0, .thread = 1, .kind = Kind::kRequest},
        {.begin_ns = 110, .end_ns = 150, .name = 1, .thread = 1, .kind = Kind::kLayer},
        {.begin_ns = 111, .end_ns = 149, .name = 2, .thread = 1, .kind = Kind::kWorker},
        {.begin_ns = 112, .end_ns = 140, .name = 3, .thread = 1, .kind = Kind::kStage},
        {.begin_ns = 300, .end_ns = 400, .name = 0, .thread = 1, .kind = Kind::kRequest}};
    trace.marks = {{.session = 1, .thread = 1, .begin_ns = 100, .end_ns = 200, .bucket = "x[1,3]"}};
    trace.counters = {
        {.name = "package power", .unit = "W", .points = {{100, 12.5}, {150, std::nan("")}}}};
  }

  ExportInput input() const {
    return {.profile = profile,
            .trace = trace,
            .begin_unix_ns = 5'000,
            .end_unix_ns = 6'000,
            .trace_to_unix_ns = 1'000'000};
  }
};

json lines_of(absl::Status (*write)(const ExportInput&, std::ostream&), const ExportInput& input) {
  std::stringstream out;
  EXPECT_TRUE(write(input, out).ok());
  json documents = json::array();
  for (std::string line; std::getline(out, line);) documents.push_back(json::parse(line));
  return documents;
}

TEST(OtlpTraces, ALayerIsAChildOfItsRequest) {
  const Example example;
  const json requests = lines_of(write_otlp_traces, example.input());
  ASSERT_EQ(requests.size(), 1u);
  const json& spans = requests[0]["resourceSpans"][0]["scopeSpans"][0]["spans"];
  ASSERT_EQ(spans.size(), 4u);
  EXPECT_EQ(spans[0]["name"], "inference");
  EXPECT_FALSE(spans[0].contains("parentSpanId"));
  EXPECT_EQ(spans[0]["startTimeUnixNano"], "1000100");
  EXPECT_EQ(spans[0]["endTimeUnixNano"], "1000200");
  EXPECT_EQ(spans[0]["kind"], 1);
  EXPECT_THAT(spans[0]["traceId"].get<std::string>(), testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_THAT(spans[0]["spanId"].get<std::string>(), testing::MatchesRegex("[0-9a-f]{16}"));
  EXPECT_EQ(spans[0]["attributes"],
            json::parse(R"([{"key":"tachostat.span.kind","value":{"stringValue":"request"}},
                            {"key":"tachostat.bucket","value":{"stringValue":"x[1,3]"}}])"));
  EXPECT_EQ(spans[1]["name"], "Conv \"1\"\n\uFFFD");
  EXPECT_EQ(spans[1]["parentSpanId"], spans[0]["spanId"]);
  EXPECT_EQ(spans[1]["traceId"], spans[0]["traceId"]);
  EXPECT_EQ(spans[1]["attributes"],
            json::parse(R"([{"key":"tachostat.span.kind","value":{"stringValue":"layer"}},
                            {"key":"tachostat.layer.type","value":{"stringValue":"Convolution"}},
                            {"key":"tachostat.layer.kernel","value":{"stringValue":"brgconv"}},
                            {"key":"tachostat.layer.precision","value":{"stringValue":"f32"}},
                            {"key":"tachostat.layer.flops","value":{"doubleValue":10}},
                            {"key":"tachostat.layer.bytes","value":{"doubleValue":6}}])"));
  // The worker between them is left out.
  EXPECT_EQ(spans[2]["parentSpanId"], spans[1]["spanId"]);
  EXPECT_NE(spans[3]["traceId"], spans[0]["traceId"]);
  EXPECT_FALSE(spans[3].contains("parentSpanId"));
}

TEST(OtlpTraces, BatchesHoldWhatOneRequestDoes) {
  const Example example;
  EXPECT_THAT(otlp_traces(example.input(), 1), SizeIs(4));
  const auto whole = otlp_traces(example.input());
  ASSERT_THAT(whole, SizeIs(1));
  EXPECT_EQ(whole, otlp_traces(example.input()));  // ids do not change
  otlp::ExportTraceServiceRequest read;
  ASSERT_TRUE(read.ParseFromString(whole[0]));
  std::set<std::string> ids;
  for (const otlp::Span& span : read.resource_spans(0).scope_spans(0).spans()) {
    EXPECT_EQ(span.trace_id().size(), 16u);
    EXPECT_EQ(span.span_id().size(), 8u);
    ids.insert(span.span_id());
  }
  EXPECT_THAT(ids, SizeIs(4));
}

TEST(OtlpTraces, NothingOfNothing) {
  EXPECT_THAT(otlp_traces({.profile = Profile{}, .trace = {}}), IsEmpty());
}

const json& metric(const json& document, std::string_view name) {
  for (const json& metric : document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]) {
    if (metric["name"] == name) return metric;
  }
  ADD_FAILURE() << "no metric " << name;
  static const json none = json::object();
  return none;
}

TEST(OtlpMetrics, DistributionsCountWhatTheHistogramsDo) {
  const Example example;
  const json document = lines_of(write_otlp_metrics, example.input())[0];
  const json request = metric(document, "tachostat.request.duration");
  EXPECT_EQ(request["unit"], "s");
  EXPECT_EQ(request["histogram"]["aggregationTemporality"], 2);
  const json& point = request["histogram"]["dataPoints"][0];
  EXPECT_EQ(point["count"], "3");
  EXPECT_DOUBLE_EQ(point["sum"], 8.048e-6);
  EXPECT_DOUBLE_EQ(point["min"], 2.048e-6);
  EXPECT_EQ(point["startTimeUnixNano"], "5000");
  EXPECT_EQ(point["timeUnixNano"], "6000");
  ASSERT_EQ(point["explicitBounds"].size(), 25u);
  ASSERT_EQ(point["bucketCounts"].size(), 26u);
  EXPECT_DOUBLE_EQ(point["explicitBounds"][1], 2.048e-6);
  EXPECT_DOUBLE_EQ(point["explicitBounds"][2], 4.096e-6);
  EXPECT_EQ(point["bucketCounts"][2], "3");

  const json& layers = metric(document, "tachostat.layer.duration")["histogram"]["dataPoints"];
  ASSERT_EQ(layers.size(), 1u);  // one that never ran has no distribution
  EXPECT_EQ(layers[0]["bucketCounts"][0], "1");
  EXPECT_EQ(layers[0]["bucketCounts"][25], "1");  // above the last bound
  EXPECT_EQ(layers[0]["attributes"][0],
            json::parse(
                R"({"key":"tachostat.layer.name","value":{"stringValue":"Conv \"1\"\n\ufffd"}})"));
}

TEST(OtlpMetrics, FiguresAndCounters) {
  const Example example;
  const json document = lines_of(write_otlp_metrics, example.input())[0];
  EXPECT_EQ(metric(document, "tachostat.layer.share")["gauge"]["dataPoints"][0]["asDouble"], 0.25);
  EXPECT_EQ(metric(document, "tachostat.layer.bytes")["gauge"]["dataPoints"][0]["asDouble"], 6);
  EXPECT_EQ(metric(document, "tachostat.spans.dropped")["sum"]["dataPoints"][0]["asInt"], "0");
  const json& power = metric(document, "tachostat.counter.package_power");
  EXPECT_EQ(power["unit"], "W");
  ASSERT_EQ(power["gauge"]["dataPoints"].size(), 1u);
  EXPECT_EQ(power["gauge"]["dataPoints"][0]["timeUnixNano"], "1000100");
  // Not known, so not there.
  for (const json& metric : document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]) {
    EXPECT_NE(metric["name"], "tachostat.layer.thread_efficiency");
  }
  otlp::ExportMetricsServiceRequest read;
  EXPECT_TRUE(read.ParseFromString(otlp_metrics(example.input())));
}

TEST(OtlpMetrics, OfAnEmptyProfileSayThatNothingWasSeen) {
  const Profile profile;
  const json document = lines_of(write_otlp_metrics, {.profile = profile, .trace = {}})[0];
  const json request = metric(document, "tachostat.request.duration");
  EXPECT_FALSE(request["histogram"]["dataPoints"][0].contains("min"));
}

}  // namespace
}  // namespace tachostat::profile
