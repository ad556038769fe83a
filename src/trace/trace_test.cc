#include "trace/trace.h"

#include <gtest/gtest.h>

#include <thread>

namespace tachostat::trace {
namespace {

Span span_at(std::uint64_t begin) { return {.begin_ns = begin, .end_ns = begin + 1}; }

TEST(Kind, HasANameThatReadsBack) {
  for (int i = 0; i <= static_cast<int>(Kind::kOther); ++i) {
    const auto kind = static_cast<Kind>(i);
    EXPECT_EQ(kind_named(name_of(kind)), kind);
  }
  EXPECT_EQ(kind_named("Layer"), std::nullopt);
  EXPECT_EQ(kind_named(""), std::nullopt);
  EXPECT_EQ(name_of(static_cast<Kind>(200)), "other");
}

TEST(SpanRing, GivesBackInOrderAndEmptiesItself) {
  SpanRing ring(7, 4);
  EXPECT_EQ(ring.thread(), 7u);
  std::vector<Span> out;
  ring.drain(out);
  EXPECT_TRUE(out.empty());

  // More than once around.
  std::uint64_t next = 0;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ring.push(span_at(next++)));
    ring.drain(out);
  }
  ASSERT_EQ(out.size(), 15u);
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i].begin_ns, i);
  EXPECT_EQ(ring.dropped(), 0u);
}

TEST(SpanRing, DropsTheNewestWhenFull) {
  SpanRing ring(1, 2);
  EXPECT_TRUE(ring.push(span_at(0)));
  EXPECT_TRUE(ring.push(span_at(1)));
  EXPECT_FALSE(ring.push(span_at(2)));
  EXPECT_FALSE(ring.push(span_at(3)));
  EXPECT_EQ(ring.dropped(), 2u);

  std::vector<Span> out{span_at(99)};  // drain appends
  ring.drain(out);
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[1].begin_ns, 0u);
  EXPECT_EQ(out[2].begin_ns, 1u);
  EXPECT_TRUE(ring.push(span_at(4)));
  EXPECT_EQ(ring.dropped(), 2u);
}

TEST(SpanRing, RoundsAnyCapacityUp) {
  SpanRing three(1, 3);
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_TRUE(three.push(span_at(i)));
  EXPECT_FALSE(three.push(span_at(4)));
  SpanRing none(1, 0);
  EXPECT_TRUE(none.push(span_at(0)));
  EXPECT_FALSE(none.push(span_at(1)));
}

TEST(SpanRing, LosesNothingBetweenAWriterAndAReader) {
  constexpr std::uint64_t kSpans = 50'000;
  SpanRing ring(1, 1024);
  std::atomic<bool> done{false};
  std::uint64_t accepted = 0;
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kSpans; ++i) {
      if (ring.push({.begin_ns = i, .end_ns = i + 1, .name = static_cast<std::uint32_t>(i)})) {
        ++accepted;
      }
    }
    done.store(true);
  });
  std::vector<Span> out;
  while (!done.load()) ring.drain(out);
  ring.drain(out);
  writer.join();

  EXPECT_EQ(out.size(), accepted);
  EXPECT_GE(accepted, 1024u);
  EXPECT_EQ(accepted + ring.dropped(), kSpans);
  for (std::size_t i = 0; i < out.size(); ++i) {
    // No torn span, and the order kept.
    ASSERT_EQ(out[i].end_ns, out[i].begin_ns + 1);
    ASSERT_EQ(out[i].name, static_cast<std::uint32_t>(out[i].begin_ns));
    if (i > 0) {
      ASSERT_GT(out[i].begin_ns, out[i - 1].begin_ns);
    }
  }
}

TEST(SpanRing, CanBeHandedOver) {
  SpanRing ring(1, 2);
  ring.push(span_at(0));
  std::vector<Span> out;
  ring.drain(out);
  ring.hand_over(2);
  EXPECT_EQ(ring.thread(), 2u);
  EXPECT_TRUE(ring.push(span_at(1)));
}

}  // namespace
}  // namespace tachostat::trace
