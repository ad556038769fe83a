// Findings in, candidate variants out. A proposer is one file and one line in proposers.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diagnose/diagnose.h"
#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::optimize {

// What a proposer may know besides the finding.
struct Context {
  model::Variant incumbent{};
  engine::Capabilities capabilities{};
  model::Graph graph{};
  double mean_in_flight = 1;  // requests in the server at once, from live traffic (Little's law)
  // Shapes that live requests had, most frequent first, with their share of requests.
  std::vector<std::pair<model::InputShapes, double>> observed_shapes{};
};

struct Proposal {
  model::Variant variant{};
  std::string proposer{};
  std::string finding{};     // the rule that motivates it
  std::string reason{};      // one sentence: "2 streams of 1 thread: workers idle 41 % of the time"
  double expected_gain = 0;  // share of request time, the finding's interval's middle
};

// A variant that was thought of and left out before any trial, and why ("bf16: this processor has
// no bf16 arithmetic; the engine would run f32").
struct Refusal {
  std::string variant{};
  std::string proposer{};
  std::string reason{};
};

class Proposer {
 public:
  virtual ~Proposer() = default;
  virtual std::string_view name() const = 0;
  virtual void propose(const diagnose::Finding& finding, const Context& context,
                       std::vector<Proposal>& proposals, std::vector<Refusal>& refusals) const = 0;
};

const std::vector<std::unique_ptr<Proposer>>& proposers();

struct Proposals {
  std::vector<Proposal> proposals{};  // largest expected gain first, each variant once
  std::vector<Refusal> refusals{};
};
Proposals propose(const std::vector<diagnose::Finding>& findings, const Context& context);

}  // namespace tachostat::optimize
