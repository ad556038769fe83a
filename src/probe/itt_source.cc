#include <algorithm>
#include <atomic>

#include "base/status.h"
#include "probe/counters/span_counter_log.h"
#include "probe/itt/collector.h"
#include "probe/probe.h"

namespace tachostat::probe {
namespace {

constexpr itt::LayerHooks kCountingHooks = {
    [](std::uint64_t epoch) noexcept { span_counter_log().begin(epoch); },
    [](std::uint64_t epoch, const trace::Span& span) noexcept {
      span_counter_log().end(epoch, span);
    }};

itt::Level level_of(Depth depth) {
  switch (depth) {
    case Depth::kOff:
      return itt::Level::kOff;
    case Depth::kKernels:
      return itt::Level::kKernels;
    default:
      return itt::Level::kLayers;
  }
}

class IttSource final : public SpanSource {
 public:
  absl::Status available() const override {
    if (!itt::trouble().empty()) return base::unavailable("no spans: {}", itt::trouble());
    return absl::OkStatus();
  }
  void set_depth(Depth depth) override {
    const bool counting = depth == Depth::kCounters && counters() != nullptr;
    // Before the switch: a layer that began without the hook must not end with it.
    if (counting) itt::set_layer_hooks(&kCountingHooks);
    itt::set_level(level_of(depth));
    if (!counting) itt::set_layer_hooks(nullptr);
  }
  void drain(trace::Trace& out) override { itt::drain(out); }
  // A layer that was counted costs as much as several spans.
  std::uint64_t emitted() const override {
    const SpanCounterLog* const log = log_.load(std::memory_order_acquire);
    if (log == nullptr) return itt::emitted();
    const double spans_per_count = log->nanoseconds_per_span() / nanoseconds_per_span_;
    return itt::emitted() + static_cast<std::uint64_t>(static_cast<double>(log->counted()) *
                                                       std::max(0.0, spans_per_count));
  }
  // Opens counters for the first time when asked for the first time.
  SpanCounterLog* counters() override {
    SpanCounterLog& log = span_counter_log();
    if (!log.available().ok()) return nullptr;
    log_.store(&log, std::memory_order_release);
    return &log;
  }
  absl::Status available_at(Depth depth) override {
    TS_RETURN_IF_ERROR(available());
    if (depth != Depth::kCounters) return absl::OkStatus();
    return base::with_context(span_counter_log().available(), "no counters");
  }
  double nanoseconds_per_span() const override { return nanoseconds_per_span_; }

 private:
  // The loop times our part of a span alone. With the caller's part, the code and data that an
  // inference's own work pushes out of the caches again, and the waiting of the other workers for
  // the one that is slowed down, four models' requests got slower by up to 2.4 times what 1.5 times
  // the loop came to (bench/profiling_overhead.py). The budget is a promise, so that is charged.
  static constexpr double kAmongKernels = 4;
  std::atomic<SpanCounterLog*> log_{nullptr};
  const double nanoseconds_per_span_ = kAmongKernels * itt::measure_nanoseconds_per_span();
};

}  // namespace

void ensure_itt_environment(char** /*argv*/) { itt::prepare_environment(); }

SpanSource& itt_source() {
  static IttSource source;
  return source;
}

}  // namespace tachostat::probe
