#include "diagnose/layers.h"

#include <algorithm>

#include "base/status.h"

namespace tachostat::diagnose {
namespace {

using profile::LayerProfile;
using profile::Profile;
using profile::Roofline;

// Work counts bytes at the model's own precision, f32; a layer that runs in a lower one moves less.
double bytes_per_f32_byte(const LayerProfile& layer) {
  const std::string& precision = layer.precision;
  if (precision == "bf16" || precision == "f16") return 0.5;
  if (precision == "i8" || precision == "u8") return 0.25;
  return 1;
}

}  // namespace

Rates rates_of(const LayerProfile& layer) {
  Rates rates;
  const double seconds = layer.time.mean() * 1e-9;
  if (seconds <= 0) return rates;
  const double bytes = layer.work.bytes() * bytes_per_f32_byte(layer);
  if (layer.work.flops >= 0) rates.flops = layer.work.flops / seconds;
  if (bytes > 0) {
    rates.bytes = bytes / seconds;
    rates.weights = layer.work.weight_bytes / layer.work.bytes();
    if (layer.work.flops >= 0) rates.intensity = layer.work.flops / bytes;
  }
  return rates;
}

bool is_f32(const LayerProfile& layer) { return layer.precision == "f32"; }

double peak_flops(const Profile& profile, const Roofline& roofline) {
  const int threads = std::max(1, profile.threads);
  const double all = roofline.peak_f32_flops;
  const double one = roofline.single_f32_flops;
  if (threads >= roofline.threads) return all;
  if (one <= 0) return all > 0 ? all * threads / roofline.threads : -1;
  return all > 0 ? std::min(all, one * threads) : one * threads;
}

double ridge(const Profile& profile, const Roofline& roofline) {
  const double peak = peak_flops(profile, roofline);
  return peak > 0 && roofline.memory_bandwidth > 0 ? peak / roofline.memory_bandwidth : -1;
}

std::vector<std::string> Picked::names() const {
  std::vector<std::string> result;
  for (const LayerProfile* layer : layers) result.push_back(layer->name);
  return result;
}

double Picked::mean(const std::function<double(const LayerProfile&)>& value) const {
  double sum = 0;
  double weight = 0;
  for (const LayerProfile* layer : layers) {
    const auto time = static_cast<double>(layer->time.sum());
    sum += time * value(*layer);
    weight += time;
  }
  return weight > 0 ? sum / weight : 0;
}

Picked pick(const Profile& profile, const std::function<bool(const LayerProfile&)>& wanted) {
  Picked picked;
  if (profile.request_time.count() < kMinRequests) return picked;
  for (const LayerProfile& layer : profile.layers) {
    if (layer.time.count() < kMinRequests || layer.time.sum() == 0 || !wanted(layer)) continue;
    picked.layers.push_back(&layer);
    picked.share += layer.share;
    picked.executions += layer.time.count();
  }
  std::stable_sort(
      picked.layers.begin(), picked.layers.end(),
      [](const LayerProfile* a, const LayerProfile* b) { return a->time.sum() > b->time.sum(); });
  return picked;
}

std::string percent(double share) {
  return fmt::format("{:.{}f} %", share * 100, share < 0.0995 ? 1 : 0);
}

}  // namespace tachostat::diagnose
