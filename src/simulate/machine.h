// The cores of one simulated node. Inferences that together ask for more cores than are left share
// them evenly: each then runs at the same fraction of its speed (processor sharing).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "base/clock.h"

namespace tachostat::simulate {

// Thread-compatible. Progress is kept as one number, the work that any inference has done since the
// beginning, in seconds at full speed; an inference ends when that number reaches a mark. So a
// change of speed touches no inference.
class Machine {
 public:
  using Done = absl::AnyInvocable<void()>;

  Machine(const base::Clock& clock, double cores);

  void set_cores(double cores);     // that are left; 0: everything stands still
  void set_slowness(double times);  // 1 at full speed

  // `work`: seconds at full speed with `cores` of its own. `done` runs inside finish_due() and may
  // start more.
  void start(double work, double cores, Done done);

  base::Time next_finish() const;  // Time::max() when nothing runs or nothing moves
  bool finish_due();               // by the clock; whether anything ended
  void finish_all();               // whatever is left to do, and what that starts
  std::size_t running() const { return running_.size(); }

 private:
  struct Running {
    double cores;
    Done done;
  };

  void settle();
  void end_first();
  double speed() const;

  const base::Clock& clock_;
  double cores_;
  double slowness_ = 1;
  double asked_ = 0;     // cores, by all that run
  double progress_ = 0;  // seconds at full speed, until settled_
  base::Time settled_;
  std::uint64_t started_ = 0;
  // By the mark where each ends, then by order of start.
  std::map<std::pair<double, std::uint64_t>, Running> running_;
};

}  // namespace tachostat::simulate
