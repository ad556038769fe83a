// Variants' accuracy on a part of the data, beside the reference's: judged once, then kept in the
// journal.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "app/optimize/journal.h"
#include "app/optimize/judging.h"
#include "app/optimize/optimize_run.h"

namespace tachostat::app {

class Scoring {
 public:
  // All must outlive it.
  Scoring(Journal& journal, Court court,
          const std::function<bool(std::string_view stage, double done)>& progress)
      : journal_(journal), court_(std::move(court)), progress_(progress) {}

  absl::StatusOr<Scores> scores_of(std::span<const model::Variant> variants,
                                   std::span<const std::size_t> samples, std::string_view stage);

  // Mean drops against the reference.
  absl::StatusOr<std::vector<double>> drops_of(std::span<const model::Variant> variants,
                                               std::span<const std::size_t> samples,
                                               std::string_view stage);

  // Fills each outcome's member `drop`, and what goes with it; those that were refused are left
  // out. Variants that compute the same numbers are judged once. Gives the reference's mean score.
  absl::StatusOr<double> judge_all(std::vector<Outcome>& outcomes,
                                   std::span<const std::size_t> samples, std::string_view stage,
                                   verify::Drop Outcome::*drop, double max_drop);

 private:
  bool is_reference(const model::Variant& variant) const;

  Journal& journal_;
  const Court court_;
  const std::function<bool(std::string_view stage, double done)>& progress_;
};

}  // namespace tachostat::app
