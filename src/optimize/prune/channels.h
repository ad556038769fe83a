// What calibration keeps of a tensor's channels: how much each varies, and with which others.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/model.h"

namespace tachostat::optimize {

// Thread-compatible.
class ChannelStatistics {
 public:
  // Places of one sample's tensor that are looked at, evenly spread: samples differ more than the
  // places of one.
  static constexpr std::size_t kPlaces = 64;

  // Channels are axis 1, or the last one where the rank is below 3 or `channels_last`. Places with
  // a value that is not finite are left out, and so is a tensor with another number of channels
  // than the first.
  void add(std::span<const float> values, const model::Shape& shape, bool channels_last);

  std::size_t channels() const { return sums_.size(); }
  double mean(std::size_t channel) const;
  double covariance(std::size_t a, std::size_t b) const;
  double variance(std::size_t channel) const { return covariance(channel, channel); }

  // The best that one channel says of another: x[channel] ≈ factor · x[by] + offset, by least
  // squares. `left`: the variance that it does not explain.
  struct Line {
    double factor = 0, offset = 0, left = 0;
  };
  Line line(std::size_t channel, std::size_t by) const;

 private:
  void add_place();

  double count_ = 0;
  std::vector<double> sums_;
  std::vector<double> products_;  // of channels a ≥ b, row by row
  std::vector<double> place_;     // the values at one place
};

}  // namespace tachostat::optimize
