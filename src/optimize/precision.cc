// Fewer bits per number: twice as many numbers in a vector, half the bytes. Only precisions that
// the device computes in by itself; an engine may accept others and run f32 in silence.
#include <algorithm>
#include <array>

#include "base/status.h"
#include "optimize/propose.h"

namespace tachostat::optimize {
namespace {

using model::Precision;

bool is_native(const engine::Capabilities& capabilities, Precision precision) {
  return std::find(capabilities.precisions.begin(), capabilities.precisions.end(), precision) !=
         capabilities.precisions.end();
}

class PrecisionProposer final : public Proposer {
 public:
  std::string_view name() const override { return "precision"; }

  void propose(const diagnose::Finding& finding, const Context& context,
               std::vector<Proposal>& proposals, std::vector<Refusal>& refusals) const override {
    if (!asks_for(finding, diagnose::Remedy::kLowerPrecision)) return;
    const Precision now = context.incumbent.precision;
    // What is still f32 then has no kernel of 16 bits: the other 16-bit type will not find one.
    if (now == Precision::kBF16 || now == Precision::kF16) return;
    for (const Precision lower : {Precision::kBF16, Precision::kF16}) {
      model::Variant variant = context.incumbent;
      variant.precision = lower;
      const std::string_view lower_name = model::name_of(lower);
      if (!is_native(context.capabilities, lower)) {
        refusals.push_back(
            {variant.id(), std::string(name()),
             fmt::format("{}: this processor has no {} arithmetic; the engine would run f32",
                         lower_name, lower_name)});
        continue;
      }
      proposals.push_back(
          {.variant = std::move(variant),
           .proposer = std::string(name()),
           .finding = finding.rule,
           .reason = fmt::format("{} halves the bits per number: {}", lower_name, finding.summary),
           .expected_gain = middle_gain(finding)});
    }
  }
};

}  // namespace

std::unique_ptr<Proposer> make_precision() { return std::make_unique<PrecisionProposer>(); }

}  // namespace tachostat::optimize
