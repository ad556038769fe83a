// Compiled for the shapes that requests really have. Others keep going to the variant that takes
// any.
#include <algorithm>

#include "base/status.h"
#include "optimize/propose.h"

namespace tachostat::optimize {
namespace {

constexpr double kCovered = 0.8;       // share of requests that the buckets together must serve
constexpr double kLeastPopular = 0.2;  // and one of them alone

bool is_static(const model::Graph& graph) {
  return std::all_of(graph.inputs.begin(), graph.inputs.end(),
                     [](const model::Port& input) { return model::is_static(input.shape); });
}

// Every input named, with a shape that it allows.
bool suits(const model::Graph& graph, const model::InputShapes& shapes) {
  if (shapes.size() != graph.inputs.size()) return false;
  return std::all_of(graph.inputs.begin(), graph.inputs.end(), [&](const model::Port& input) {
    const auto found = shapes.find(input.name);
    return found != shapes.end() && model::accepts(input.shape, found->second);
  });
}

model::Variant with_shapes(const Context& context, const model::InputShapes& shapes) {
  model::Variant variant = context.incumbent;
  variant.shapes = shapes;
  variant.batch = 1;  // joined requests would have another shape
  return variant;
}

class ShapesProposer final : public Proposer {
 public:
  std::string_view name() const override { return "shapes"; }

  void propose(const diagnose::Finding& finding, const Context& context,
               std::vector<Proposal>& proposals, std::vector<Refusal>& refusals) const override {
    if (!asks_for(finding, diagnose::Remedy::kStaticShapes)) return;
    if (is_static(context.graph) || !context.incumbent.shapes.empty()) return;
    double covered = 0;
    std::vector<const std::pair<model::InputShapes, double>*> popular;
    for (const auto& observed : context.observed_shapes) {
      if (observed.second < kLeastPopular || !suits(context.graph, observed.first)) continue;
      popular.push_back(&observed);
      covered += observed.second;
    }
    if (covered < kCovered) {
      if (context.observed_shapes.empty()) return;
      const auto& [shapes, share] = context.observed_shapes.front();
      refusals.push_back(
          {with_shapes(context, shapes).id(), std::string(name()),
           fmt::format(
               "{}: {:.0f} % of requests have it, and all shapes that {:.0f} % or more have "
               "make {:.0f} % of requests; {:.0f} % would be worth it",
               model::to_string(shapes), share * 100, kLeastPopular * 100, covered * 100,
               kCovered * 100)});
      return;
    }
    for (const auto* observed : popular) {
      const auto& [shapes, share] = *observed;
      proposals.push_back({.variant = with_shapes(context, shapes),
                           .proposer = std::string(name()),
                           .finding = finding.rule,
                           .reason = fmt::format(
                               "{:.0f} % of requests have {}, and {:.0f} % of their time is in no "
                               "layer while shapes are open",
                               share * 100, model::to_string(shapes), finding.share * 100),
                           .expected_gain = middle_gain(finding) * share});
    }
  }
};

}  // namespace

std::unique_ptr<Proposer> make_shapes() { return std::make_unique<ShapesProposer>(); }

}  // namespace tachostat::optimize
