#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "base/units.h"
#include "profile/columns.h"
#include "profile/profile.h"

namespace tachostat::profile {
namespace {

// Of the columns, in characters. Names come last and are cut only to keep lines readable.
constexpr std::size_t kShare = 7;
constexpr std::size_t kTime = 9;
constexpr std::size_t kType = 16;
constexpr std::size_t kKernel = 24;
constexpr std::size_t kPrecision = 5;
constexpr std::size_t kRate = 8;
constexpr std::size_t kEfficiency = 6;
constexpr std::size_t kName = 60;

std::string percent(double share) { return fmt::format("{:.1f}%", share * 100); }

struct Row {
  std::string share{}, mean{}, p99{}, type{}, kernel{}, precision{}, rate{}, efficiency{}, name{};
};

std::string line_of(const Row& row) {
  std::string line = right(row.share, kShare) + right(row.mean, kTime) + right(row.p99, kTime) +
                     "  " + left(row.type, kType) + "  " + left(row.kernel, kKernel) + "  " +
                     left(row.precision, kPrecision) + right(row.rate, kRate) +
                     right(row.efficiency, kEfficiency) + "  " + shortened(row.name, kName);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

Row row_of(const LayerProfile& layer) {
  Row row{.share = percent(layer.share),
          .mean = base::format_nanoseconds(layer.time.mean()),
          .p99 = base::format_nanoseconds(static_cast<double>(layer.time.quantile(0.99))),
          .type = layer.type,
          .kernel = layer.kernel,
          .precision = layer.precision,
          .rate = "-",
          .efficiency = "-",
          .name = layer.name};
  if (layer.work.flops > 0 && layer.time.mean() > 0) {
    row.rate = fmt::format("{:.1f}", layer.work.flops / layer.time.mean());  // per ns: giga
  }
  if (layer.thread_efficiency >= 0) {
    row.efficiency = fmt::format("{:.0f}%", layer.thread_efficiency * 100);
  }
  return row;
}

std::string heading(const Profile& profile) {
  const base::Histogram& time = profile.request_time;
  std::string text = fmt::format("{} as {}", shortened(profile.model, kName),
                                 shortened(profile.variant, 2 * kName));
  if (!profile.bucket.empty()) {
    text += fmt::format(", requests of {}", shortened(profile.bucket, 2 * kName));
  }
  text += fmt::format("\n{} requests looked at, {} thread{} each: mean {}, p50 {}, p99 {}",
                      time.count(), profile.threads, profile.threads == 1 ? "" : "s",
                      base::format_nanoseconds(time.mean()),
                      base::format_nanoseconds(static_cast<double>(time.quantile(0.5))),
                      base::format_nanoseconds(static_cast<double>(time.quantile(0.99))));
  // Nothing is known of what another tool's profile cost.
  if (profile.overhead > 0) {
    text += fmt::format("; profiling cost {:.2f}% of request time", profile.overhead * 100);
  }
  if (profile.dropped_spans > 0) {
    text += fmt::format("\n{} spans were lost: times of layers are too low", profile.dropped_spans);
  }
  return text + "\n\n";
}

std::string totals(const Profile& profile) {
  const base::Histogram& time = profile.request_time;
  if (time.count() == 0) return "no request was looked at\n";
  const auto requests = static_cast<double>(time.count());
  const auto request_ns = static_cast<double>(time.sum());
  const double layers_ns = profile.layer_total_ns();
  const auto unattributed_ns = static_cast<double>(profile.unattributed_ns);
  const auto share = [&](double ns) { return request_ns > 0 ? percent(ns / request_ns) : "-"; };
  return line_of({.share = share(layers_ns),
                  .mean = base::format_nanoseconds(layers_ns / requests),
                  .type = "sum of layers"}) +
         line_of({.share = share(unattributed_ns),
                  .mean = base::format_nanoseconds(unattributed_ns / requests),
                  .type = "in no layer"}) +
         line_of({.share = share(request_ns),
                  .mean = base::format_nanoseconds(time.mean()),
                  .p99 = base::format_nanoseconds(static_cast<double>(time.quantile(0.99))),
                  .type = "request"});
}

}  // namespace

std::string to_text(const Profile& profile, int top) {
  std::vector<const LayerProfile*> ran;
  for (const LayerProfile& layer : profile.layers) {
    if (layer.time.count() > 0) ran.push_back(&layer);
  }
  const std::size_t idle = profile.layers.size() - ran.size();
  if (top > 0) {
    std::stable_sort(ran.begin(), ran.end(), [](const LayerProfile* a, const LayerProfile* b) {
      return a->time.sum() > b->time.sum();
    });
  }
  const std::size_t shown =
      top > 0 ? std::min(ran.size(), static_cast<std::size_t>(top)) : ran.size();

  std::string text = heading(profile);
  text += line_of({"share", "mean", "p99", "type", "kernel", "prec", "GFLOP/s", "busy", "layer"});
  for (std::size_t i = 0; i < shown; ++i) text += line_of(row_of(*ran[i]));
  if (shown < ran.size()) {
    double rest = 0;
    for (std::size_t i = shown; i < ran.size(); ++i) rest += ran[i]->share;
    text += line_of({.share = percent(rest), .type = fmt::format("{} more", ran.size() - shown)});
  }
  text += "\n" + totals(profile);
  if (idle > 0) text += fmt::format("\nlayers that took no time of their own: {}\n", idle);
  return text;
}

}  // namespace tachostat::profile
