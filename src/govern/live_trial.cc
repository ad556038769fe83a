#include "govern/live_trial.h"

#include <algorithm>

#include "base/status.h"
#include "govern/windows.h"

namespace tachostat::govern {
namespace {

constexpr std::uint64_t kHurts = 3;  // times the base's p99
constexpr int kHurtBlocks = 2;
constexpr double kLoadChange = 2.5;  // times, of the base's arrival rate
constexpr base::Duration kLongestSettle = std::chrono::seconds(2);
constexpr base::Duration kLongestBlock = std::chrono::seconds(20);

// What was accepted under the other plan has to be answered first.
base::Duration settling(base::Duration least, const Observation& before) {
  const base::Duration p99(static_cast<std::int64_t>(before.latency.quantile(0.99)));
  return std::clamp(p99 * 5 / 4, least, std::max(least, kLongestSettle));
}

// Twice what the traffic before would take to bring the least requests.
base::Duration longest(base::Duration block, int min_requests, const Observation& before) {
  const double rate = before.throughput();
  const base::Duration needed =
      rate > 0 ? base::from_seconds(std::min(1e6, 2 * min_requests / rate)) : kLongestBlock;
  return std::clamp(needed, block * 8, std::max(block * 8, kLongestBlock));
}

}  // namespace

LiveTrial::LiveTrial(LiveTrialOptions options, const Observation& before, std::mt19937_64& random,
                     Publish publish)
    : options_(options),
      settle_(settling(options.settle, before)),
      block_(std::max(options.block, settle_)),
      longest_block_(longest(block_, options.min_block_requests, before)),
      random_(random),
      publish_(std::move(publish)),
      test_(options.test),
      base_p99_(before.latency.quantile(0.99)) {}

void LiveTrial::end(State state, std::string sentence) {
  state_ = state;
  sentence_ = std::move(sentence);
}

void LiveTrial::begin_block(base::Time now) {
  // One bit of the generator, so that the order does not depend on a library's distributions.
  if (blocks_ % 2 == 0) candidate_first_ = (random_() >> 63) != 0;
  seen_ = Observation();
  counts_from_ = now + settle_;
  if (const absl::Status status = publish_(candidate_now()); !status.ok()) {
    end(State::kRefused, fmt::format("its plan was refused: {}", base::message_of(status)));
  }
}

LiveTrial::State LiveTrial::step(const Observation& piece) {
  if (state_ != State::kRunning) return state_;
  if (!started_) {
    started_ = true;
    begin_block(piece.end);
    return state_;
  }
  if (piece.begin < counts_from_) return state_;
  merge(seen_, piece);
  if (candidate_now() && seen_.failed > 0 && totals_[0].failed == 0) {
    harmful_ = true;
    end(State::kRefused,
        fmt::format("{} of its {} requests failed, none of the base's {}", seen_.failed,
                    seen_.failed + seen_.answered, totals_[0].answered));
    return state_;
  }
  const std::optional<bool> enough = block_done();
  if (!enough) return state_;
  if (*enough) {
    end_block(piece.end);
  } else if (candidate_now() && seen_.answered == 0 && seen_.arrivals > 0) {
    harmful_ = true;
    end(State::kRefused, fmt::format("it answered none of {} requests in {:.1f} s", seen_.arrivals,
                                     seen_.seconds()));
  } else {
    end(State::kPostponed,
        fmt::format("traffic is too thin for a trial: {} answers in {:.1f} s, {} are needed",
                    seen_.answered, seen_.seconds(), options_.min_block_requests));
  }
  return state_;
}

std::optional<bool> LiveTrial::block_done() const {
  const base::Duration age = seen_.end - seen_.begin;
  const auto least = static_cast<std::uint64_t>(options_.min_block_requests);
  if (age >= block_ && seen_.answered >= least) return true;
  if (age >= block_ / 2 && seen_.answered >= 4 * least) return true;
  if (age >= longest_block_) return false;
  return std::nullopt;
}

bool LiveTrial::hurts() {
  const std::uint64_t p99 = seen_.latency.quantile(0.99);
  const bool refuses = seen_.refused > 0 && totals_[0].refused == 0;
  const bool slow = base_p99_ > 0 && p99 > kHurts * base_p99_;
  slow_blocks_ = slow || refuses ? slow_blocks_ + 1 : 0;
  if (slow_blocks_ < kHurtBlocks) return false;
  harmful_ = true;
  end(State::kRefused,
      refuses ? fmt::format("the queue was full under it: {} of {} requests refused", seen_.refused,
                            seen_.arrivals)
              : fmt::format("p99 {:.3g} ms in {} blocks, over {} times the base's {:.3g} ms",
                            static_cast<double>(p99) / 1e6, kHurtBlocks, kHurts,
                            static_cast<double>(base_p99_) / 1e6));
  return true;
}

bool LiveTrial::load_changed() {
  const double rate = seen_.arrival_rate();
  if (first_base_rate_ == 0) first_base_rate_ = rate;
  const bool changed =
      rate > kLoadChange * first_base_rate_ || rate * kLoadChange < first_base_rate_;
  changed_blocks_ = changed ? changed_blocks_ + 1 : 0;
  if (changed_blocks_ < 2) return false;
  end(State::kPostponed,
      fmt::format("the load went from {:.3g} to {:.3g} requests/s", first_base_rate_, rate));
  return true;
}

void LiveTrial::end_block(base::Time now) {
  const bool candidate = candidate_now();
  merge(totals_[candidate ? 1 : 0], seen_);
  means_[candidate ? 1 : 0] = seen_.latency.mean();
  if (!candidate) base_p99_ = seen_.latency.quantile(0.99);
  if (candidate ? hurts() : load_changed()) return;
  ++blocks_;
  if (blocks_ % 2 == 0) judge_pair();
  if (state_ == State::kRunning) begin_block(now);
}

void LiveTrial::judge_pair() {
  test_.add(means_[0], means_[1]);
  const std::string numbers = fmt::format(
      "{:.3f} times the base's mean latency ({:.0f} % interval {:.3f} to {:.3f}) over {} "
      "pairs of blocks, {} and {} requests",
      test_.ratio(), (1 - options_.test.alpha) * 100, test_.ratio_low(), test_.ratio_high(),
      test_.pairs(), totals_[0].answered, totals_[1].answered);
  const double needed = (1 - options_.test.min_gain);
  switch (test_.verdict()) {
    case verify::SequentialTest::Verdict::kContinue:
      return;
    case verify::SequentialTest::Verdict::kFaster:
      return end(State::kProved, "faster: " + numbers);
    case verify::SequentialTest::Verdict::kNotFaster:
      return end(State::kRefused,
                 fmt::format("not faster, a ratio under {:.2f} is needed: {}", needed, numbers));
    case verify::SequentialTest::Verdict::kUndecided:
      return end(State::kRefused,
                 fmt::format("no proof of a ratio under {:.2f}: {}", needed, numbers));
  }
}

}  // namespace tachostat::govern
