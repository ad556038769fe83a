// Is a candidate accurate enough? Collects agreement with the f32 reference over mirrored requests
// until the answer is known.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "govern/govern.h"

namespace tachostat::govern {

// Mirrored requests are copies of recent ones, and the same copy twice is no new evidence: asks for
// no more than were answered since the last time, and not before the copies have been replaced.
class MirrorPace {
 public:
  static constexpr base::Duration kPause = std::chrono::seconds(2);

  explicit MirrorPace(int samples) : samples_(samples) {}

  void answered(std::uint64_t requests) { fresh_ += requests; }
  bool due(base::Time now) const { return !started_ || (now >= next_ && fresh_ > 0); }
  int take(base::Time now);  // how many to mirror

 private:
  const int samples_;
  bool started_ = false;
  base::Time next_{};
  std::uint64_t fresh_ = 0;
};

void merge(verify::Agreement& total, const verify::Agreement& part);

class AccuracyCheck {
 public:
  enum class Verdict { kMore, kAccurate, kInaccurate };
  static constexpr int kMaxRounds = 60;
  static constexpr std::uint64_t kMinSamples = 8;

  // `same_arithmetic`: the candidate computes in the reference's precision, so that differences can
  // only come from the order of additions.
  AccuracyCheck(double max_drop, bool same_arithmetic);

  void add(const verify::Agreement& round);
  Verdict verdict() const { return verdict_; }
  const std::string& sentence() const { return sentence_; }  // the verdict with its numbers
  const verify::Agreement& agreement() const { return total_; }
  double drop_bound() const { return drop_bound_; }

 private:
  void judge();
  void judge_labels();
  void end(Verdict verdict, std::string sentence);

  const double max_drop_;
  const bool same_arithmetic_;
  verify::Agreement total_;
  int rounds_ = 0;
  double next_look_;  // labels
  Verdict verdict_ = Verdict::kMore;
  std::string sentence_;
  double drop_bound_ = 1;
};

}  // namespace tachostat::govern
