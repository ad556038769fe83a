// One simulated machine: its cores, and for each model a scheduler with its governor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "govern/govern.h"
#include "schedule/schedule.h"
#include "simulate/machine.h"
#include "simulate/plant.h"
#include "simulate/random.h"
#include "simulate/simulate.h"

namespace tachostat::simulate {

// Thread-compatible.
class Node {
 public:
  using OnDecision = std::function<void(std::size_t model, const govern::Decision&)>;

  // All must outlive the node. The clock stands at the scenario's begin.
  Node(const Scenario& scenario, int index, base::ManualClock& clock, OnDecision on_decision);

  // Whatever is still open is answered with an error.
  ~Node();

  absl::Status start();  // of the governors
  void submit(std::size_t model, base::Time deadline, schedule::ResponseCallback done);
  // Conditions and troubles have changed.
  void changed();

  // When it next has something to do by itself.
  base::Time next() const;
  void advance();  // what is due by the clock

  bool down() const { return down_; }
  // Requests that wait or run.
  std::size_t load(std::size_t model) const;

 private:
  struct Served {
    std::unique_ptr<SimulatedPlant> plant;
    std::unique_ptr<schedule::Scheduler> scheduler;
    std::unique_ptr<govern::DecisionLog> log;
    std::unique_ptr<govern::Governor> governor;
    base::Time next_step{};
    base::Time wake = base::Time::max();  // of the scheduler
  };

  base::Duration elapsed() const { return clock_.now() - begin_; }
  std::unique_ptr<Served> make(std::size_t model);
  void poll();

  const Scenario& scenario_;
  const int index_;
  base::ManualClock& clock_;
  const base::Time begin_;
  const OnDecision on_decision_;
  const bool trouble_;  // may come
  Random random_;
  Machine machine_;
  bool down_ = false;
  std::vector<std::unique_ptr<Served>> served_;
};

}  // namespace tachostat::simulate
