// Several requests in one inference: weights are read once for all of them.
#include <algorithm>

#include "base/status.h"
#include "optimize/propose.h"

namespace tachostat::optimize {
namespace {

// Requests can be joined along axis 0 of every input when outputs grow with it.
bool can_join(const model::Graph& graph) {
  if (graph.inputs.empty()) return false;
  for (const model::Port& input : graph.inputs) {
    if (input.shape.empty()) return false;
  }
  const std::int64_t rows = graph.inputs.front().shape[0];
  return std::none_of(graph.outputs.begin(), graph.outputs.end(), [&](const model::Port& output) {
    return !output.shape.empty() && output.shape[0] >= 0 && output.shape[0] != rows;
  });
}

class BatchProposer final : public Proposer {
 public:
  std::string_view name() const override { return "batch"; }

  void propose(const diagnose::Finding& finding, const Context& context,
               std::vector<Proposal>& proposals, std::vector<Refusal>& refusals) const override {
    if (!asks_for(finding, diagnose::Remedy::kBatch)) return;
    const bool joinable = can_join(context.graph);
    const double weights = evidence_of(finding, "weights among bytes", 1);
    for (const int batch : {2, 4, 8}) {
      if (batch == context.incumbent.batch) continue;
      model::Variant variant = context.incumbent;
      variant.batch = batch;
      std::string refusal;
      if (!joinable) {
        refusal =
            "the model's requests cannot be joined: its inputs and outputs have no common "
            "first axis";
      } else if (context.mean_in_flight < batch) {
        refusal = fmt::format(
            "{} requests would have to be in the server at once, and on average {:.1f} are", batch,
            context.mean_in_flight);
      }
      if (!refusal.empty()) {
        refusals.push_back(
            {variant.id(), std::string(name()), fmt::format("batch {}: {}", batch, refusal)});
        continue;
      }
      proposals.push_back(
          {.variant = std::move(variant),
           .proposer = std::string(name()),
           .finding = finding.rule,
           .reason = fmt::format("{} requests at once read the weights, {:.0f} % of the bytes that "
                                 "{:.0f} % of request time waits for, only once",
                                 batch, weights * 100, finding.share * 100),
           // What is left of the weights' reading is 1 ÷ batch.
           .expected_gain = middle_gain(finding) * (1 - 1.0 / batch)});
    }
  }
};

}  // namespace

std::unique_ptr<Proposer> make_batch() { return std::make_unique<BatchProposer>(); }

}  // namespace tachostat::optimize
