// Never changes anything: what a policy has to beat.
#include "govern/govern.h"

namespace tachostat::govern {
namespace {

class Fixed final : public Policy {
 public:
  std::string_view name() const override { return "fixed"; }
  Choice decide(const Observation&, const verify::Frontier&, const Targets&,
                std::string_view current, base::Time) override {
    return {.variant = std::string(current), .reason = "the policy changes nothing"};
  }
};

}  // namespace

std::unique_ptr<Policy> make_fixed() { return std::make_unique<Fixed>(); }

}  // namespace tachostat::govern
