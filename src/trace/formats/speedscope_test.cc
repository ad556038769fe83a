#include "trace/formats/speedscope.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace tachostat::trace {
namespace {

using nlohmann::json;

Trace example() {
  Trace trace;
  trace.names = {"request", "Conv \"1\"\n\xff"};
  trace.threads = {{1, "stream 0"}};
  trace.spans = {{.begin_ns = 1000, .end_ns = 1100, .name = 0, .thread = 2, .kind = Kind::kRequest},
                 {.begin_ns = 1000, .end_ns = 1040, .name = 1, .thread = 2, .kind = Kind::kLayer},
                 {.begin_ns = 1040, .end_ns = 1040, .name = 9, .thread = 2, .kind = Kind::kLayer},
                 {.begin_ns = 1010, .end_ns = 1020, .name = 1, .thread = 1, .kind = Kind::kWorker}};
  return trace;
}

TEST(Speedscope, OpensAndClosesFramesPerThread) {
  std::ostringstream out;
  write_speedscope(example(), "net", out);
  constexpr std::string_view kExpected =
      R"x({"$schema":"https://www.speedscope.app/file-format-schema.json","exporter":"tachostat","name":"net","activeProfileIndex":1,)x"
      R"x("shared":{"frames":[{"name":"request"},{"name":"Conv \"1\"\n)x"
      "\uFFFD"
      R"x("},{"name":"(unnamed)"}]},"profiles":[
{"type":"evented","name":"stream 0","unit":"nanoseconds","startValue":0,"endValue":100,"events":[{"type":"O","frame":1,"at":10},{"type":"C","frame":1,"at":20}]},
{"type":"evented","name":"thread 2","unit":"nanoseconds","startValue":0,"endValue":100,"events":[{"type":"O","frame":0,"at":0},{"type":"O","frame":1,"at":0},{"type":"C","frame":1,"at":40},{"type":"O","frame":2,"at":40},{"type":"C","frame":2,"at":40},{"type":"C","frame":0,"at":100}]}]}
)x";
  EXPECT_EQ(out.str(), kExpected);
}

TEST(Speedscope, WeightsStacksWithoutATimeline) {
  StacksBuilder stacks;
  const auto net = stacks.stack(Stacks::kNone, stacks.frame("net"));
  stacks.add(net, 0, 4);
  stacks.add(stacks.stack(net, stacks.frame("a")), 30, 4);
  std::ostringstream out;
  write_speedscope(stacks.take(), "net", out);
  const json profile = json::parse(out.str()).at("profiles").at(0);
  EXPECT_EQ(profile,
            json::parse(R"({"type":"sampled","name":"net","unit":"nanoseconds",)"
                        R"("startValue":0,"endValue":30,"samples":[[0,1]],"weights":[30]})"));
}

TEST(Speedscope, EmptyTrace) {
  std::ostringstream out;
  write_speedscope(Trace{}, "", out);
  EXPECT_TRUE(json::parse(out.str()).at("profiles").empty());
}

}  // namespace
}  // namespace tachostat::trace
