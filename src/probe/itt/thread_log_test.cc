#include "probe/itt/thread_log.h"

#include <gtest/gtest.h>

#include <vector>

namespace tachostat::probe::itt {
namespace {

using trace::Kind;
using trace::Span;

// A log whose time goes up by one at each look.
class Log {
 public:
  explicit Log(std::size_t ring = 1024) : log_(3, ring) {}
  void begin(const int& domain, std::uint32_t name = 0) {
    log_.begin(&domain, name, epoch, [this] { return ++now_; });
  }
  void end(const int& domain) { log_.end(&domain, Kind::kLayer, epoch, ++now_); }
  std::vector<Span> spans() {
    std::vector<Span> out;
    log_.ring().drain(out);
    return out;
  }
  ThreadLog& log() { return log_; }

  std::uint64_t epoch = 1;

 private:
  ThreadLog log_;
  std::uint64_t now_ = 0;
};

const int kA = 0;
const int kB = 0;

TEST(ThreadLog, RecordsNestedTasks) {
  Log log;
  log.begin(kA, 10);
  log.begin(kB, 11);
  log.end(kB);
  log.begin(kB, 12);
  log.begin(kB, 13);
  log.end(kB);
  log.end(kB);
  log.end(kA);
  const std::vector<Span> spans = log.spans();
  ASSERT_EQ(spans.size(), 4u);
  const std::uint32_t names[] = {11, 13, 12, 10};
  const std::uint32_t depths[] = {1, 2, 1, 0};
  for (std::size_t i = 0; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i].name, names[i]);
    EXPECT_EQ(spans[i].depth, depths[i]);
    EXPECT_EQ(spans[i].thread, 3u);
    EXPECT_EQ(spans[i].kind, Kind::kLayer);
    EXPECT_LT(spans[i].begin_ns, spans[i].end_ns);
  }
  EXPECT_LT(spans[3].begin_ns, spans[0].begin_ns);
  EXPECT_GT(spans[3].end_ns, spans[2].end_ns);
  EXPECT_EQ(log.log().emitted(), 4u);
}

TEST(ThreadLog, IgnoresAnEndWithoutBegin) {
  Log log;
  log.end(kA);
  EXPECT_TRUE(log.spans().empty());
  // The switch came on inside A, so only its end is seen.
  log.begin(kB);
  log.end(kB);
  log.end(kA);
  EXPECT_EQ(log.spans().size(), 1u);
  // The domain of the inner task came on a moment after that of the outer one.
  log.begin(kA);
  log.end(kB);
  log.end(kA);
  const std::vector<Span> spans = log.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].depth, 0u);
  EXPECT_EQ(log.log().emitted(), 2u);
}

TEST(ThreadLog, ForgetsABeginWhoseEndWasNotSeen) {
  Log log;
  log.begin(kA, 1);
  log.begin(kB, 2);
  ++log.epoch;  // off; both ends are missed
  ++log.epoch;  // on
  log.begin(kA, 3);
  log.end(kA);
  std::vector<Span> spans = log.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].name, 3u);
  EXPECT_EQ(spans[0].depth, 0u);

  // Off and on again within the task: its time is not whole, so it is not a span.
  log.begin(kA, 4);
  log.epoch += 2;
  log.begin(kA, 5);
  log.end(kA);
  log.end(kA);
  spans = log.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].name, 5u);

  // The same domain inside itself: the end of the inner one, whose begin was missed, must not close
  // the outer one.
  log.begin(kA, 6);
  log.epoch += 2;
  log.end(kA);
  log.end(kA);
  EXPECT_TRUE(log.spans().empty());
}

TEST(ThreadLog, DropsWhatIsTooDeepButKeepsTheRest) {
  Log log;
  const std::size_t depth = ThreadLog::kDeepest + 10;
  for (std::size_t i = 0; i < depth; ++i) log.begin(kA);
  for (std::size_t i = 0; i < depth; ++i) log.end(kA);
  const std::vector<Span> spans = log.spans();
  ASSERT_EQ(spans.size(), ThreadLog::kDeepest);
  EXPECT_EQ(spans.back().depth, 0u);
  EXPECT_EQ(log.log().dropped(), 10u);
  EXPECT_EQ(log.log().emitted(), depth);
  log.begin(kA);
  log.end(kA);
  EXPECT_EQ(log.spans().size(), 1u);
}

TEST(ThreadLog, CountsWhatAFullRingDrops) {
  Log log(2);
  for (int i = 0; i < 5; ++i) {
    log.begin(kA);
    log.end(kA);
  }
  EXPECT_EQ(log.log().emitted(), 5u);
  EXPECT_EQ(log.log().dropped(), 3u);
}

TEST(ThreadLog, StartsCleanForAnotherThread) {
  Log log;
  log.begin(kA);
  log.log().hand_over(9);
  log.end(kA);
  EXPECT_TRUE(log.spans().empty());
  log.begin(kA);
  log.end(kA);
  EXPECT_EQ(log.spans().at(0).thread, 9u);
}

}  // namespace
}  // namespace tachostat::probe::itt
