// What no schedule can exceed, even one that knows every arrival beforehand.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.h"
#include "simulate/simulate.h"

namespace tachostat::simulate {

// Requests of one model in time, at most. Relaxed from the scenario in ways that only help the
// schedule: at each moment every node runs the variant and batch that answer most, switching costs
// nothing, work is fluid and can be cut, interrupted and spread over all nodes, service times are
// their means, and every request has the most patient class's limit. On such a machine first come,
// first served, leaving out what would be late, is the best there is: the requests are alike and
// due in the order of their arrival (Kise, Ibaraki and Mine, 1978, for equal times).
//
// Thread-compatible.
class ClairvoyantBound {
 public:
  // Each model as if it had the machines for itself; capped_together() puts them together.
  ClairvoyantBound(const Scenario& scenario, const SimulatedModel& model);

  // Since the scenario's begin, ascending. Counted: whether it is in the report.
  void arrive(base::Duration at, bool counted);
  double in_time() const { return in_time_; }

 private:
  struct Piece {
    double begin;     // seconds
    double done;      // requests that could have been answered until then
    double capacity;  // requests per second from then on
  };
  double answered_by(double second) const;

  std::vector<Piece> pieces_;
  std::size_t piece_ = 0;  // of the last arrival
  const double limit_;     // seconds
  double finished_ = 0;    // on the axis of Piece::done
  double in_time_ = 0;
};

// The models' bounds when they share the nodes: no more core seconds than there are, spent on the
// cheapest requests first. In the order of the models.
std::vector<double> capped_together(const Scenario& scenario, std::vector<double> alone);

}  // namespace tachostat::simulate
