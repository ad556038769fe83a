#include "simulate/recorder.h"

#include <algorithm>

#include "base/status.h"
#include "base/units.h"

namespace tachostat::simulate {
namespace {

constexpr base::Duration kBucket = std::chrono::milliseconds(100);
constexpr std::size_t kHeldBuckets = 20;  // that must be in time after a change
constexpr double kHeldShare = 0.99;

std::string describe(const Event& event) {
  const std::string_view kind = name_of(event.kind);
  std::string text = event.kind == Event::Kind::kHang || event.kind == Event::Kind::kDown
                         ? std::string(kind)
                         : fmt::format("{} {:g}", kind, event.value);
  if (!event.variant.empty()) text += " of " + event.variant;
  if (event.node >= 0) text += fmt::format(" on node {}", event.node);
  return text;
}

}  // namespace

Recorder::Recorder(const Scenario& scenario, const SimulatedModel& model)
    : scenario_(scenario),
      warm_up_(scenario.warm_up),
      bound_(scenario, model),
      buckets_(static_cast<std::size_t>(scenario.duration / kBucket) + 1) {
  report_.name = model.name;
  report_.policy = model.policy;
}

Recorder::Bucket& Recorder::bucket_of(base::Duration at) {
  return buckets_[std::min(buckets_.size() - 1, static_cast<std::size_t>(at / kBucket))];
}

void Recorder::arrived(base::Duration at) {
  ++arrived_;
  bound_.arrive(at, counted(at));
  ++bucket_of(at).arrivals;
  if (counted(at)) ++report_.arrivals;
}

void Recorder::ended(base::Duration arrival, base::Duration end, base::Duration limit, End how,
                     std::string_view variant) {
  ++ended_;
  const bool in_time = how == End::kAnswered && end - arrival <= limit;
  if (in_time) ++bucket_of(arrival).in_time;
  if (!counted(arrival)) return;
  if (how == End::kRefused) ++report_.refused;
  if (how == End::kFailed) ++report_.failed;
  if (how != End::kAnswered) return;
  ++report_.answered;
  if (in_time) ++report_.in_time;
  report_.latency.record(static_cast<std::uint64_t>((end - arrival).count()));
  const auto known = answered_by_.find(variant);
  if (known == answered_by_.end()) {
    answered_by_.emplace(variant, 1);
  } else {
    ++known->second;
  }
}

void Recorder::decided(base::Duration at, int node, const govern::Decision& decision) {
  const bool switched = decision.kind == "switch" || decision.kind == "fallback";
  if (switched && counted(at)) {
    ++report_.switches;
    switched_.push_back(at);
  }
  if (decision.kind == "proved" && counted(at)) ++report_.promoted;
  if (report_.decisions.size() >= kKeptDecisions) return;
  report_.decisions.push_back({base::to_seconds(at), node, decision});
}

std::optional<double> Recorder::recovered_after(base::Duration change) const {
  const auto first = static_cast<std::size_t>(change / kBucket);
  for (std::size_t begin = first; begin + kHeldBuckets <= buckets_.size(); ++begin) {
    std::uint64_t arrivals = 0, in_time = 0;
    for (std::size_t i = begin; i < begin + kHeldBuckets; ++i) {
      arrivals += buckets_[i].arrivals;
      in_time += buckets_[i].in_time;
    }
    const double needed = kHeldShare * static_cast<double>(arrivals);
    if (arrivals > 0 && static_cast<double>(in_time) >= needed) {
      return base::to_seconds(static_cast<std::int64_t>(begin - first) * kBucket);
    }
  }
  return std::nullopt;
}

std::vector<Recovery> Recorder::recoveries() const {
  struct Change {
    base::Duration at;
    const Event* event;
    bool ended;
  };
  std::vector<Change> changes;
  for (const Event& event : scenario_.events) {
    if (event.at < scenario_.duration) changes.push_back({event.at, &event, false});
    if (event.until < scenario_.duration) changes.push_back({event.until, &event, true});
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.at < b.at; });
  std::vector<Recovery> found;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    const base::Duration next = i + 1 < changes.size() ? changes[i + 1].at : scenario_.duration;
    const auto switches = std::count_if(switched_.begin(), switched_.end(), [&](base::Duration at) {
      return at >= change.at && at < next;
    });
    found.push_back({.event = describe(*change.event),
                     .ended = change.ended,
                     .at_s = base::to_seconds(change.at),
                     .seconds = recovered_after(change.at),
                     .switches = static_cast<int>(switches)});
  }
  return found;
}

ModelReport Recorder::report() const {
  ModelReport report = report_;
  report.recoveries = recoveries();
  report.lost = open();
  report.answered_by.assign(answered_by_.begin(), answered_by_.end());
  return report;
}

}  // namespace tachostat::simulate
