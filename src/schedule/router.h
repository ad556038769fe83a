// Which share of the plan takes a request. Shares for exact shapes come first; among shares that
// take the same requests, smooth weighted round robin: deterministic, and no share gets its turns
// in a burst.
#pragma once

#include <vector>

#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::schedule {

// Thread-compatible.
class Router {
 public:
  explicit Router(const model::Plan& plan);

  // The class of requests that share a route: an index for choose(), or -1 when no share of the
  // plan takes such a request.
  int class_of(const std::vector<engine::Tensor>& inputs) const;

  // Index into Plan::shares of the next turn in the class; the turn is used up by commit() only.
  int choose(int request_class) const;
  void commit(int request_class, int share);

 private:
  struct Turn {
    int share;
    double weight;
    double credit = 0;
  };
  struct Class {
    model::InputShapes shapes;  // empty: any
    std::vector<Turn> turns = {};
    double total = 0;
  };

  std::vector<Class> classes_;  // those with shapes first
};

}  // namespace tachostat::schedule
