// How the processor's threads are dealt out: many to one request, or a few to each of several that
// run side by side.
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "optimize/propose.h"

namespace tachostat::optimize {
namespace {

struct Split {
  int streams = 1;
  int threads = 1;  // per stream
};

// All threads in 1, 2, 4, … equal parts and in as many parts as there are threads. Few, because
// each costs a trial, and neighbours on this scale hardly differ.
std::vector<Split> splits_of(int hardware_threads) {
  std::vector<Split> splits;
  for (int streams = 1; streams < hardware_threads; streams *= 2) {
    splits.push_back({streams, hardware_threads / streams});
  }
  splits.push_back({hardware_threads, 1});
  return splits;
}

std::string count_of(int number, std::string_view thing) {
  return fmt::format("{} {}{}", number, thing, number == 1 ? "" : "s");
}

std::string text_of(const Split& split) {
  return fmt::format("{} of {}", count_of(split.streams, "stream"),
                     count_of(split.threads, "thread"));
}

// How well a split suits the traffic: 1 when every stream has just one request. Too many streams
// leave threads without work, too few leave requests in the queue.
double fit(const Split& split, double in_flight) {
  const double busy = std::max(1.0, in_flight);
  return std::min<double>(busy, split.streams) / std::max<double>(busy, split.streams);
}

class ThreadsStreamsProposer final : public Proposer {
 public:
  std::string_view name() const override { return "threads-streams"; }

  void propose(const diagnose::Finding& finding, const Context& context,
               std::vector<Proposal>& proposals, std::vector<Refusal>& refusals) const override {
    if (!asks_for(finding, diagnose::Remedy::kThreadsAndStreams)) return;
    const int hardware = std::max(1, context.capabilities.hardware_threads);
    std::vector<Split> splits = splits_of(hardware);
    // Where joining threads costs more than they bring, half of them may do as well.
    if (finding.rule == "small-layers" && hardware > 1) splits.push_back({1, hardware / 2});
    for (const Split& split : splits) {
      model::Variant variant = context.incumbent;
      variant.streams = split.streams;
      variant.threads = split.streams * split.threads;
      if (is_incumbent(split, context.incumbent, hardware)) continue;
      if (split.streams > kMostOverload * std::max(1.0, context.mean_in_flight)) {
        refusals.push_back(
            {variant.id(), std::string(name()),
             fmt::format("{}: only {:.1f} requests are in the server on average, so most streams "
                         "would have none",
                         text_of(split), context.mean_in_flight)});
        continue;
      }
      proposals.push_back(
          {.variant = std::move(variant),
           .proposer = std::string(name()),
           .finding = finding.rule,
           .reason = reason_of(split, finding),
           .expected_gain = middle_gain(finding) * fit(split, context.mean_in_flight)});
    }
  }

 private:
  // Streams per request in the server, beyond which a trial is a waste. Requests come in bursts, so
  // more streams than the mean can pay.
  static constexpr double kMostOverload = 2;

  // Zero threads are the engine's choice, all of them; how many streams it chooses is not known.
  static bool is_incumbent(const Split& split, const model::Variant& incumbent, int hardware) {
    const int threads = incumbent.threads == 0 ? hardware : incumbent.threads;
    return incumbent.streams == split.streams && threads == split.streams * split.threads;
  }

  static std::string reason_of(const Split& split, const diagnose::Finding& finding) {
    const double efficiency = evidence_of(finding, "thread efficiency", -1);
    if (efficiency < 0) return fmt::format("{}: {}", text_of(split), finding.summary);
    return fmt::format("{}: workers idle {:.0f} % of the time in layers that take {:.0f} % of it",
                       text_of(split), (1 - efficiency) * 100, finding.share * 100);
  }
};

}  // namespace

std::unique_ptr<Proposer> make_threads_streams() {
  return std::make_unique<ThreadsStreamsProposer>();
}

}  // namespace tachostat::optimize
