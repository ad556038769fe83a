#include "optimize/prune/removal.h"

#include <algorithm>
#include <limits>

namespace tachostat::optimize {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// One reader's channels, each with the two that say most of it among those that stay.
class Reader {
 public:
  explicit Reader(const Reading& reading) : reading_(reading) {
    const std::size_t channels = reading.statistics.channels();
    for (std::size_t c = 0; c < channels; ++c) {
      whole_ += reading.weight[c] * reading.statistics.variance(c);
    }
    best_.resize(channels);
  }

  // Who stands in for that channel among those that stay.
  std::size_t find(std::size_t channel, const std::vector<bool>& stays);

  void find_all(const std::vector<bool>& stays) {
    for (std::size_t c = 0; c < stays.size(); ++c) find(c, stays);
  }

  // What it costs that this one goes too: what is not known of it then, and what those lose that it
  // stood in for.
  void add_costs(const std::vector<bool>& stays, std::vector<double>& costs) const {
    for (std::size_t c = 0; c < stays.size(); ++c) {
      if (stays[c]) {
        costs[c] += disturbed(c, best_[c].left);
      } else {
        costs[best_[c].by] += disturbed(c, best_[c].next_left) - disturbed(c, best_[c].left);
      }
    }
  }

  double error(const std::vector<bool>& stays) const {
    double sum = 0;
    for (std::size_t c = 0; c < stays.size(); ++c) {
      if (!stays[c]) sum += disturbed(c, best_[c].left);
    }
    return sum;
  }

  void leaves(std::size_t gone, const std::vector<bool>& stays) {
    for (std::size_t c = 0; c < stays.size(); ++c) {
      if (best_[c].by == gone || best_[c].next == gone) find(c, stays);
    }
  }

 private:
  struct Best {
    std::size_t by = 0, next = 0;
    double left = 0, next_left = 0;
  };

  double disturbed(std::size_t channel, double left) const {
    return whole_ > 0 ? reading_.weight[channel] * left / whole_ : 0;
  }

  const Reading& reading_;
  double whole_ = 0;
  std::vector<Best> best_;
};

std::size_t Reader::find(std::size_t channel, const std::vector<bool>& stays) {
  const ChannelStatistics& statistics = reading_.statistics;
  const double own = statistics.variance(channel);
  Best best{.left = kNever, .next_left = kNever};
  for (std::size_t by = 0; by < stays.size(); ++by) {
    if (!stays[by] || by == channel) continue;
    const double left = statistics.line(channel, by).left;
    if (left < best.left) {
      best.next = best.by;
      best.next_left = best.left;
      best.by = by;
      best.left = left;
    } else if (left < best.next_left) {
      best.next = by;
      best.next_left = left;
    }
  }
  best.left = std::min(best.left, own);
  best.next_left = std::min(best.next_left, own);
  best_[channel] = best;
  return best.by;
}

}  // namespace

Removal order_of_removal(const std::vector<Reading>& readings, std::size_t most) {
  Removal removal;
  const std::size_t channels = readings.empty() ? 0 : readings[0].statistics.channels();
  std::vector<bool> stays(channels, true);
  std::vector<Reader> readers(readings.begin(), readings.end());
  for (Reader& reader : readers) reader.find_all(stays);
  while (removal.order.size() < most && removal.order.size() + 1 < channels) {
    std::vector<double> costs(channels, 0);
    for (const Reader& reader : readers) reader.add_costs(stays, costs);
    for (std::size_t c = 0; c < channels; ++c) {
      if (!stays[c]) costs[c] = kNever;
    }
    const auto least = std::min_element(costs.begin(), costs.end());
    const auto gone = static_cast<std::size_t>(least - costs.begin());
    stays[gone] = false;
    double error = 0;
    for (Reader& reader : readers) {
      reader.leaves(gone, stays);
      error += reader.error(stays);
    }
    removal.order.push_back(static_cast<int>(gone));
    removal.error.push_back(error);
  }
  return removal;
}

model::Prune::Group group_without(const std::string& name, const std::vector<Reading>& readings,
                                  const Removal& removal, std::size_t count) {
  model::Prune::Group group{.name = name};
  group.dropped.assign(removal.order.begin(),
                       removal.order.begin() + static_cast<std::ptrdiff_t>(count));
  std::sort(group.dropped.begin(), group.dropped.end());
  const std::size_t channels = readings.empty() ? 0 : readings[0].statistics.channels();
  std::vector<bool> stays(channels, true);
  for (const int channel : group.dropped) stays[static_cast<std::size_t>(channel)] = false;
  for (const Reading& reading : readings) {
    Reader channels_read(reading);
    model::Prune::Reader reader{.edge = reading.edge};
    for (const int channel : group.dropped) {
      const auto dropped = static_cast<std::size_t>(channel);
      const std::size_t by = channels_read.find(dropped, stays);
      const ChannelStatistics::Line line = reading.statistics.line(dropped, by);
      reader.by.push_back(static_cast<int>(by));
      reader.factor.push_back(static_cast<float>(line.factor));
      reader.offset.push_back(static_cast<float>(line.offset));
    }
    group.readers.push_back(std::move(reader));
  }
  return group;
}

}  // namespace tachostat::optimize
