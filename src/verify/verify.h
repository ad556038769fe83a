// Nothing is believed without a trial. Speed: an always-valid sequential test on paired blocks of
// live traffic. Accuracy: agreement of outputs with the f32 reference on mirrored requests. What
// passes both joins the frontier.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::verify {

// A confidence sequence for the mean of paired log ratios log(candidate ÷ base), valid at every
// sample size at once, so it may be looked at after each pair and stopped at any time. Method: the
// anytime-valid t-test. With a normal prior of variance g on the effect size and the right Haar
// prior on the unknown scale, the Bayes factor is a test martingale under every normal law with the
// tested mean (Lai 1976; Pérez-Ortiz, Lardy, de Heide, Grünwald 2022; Wang and Ramdas 2023,
// "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance"); the
// interval holds the means whose factor is below 1 ÷ alpha, in closed form. No variance is plugged
// in, so few pairs are not trusted too early.
class SequentialTest {
 public:
  struct Options {
    double alpha = 0.01;     // chance of ever being wrong
    double min_gain = 0.02;  // ratio must be under 1 - min_gain to count as faster
    int min_pairs = 6;
    int max_pairs = 60;  // then it is "no proof"
    // g: prior variance of (mean - tested mean) ÷ deviation of one pair. 1 suits gains of about the
    // noise of a block; a wrong g costs pairs, never validity.
    double effect_variance = 1;
  };
  enum class Verdict { kContinue, kFaster, kNotFaster, kUndecided };

  explicit SequentialTest(Options options);
  // Both positive, in the same unit (mean latency of a block). Non-positive or non-finite pairs are
  // ignored.
  void add(double base, double candidate);
  // kFaster: the whole interval lies below 1 - min_gain; kNotFaster: above it; kUndecided: neither
  // at max_pairs.
  Verdict verdict() const;

  int pairs() const { return pairs_; }
  double ratio() const;  // geometric mean of candidate ÷ base; 1 without pairs
  // Confidence sequence at 1 - alpha; 0 and infinity while there are too few pairs for any bound.
  double ratio_low() const;
  double ratio_high() const;

 private:
  double half_width() const;

  Options options_;
  int pairs_ = 0;
  double mean_ = 0;  // of log ratios (Welford)
  double sum_squares_ = 0;
};

// Agreement of a variant's outputs with the f32 reference's on the same inputs. Outputs that are
// not numbers (strings, f8, types below 8 bits) are compared bit for bit: a difference counts as
// cosine 0 and difference infinity.
struct Agreement {
  std::uint64_t samples = 0;  // mirrored requests compared
  double worst_cosine = 1;
  double largest_difference = 0;  // |candidate - reference| ÷ largest |reference| of that tensor
  // Share of arg-max along the last axis that are the same; of floating outputs whose last
  // dimension is at least 2.
  double label_agreement = 1;
  std::uint64_t labels = 0;
  bool bit_exact = true;
  bool finite = true;  // no NaN or infinity where the reference has another value

  // Upper 95 % confidence bound of 1 - label_agreement (Clopper–Pearson, per label); 1 without
  // labels. It takes labels as independent. Labels inside one sample (the steps of one text line)
  // are not quite, so the true bound lies between this one and the one for `samples` labels.
  double drop_bound() const;
};
// Adds one request's outputs. InvalidArgument when names, types or shapes differ.
absl::Status compare(std::span<const engine::Tensor> reference,
                     std::span<const engine::Tensor> candidate, Agreement& agreement);

// A measured comparison and its end.
struct Trial {
  std::string base;  // Variant::id()
  std::string candidate;
  std::string proposer;
  std::string finding;
  std::string reason;  // why it was proposed
  enum class Outcome { kProved, kRefused } outcome = Outcome::kRefused;
  std::string verdict;  // one sentence with the numbers: why it was proved or refused
  int pairs = 0;
  double ratio = 1, ratio_low = 0, ratio_high = 0;  // latency, candidate ÷ base
  std::uint64_t base_requests = 0, candidate_requests = 0;
  double base_p99_ms = 0, candidate_p99_ms = 0;
  Agreement agreement;
  std::uint64_t memory_bytes = 0;
  std::int64_t unix_ms = 0;
};
std::string to_json(const Trial& trial);

// A verified variant with what was measured of it.
struct Point {
  model::Variant variant;
  double service_ms = 0;  // median engine time of one inference, as measured under trial load
  double single_ms = 0;   // the same of one request alone, where batches are run; 0: not measured
  double capacity = 0;    // requests per second at saturation: concurrency × batch ÷ service time
  double p99_ms = 0;      // under trial load
  double drop_bound = 0;
  std::uint64_t memory_bytes = 0;
};

// The verified variants that no other dominates on (service_ms, capacity, drop_bound). One
// dominates another when it is no worse on each within the noise of measuring (1 % of time and
// capacity, 0.0005 of drop) and better by more than that on one. Value type.
class Frontier {
 public:
  // Replaces the point of the same variant; drops what is or becomes dominated, except the
  // fallback. A point with a non-finite number is ignored.
  void add(Point point);
  void set_fallback(std::string variant) { fallback_ = std::move(variant); }
  const std::string& fallback() const { return fallback_; }
  const std::vector<Point>& points() const { return points_; }  // ascending capacity
  const Point* find(std::string_view variant) const;

 private:
  std::vector<Point> points_;
  std::string fallback_;
};

}  // namespace tachostat::verify
