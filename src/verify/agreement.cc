#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <limits>
#include <optional>

#include "base/status.h"
#include "verify/values.h"
#include "verify/verify.h"

namespace tachostat::verify {
namespace {

using engine::Tensor;
using model::DataType;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void count_difference(Agreement& agreement, double cosine, double difference) {
  agreement.worst_cosine = std::min(agreement.worst_cosine, cosine);
  agreement.largest_difference = std::max(agreement.largest_difference, difference);
}

double largest_magnitude(const std::vector<double>& values) {
  double largest = 0;
  for (double value : values) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  return largest;
}

void compare_values(const std::vector<double>& reference, const std::vector<double>& candidate,
                    Agreement& agreement) {
  // Each side is scaled by its largest magnitude, so that no square overflows.
  const double reference_scale = largest_magnitude(reference);
  const double candidate_scale = largest_magnitude(candidate);
  double dot = 0;
  double reference_square = 0;
  double candidate_square = 0;
  double largest = 0;
  bool strange = false;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double r = reference[i];
    const double c = candidate[i];
    if (!std::isfinite(r) || !std::isfinite(c)) {
      if (r == c || (std::isnan(r) && std::isnan(c))) continue;  // a mask of -inf, say
      strange = true;
      if (!std::isfinite(c)) agreement.finite = false;
      continue;
    }
    largest = std::max(largest, std::abs(c - r));
    const double scaled_r = reference_scale > 0 ? r / reference_scale : 0;
    const double scaled_c = candidate_scale > 0 ? c / candidate_scale : 0;
    dot += scaled_r * scaled_c;
    reference_square += scaled_r * scaled_r;
    candidate_square += scaled_c * scaled_c;
  }
  if (strange) return count_difference(agreement, 0, kInfinity);
  if (largest == 0) return;
  const double lengths = std::sqrt(reference_square) * std::sqrt(candidate_square);
  count_difference(agreement, lengths > 0 ? std::min(1.0, dot / lengths) : 0,
                   reference_scale > 0 ? largest / reference_scale : kInfinity);
}

// The first largest; -1 when one is no number.
std::ptrdiff_t label_of(std::span<const double> row) {
  std::ptrdiff_t best = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (std::isnan(row[i])) return -1;
    if (row[i] > row[static_cast<std::size_t>(best)]) best = static_cast<std::ptrdiff_t>(i);
  }
  return best;
}

void compare_labels(std::span<const double> reference, std::span<const double> candidate,
                    std::size_t classes, Agreement& agreement) {
  const std::size_t rows = reference.size() / classes;
  double agreed = agreement.label_agreement * static_cast<double>(agreement.labels);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto expected = label_of(reference.subspan(row * classes, classes));
    const auto found = label_of(candidate.subspan(row * classes, classes));
    agreed += expected == found ? 1 : 0;
  }
  agreement.labels += rows;
  if (agreement.labels > 0) {
    // Whole again, so that rounding does not pile up over many calls.
    agreement.label_agreement = std::round(agreed) / static_cast<double>(agreement.labels);
  }
}

// Data must be as long as type and shape say; a string tensor says nothing of its length.
absl::Status check_size(const Tensor& tensor, const char* side) {
  const int bits = model::bits_of(tensor.type);
  if (bits == 0) return absl::OkStatus();
  const auto elements = static_cast<std::uint64_t>(model::elements_of(tensor.shape));
  const std::uint64_t found = tensor.data.size();
  // Elements first: the product of a hostile shape may overflow.
  const bool fits = elements <= std::numeric_limits<std::uint64_t>::max() / 64 &&
                    (elements * static_cast<std::uint64_t>(bits) + 7) / 8 == found;
  if (fits) return absl::OkStatus();
  return base::invalid_argument("{} output '{}': {} bytes do not hold {} {}", side, tensor.name,
                                found, model::name_of(tensor.type), model::to_string(tensor.shape));
}

absl::StatusOr<const Tensor*> partner_of(const Tensor& reference,
                                         std::span<const Tensor> candidate) {
  const auto found = std::find_if(candidate.begin(), candidate.end(), [&](const Tensor& tensor) {
    return tensor.name == reference.name;
  });
  if (found == candidate.end()) {
    return base::invalid_argument("the candidate has no output '{}', which the reference has",
                                  reference.name);
  }
  if (found->type != reference.type || found->shape != reference.shape) {
    return base::invalid_argument("output '{}': expected {} {} as the reference has, found {} {}",
                                  reference.name, model::name_of(reference.type),
                                  model::to_string(reference.shape), model::name_of(found->type),
                                  model::to_string(found->shape));
  }
  TS_RETURN_IF_ERROR(check_size(reference, "reference"));
  TS_RETURN_IF_ERROR(check_size(*found, "candidate"));
  return &*found;
}

void compare_tensors(const Tensor& reference, const Tensor& candidate, Agreement& agreement) {
  const bool same = std::equal(reference.data.begin(), reference.data.end(), candidate.data.begin(),
                               candidate.data.end());
  agreement.bit_exact = agreement.bit_exact && same;
  const auto expected = values_of(reference);
  if (!expected) {
    if (!same) count_difference(agreement, 0, kInfinity);
    return;
  }
  const auto found = values_of(candidate);
  compare_values(*expected, *found, agreement);
  if (is_floating(reference.type) && !reference.shape.empty() && reference.shape.back() >= 2) {
    compare_labels(*expected, *found, static_cast<std::size_t>(reference.shape.back()), agreement);
  }
}

}  // namespace

double Agreement::drop_bound() const {
  if (labels == 0) return 1;
  const double n = static_cast<double>(labels);
  const double differing = std::round((1 - label_agreement) * n);
  if (differing >= n) return 1;
  // The share of differing labels at which seeing this few or fewer has probability 5 %.
  return boost::math::ibeta_inv(differing + 1, n - differing, 0.95);
}

absl::Status compare(std::span<const Tensor> reference, std::span<const Tensor> candidate,
                     Agreement& agreement) {
  if (reference.size() != candidate.size()) {
    return base::invalid_argument("expected {} outputs as the reference has, found {}",
                                  reference.size(), candidate.size());
  }
  // All partners before the first count: an error leaves the agreement as it was.
  std::vector<const Tensor*> partners;
  for (const Tensor& tensor : reference) {
    TS_ASSIGN_OR_RETURN(partners.emplace_back(), partner_of(tensor, candidate));
  }
  for (std::size_t i = 0; i < reference.size(); ++i) {
    compare_tensors(reference[i], *partners[i], agreement);
  }
  ++agreement.samples;
  return absl::OkStatus();
}

}  // namespace tachostat::verify
