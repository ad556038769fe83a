#include <nlohmann/json.hpp>

#include "verify/verify.h"

namespace tachostat::verify {
namespace {

using nlohmann::json;

json agreement_json(const Agreement& agreement) {
  return {{"samples", agreement.samples},
          {"worst_cosine", agreement.worst_cosine},
          {"largest_difference", agreement.largest_difference},
          {"label_agreement", agreement.label_agreement},
          {"labels", agreement.labels},
          {"bit_exact", agreement.bit_exact},
          {"finite", agreement.finite},
          {"drop_bound", agreement.drop_bound()}};
}

}  // namespace

// Infinity, which JSON lacks, becomes null: "no bound yet".
std::string to_json(const Trial& trial) {
  const json value = {{"base", trial.base},
                      {"candidate", trial.candidate},
                      {"proposer", trial.proposer},
                      {"finding", trial.finding},
                      {"reason", trial.reason},
                      {"outcome", trial.outcome == Trial::Outcome::kProved ? "proved" : "refused"},
                      {"verdict", trial.verdict},
                      {"pairs", trial.pairs},
                      {"ratio", trial.ratio},
                      {"ratio_low", trial.ratio_low},
                      {"ratio_high", trial.ratio_high},
                      {"base_requests", trial.base_requests},
                      {"candidate_requests", trial.candidate_requests},
                      {"base_p99_ms", trial.base_p99_ms},
                      {"candidate_p99_ms", trial.candidate_p99_ms},
                      {"agreement", agreement_json(trial.agreement)},
                      {"memory_bytes", trial.memory_bytes},
                      {"unix_ms", trial.unix_ms}};
  // Layer names come from model files and need not be UTF-8.
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace tachostat::verify
