#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "govern/fake_store.h"
#include "govern/govern.h"

namespace tachostat::govern {
namespace {

Decision make(std::string kind) {
  Decision decision;
  decision.kind = std::move(kind);
  decision.reason = "p99 31 ms";
  return decision;
}

TEST(DecisionLogTest, NumbersAndDatesDecisions) {
  base::ManualClock clock;
  DecisionLog log(clock, nullptr, "m");
  log.add(make("start"));
  clock.advance(std::chrono::milliseconds(5));
  log.add(make("switch"));
  const std::vector<Decision> decisions = log.decisions();
  ASSERT_EQ(decisions.size(), 2u);
  EXPECT_EQ(decisions[0].sequence, 1u);
  EXPECT_EQ(decisions[1].sequence, 2u);
  EXPECT_EQ(decisions[1].unix_ms - decisions[0].unix_ms, 5);
}

TEST(DecisionLogTest, KeepsTheNewestThousandInMemoryAndAllInTheStore) {
  base::ManualClock clock;
  FakeStore store;
  DecisionLog log(clock, &store, "m");
  for (int i = 0; i < 1005; ++i) log.add(make("trial"));
  EXPECT_EQ(log.decisions().size(), 1000u);
  EXPECT_EQ(log.decisions().front().sequence, 6u);
  EXPECT_EQ(store.count("decision"), 1005);
}

TEST(DecisionLogTest, AFailingStoreStopsNothing) {
  base::ManualClock clock;
  FakeStore store;
  store.failing = true;
  DecisionLog log(clock, &store, "m");
  log.add(make("start"));
  log.add(make("switch"));
  store.failing = false;
  log.add(make("trial"));
  EXPECT_EQ(log.decisions().size(), 3u);
  ASSERT_EQ(store.count("decision"), 1);
  EXPECT_EQ(nlohmann::json::parse(store.rows[0].second)["sequence"], 3);
}

TEST(DecisionLogTest, GoesOnCountingAfterARestart) {
  base::ManualClock clock;
  FakeStore store;
  {
    DecisionLog log(clock, &store, "m");
    log.add(make("start"));
    log.add(make("switch"));
  }
  DecisionLog log(clock, &store, "m");
  log.add(make("start"));
  EXPECT_EQ(log.decisions().back().sequence, 3u);
  store.rows.emplace_back("decision", "not JSON");
  DecisionLog other(clock, &store, "m");
  other.add(make("start"));
  EXPECT_EQ(other.decisions().back().sequence, 1u);
}

TEST(DecisionLogTest, ListenerSeesEachAndMayReadTheLog) {
  base::ManualClock clock;
  DecisionLog log(clock, nullptr, "m");
  std::vector<std::uint64_t> seen;
  log.set_listener([&](const Decision& decision) {
    seen.push_back(decision.sequence);
    EXPECT_EQ(log.decisions().size(), decision.sequence);
  });
  log.add(make("start"));
  log.add(make("switch"));
  EXPECT_THAT(seen, testing::ElementsAre(1, 2));
}

TEST(DecisionLogTest, ManyThreadsGetNumbersOfTheirOwn) {
  base::ManualClock clock;
  FakeStore store;
  DecisionLog log(clock, &store, "m");
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 100; ++j) log.add(make("trial"));
      });
    }
  }
  const std::vector<Decision> decisions = log.decisions();
  ASSERT_EQ(decisions.size(), 400u);
  for (std::size_t i = 0; i < decisions.size(); ++i) EXPECT_EQ(decisions[i].sequence, i + 1);
}

TEST(DecisionLogTest, JsonHoldsTheEvidenceAsJson) {
  Decision decision = make("switch");
  decision.from = "a";
  decision.to = "b\xff";  // not UTF-8
  decision.evidence_json = R"({"p99_ms": 31})";
  const nlohmann::json value = nlohmann::json::parse(to_json(decision));
  EXPECT_EQ(value["evidence"]["p99_ms"], 31);
  EXPECT_EQ(value["from"], "a");
  decision.evidence_json = "oops";
  EXPECT_TRUE(nlohmann::json::parse(to_json(decision))["evidence"].is_object());
}

TEST(TargetsTest, JsonIsWhatPutTakes) {
  EXPECT_EQ(to_json(Targets{}), R"({"max_drop":"1%","p99":null})");
  Targets targets;
  targets.p99 = std::chrono::milliseconds(20);
  targets.max_drop = 0.005;
  const nlohmann::json value = nlohmann::json::parse(to_json(targets));
  EXPECT_EQ(value["p99"], "20.0ms");
  EXPECT_EQ(value["max_drop"], "0.5%");
}

TEST(ObservationTest, RatesOfAnEmptyWindowAreZero) {
  EXPECT_EQ(Observation().arrival_rate(), 0);
  EXPECT_EQ(Observation().throughput(), 0);
}

}  // namespace
}  // namespace tachostat::govern
