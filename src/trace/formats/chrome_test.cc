#include "trace/formats/chrome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <tuple>

#include "base/status.h"

namespace tachostat::trace {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

std::string written(const Trace& trace) {
  std::ostringstream out;
  write_chrome(trace, out);
  return out.str();
}

absl::StatusOr<Trace> read(const std::string& text) {
  std::istringstream in(text);
  return read_chrome(in);
}

std::string error_of(const std::string& text) {
  const auto trace = read(text);
  if (trace.ok()) return "no error";
  EXPECT_EQ(trace.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(base::message_of(trace.status()));
}

std::string with_event(const std::string& event) {
  return R"({"traceEvents":[{"ph":"M","pid":1,"tid":0,"name":"process_name","args":{"name":"x"}},)" +
         event + "]}";
}

using Row =
    std::tuple<std::uint64_t, std::uint64_t, std::string, std::uint32_t, std::uint32_t, int>;

std::vector<Row> rows(const Trace& trace) {
  std::vector<Row> rows;
  for (const Span& span : trace.spans) {
    rows.emplace_back(span.begin_ns, span.end_ns, std::string(trace.name(span)), span.thread,
                      span.depth, static_cast<int>(span.kind));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::set<std::pair<Row, Row>> flows(const Trace& trace) {
  std::set<std::pair<Row, Row>> found;
  for (const Flow& flow : trace.flows) {
    Trace ends = trace;
    ends.spans = {trace.spans.at(flow.from)};
    const Row from = rows(ends)[0];
    ends.spans = {trace.spans.at(flow.to)};
    found.emplace(from, rows(ends)[0]);
  }
  return found;
}

Trace example() {
  Trace trace;
  trace.names = {"inference", "Conv_1 \"quoted\"\n\\", "näme", ""};
  trace.threads = {{11, "stream 0"}, {12, "worker/\"1\""}};
  trace.spans = {
      {.begin_ns = 1'000'000'007,
       .end_ns = 1'000'005'008,
       .name = 1,
       .thread = 11,
       .depth = 1,
       .kind = Kind::kLayer},
      {.begin_ns = 1'000'000'007,
       .end_ns = 1'000'009'999,
       .name = 0,
       .thread = 11,
       .depth = 0,
       .kind = Kind::kRequest},
      {.begin_ns = 0,
       .end_ns = kMax,
       .name = 2,
       .thread = 0xffffffff,
       .depth = 7,
       .kind = Kind::kWorker},
      {.begin_ns = kMax, .end_ns = kMax, .name = 3, .thread = 12, .kind = Kind::kOther},
      {.begin_ns = 1, .end_ns = 2, .name = 0, .thread = 12, .kind = Kind::kStage},
      {.begin_ns = 999, .end_ns = 1000, .name = 0, .thread = 12, .kind = Kind::kOperator},
      {.begin_ns = 5, .end_ns = 5, .name = 1, .thread = 12, .kind = Kind::kPrimitive},
  };
  trace.marks = {{.session = kMax,
                  .thread = 11,
                  .begin_ns = 1'000'000'001,
                  .end_ns = 1'000'010'000,
                  .bucket = "x[1,3,48,320]"},
                 {.session = 0, .thread = 12, .begin_ns = 3, .end_ns = 4, .bucket = ""}};
  trace.counters = {
      {.name = "package power", .unit = "W", .points = {{1, 12.5}, {2, 0.1}, {2, 1e300}}},
      {.name = "package power", .unit = "J", .points = {{0, -3}}},
      {.name = "\"q\"\n", .unit = "1", .points = {{kMax, 18446744073709551616.0}}}};
  trace.flows = {{.from = 1, .to = 0}, {.from = 0, .to = 3}, {.from = 1, .to = 2}};
  trace.dropped = 42;
  return trace;
}

TEST(Chrome, ReadsBackWhatItWroteToTheNanosecond) {
  const Trace trace = example();
  const auto back = read(written(trace));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(rows(*back), rows(trace));
  EXPECT_EQ(back->threads, trace.threads);
  EXPECT_EQ(back->dropped, 42u);
  ASSERT_EQ(back->marks.size(), 2u);
  EXPECT_EQ(back->marks[1].session, kMax);
  EXPECT_EQ(back->marks[1].thread, 11u);
  EXPECT_EQ(back->marks[1].begin_ns, 1'000'000'001u);
  EXPECT_EQ(back->marks[1].end_ns, 1'000'010'000u);
  EXPECT_EQ(back->marks[1].bucket, "x[1,3,48,320]");
  EXPECT_EQ(back->marks[0].bucket, "");
  ASSERT_EQ(back->counters.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(back->counters[i].name, trace.counters[i].name);
    EXPECT_EQ(back->counters[i].unit, trace.counters[i].unit);
    EXPECT_EQ(back->counters[i].points, trace.counters[i].points);
  }
  EXPECT_EQ(flows(*back), flows(trace));
  // Writing what was read gives the same bytes, so golden files can be compared as text.
  EXPECT_EQ(written(*back), written(trace));
}

TEST(Chrome, EmptyTrace) {
  const auto back = read(written(Trace{}));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_TRUE(back->spans.empty());
  EXPECT_TRUE(back->marks.empty());
  EXPECT_TRUE(back->threads.empty());
}

TEST(Chrome, WritesWhatViewersNeed) {
  const nlohmann::json document = nlohmann::json::parse(written(example()));
  const nlohmann::json& events = document.at("traceEvents");
  EXPECT_EQ(events.at(0).at("name"), "process_name");
  for (const nlohmann::json& event : events) {
    EXPECT_TRUE(event.at("pid").is_number_integer());
    EXPECT_TRUE(event.at("tid").is_number_integer());
    if (event.at("ph") == "C") {
      EXPECT_TRUE(event.at("args").at("value").is_number());
    }
    if (event.at("ph") != "X") continue;
    EXPECT_GE(event.at("dur").get<double>(), 0);
  }
  // Of spans that begin together the outer one comes first.
  std::vector<std::string> at_same_time;
  for (const nlohmann::json& event : events) {
    if (event.at("tid") == 11 && event.at("ph") == "X") {
      at_same_time.push_back(event.at("cat"));
    }
  }
  EXPECT_EQ(at_same_time, (std::vector<std::string>{"execution", "request", "layer"}));
}

TEST(Chrome, SurvivesNamesThatAreNotText) {
  Trace trace;
  trace.names = {std::string("bad\xff\x00name", 9)};
  trace.spans = {{.name = 0}, {.name = 17}};  // and one that has no name
  const auto back = read(written(trace));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->spans.size(), 2u);
}

TEST(Chrome, SkipsWhatItDoesNotKnow) {
  const auto trace = read(
      R"({"extra":[{"args":{"depth":"x"}},[1]],"otherData":{"host":"h","more":{"dropped_spans":9}},)"
      R"("traceEvents":[{"ph":"M","name":"thread_sort_index","args":{"sort_index":[1,{"a":null}]}},)"
      R"({"ph":"X","pid":1,"tid":3,"ts":12,"dur":0.5,"cat":"layer","name":"a","tts":null,)"
      R"("args":{"depth":2,"list":[1,2],"deep":{"depth":5}}}],"traceName":true})");
  ASSERT_TRUE(trace.ok()) << trace.status();
  ASSERT_EQ(trace->spans.size(), 1u);
  EXPECT_EQ(trace->spans[0].begin_ns, 12'000u);
  EXPECT_EQ(trace->spans[0].end_ns, 12'500u);
  EXPECT_EQ(trace->spans[0].depth, 2u);
  EXPECT_EQ(trace->dropped, 0u);
}

TEST(Chrome, SaysWhatIsWrongWithAnEvent) {
  const auto x = [](const std::string& members) {
    return with_event(R"({"ph":"X","pid":1,)" + members + "}");
  };
  const std::string good =
      R"("tid":3,"ts":1.5,"dur":2,"cat":"layer","name":"a","args":{"depth":0})";
  ASSERT_TRUE(read(x(good)).ok());
  const auto without = [&](const std::string& part, const std::string& instead) {
    std::string text = good;
    text.replace(text.find(part), part.size(), instead);
    return error_of(x(text));
  };
  EXPECT_EQ(without(R"("tid":3,)", ""), "trace event 1: no \"tid\"");
  EXPECT_EQ(without(R"("args":{"depth":0})", R"("args":{})"), "trace event 1: no \"args.depth\"");
  EXPECT_EQ(without(R"("name":"a")", R"("name":5)"),
            "trace event 1: \"name\" is 5, expected a string");
  EXPECT_THAT(without(R"("tid":3)", R"("tid":-3)"), HasSubstr("\"tid\" is -3"));
  EXPECT_THAT(without(R"("tid":3)", R"("tid":4294967296)"), HasSubstr("\"tid\" is 4294967296"));
  EXPECT_THAT(without(R"("tid":3)", R"("tid":"3")"), HasSubstr("\"tid\" is \"3\""));
  for (const char* ts : {"-1", "1e3", "1.0005", "\"1\"", "null", "true", "18446744073709552",
                         "99999999999999999999"}) {
    EXPECT_THAT(without(R"("ts":1.5)", std::string(R"("ts":)") + ts),
                HasSubstr(std::string("\"ts\" is ") + ts));
  }
  EXPECT_THAT(without(R"("ts":1.5)", R"("ts":18446744073709551.615)"), HasSubstr("beyond 64 bits"));
  EXPECT_THAT(without(R"("cat":"layer")", R"("cat":"Layer")"), HasSubstr("\"cat\" is \"Layer\""));
  EXPECT_THAT(without(R"("cat":"layer")", R"("cat":"execution")"),
              HasSubstr("no \"args.session\""));
  EXPECT_THAT(error_of(with_event(R"({"ph":"B"})")), HasSubstr("event 1: \"ph\" is \"B\""));
  EXPECT_THAT(error_of(with_event("{}")), HasSubstr("event 1: no \"ph\""));
  EXPECT_THAT(error_of(with_event("7")), HasSubstr("holds 7, expected objects only"));
  EXPECT_THAT(error_of(with_event("[7]")), HasSubstr("holds an array, expected objects only"));
  EXPECT_THAT(error_of(with_event(R"({"ph":"M","name":"thread_name","tid":1})")),
              HasSubstr("no \"args.name\""));
}

TEST(Chrome, SaysWhatIsWrongWithACounterOrAFlow) {
  const auto event = [](const std::string& members) { return error_of(with_event(members)); };
  const std::string counter = R"({"ph":"C","tid":0,"ts":5,"cat":"W","name":"p","args":{"value":)";
  EXPECT_THAT(event(counter + R"("7"}})"), HasSubstr("\"args.value\" is \"7\", expected a number"));
  EXPECT_THAT(event(counter + "null}}"), HasSubstr("\"args.value\" is null"));
  EXPECT_THAT(event(R"({"ph":"C","ts":5,"name":"p","args":{"value":7}})"), HasSubstr("no \"cat\""));
  EXPECT_THAT(event(counter + R"(1}},{"ph":"C","ts":4,"cat":"W","name":"p","args":{"value":1}})"),
              HasSubstr("event 2: \"ts\" of counter \"p\" is before its last one"));
  const std::string flow = R"({"ph":"s","id":3,"tid":1,"ts":1,"args":{"span":0}})";
  EXPECT_THAT(event(flow), HasSubstr("flow with \"id\" 3 has no \"f\" event"));
  EXPECT_THAT(event(flow + "," + flow), HasSubstr("event 2: a second one"));
  EXPECT_THAT(event(flow + R"(,{"ph":"f","id":3,"args":{"span":9}})"),
              HasSubstr("from span 0 to 9, but there are 0 spans"));
}

TEST(Chrome, LeavesOutWhatJsonCannotHoldAndFlowsToNowhere) {
  Trace trace;
  trace.counters = {{.name = "c", .unit = "1", .points = {{1, std::nan("")}, {2, 3}}}};
  trace.flows = {{.from = 0, .to = 1}};
  const auto back = read(written(trace));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->counters.at(0).points.size(), 1u);
  EXPECT_TRUE(back->flows.empty());
}

TEST(Chrome, RejectsWhatIsNoTrace) {
  EXPECT_THAT(error_of(""), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of("nonsense"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of("{}"), HasSubstr("no \"traceEvents\""));
  EXPECT_THAT(error_of("5"), HasSubstr("the top level is 5"));
  EXPECT_THAT(error_of("[]"), HasSubstr("the top level is an array"));
  EXPECT_THAT(error_of(R"({"traceEvents":{}})"), HasSubstr("no \"traceEvents\""));
  EXPECT_THAT(error_of(R"({"otherData":{"dropped_spans":-1},"traceEvents":[]})"),
              HasSubstr("\"dropped_spans\" is -1"));
  EXPECT_THAT(error_of(R"({"a":)" + std::string(100'000, '[')), HasSubstr("nested deeper"));
  // A file that was cut anywhere is an error, not a shorter trace.
  const std::string text = written(example());
  for (std::size_t length = 0; length + 2 < text.size(); length += 7) {
    EXPECT_FALSE(read(text.substr(0, length)).ok()) << length;
  }
}

}  // namespace
}  // namespace tachostat::trace
