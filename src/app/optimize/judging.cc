#include "app/optimize/judging.h"

#include <memory>

#include "base/status.h"
#include "optimize/calibrate.h"

namespace tachostat::app {
namespace {

// A variant and who judges it; without a session it computes what the reference computes.
struct Seat {
  std::unique_ptr<engine::Session> session;
  std::unique_ptr<verify::Judge> judge;
};

absl::StatusOr<Seat> seat(const Court& court, const model::Variant& variant) {
  TS_ASSIGN_OR_RETURN(auto session, court.engine.load(court.graph, variant, nullptr));
  return Seat{std::move(session), court.metric.judge()};
}

absl::StatusOr<std::vector<double>> finish(Seat& seat, std::size_t& non_finite) {
  TS_ASSIGN_OR_RETURN(const std::vector<verify::Score> scores, seat.judge->finish());
  std::vector<double> values;
  for (const verify::Score& score : scores) {
    values.push_back(score.value);
    non_finite += score.non_finite ? 1 : 0;
  }
  return values;
}

}  // namespace

absl::StatusOr<Scores> judge(const Court& court, std::span<const model::Variant> candidates,
                             std::span<const std::size_t> samples,
                             const std::function<bool(std::size_t done)>& progress) {
  std::vector<Seat> seats;
  TS_ASSIGN_OR_RETURN(Seat reference, seat(court, court.reference));
  for (const model::Variant& variant : candidates) {
    TS_ASSIGN_OR_RETURN(Seat one, seat(court, variant));
    // "The engine's default" is f32 where the processor has nothing shorter.
    const bool same = variant.recipe == court.reference.recipe &&
                      one.session->applied().precision == reference.session->applied().precision;
    if (same) one.session = nullptr;
    seats.push_back(std::move(one));
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (progress && !progress(i)) return absl::CancelledError("judging was stopped");
    TS_ASSIGN_OR_RETURN(const std::vector<engine::Tensor> inputs, court.data.sample(samples[i]));
    TS_ASSIGN_OR_RETURN(const auto truth, optimize::infer(*reference.session, inputs));
    TS_RETURN_IF_ERROR(reference.judge->add({samples[i], truth, truth}));
    for (Seat& one : seats) {
      if (one.session == nullptr) continue;
      TS_ASSIGN_OR_RETURN(const auto outputs, optimize::infer(*one.session, inputs));
      TS_RETURN_IF_ERROR(one.judge->add({samples[i], outputs, truth}));
    }
  }
  Scores scores;
  std::size_t ignored = 0;
  TS_ASSIGN_OR_RETURN(scores.reference, finish(reference, ignored));
  for (Seat& one : seats) {
    scores.same.push_back(one.session == nullptr);
    if (one.session == nullptr) {
      scores.candidates.push_back(scores.reference);
      scores.non_finite.push_back(ignored);
      continue;
    }
    std::size_t non_finite = 0;
    TS_ASSIGN_OR_RETURN(std::vector<double> values, finish(one, non_finite));
    scores.candidates.push_back(std::move(values));
    scores.non_finite.push_back(non_finite);
  }
  return scores;
}

}  // namespace tachostat::app
