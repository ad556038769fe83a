#include "trace/stacks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trace/nesting.h"

namespace tachostat::trace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "outer/inner 5ns 1x" of each stack.
std::vector<std::string> shown(const Stacks& stacks) {
  std::vector<std::string> lines;
  for (std::uint32_t i = 0; i < stacks.stacks.size(); ++i) {
    std::string line;
    for (const std::uint32_t frame : stacks.path(i)) {
      line += (line.empty() ? "" : "/") + stacks.frames[frame];
    }
    lines.push_back(line + " " + std::to_string(stacks.stacks[i].self_ns) + "ns " +
                    std::to_string(stacks.stacks[i].count) + "x");
  }
  return lines;
}

Trace trace_of(std::vector<Span> spans) {
  return {.names = {"a", "b", "c", ""}, .threads = {{1, "main"}}, .spans = std::move(spans)};
}

TEST(Fold, EmptyTrace) { EXPECT_THAT(shown(fold(Trace{})), IsEmpty()); }

TEST(Fold, TimeGoesToTheInnermostSpan) {
  const Trace trace = trace_of({{.begin_ns = 10, .end_ns = 20, .name = 1, .thread = 1},
                                {.begin_ns = 0, .end_ns = 100, .name = 0, .thread = 1},
                                {.begin_ns = 20, .end_ns = 50, .name = 1, .thread = 1},
                                {.begin_ns = 25, .end_ns = 30, .name = 2, .thread = 1},
                                {.begin_ns = 5, .end_ns = 6, .name = 2, .thread = 2}});
  EXPECT_THAT(shown(fold(trace)),
              ElementsAre("main 0ns 0x", "main/a 60ns 1x", "main/a/b 35ns 2x", "main/a/b/c 5ns 1x",
                          "thread 2 0ns 0x", "thread 2/c 1ns 1x"));
  EXPECT_THAT(shown(fold(trace, false)),
              ElementsAre("a 60ns 1x", "a/b 35ns 2x", "a/b/c 5ns 1x", "c 1ns 1x"));
}

TEST(Fold, DepthTellsWhatTimesDoNot) {
  EXPECT_THAT(shown(fold(trace_of({{.begin_ns = 0, .end_ns = 9, .name = 0, .thread = 1, .depth = 1},
                                   {.begin_ns = 0, .end_ns = 9, .name = 1, .thread = 1}}),
                         false)),
              ElementsAre("b 0ns 1x", "b/a 9ns 1x"));
  // Without length too.
  EXPECT_THAT(
      shown(fold(trace_of({{.begin_ns = 5, .end_ns = 5, .name = 0, .thread = 1},
                           {.begin_ns = 5, .end_ns = 5, .name = 1, .thread = 1},
                           {.begin_ns = 5, .end_ns = 5, .name = 2, .thread = 1, .depth = 1}}),
                 false)),
      ElementsAre("a 0ns 1x", "b 0ns 1x", "b/c 0ns 1x"));
}

TEST(Fold, WhatBeginsAsTheOtherEndsIsBesideIt) {
  EXPECT_THAT(shown(fold(trace_of({{.begin_ns = 0, .end_ns = 5, .name = 0, .thread = 1},
                                   {.begin_ns = 5, .end_ns = 9, .name = 1, .thread = 1}}),
                         false)),
              ElementsAre("a 5ns 1x", "b 4ns 1x"));
}

TEST(Fold, OverlapIsCutAtTheOuterOnesEnd) {
  EXPECT_THAT(shown(fold(trace_of({{.begin_ns = 0, .end_ns = 10, .name = 0, .thread = 1},
                                   {.begin_ns = 4, .end_ns = 30, .name = 1, .thread = 1}}),
                         false)),
              ElementsAre("a 4ns 1x", "a/b 6ns 1x"));
}

TEST(Fold, NamesThatAreMissingAndTimesThatRunBackwards) {
  EXPECT_THAT(shown(fold(trace_of({{.begin_ns = 9, .end_ns = 2, .name = 3, .thread = 1},
                                   {.begin_ns = 20, .end_ns = 21, .name = 99, .thread = 1}}),
                         false)),
              ElementsAre("(unnamed) 1ns 2x"));
}

TEST(Fold, HugeTimes) {
  constexpr std::uint64_t kMax = UINT64_MAX;
  EXPECT_THAT(shown(fold(trace_of({{.begin_ns = 0, .end_ns = kMax, .name = 0, .thread = 1},
                                   {.begin_ns = kMax, .end_ns = kMax, .name = 1, .thread = 1}}),
                         false)),
              ElementsAre("a 18446744073709551615ns 1x", "b 0ns 1x"));
}

TEST(Fold, ADeepNestDoesNotMakeDeepStacks) {
  std::vector<Span> spans;
  constexpr std::uint32_t kSpans = 10'000;
  for (std::uint32_t i = 0; i < kSpans; ++i) {
    spans.push_back({.begin_ns = i, .end_ns = 2 * kSpans - i, .name = i % 3, .thread = 1});
  }
  const Stacks stacks = fold(trace_of(std::move(spans)));
  EXPECT_EQ(stacks.stacks.size(), kDeepestStack);
  std::uint64_t total = 0;
  for (const Stacks::Stack& stack : stacks.stacks) total += stack.self_ns;
  EXPECT_EQ(total, 2u * kSpans);
}

TEST(MarkIndex, FindsTheMarkAroundAMoment) {
  Trace trace;
  trace.marks = {{.session = 2, .thread = 1, .begin_ns = 20, .end_ns = 30, .bucket = ""},
                 {.session = 1, .thread = 1, .begin_ns = 5, .end_ns = 10, .bucket = ""},
                 {.session = 3, .thread = 2, .begin_ns = 0, .end_ns = 99, .bucket = ""}};
  const MarkIndex marks(trace);
  EXPECT_EQ(marks.at(1, 4), nullptr);
  ASSERT_NE(marks.at(1, 5), nullptr);
  EXPECT_EQ(marks.at(1, 10)->session, 1u);
  EXPECT_EQ(marks.at(1, 15), nullptr);
  EXPECT_EQ(marks.at(1, 25)->session, 2u);
  EXPECT_EQ(marks.at(2, 25)->session, 3u);
  EXPECT_EQ(marks.at(3, 25), nullptr);
}

}  // namespace
}  // namespace tachostat::trace
