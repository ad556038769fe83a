// Every family, and what becomes of what their rules say.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <vector>

#include "base/status.h"
#include "diagnose/case.h"

namespace tachostat::diagnose {
namespace {

const std::array<Family, 9>& all_families() {
  static const std::array<Family, 9> families = {
      {{"compute", "Layers whose arithmetic is what takes the time.", compute_rules()},
       {"memory", "Layers that wait for data, and bytes that are moved for nothing.",
        memory_rules()},
       {"quantisation", "What integers cost beside what they save.", quantisation_rules()},
       {"parallelism", "Threads that wait, or are in each other's way.", parallelism_rules()},
       {"serving", "How requests reach the model: batches, shapes, queues, bytes on the wire.",
        serving_rules()},
       {"transfer", "Data and work on their way to another device or machine.", transfer_rules()},
       {"environment", "What the machine, its owner and its other tenants take away.",
        environment_rules()},
       {"structure", "What the shape of the graph costs: many layers' time with one cause.",
        structure_rules()},
       {"change", "What is not as it was; needs a baseline.", change_rules()}}};
  return families;
}

void rank(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    if (a.expected_gain() != b.expected_gain()) return a.expected_gain() > b.expected_gain();
    return a.confidence > b.confidence;
  });
}

// What is left of a layer's time, or of the time outside all layers, once others' gains are had.
class Left {
 public:
  double of(Objective objective, int layer) const {
    const auto found = left_.find(key(objective, layer));
    return found == left_.end() ? 1 : found->second;
  }
  void take(Objective objective, const Part& part) {
    if (part.share <= 0) return;
    double& left = left_.try_emplace(key(objective, part.layer), 1).first->second;
    left = std::max(0.0, left - part.gain_high / part.share);
  }
  // False when it was told before.
  bool tell_loss(Objective objective, int layer) {
    return losses_.insert(key(objective, layer)).second;
  }

 private:
  // Processor time that is had by more requests side by side makes none of them faster: what one
  // objective gains is not taken from another's.
  static std::pair<int, int> key(Objective objective, int layer) {
    return {static_cast<int>(objective), layer};
  }
  std::map<std::pair<int, int>, double> left_;
  std::set<std::pair<int, int>> losses_;
};

// Findings come in order of rank; each takes what it promises from the layers' time.
void promise_once(std::vector<Finding>& findings) {
  Left left;
  for (Finding& finding : findings) {
    finding.gain_low = 0;
    finding.gain_high = 0;
    for (Part& part : finding.parts) {
      // Time outside all layers has many causes that are measured apart.
      if (part.layer != Part::kNoLayer) {
        const double share = left.of(finding.objective, part.layer);
        part.gain_high = std::min(part.gain_high * share, part.share * share);
        // What a remedy may cost is told once too.
        const bool told = part.gain_low < 0 && !left.tell_loss(finding.objective, part.layer);
        part.gain_low = told ? 0 : std::min(part.gain_low * share, part.gain_high);
        left.take(finding.objective, part);
      }
      finding.gain_low += part.gain_low;
      finding.gain_high += part.gain_high;
    }
  }
}

void drop_small(std::vector<Finding>& findings) {
  std::erase_if(findings, [](const Finding& finding) {
    return !finding.alarm && finding.gain_high < kLeastGain;
  });
}

}  // namespace

std::span<const Family> families() { return all_families(); }

std::vector<Finding> diagnose(const profile::Profile& profile, const profile::Roofline& roofline,
                              const profile::Profile* baseline) {
  const Case c(profile, roofline, baseline);
  std::vector<Finding> findings;
  for (const Family& family : families()) {
    for (const Rule& rule : family.rules) {
      for (Finding& finding : rule.find(c)) {
        finding.family = family.name;
        findings.push_back(std::move(finding));
      }
    }
  }
  drop_small(findings);
  rank(findings);
  promise_once(findings);
  drop_small(findings);
  rank(findings);
  return findings;
}

profile::Roofline applicable(const profile::Roofline& roofline, std::string_view machine,
                             const profile::Profile& profile) {
  if (!profile.machine.empty() && profile.machine == machine) return roofline;
  profile::Roofline nothing;
  nothing.threads = roofline.threads;
  return nothing;
}

std::string rules_markdown() {
  std::string text;
  for (const Family& family : families()) {
    text += fmt::format("\n## {}\n\n{}\n\n", family.name, family.about);
    for (const Rule& rule : family.rules) {
      text += fmt::format(
          "### `{}`\n\n- looks at: {}\n- speaks from: {}\n- expects: {}\n- remedies: {}\n"
          "- source: {}\n\n",
          rule.name, rule.metric, rule.threshold, rule.gain, rule.remedy, rule.source);
    }
    text.pop_back();
  }
  return text;
}

}  // namespace tachostat::diagnose
