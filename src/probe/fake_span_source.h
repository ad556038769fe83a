// A scripted source of spans for tests of whatever reads spans or samples requests.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "probe/probe.h"

namespace tachostat::probe {

// Thread-safe. emit() behaves as an instrumented library: what the current depth does not cover is
// neither recorded nor charged.
class FakeSpanSource final : public SpanSource {
 public:
  explicit FakeSpanSource(double nanoseconds_per_span = 100)
      : nanoseconds_per_span_(nanoseconds_per_span) {}

  absl::Status available() const override {
    base::MutexLock lock(mutex_);
    return status_;
  }
  void set_depth(Depth depth) override {
    base::MutexLock lock(mutex_);
    if (depth != depth_) ++switches_;
    depth_ = depth;
  }
  void drain(trace::Trace& out) override {
    base::MutexLock lock(mutex_);
    const auto offset = static_cast<std::uint32_t>(out.names.size());
    out.names.insert(out.names.end(), pending_.names.begin(), pending_.names.end());
    for (trace::Span span : pending_.spans) {
      span.name += offset;
      out.spans.push_back(span);
    }
    for (const auto& [thread, name] : threads_) out.threads.emplace_back(thread, name);
    out.dropped += pending_.dropped;
    pending_ = {};
  }
  std::uint64_t emitted() const override {
    base::MutexLock lock(mutex_);
    return emitted_;
  }
  double nanoseconds_per_span() const override { return nanoseconds_per_span_; }

  // The script.
  void set_status(absl::Status status) {
    base::MutexLock lock(mutex_);
    status_ = std::move(status);
  }
  void name_thread(std::uint32_t thread, std::string name) {
    base::MutexLock lock(mutex_);
    threads_[thread] = std::move(name);
  }
  // `span.name` is filled in. False when the depth does not cover it.
  bool emit(trace::Span span, std::string_view name) {
    base::MutexLock lock(mutex_);
    if (!covered(span.kind)) return false;
    ++emitted_;
    span.name = static_cast<std::uint32_t>(pending_.names.size());
    pending_.names.emplace_back(name);
    pending_.spans.push_back(span);
    return true;
  }
  // Many spans that only cost: charged, when the depth covers layers, but not recorded.
  void spend(std::uint64_t spans) {
    base::MutexLock lock(mutex_);
    if (covered(trace::Kind::kLayer)) emitted_ += spans;
  }
  // Spans that were emitted, charged and lost.
  void drop(std::uint64_t spans) {
    base::MutexLock lock(mutex_);
    emitted_ += spans;
    pending_.dropped += spans;
  }
  Depth depth() const {
    base::MutexLock lock(mutex_);
    return depth_;
  }
  // How often set_depth() changed the depth.
  int switches() const {
    base::MutexLock lock(mutex_);
    return switches_;
  }

 private:
  bool covered(trace::Kind kind) const TS_REQUIRES(mutex_) {
    if (depth_ == Depth::kKernels) return true;
    return depth_ == Depth::kLayers &&
           (kind == trace::Kind::kRequest || kind == trace::Kind::kLayer);
  }

  const double nanoseconds_per_span_;
  mutable base::Mutex mutex_;
  absl::Status status_ TS_GUARDED_BY(mutex_);
  Depth depth_ TS_GUARDED_BY(mutex_) = Depth::kOff;
  int switches_ TS_GUARDED_BY(mutex_) = 0;
  std::uint64_t emitted_ TS_GUARDED_BY(mutex_) = 0;
  std::map<std::uint32_t, std::string> threads_ TS_GUARDED_BY(mutex_);
  trace::Trace pending_ TS_GUARDED_BY(mutex_);
};

}  // namespace tachostat::probe
