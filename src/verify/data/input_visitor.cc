#include <algorithm>

#include "base/status.h"
#include "verify/data/convert.h"
#include "verify/data/fit.h"
#include "verify/data/source.h"

namespace tachostat::verify {

absl::Status InputVisitor::begin(const NpyHeader& header) {
  header_ = header;
  if (stacked_) {
    TS_ASSIGN_OR_RETURN(Fit fit, fit_stack(port_, header));
    samples_ = fit.samples;
    shape_ = std::move(fit.shape);
  } else {
    TS_ASSIGN_OR_RETURN(shape_, fit_single(port_, header));
  }
  const auto item = std::max<std::uint64_t>(
      header.item_bytes, static_cast<std::uint64_t>(model::bits_of(port_.type) / 8));
  if (static_cast<std::uint64_t>(model::elements_of(shape_)) > kMostSampleBytes / item) {
    return base::invalid_argument("one sample, {} {}, is larger than {} bytes",
                                  model::name_of(port_.type), model::to_string(shape_),
                                  kMostSampleBytes);
  }
  return absl::OkStatus();
}

absl::Status InputVisitor::data(std::span<const std::byte> elements) {
  hash_.add(elements);
  const std::size_t count = elements.size() / header_.item_bytes;
  scratch_.resize(count * static_cast<std::size_t>(model::bits_of(port_.type) / 8));
  if (const auto fault = convert(header_.type, elements, port_.type, scratch_)) {
    const std::uint64_t at = seen_ + fault->element;
    const auto per_sample = static_cast<std::uint64_t>(model::elements_of(shape_));
    return base::invalid_argument("element {} of sample {} {}", at % per_sample, at / per_sample,
                                  fault->what);
  }
  seen_ += count;
  return absl::OkStatus();
}

std::string InputVisitor::digest() {
  return fmt::format("{} {} {}", header_.type_name(), model::to_string(header_.shape), hash_.hex());
}

}  // namespace tachostat::verify
