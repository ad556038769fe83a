// Threads that wait, or are in each other's way.
#include <algorithm>
#include <array>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/case.h"

namespace tachostat::diagnose {
namespace {

using base::format_count;

constexpr double kSubstantial = 0.2;  // share of request time
constexpr double kSmallNs = 20'000;

bool has_worker_spans(const Case& c) {
  return std::any_of(c.layers().begin(), c.layers().end(),
                     [](const LayerFacts& layer) { return layer.profile->thread_efficiency >= 0; });
}

Evidence threads_of(const Case& c) {
  return {"threads", static_cast<double>(c.profile().threads), "", 1};
}

// Of busy time when requests run side by side on a thread each. Work that is not split leaves out
// the splitting itself and lines that threads pull from one another; but requests compete for
// memory and shared caches, the more the less of a layer's data fits a core's own cache.
constexpr double kLeastBusy = 0.9;
constexpr double kMostBusyInCache = 1.25;
constexpr double kMostBusy = 1.4;

// Time that threads of this process were ready to run and did not, as a share of all their time.
double waiting_share(const Case& c) { return c.reading_or("process/run_delay_share", -1); }

// A thread that waits for a processor which another process has looks idle, and is not. Which of
// the idle time that was is not told, so the low end takes all waiting to be in it.
double idle_at_least(const Case& c, double idle) {
  const double waiting = std::clamp(waiting_share(c), 0.0, 0.99);
  return std::max(0.0, (idle - waiting) / (1 - waiting));
}

Cut cut_side_by_side(const Case& c, int layer, double idle) {
  const double bytes = layer == Part::kNoLayer ? 0 : c.layer(layer).profile->work.bytes();
  const double own = c.roofline().l2_bytes;
  const bool fits = own > 0 && bytes >= 0 && bytes <= own / 2;
  const double most_busy = 1 - idle_at_least(c, idle);
  return {layer, 1 - most_busy * (fits ? kMostBusyInCache : kMostBusy),
          1 - (1 - idle) * kLeastBusy};
}

// All but one of a request's threads.
double idle_when_serial(const Case& c) {
  const double threads = std::max(1, c.profile().threads);
  return (threads - 1) / threads;
}

// One thread works in layers without a parallel part, and between layers; with requests side by
// side the others do too. Too little of that is not worth a word.
void add_serial_time(const Case& c, Finding& finding) {
  const double serial =
      c.share_of(c.pick([](const LayerFacts& one) { return one.profile->thread_efficiency < 0; }));
  const double outside = c.request_ns() > 0 && c.profile().dropped_spans == 0
                             ? static_cast<double>(c.profile().unattributed_ns) /
                                   static_cast<double>(c.profile().request_time.sum())
                             : 0;
  const double share = std::min(serial + outside, 1 - std::min(1.0, finding.share));
  if (share < kMinOverhead) return;
  const Cut cut = cut_side_by_side(c, Part::kNoLayer, idle_when_serial(c));
  const Part part{.share = share, .gain_low = share * cut.low, .gain_high = share * cut.high};
  finding.parts.push_back(part);
  finding.share += part.share;
  finding.gain_low += part.gain_low;
  finding.gain_high += part.gain_high;
  finding.evidence.emplace_back("time of one thread alone", share, "share", c.requests());
}

bool is_small(const Case& c, const LayerFacts& layer) {
  // Where worker spans were recorded, a layer without one ran on a single thread: nothing to join.
  return layer.profile->time.mean() < kSmallNs && !is_overhead(layer.kind) &&
         layer.kind != Kind::kShape &&
         (layer.profile->thread_efficiency >= 0 || !has_worker_spans(c));
}

// Empty where they take too little to be said.
std::vector<int> small_layers(const Case& c) {
  std::vector<int> small = c.pick([&](const LayerFacts& layer) { return is_small(c, layer); });
  if (c.share_of(small) < kSubstantial) small.clear();
  return small;
}

// Layers too small to split have a rule of their own.
std::vector<int> idle_layers(const Case& c) {
  constexpr double kLowEfficiency = 0.7;
  const std::vector<int> small = small_layers(c);
  std::vector<int> idle = c.pick([&](const LayerFacts& layer) {
    const double efficiency = layer.profile->thread_efficiency;
    return efficiency >= 0 && efficiency < kLowEfficiency &&
           !std::binary_search(small.begin(), small.end(), layer.index);
  });
  if (c.share_of(idle) < kSubstantial) idle.clear();
  return idle;
}

std::vector<Finding> idle_by_spans(const Case& c) {
  const std::vector<int> idle = idle_layers(c);
  if (idle.empty()) return {};
  std::vector<Cut> cuts;
  for (const int index : idle) {
    cuts.push_back(cut_side_by_side(c, index, 1 - c.layer(index).profile->thread_efficiency));
  }
  const double efficiency =
      c.mean(idle, [](const LayerFacts& layer) { return layer.profile->thread_efficiency; });
  Finding finding = c.about("idle-workers", cuts, Objective::kThroughput);
  finding.summary = fmt::format(
      "the {} threads of a request are idle {} of the time in layers that take {} of it: fewer "
      "threads per request and more requests side by side would use them",
      c.profile().threads, percent(1 - efficiency), percent(finding.share));
  finding.evidence = {{"thread efficiency", efficiency, "share", c.executions_of(idle)},
                      threads_of(c)};
  add_serial_time(c, finding);
  finding.remedies = {Remedy::kThreadsAndStreams};
  finding.confidence = 0.8;
  return {std::move(finding)};
}

// Says less: a poor kernel on busy threads looks the same. So nothing is promised at the low end.
std::vector<Finding> idle_by_compute(const Case& c) {
  const double peak = c.peak("f32");
  const double ridge = c.ridge("f32");
  const double single = c.roofline().single_f32_flops;
  if (peak <= 0 || ridge <= 0 || single <= 0 || peak < 1.5 * single) return {};
  const std::vector<int> idle = c.pick([&](const LayerFacts& layer) {
    return layer.profile->precision == "f32" && layer.intensity >= ridge && layer.flops <= single;
  });
  if (c.share_of(idle) < kSubstantial) return {};
  const double flops = c.mean(idle, [](const LayerFacts& layer) { return layer.flops; });
  std::vector<Cut> cuts;
  for (const int index : idle) cuts.push_back({index, 0, (1 - c.layer(index).flops / peak) / 2});
  Finding finding = c.about("idle-workers", cuts, Objective::kThroughput);
  finding.summary = fmt::format(
      "{} threads compute {}FLOP/s in layers that take {} of request time, no more than the "
      "{}FLOP/s that one could: some of them are probably idle",
      c.profile().threads, format_count(flops), percent(finding.share), format_count(single));
  finding.evidence = {{"achieved compute", flops, "FLOP/s", c.executions_of(idle)},
                      {"peak compute of one thread", single, "FLOP/s", 1},
                      {"peak compute", peak, "FLOP/s", 1},
                      threads_of(c)};
  finding.remedies = {Remedy::kThreadsAndStreams};
  finding.confidence = 0.4;
  return {std::move(finding)};
}

std::vector<Finding> find_idle_workers(const Case& c) {
  if (c.profile().threads < 2) return {};
  return has_worker_spans(c) ? idle_by_spans(c) : idle_by_compute(c);
}

std::vector<Finding> find_imbalance(const Case& c) {
  constexpr double kUneven = 1.25;
  if (c.profile().threads < 2) return {};
  const std::vector<int> uneven = c.pick([](const LayerFacts& layer) {
    const profile::ThreadStats& threads = layer.profile->threads;
    return threads.executions >= kMinRequests && threads.participants >= 1.5 &&
           threads.imbalance >= kUneven && layer.profile->time.mean() >= kSmallNs;
  });
  if (c.share_of(uneven) < kMinShare) return {};
  std::vector<Cut> cuts;
  for (const int index : uneven) {
    const double cut = 1 - 1 / c.layer(index).profile->threads.imbalance;
    cuts.push_back({index, 0.25 * cut, cut});
  }
  Finding finding = c.about("imbalance", cuts);
  const double imbalance =
      c.mean(uneven, [](const LayerFacts& layer) { return layer.profile->threads.imbalance; });
  finding.summary = fmt::format(
      "in layers that take {} of request time the busiest thread has {:.2f} times the work of the "
      "average one, and the others wait for it",
      percent(finding.share), imbalance);
  finding.evidence = {{"imbalance", imbalance, "", c.executions_of(uneven)}, threads_of(c)};
  finding.remedies = {Remedy::kThreadsAndStreams, Remedy::kPadChannels};
  finding.confidence = 0.75;
  return {std::move(finding)};
}

std::vector<Finding> find_small_layers(const Case& c) {
  // What one parallel region costs to start and join: less than a microsecond among threads that
  // spin, several when one of them has to be woken, most on virtual machines.
  constexpr double kLeastJoinNs = 500;
  constexpr double kMostJoinNs = 10'000;
  // Of a layer's time. Engines split by size, not by what was measured: two threads were seen to
  // take longer than one alone.
  constexpr double kMostOfLayer = 0.6;
  if (c.profile().threads < 2) return {};
  const std::vector<int> small = small_layers(c);
  if (small.empty()) return {};
  const double per_request =
      static_cast<double>(c.executions_of(small)) / static_cast<double>(c.requests());
  std::vector<Cut> cuts;
  for (const int index : small) {
    const double mean = std::max(1.0, c.layer(index).profile->time.mean());
    Cut cut{index, std::min(kLeastJoinNs / mean, 0.5), std::min(kMostJoinNs / mean, kMostOfLayer)};
    if (const double efficiency = c.layer(index).profile->thread_efficiency; efficiency >= 0) {
      const Cut seen = cut_side_by_side(c, index, 1 - efficiency);
      cut = {index, std::max(cut.low, seen.low), std::max(cut.high, seen.high)};
    }
    cuts.push_back(cut);
  }
  Finding finding = c.about("small-layers", cuts, Objective::kThroughput);
  const double mean_ns = finding.share * c.request_ns() / per_request;
  finding.summary = fmt::format(
      "{} of request time goes into {:.0f} layers of {} on average: starting and joining {} "
      "threads for each is a good part of that",
      percent(finding.share), per_request, base::format_nanoseconds(mean_ns), c.profile().threads);
  finding.evidence = {{"mean time of a layer", mean_ns, "ns", c.executions_of(small)},
                      {"such layers per request", per_request, "layers", c.requests()},
                      threads_of(c)};
  // Said once, by the rule that the larger layers belong to.
  if (has_worker_spans(c) && idle_layers(c).empty()) add_serial_time(c, finding);
  finding.remedies = {Remedy::kThreadsAndStreams, Remedy::kFuse};
  finding.confidence = 0.6;
  return {std::move(finding)};
}

// Handing out and joining, as measured, of layers that are not small.
double handing_ns(const LayerFacts& layer) {
  const profile::ThreadStats& threads = layer.profile->threads;
  return std::max(0.0, threads.dispatch_ns) + std::max(0.0, threads.start_spread_ns);
}

std::vector<Finding> find_dispatch_cost(const Case& c) {
  constexpr double kLeast = 0.05;  // of request time
  if (c.profile().threads < 2) return {};
  const std::vector<int> slow = c.pick([](const LayerFacts& layer) {
    return layer.profile->threads.executions >= kMinRequests &&
           layer.profile->time.mean() >= kSmallNs &&
           handing_ns(layer) >= 0.1 * layer.profile->time.mean();
  });
  if (slow.empty()) return {};
  std::vector<Cut> cuts;
  double lost = 0;
  for (const int index : slow) {
    const LayerFacts& layer = c.layer(index);
    const double part = std::min(1.0, handing_ns(layer) / layer.profile->time.mean());
    lost += part * layer.share;
    cuts.push_back({index, 0.2 * part, 0.9 * part});
  }
  if (lost < kLeast) return {};
  Finding finding = c.about("dispatch-cost", cuts);
  const double each = c.mean(slow, handing_ns);
  const double wake = c.roofline().wake_ns;
  finding.summary = fmt::format(
      "handing work to threads takes {} of request time, {} for each of {} layers{}", percent(lost),
      base::format_nanoseconds(each), slow.size(),
      wake > 0 && each > 0.5 * wake ? fmt::format(": as long as waking a sleeping thread ({} here)",
                                                  base::format_nanoseconds(wake))
                                    : "");
  finding.evidence = {{"time to hand out work", each, "ns", c.executions_of(slow)}, threads_of(c)};
  if (wake > 0) finding.evidence.emplace_back("waking a thread", wake, "ns", 1);
  finding.remedies = {Remedy::kThreadsAndStreams, Remedy::kPinning};
  finding.confidence = 0.7;
  return {std::move(finding)};
}

std::vector<Finding> find_streams_idle(const Case& c) {
  constexpr double kHalf = 0.5;
  // Of what twice the threads would give at best.
  constexpr double kScaling = 0.8;
  const double in_flight = c.reading_or("serving/in_flight", -1);
  const int streams = c.profile().streams;
  if (!c.enough_requests() || streams < 2 || in_flight <= 0 || in_flight > kHalf * streams) {
    return {};
  }
  const double times = std::min<double>(streams, streams / std::max(1.0, in_flight));
  const double best = kScaling * (1 - 1 / times);
  Finding finding = Case::about("streams-idle", 1, 0.25 * best, best, Objective::kLatency);
  finding.summary = fmt::format(
      "{} streams of {} threads wait for {:.2f} requests in flight: fewer streams with more "
      "threads each would answer one request sooner",
      streams, c.profile().threads, in_flight);
  finding.evidence = {c.told("requests in flight", "serving/in_flight", ""),
                      {"streams", static_cast<double>(streams), "", 1},
                      threads_of(c)};
  finding.remedies = {{Remedy::kThreadsAndStreams, {{"streams", "fewer"}}}};
  finding.confidence = 0.7;
  return {std::move(finding)};
}

std::vector<Finding> find_oversubscription(const Case& c) {
  constexpr double kLeastWaiting = 0.05;
  const std::int64_t threads = c.threads();
  const int processors = c.roofline().processors;
  if (processors <= 0 || threads <= processors || !c.enough_requests()) return {};
  const double waiting = waiting_share(c);
  if (waiting >= 0 && waiting < kLeastWaiting) return {};
  // All can take part of the processors' time; what is lost is switching and waiting at joins.
  const double over = 1 - static_cast<double>(processors) / static_cast<double>(threads);
  const double best = waiting >= 0 ? std::min(0.6, waiting) : 0.5 * over;
  Finding finding = Case::about("oversubscription", 1, 0.2 * best, best, Objective::kThroughput);
  finding.summary = fmt::format(
      "{} streams of {} threads share {} processors{}: threads that joined work waits for are not "
      "running",
      c.profile().streams, c.profile().threads, processors,
      waiting >= 0 ? fmt::format(", and wait {} of the time for one", percent(waiting)) : "");
  finding.evidence = {{"threads", static_cast<double>(threads), "", 1},
                      {"processors", static_cast<double>(processors), "", 1}};
  if (waiting >= 0) {
    finding.evidence.push_back(
        c.told("waiting for a processor", "process/run_delay_share", "share"));
  }
  finding.remedies = {Remedy::kThreadsAndStreams};
  finding.confidence = waiting >= 0 ? 0.9 : 0.6;
  return {std::move(finding)};
}

std::vector<Finding> find_pinning_collision(const Case& c) {
  constexpr double kLeastWaiting = 0.1;
  constexpr double kIdle = 0.2;
  const double waiting = waiting_share(c);
  const double idle = c.reading_or("processors/idle_share", -1);
  const std::int64_t threads = c.threads();
  if (!c.enough_requests() || waiting < kLeastWaiting || idle < kIdle) return {};
  if (c.roofline().processors > 0 && threads > c.roofline().processors) return {};
  const double best = std::min(waiting, idle + waiting / 2);
  Finding finding = Case::about("pinning-collision", 1, 0.3 * best, best, Objective::kLatency);
  finding.summary = fmt::format(
      "threads wait {} of the time for a processor while processors are idle {} of it: they are "
      "tied to ones that somebody else uses",
      percent(waiting), percent(idle));
  finding.evidence = {c.told("waiting for a processor", "process/run_delay_share", "share"),
                      c.told("processors idle", "processors/idle_share", "share")};
  finding.remedies = {{Remedy::kPinning, {{"pinning", "off"}}}, Remedy::kNeighbours};
  finding.confidence = 0.8;
  return {std::move(finding)};
}

std::vector<Finding> find_hyper_threads(const Case& c) {
  const int cores = c.roofline().cores;
  const std::int64_t threads = c.threads();
  if (cores <= 0 || threads <= cores || threads > c.roofline().processors) return {};
  // Two threads of a core share its multipliers: nothing is gained where those are busy.
  const std::vector<int> compute = c.pick([](const LayerFacts& layer) {
    return is_heavy(layer.kind) && layer.peak > 0 && layer.flops >= 0.4 * layer.peak;
  });
  if (c.share_of(compute) < kSubstantial) return {};
  Finding finding = c.about("hyper-threads", cuts(compute, 0, 0.15), Objective::kThroughput);
  finding.summary = fmt::format(
      "{} threads run on {} cores in layers that keep the multipliers busy ({} of request time): "
      "two threads of a core get in each other's way",
      threads, cores, percent(finding.share));
  finding.evidence = {{"threads", static_cast<double>(threads), "", 1},
                      {"cores", static_cast<double>(cores), "", 1},
                      c.time_of("time in such layers", compute)};
  finding.remedies = {{Remedy::kThreadsAndStreams, {{"threads", std::to_string(cores)}}}};
  finding.confidence = 0.5;
  return {std::move(finding)};
}

constexpr std::array<Rule, 8> kRules = {{
    {"idle-workers",
     "thread efficiency (worker spans); without them, FLOP/s against one thread's peak",
     "under 70 % in layers of 20 % of request time, but for those of small-layers; without spans: "
     "compute-bound f32 layers no "
     "faster than one thread could be, 20 %",
     "threads-and-streams",
     "the measured idle time, and all threads but one of layers and stretches that one works alone "
     "in; busy time then takes 0.9 to 1.25 times as long (1.4 where a layer's data do not fit half "
     "of the second-level cache); at the low end without the time that threads waited for a "
     "processor "
     "(`process/run_delay_share`); without spans nothing to half of what is missing to the peak",
     "oneTBB and oneDNN spans (docs/design/profile-format.md, Threads)", find_idle_workers},
    {"imbalance", "the busiest thread's time ÷ the mean of those that took part",
     "1.25 or more in layers of 20 µs and more, 10 % of request time",
     "threads-and-streams, pad-channels", "1 - 1 ÷ imbalance; at least a quarter of that",
     "worker spans", find_imbalance},
    {"small-layers", "layers under 20 µs that run on several threads", "20 % of request time",
     "threads-and-streams, fuse", "0.5 µs (at most half of its time) to 10 µs (60 %) for each",
     "calibrated dispatch and wake-up cost", find_small_layers},
    {"dispatch-cost", "time from the call to the first body and to the last thread's first body",
     "10 % of a layer of 20 µs and more, together 5 % of request time",
     "threads-and-streams, pinning", "20 % to 90 % of it",
     "worker spans; wake-up cost of the calibration", find_dispatch_cost},
    {"streams-idle", "`serving/in_flight` against streams",
     "at most half as many requests in flight as streams", "threads-and-streams (fewer streams)",
     "up to 80 % of what that many times the threads would give; at least a quarter of that",
     "Little's law", find_streams_idle},
    {"oversubscription", "threads × streams against processors; `process/run_delay_share`",
     "more threads than processors, waiting 5 % of the time or not measured", "threads-and-streams",
     "the waiting (at most 60 %), or half of the excess; at least a fifth of that",
     "schedstat of Linux", find_oversubscription},
    {"pinning-collision", "`process/run_delay_share` and `processors/idle_share`",
     "waiting 10 % while 20 % of the processors are idle, and threads enough for none to be short",
     "pinning (off), neighbours", "the waiting; at least 30 % of it", "schedstat of Linux",
     find_pinning_collision},
    {"hyper-threads", "threads × streams against physical cores",
     "more threads than cores in layers at 40 % of the peak or more, 20 % of request time",
     "threads-and-streams (one for each core)", "nothing to 15 %",
     "Intel optimization manual: hyper-threading shares execution units", find_hyper_threads},
}};

}  // namespace

std::span<const Rule> parallelism_rules() { return kRules; }

}  // namespace tachostat::diagnose
