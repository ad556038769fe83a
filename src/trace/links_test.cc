#include "trace/links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tachostat::trace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::pair<std::uint32_t, std::uint32_t>> linked(const Trace& trace) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (const Flow& flow : links(trace, nest(trace))) pairs.emplace_back(flow.from, flow.to);
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

Span span(Kind kind, std::uint32_t thread, std::uint64_t begin, std::uint64_t end) {
  return {.begin_ns = begin, .end_ns = end, .thread = thread, .kind = kind};
}

TEST(Links, FromRequestToLayersToWorkersOfOtherThreads) {
  Trace trace;
  trace.spans = {span(Kind::kRequest, 1, 0, 100),     // 0
                 span(Kind::kLayer, 1, 10, 40),       // 1
                 span(Kind::kLayer, 1, 12, 20),       // 2: inside 1
                 span(Kind::kLayer, 1, 40, 90),       // 3: back to back
                 span(Kind::kWorker, 1, 15, 18),      // 4: on the layer's own thread
                 span(Kind::kWorker, 2, 15, 39),      // 5
                 span(Kind::kWorker, 2, 40, 60),      // 6
                 span(Kind::kWorker, 2, 95, 99),      // 7: no layer runs
                 span(Kind::kPrimitive, 2, 41, 42),   // 8: inside 6
                 span(Kind::kPrimitive, 3, 41, 42)};  // 9
  EXPECT_THAT(linked(trace),
              ElementsAre(Pair(0, 1), Pair(0, 3), Pair(1, 5), Pair(3, 6), Pair(3, 9)));
}

TEST(Links, WorkersOfTwoLayersAtOnceAreNobodys) {
  Trace trace;
  trace.spans = {span(Kind::kLayer, 1, 0, 50), span(Kind::kLayer, 2, 30, 80),
                 span(Kind::kWorker, 3, 35, 36), span(Kind::kWorker, 3, 60, 61)};
  EXPECT_THAT(linked(trace), ElementsAre(Pair(1, 3)));
}

TEST(Links, EmptyTrace) { EXPECT_THAT(linked(Trace{}), IsEmpty()); }

}  // namespace
}  // namespace tachostat::trace
