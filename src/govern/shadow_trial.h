// A trial that touches no live request: the engine times of mirrored requests, pair by pair.
#pragma once

#include <string>

#include "govern/accuracy.h"
#include "govern/govern.h"

namespace tachostat::govern {

// Thread-compatible.
class ShadowTrial {
 public:
  enum class State { kRunning, kFaster, kNotFaster };
  static constexpr int kMaxRounds = 60;

  ShadowTrial(verify::SequentialTest::Options test, int samples) : pace_(samples), test_(test) {}

  MirrorPace& pace() { return pace_; }
  State add(const Mirrored& round);
  // Nothing proven so far is taken for "not faster".
  State give_up();

  const std::string& sentence() const { return sentence_; }
  const verify::SequentialTest& test() const { return test_; }
  const Observation& base() const { return totals_[0]; }  // engine times only
  const Observation& candidate() const { return totals_[1]; }

 private:
  State end(State state, const char* verdict);

  MirrorPace pace_;
  verify::SequentialTest test_;
  int rounds_ = 0;
  std::string sentence_;
  Observation totals_[2];
};

}  // namespace tachostat::govern
