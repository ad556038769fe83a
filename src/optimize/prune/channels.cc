#include "optimize/prune/channels.h"

#include <algorithm>
#include <cmath>

namespace tachostat::optimize {
namespace {

std::size_t size_of(std::int64_t dimension) { return static_cast<std::size_t>(dimension); }

}  // namespace

void ChannelStatistics::add(std::span<const float> values, const model::Shape& shape,
                            bool channels_last) {
  if (shape.size() < 2 || values.empty()) return;
  const std::size_t axis = channels_last || shape.size() < 3 ? shape.size() - 1 : 1;
  const std::size_t channels = size_of(shape[axis]);
  if (sums_.empty()) {
    sums_.assign(channels, 0);
    products_.assign(channels * (channels + 1) / 2, 0);
  }
  if (channels != sums_.size()) return;
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= size_of(shape[i]);
  const std::size_t places = values.size() / channels;
  const std::size_t looked_at = std::min(places, kPlaces);
  place_.resize(channels);
  for (std::size_t i = 0; i < looked_at; ++i) {
    const std::size_t place = i * places / looked_at;
    const std::size_t begin = place / inner * channels * inner + place % inner;
    for (std::size_t c = 0; c < channels; ++c) place_[c] = values[begin + c * inner];
    add_place();
  }
}

void ChannelStatistics::add_place() {
  const bool finite =
      std::all_of(place_.begin(), place_.end(), [](double value) { return std::isfinite(value); });
  if (!finite) return;
  ++count_;
  double* row = products_.data();
  for (std::size_t a = 0; a < place_.size(); ++a) {
    const double value = place_[a];
    sums_[a] += value;
    for (std::size_t b = 0; b <= a; ++b) row[b] += value * place_[b];
    row += a + 1;
  }
}

double ChannelStatistics::mean(std::size_t channel) const {
  return count_ > 0 ? sums_[channel] / count_ : 0;
}

double ChannelStatistics::covariance(std::size_t a, std::size_t b) const {
  if (count_ == 0) return 0;
  const auto [low, high] = std::minmax(a, b);
  const double found = products_[high * (high + 1) / 2 + low] / count_ - mean(a) * mean(b);
  // What rounding leaves of a channel that never changes is not variance.
  const double rounding = 1e-12 * products_[a * (a + 3) / 2] / count_;
  return a == b && found < rounding ? 0 : found;
}

ChannelStatistics::Line ChannelStatistics::line(std::size_t channel, std::size_t by) const {
  const double own = variance(channel);
  const double others = variance(by);
  Line line{.offset = mean(channel), .left = own};
  if (others <= 0) return line;
  const double together = covariance(channel, by);
  line.factor = together / others;
  line.offset -= line.factor * mean(by);
  line.left = std::max(0.0, own - together * line.factor);
  return line;
}

}  // namespace tachostat::optimize
