// What is measured, in which order.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/status.h"
#include "base/units.h"
#include "profile/calibration.h"
#include "profile/rates.h"

namespace tachostat::profile {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kSmallestMemory = 64 * kMiB;

// 1, 2, 4, …, each core, each processor; fewer steps where there are many.
std::vector<int> thread_counts(int cores, int processors) {
  std::set<int> counts = {1, std::max(1, cores), std::max(1, processors)};
  const int factor = processors > 16 ? 4 : 2;
  for (int count = factor; count < processors; count *= factor) counts.insert(count);
  return {counts.begin(), counts.end()};
}

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

void summarise(std::vector<double> samples, Figure& figure) {
  std::erase_if(samples, [](double sample) { return sample < 0; });
  figure.repeats = static_cast<int>(samples.size());
  if (samples.empty()) return;
  std::sort(samples.begin(), samples.end());
  figure.median = quantile(samples, 0.5);
  figure.low = quantile(samples, 0.25);
  figure.high = quantile(samples, 0.75);
  figure.best = figure.unit == "s" ? samples.front() : samples.back();
}

// Bytes that each of `threads` threads walks through to find itself in one cache: half of its
// share, but more than the cache before holds. 0: its share is no larger than that.
struct Level {
  std::string name{};
  std::size_t bytes = 0;
};

std::vector<Level> levels_of(const Fingerprint& machine, int threads) {
  const int cores = std::max(1, machine.cores);
  const int per_core = (threads + cores - 1) / cores;
  const int together = std::max<int>(1, static_cast<int>(machine.cpus.size()) / cores);
  std::vector<Level> levels;
  std::size_t below = 0;
  for (const Cache& cache : machine.caches) {
    const int sharing =
        cache.sharing <= together ? per_core : std::min(threads, std::max(1, cache.sharing));
    const auto share =
        static_cast<std::size_t>(cache.bytes) / static_cast<std::size_t>(std::max(1, sharing));
    std::size_t bytes = share / 2;
    if (bytes < below + below / 2) bytes = std::min(share / 10 * 8, below + below / 2);
    if (bytes > below) levels.push_back({fmt::format("L{}", cache.level), bytes});
    below = share;
  }
  return levels;
}

// Of all threads together, to be well past the last caches that they can reach.
std::size_t memory_size(const Fingerprint& machine, std::size_t most) {
  std::size_t last = 0;
  if (!machine.caches.empty()) {
    const Cache& cache = machine.caches.back();
    const std::size_t sharing = static_cast<std::size_t>(std::max(1, cache.sharing));
    last = static_cast<std::size_t>(cache.bytes) * ((machine.cpus.size() + sharing - 1) / sharing);
  }
  most = std::max(most, kMiB);
  if (machine.memory_bytes > 0) {
    most = std::min(most, static_cast<std::size_t>(machine.memory_bytes / 16));
  }
  return std::min(std::max(2 * last, kSmallestMemory), most);
}

struct Measurement {
  std::vector<Figure> figures{};  // that one repeat yields
  // One number for each figure.
  std::function<std::vector<double>()> repeat{};
  std::vector<std::vector<double>> samples{};  // by figure
};

class Calibrator {
 public:
  Calibrator(const base::Clock& clock, const base::Clock& thread_time,
             const CalibrateOptions& options)
      : clock_(clock),
        thread_time_(thread_time),
        options_(options),
        memory_(memory_size(options.fingerprint, options.most_memory)),
        // Enough for each number of threads among which the memory is divided.
        pool_(options.fingerprint.cpus,
              [this](std::size_t thread) { return memory_ / (thread + 1); }),
        kernels_(peak_kernels(options.sets)),
        read_(read_kernel(options.sets)),
        triad_(triad_kernel(options.sets)) {}

  absl::Status run(std::vector<Figure>& figures) {
    for (const int threads :
         thread_counts(options_.fingerprint.cores, static_cast<int>(pool_.size()))) {
      plan(threads);
    }
    TS_RETURN_IF_ERROR(measure());
    for (const Measurement& measurement : plan_) {
      for (std::size_t i = 0; i < measurement.figures.size(); ++i) {
        Figure figure = measurement.figures[i];
        summarise(measurement.samples[i], figure);
        if (figure.repeats > 0) figures.push_back(std::move(figure));
      }
    }
    return absl::OkStatus();
  }

  // Set the theory beside what was reached.
  void judge(Calibration& calibration) const {
    for (Figure& figure : calibration.figures) {
      if (figure.group != "compute") continue;
      const Figure* cycles = calibration.find("clock", "cycles", "", figure.threads);
      const auto kernel = std::find_if(kernels_.begin(), kernels_.end(), [&](const auto& one) {
        return one.instructions == figure.how && one.precision == figure.what;
      });
      if (cycles == nullptr || kernel == kernels_.end() || kernel->per_cycle <= 0) continue;
      const int cores = std::min(figure.threads, std::max(1, options_.fingerprint.cores));
      figure.theory = kernel->per_cycle * cores * cycles->best;
      figure.basis = fmt::format("{} per cycle on {} at {}Hz", kernel->units,
                                 cores == 1 ? "one core" : fmt::format("each of {} cores", cores),
                                 base::format_count(cycles->best));
    }
  }

 private:
  void plan(int threads) {
    const auto n = static_cast<std::size_t>(threads);
    const base::Duration slice = options_.slice;
    add({.group = "clock", .what = "cycles", .unit = "Hz", .threads = threads},
        [=, this] { return cycle_rate(thread_time_, pool_, n, slice); });
    for (const PeakKernel& kernel : kernels_) {
      add({.group = "compute",
           .what = std::string(kernel.precision),
           .how = std::string(kernel.instructions),
           .unit = kernel.precision == "int8" ? "OP/s" : "FLOP/s",
           .threads = threads,
           .basis = std::string(kernel.per_cycle > 0 ? "" : kernel.units)},
          [=, this, &kernel] { return compute_rate(thread_time_, pool_, n, slice, kernel); });
    }
    std::vector<Level> levels = levels_of(options_.fingerprint, threads);
    levels.push_back({"DRAM", memory_ / n});
    for (const Level& level : levels) {
      const std::size_t bytes = std::min(level.bytes, memory_ / n);
      Figure figure{.group = "bandwidth", .what = level.name, .unit = "B/s", .threads = threads};
      figure.how = "read";
      add(figure, [=, this] { return read_rate(thread_time_, pool_, n, slice, read_, bytes); });
      figure.how = "triad";
      add(figure, [=, this] { return triad_rate(thread_time_, pool_, n, slice, triad_, bytes); });
    }
    if (threads > 1) {
      add_latency("dispatch", threads, [=, this] {
        return dispatch_latency(clock_, pool_, n, options_.latency_samples);
      });
    }
    add_latency("wake", threads,
                [=, this] { return wake_latency(clock_, threads, options_.latency_samples / 2); });
  }

  void add(const Figure& figure, const std::function<double()>& once) {
    plan_.push_back({.figures = {figure}, .repeat = [once] { return std::vector{once()}; }});
  }

  void add_latency(const char* what, int threads, const std::function<Latency()>& once) {
    Figure median{
        .group = "latency", .what = what, .how = "median", .unit = "s", .threads = threads};
    Figure p99 = median;
    p99.how = "p99";
    plan_.push_back({.figures = {std::move(median), std::move(p99)}, .repeat = [once] {
                       const Latency latency = once();
                       return std::vector{latency.median, latency.p99};
                     }});
  }

  absl::Status measure() {
    // Clocks rise after a moment of work only.
    cycle_rate(thread_time_, pool_, pool_.size(), 4 * options_.slice);
    const int repeats = std::max(1, options_.repeats);
    for (int repeat = 0; repeat < repeats; ++repeat) {
      for (std::size_t i = 0; i < plan_.size(); ++i) {
        Measurement& one = plan_[i];
        const double done =
            (repeat + static_cast<double>(i) / static_cast<double>(plan_.size())) / repeats;
        if (options_.progress && !options_.progress(done, one.figures[0].what)) {
          return absl::CancelledError("calibration was interrupted: nothing was kept");
        }
        const std::vector<double> values = one.repeat();
        one.samples.resize(values.size());
        for (std::size_t k = 0; k < values.size(); ++k) one.samples[k].push_back(values[k]);
      }
    }
    return absl::OkStatus();
  }

  const base::Clock& clock_;
  const base::Clock& thread_time_;
  const CalibrateOptions& options_;
  const std::size_t memory_;  // bytes, of all threads together
  Pool pool_;
  const std::vector<PeakKernel> kernels_;
  const ReadKernel read_;
  const TriadKernel triad_;
  std::vector<Measurement> plan_;
};

}  // namespace

absl::StatusOr<Calibration> calibrate(const base::Clock& clock, const base::Clock& thread_time,
                                      const CalibrateOptions& options) {
  if (options.fingerprint.cpus.empty()) {
    return base::invalid_argument("calibration: no processor is allowed to this process");
  }
  Calibration calibration{.fingerprint = options.fingerprint,
                          .taken = base::format_unix_time(clock.unix_time()),
                          .sets = options.sets};
  const base::Time begin = clock.now();
  Calibrator calibrator(clock, thread_time, options);
  TS_RETURN_IF_ERROR(calibrator.run(calibration.figures));
  calibrator.judge(calibration);
  calibration.seconds = base::to_seconds(clock.now() - begin);
  return calibration;
}

}  // namespace tachostat::profile
