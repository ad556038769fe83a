// The time that an optimisation may take, shared out among its stages: each goes on while less than
// its share of the whole is spent, so that what is still to come has its time too.
#pragma once

#include "base/clock.h"

namespace tachostat::app {

class Budget {
 public:
  // Shares of the whole, spent since the beginning, at which a stage must end.
  static constexpr double kPruning = 0.2;  // begins only before it
  static constexpr double kPlacing = 0.4;
  static constexpr double kKeepingAccurate = 0.75;
  static constexpr double kFirstRace = 0.9;
  static constexpr double kSecondRace = 0.95;

  // 0: no limit.
  Budget(base::Clock& clock, base::Duration whole)
      : clock_(clock), whole_(whole), begin_(clock.now()) {}

  bool left(double share) const {
    if (whole_.count() == 0) return true;
    return base::to_seconds(clock_.now() - begin_) < share * base::to_seconds(whole_);
  }

 private:
  base::Clock& clock_;
  base::Duration whole_;
  base::Time begin_;
};

}  // namespace tachostat::app
