#include <gmock/gmock.h>

#include "base/status.h"
#include "trace/formats/import_test_support.h"

namespace tachostat::trace {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(ChromeImport, ReadsCompleteSpansByCategory) {
  const auto import = import_text(R"({"traceEvents":[
{"ph":"X","cat":"Op","name":"Conv","pid":1,"tid":"a","ts":1.5,"dur":2},
{"ph":"X","cat":"request","name":"infer","pid":1,"tid":"a","ts":1,"dur":9},
{"ph":"X","cat":"misc","name":"gc","pid":1,"tid":"b","ts":1,"dur":9},
{"ph":"M","name":"thread_name","pid":1,"tid":"a","args":{"name":"worker"}},
{"ph":"C","name":"power","pid":1,"ts":2,"args":{"value":4.5}}],
"otherData":{"x":1}})");
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->tool, "chrome");
  EXPECT_THAT(names_of(import->trace, Kind::kLayer), ElementsAre("Conv"));
  EXPECT_THAT(names_of(import->trace, Kind::kRequest), ElementsAre("infer"));
  EXPECT_THAT(names_of(import->trace, Kind::kOther), ElementsAre("gc"));
  EXPECT_EQ(import->trace.spans[0].depth, 1u);
  EXPECT_THAT(import->trace.threads, Contains(std::pair(1u, std::string("worker"))));
  ASSERT_EQ(import->trace.counters.size(), 1u);
  EXPECT_EQ(import->trace.counters[0].name, "power");
  EXPECT_EQ(import->layers.size(), 1u);
  EXPECT_THAT(import->notes, IsEmpty());
}

TEST(ChromeImport, PairsBeginsAndEndsAndTakesLeavesForLayers) {
  const auto import = import_text(R"([
{"ph":"B","name":"outer","pid":1,"tid":1,"ts":0},
{"ph":"B","name":"inner","pid":1,"tid":1,"ts":1},
{"ph":"E","pid":1,"tid":1,"ts":3},
{"ph":"E","pid":1,"tid":1,"ts":9},
{"ph":"E","pid":1,"tid":1,"ts":10},
{"ph":"B","name":"never ends","pid":1,"tid":2,"ts":1},
{"ph":"n","name":"instant","pid":1,"tid":2,"ts":1})");
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_THAT(names_of(import->trace, Kind::kLayer), ElementsAre("inner"));
  EXPECT_THAT(names_of(import->trace, Kind::kOther), ElementsAre("outer"));
  EXPECT_THAT(import->notes,
              UnorderedElementsAre(HasSubstr("2 spans begin or end only once"),
                                   HasSubstr("1 events that are no spans"),
                                   HasSubstr("no category says which spans are layers")));
}

TEST(ChromeImport, JoinsFlowsToTheSpansAroundThem) {
  const auto import = import_text(R"({"traceEvents":[
{"ph":"X","cat":"stage","name":"enqueue","pid":1,"tid":1,"ts":0,"dur":10},
{"ph":"X","cat":"node","name":"run","pid":1,"tid":2,"ts":20,"dur":10},
{"ph":"s","cat":"f","id":"0x1","pid":1,"tid":1,"ts":5},
{"ph":"f","cat":"f","id":"0x1","pid":1,"tid":2,"ts":20,"bp":"e"},
{"ph":"f","cat":"f","id":"lost","pid":1,"tid":2,"ts":20}]})");
  ASSERT_TRUE(import.ok()) << import.status();
  ASSERT_EQ(import->trace.flows.size(), 1u);
  const Trace& trace = import->trace;
  EXPECT_EQ(trace.name(trace.spans[trace.flows[0].from]), "enqueue");
  EXPECT_EQ(trace.name(trace.spans[trace.flows[0].to]), "run");
}

TEST(ChromeImport, IsTheLastToRecogniseAFile) {
  EXPECT_EQ(import_text(R"({"traceEvents":[]})")->tool, "chrome");
  EXPECT_EQ(import_text(R"({"schemaVersion":1,"traceEvents":[]})")->tool, "pytorch");
  EXPECT_EQ(import_text("\xef\xbb\xbf[{\"ph\":\"X\",\"name\":\"a\",\"ts\":1,\"dur\":1}]")->tool,
            "chrome");
  EXPECT_FALSE(import_text(R"({"other":[]})").ok());
}

TEST(ChromeImport, SkipsLongMembersOfTheTopLevel) {
  const std::string longer(1 << 20, 'x');
  const auto import = import_text(R"({"stack":")" + longer + R"(\"","traceEvents":[
{"ph":"X","name":"a","ts":1,"dur":1}],"more":[")" +
                                      longer + R"("]})",
                                  "chrome");
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->trace.spans.size(), 1u);
}

TEST(ChromeImport, RefusesAFileWithoutOneValidEvent) {
  const absl::Status status = import_text("[{\"ph\":\"X\" 1},{\"ph\" 2}]").status();
  EXPECT_THAT(base::message_of(status), HasSubstr("none of its 2 events is valid JSON"));
}

}  // namespace
}  // namespace tachostat::trace
