#include "govern/windows.h"

namespace tachostat::govern {

void merge(Observation& total, const Observation& piece) {
  if (total.end == base::Time()) {
    total = piece;
    return;
  }
  const double before = total.seconds();
  const double added = piece.seconds();
  if (before + added > 0) {
    total.mean_in_flight =
        (total.mean_in_flight * before + piece.mean_in_flight * added) / (before + added);
  }
  if (total.answered + piece.answered > 0) {
    const auto had = static_cast<double>(total.answered);
    const auto more = static_cast<double>(piece.answered);
    total.mean_batch = (total.mean_batch * had + piece.mean_batch * more) / (had + more);
  }
  if (piece.answered > total.answered) total.variant = piece.variant;
  // Pieces need not touch: what lies between them (a settling time) is in no rate.
  total.end += piece.end - piece.begin;
  total.arrivals += piece.arrivals;
  total.answered += piece.answered;
  total.failed += piece.failed;
  total.refused += piece.refused;
  total.hung += piece.hung;
  total.latency.merge(piece.latency);
  total.service.merge(piece.service);
}

std::optional<Window> Windows::add(const Observation& piece) {
  if (!open_) open_.emplace();
  open_->disturbed = open_->disturbed || next_disturbed_;
  next_disturbed_ = false;
  merge(open_->seen, piece);
  const base::Duration age = open_->seen.end - open_->seen.begin;
  const bool full = age >= length_ && open_->seen.answered >= kEnough;
  if (!full && age < length_ * kStretch) return std::nullopt;
  closed_.push_back(*std::move(open_));
  open_.reset();
  if (closed_.size() > kKept) closed_.pop_front();
  return closed_.back();
}

void Windows::disturb() {
  if (open_) open_->disturbed = true;
  next_disturbed_ = true;
}

Observation Windows::recent(std::size_t count, bool undisturbed) const {
  std::vector<const Window*> chosen;
  for (auto window = closed_.rbegin(); window != closed_.rend() && chosen.size() < count;
       ++window) {
    if (!undisturbed || !window->disturbed) chosen.push_back(&*window);
  }
  Observation total;
  for (auto window = chosen.rbegin(); window != chosen.rend(); ++window) {
    merge(total, (*window)->seen);
  }
  return total;
}

}  // namespace tachostat::govern
