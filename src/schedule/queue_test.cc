#include "schedule/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tachostat::schedule {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

const base::Time kStart{std::chrono::seconds(100)};

std::unique_ptr<Pending> pending(int arrival_ms, int deadline_ms = -1) {
  auto made = std::make_unique<Pending>();
  made->arrival = kStart + milliseconds(arrival_ms);
  if (deadline_ms >= 0) made->request.deadline = kStart + milliseconds(deadline_ms);
  return made;
}
std::vector<int> arrivals(const RequestQueue& queue) {
  std::vector<int> order;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    order.push_back(static_cast<int>((queue[i].arrival - kStart) / milliseconds(1)));
  }
  return order;
}

TEST(RequestQueue, ServesByArrivalWithoutDeadlines) {
  RequestQueue queue;
  for (int i = 0; i < 4; ++i) queue.push(pending(i));
  EXPECT_THAT(arrivals(queue), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(queue.earliest_deadline(), base::Time::max());
}

TEST(RequestQueue, ServesEarlierDeadlinesFirst) {
  RequestQueue queue;
  queue.push(pending(0));
  queue.push(pending(1, 300));
  queue.push(pending(2, 200));
  queue.push(pending(3, 200));
  EXPECT_THAT(arrivals(queue), ElementsAre(2, 3, 1, 0));
  EXPECT_EQ(queue.earliest_deadline(), kStart + milliseconds(200));
}

TEST(RequestQueue, StarvesNobody) {
  RequestQueue queue;
  queue.push(pending(0));
  queue.push(pending(1, 60000));  // a distant deadline is no reason to wait for it
  queue.push(pending(1500, 1600));
  EXPECT_THAT(arrivals(queue), ElementsAre(0, 1, 1500));
}

TEST(RequestQueue, GivesUpWhatExpired) {
  RequestQueue queue;
  queue.push(pending(0, 10));
  queue.push(pending(1, 30));
  queue.push(pending(2, 20));
  queue.push(pending(3));
  const auto expired = queue.take_expired(kStart + milliseconds(20));
  EXPECT_EQ(expired.size(), 2u);
  EXPECT_THAT(arrivals(queue), ElementsAre(1, 3));
  EXPECT_EQ(queue.earliest_deadline(), kStart + milliseconds(30));
  queue.take(0);
  queue.take(0);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.earliest_deadline(), base::Time::max());
}

}  // namespace
}  // namespace tachostat::schedule
