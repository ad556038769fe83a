#include "base/status.h"
#include "probe/itt/collector.h"
#include "probe/probe.h"

namespace tachostat::probe {
namespace {

class IttSource final : public SpanSource {
 public:
  absl::Status available() const override {
    if (!itt::trouble().empty()) return base::unavailable("no spans: {}", itt::trouble());
    return absl::OkStatus();
  }
  void set_depth(Depth depth) override {
    static_assert(static_cast<int>(Depth::kOff) == static_cast<int>(itt::Level::kOff));
    static_assert(static_cast<int>(Depth::kLayers) == static_cast<int>(itt::Level::kLayers));
    static_assert(static_cast<int>(Depth::kKernels) == static_cast<int>(itt::Level::kKernels));
    itt::set_level(static_cast<itt::Level>(depth));
  }
  void drain(trace::Trace& out) override { itt::drain(out); }
  std::uint64_t emitted() const override { return itt::emitted(); }
  double nanoseconds_per_span() const override { return nanoseconds_per_span_; }

 private:
  // The loop times our part of a span. With the caller's part, and what is pushed out of the
  // kernels' caches, it cost up to a quarter more (docs/design/itt-collector.md), so half more is
  // charged: the budget is a promise.
  static constexpr double kAmongKernels = 1.5;
  const double nanoseconds_per_span_ = kAmongKernels * itt::measure_nanoseconds_per_span();
};

}  // namespace

void ensure_itt_environment(char** /*argv*/) { itt::prepare_environment(); }

SpanSource& itt_source() {
  static IttSource source;
  return source;
}

}  // namespace tachostat::probe
