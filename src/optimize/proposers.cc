#include <algorithm>
#include <map>
#include <set>

#include "optimize/propose.h"

namespace tachostat::optimize {
namespace {

std::vector<std::unique_ptr<Proposer>> make_all() {
  std::vector<std::unique_ptr<Proposer>> all;
  all.push_back(make_precision());
  all.push_back(make_threads_streams());
  all.push_back(make_batch());
  all.push_back(make_shapes());
  return all;
}

// Each variant once, with the proposal that expects most of it.
void keep_best(std::vector<Proposal>& proposals) {
  std::stable_sort(proposals.begin(), proposals.end(), [](const Proposal& a, const Proposal& b) {
    return a.expected_gain > b.expected_gain;
  });
  std::set<std::string> seen;
  std::erase_if(proposals, [&](const Proposal& proposal) {
    return !seen.insert(proposal.variant.id()).second;
  });
}

// Each variant once, and none that is proposed after all.
void keep_final(std::vector<Refusal>& refusals, const std::vector<Proposal>& proposals) {
  std::set<std::string> seen;
  for (const Proposal& proposal : proposals) seen.insert(proposal.variant.id());
  std::erase_if(refusals,
                [&](const Refusal& refusal) { return !seen.insert(refusal.variant).second; });
}

}  // namespace

const std::vector<std::unique_ptr<Proposer>>& proposers() {
  static const std::vector<std::unique_ptr<Proposer>> all = make_all();
  return all;
}

bool asks_for(const diagnose::Finding& finding, diagnose::Remedy::Kind remedy) {
  return std::find(finding.remedies.begin(), finding.remedies.end(), remedy) !=
         finding.remedies.end();
}

double middle_gain(const diagnose::Finding& finding) {
  return (finding.gain_low + finding.gain_high) / 2;
}

double evidence_of(const diagnose::Finding& finding, std::string_view metric, double otherwise) {
  const auto found =
      std::find_if(finding.evidence.begin(), finding.evidence.end(),
                   [&](const diagnose::Evidence& one) { return one.metric == metric; });
  return found == finding.evidence.end() ? otherwise : found->value;
}

Proposals propose(const std::vector<diagnose::Finding>& findings, const Context& context) {
  Proposals result;
  for (const diagnose::Finding& finding : findings) {
    for (const std::unique_ptr<Proposer>& proposer : proposers()) {
      proposer->propose(finding, context, result.proposals, result.refusals);
    }
  }
  std::erase_if(result.proposals,
                [&](const Proposal& one) { return one.variant == context.incumbent; });
  keep_best(result.proposals);
  keep_final(result.refusals, result.proposals);
  return result;
}

}  // namespace tachostat::optimize
