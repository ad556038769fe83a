#include "govern/accuracy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/status.h"

namespace tachostat::govern {
namespace {

constexpr double kRounding = 1e-3;  // of the tensor's largest value

// With this many labels, all the same, the 95 % bound just reaches `max_drop`.
double labels_needed(double max_drop) {
  if (max_drop <= 0) return std::numeric_limits<double>::infinity();
  if (max_drop >= 1) return 1;
  return std::ceil(std::log(0.05) / std::log1p(-max_drop));
}

}  // namespace

int MirrorPace::take(base::Time now) {
  const auto most = static_cast<std::uint64_t>(std::max(1, samples_));
  const std::uint64_t count = started_ ? std::min(most, fresh_) : most;
  started_ = true;
  next_ = now + kPause;
  fresh_ = 0;
  return static_cast<int>(count);
}

void merge(verify::Agreement& total, const verify::Agreement& part) {
  const double same = total.label_agreement * static_cast<double>(total.labels) +
                      part.label_agreement * static_cast<double>(part.labels);
  total.samples += part.samples;
  total.labels += part.labels;
  if (total.labels > 0) {
    total.label_agreement = std::round(same) / static_cast<double>(total.labels);
  }
  total.worst_cosine = std::min(total.worst_cosine, part.worst_cosine);
  total.largest_difference = std::max(total.largest_difference, part.largest_difference);
  total.bit_exact = total.bit_exact && part.bit_exact;
  total.finite = total.finite && part.finite;
}

AccuracyCheck::AccuracyCheck(double max_drop, bool same_arithmetic)
    : max_drop_(max_drop), same_arithmetic_(same_arithmetic), next_look_(labels_needed(max_drop)) {}

void AccuracyCheck::end(Verdict verdict, std::string sentence) {
  verdict_ = verdict;
  sentence_ = std::move(sentence);
}

void AccuracyCheck::add(const verify::Agreement& round) {
  if (round.samples == 0 || verdict_ != Verdict::kMore) return;
  merge(total_, round);
  ++rounds_;
  judge();
}

void AccuracyCheck::judge() {
  drop_bound_ = total_.drop_bound();
  if (!total_.finite) {
    return end(Verdict::kInaccurate, fmt::format("its outputs are not finite on {} requests where "
                                                 "the reference's are",
                                                 total_.samples));
  }
  const bool within_rounding =
      total_.largest_difference <= kRounding && total_.label_agreement == 1;
  const bool comparable_by_value = same_arithmetic_ || total_.labels == 0 || max_drop_ <= 0;
  const double allowed = same_arithmetic_ || max_drop_ > 0 ? kRounding : 0;
  if (comparable_by_value && within_rounding && total_.largest_difference <= allowed) {
    if (total_.samples < kMinSamples && rounds_ < kMaxRounds) return;
    drop_bound_ = 0;
    const std::string difference =
        total_.bit_exact
            ? "are the same bit for bit"
            : fmt::format("differ by at most {:.1e} of the largest value, all {} labels the same",
                          total_.largest_difference, total_.labels);
    return end(Verdict::kAccurate,
               fmt::format("the same arithmetic up to rounding: outputs of {} requests {}",
                           total_.samples, difference));
  }
  if (total_.labels == 0) {
    return end(
        Verdict::kInaccurate,
        fmt::format("outputs without labels differ by {:.2g} of the largest value, more than "
                    "{:.0e}, on {} requests",
                    total_.largest_difference, kRounding, total_.samples));
  }
  judge_labels();
}

// Looks at the bound at one, two and four times the labels that are needed at least: few looks, so
// that looking often does not make the bound optimistic.
void AccuracyCheck::judge_labels() {
  const auto labels = static_cast<double>(total_.labels);
  const double differing = std::round((1 - total_.label_agreement) * labels);
  const double share = differing / labels;
  const double needed = labels_needed(max_drop_);
  const std::string seen =
      fmt::format("{:.0f} of {} labels over {} requests differ from the f32 reference", differing,
                  total_.labels, total_.samples);
  if (differing >= 10 && labels >= 50 && share > 5 * max_drop_) {
    return end(Verdict::kInaccurate, fmt::format("{}: {:.2g} %, over the allowed {:g} %", seen,
                                                 share * 100, max_drop_ * 100));
  }
  if (std::isinf(needed) || (rounds_ >= 3 && needed > labels / rounds_ * kMaxRounds)) {
    return end(
        Verdict::kInaccurate,
        fmt::format("{}, and to show a drop under {:g} % takes {} labels, more than {} "
                    "rounds of mirrored requests bring",
                    seen, max_drop_ * 100,
                    std::isfinite(needed) ? fmt::format("{:.0f}", needed) : "infinitely many",
                    kMaxRounds));
  }
  const bool last = rounds_ >= kMaxRounds || labels >= 4 * needed;
  if (labels < next_look_ && !last) return;
  next_look_ = next_look_ * 2;
  if (labels >= needed && drop_bound_ <= max_drop_) {
    return end(Verdict::kAccurate,
               fmt::format("{}: a drop of at most {:.2g} % (95 % bound), allowed {:g} %", seen,
                           drop_bound_ * 100, max_drop_ * 100));
  }
  if (share > max_drop_ || last) {
    return end(Verdict::kInaccurate,
               fmt::format("{}: the drop may be {:.2g} % (95 % bound), over the allowed {:g} %",
                           seen, drop_bound_ * 100, max_drop_ * 100));
  }
}

}  // namespace tachostat::govern
