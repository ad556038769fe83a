// What the diagnosis of the model as the engine runs it by itself promised, and what came of it:
// each remedy that was tried, beside what its findings said that it is worth.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/optimize/line_up.h"
#include "diagnose/diagnose.h"
#include "model/model.h"

namespace tachostat::app {

struct Promise {
  enum class Verdict {
    kHeld,  // the measured interval meets the promised one
    kLess,
    kMore,
    kOpen,  // nothing that ran answers it, or the measured interval is too wide to tell
  };
  std::vector<std::string> rules = {};           // of the findings, the most promising first
  std::string remedy = {};                       // diagnose::name_of(Remedy::Kind)
  std::string objective = {};                    // diagnose::name_of(Objective)
  std::string summary = {};                      // of the first finding
  double promised_low = 0, promised_high = 0;    // share of the default's time that would be cut
  std::string tried = {}, against = {};          // names of outcomes
  double gain = 0, gain_low = 0, gain_high = 0;  // measured, as a share of the same time
  Verdict verdict = Verdict::kOpen;
};
std::string_view name_of(Promise::Verdict verdict);

// One way that ran, with its times by round; empty where it was refused before.
struct Ran {
  std::string name = {};
  model::Variant variant = {};
  std::vector<double> latency_ms = {}, saturated_ms = {};
};

// `usual`: which of `ran` the findings are about. Findings that ask for the same change share one
// promise: the sum of theirs (no time is promised twice). The most promising first.
std::vector<Promise> weigh(const std::vector<diagnose::Finding>& findings,
                           const std::vector<Ran>& ran, std::size_t usual);

}  // namespace tachostat::app
