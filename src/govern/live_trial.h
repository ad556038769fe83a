// A trial on live traffic: blocks of requests answered alternately under the base's and the
// candidate's plan, compared pair by pair.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "base/clock.h"
#include "govern/govern.h"

namespace tachostat::govern {

struct LiveTrialOptions {
  base::Duration block = std::chrono::milliseconds(500);
  base::Duration settle = std::chrono::milliseconds(100);
  int min_block_requests = 8;
  verify::SequentialTest::Options test;
};

// Thread-compatible. The caller publishes the plan that shall serve after the end.
class LiveTrial {
 public:
  // Postponed: traffic was too thin or changed, nothing is known of the candidate.
  enum class State { kRunning, kProved, kRefused, kPostponed };
  using Publish = std::function<absl::Status(bool candidate)>;

  // `before`: recent traffic under the base. `random` orders each pair and outlives the trial.
  LiveTrial(LiveTrialOptions options, const Observation& before, std::mt19937_64& random,
            Publish publish);

  // `piece`: traffic since the last step, which ends now.
  State step(const Observation& piece);

  State state() const { return state_; }
  const std::string& sentence() const { return sentence_; }  // why it ended, with numbers
  bool harmful() const { return harmful_; }  // refused for failures or latency that hurt users
  const verify::SequentialTest& test() const { return test_; }
  const Observation& base() const { return totals_[0]; }
  const Observation& candidate() const { return totals_[1]; }

 private:
  bool candidate_now() const { return candidate_first_ == (blocks_ % 2 == 0); }
  void begin_block(base::Time now);
  // Nothing while it goes on, else whether it has enough requests.
  std::optional<bool> block_done() const;
  void end_block(base::Time now);
  bool hurts();
  bool load_changed();
  void judge_pair();
  void end(State state, std::string sentence);

  const LiveTrialOptions options_;
  const base::Duration settle_;
  const base::Duration block_;
  const base::Duration longest_block_;
  std::mt19937_64& random_;
  const Publish publish_;
  verify::SequentialTest test_;

  State state_ = State::kRunning;
  std::string sentence_;
  bool harmful_ = false;
  bool started_ = false;
  bool candidate_first_ = false;
  int blocks_ = 0;
  base::Time counts_from_{};  // end of settling
  Observation seen_;          // of the block that runs
  double means_[2] = {0, 0};  // of the pair: base, candidate
  std::uint64_t base_p99_;
  double first_base_rate_ = 0;
  int slow_blocks_ = 0;
  int changed_blocks_ = 0;
  Observation totals_[2];
};

}  // namespace tachostat::govern
