// A profile that somebody asks a running server for: for a while every request is looked at, as
// deep as wanted; then the sampler is put back, whether or not the asker is still there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "app/layer_counters.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "probe/probe.h"
#include "profile/profile.h"
#include "trace/trace.h"

namespace tachostat::app {

struct CaptureOptions {
  probe::Depth depth = probe::Depth::kKernels;
  std::uint64_t requests = 200;                       // ends after so many, or
  base::Duration at_most = std::chrono::seconds(30);  // after this long
};

// Thread-safe; advance() is called by the evidence thread alone.
class Capture {
 public:
  static constexpr std::size_t kMostSpans = 2'000'000;  // of the trace that is kept

  enum class Phase { kIdle, kRunning, kDone };
  struct State {
    Phase phase = Phase::kIdle;
    CaptureOptions options;
    std::uint64_t requests = 0;   // looked at so far
    base::Duration left{0};       // at most, while it runs
    bool spans_left_out = false;  // the trace has only the first kMostSpans
  };

  // `resting` is what the sampler does when nobody asks.
  Capture(const base::Clock& clock, probe::Sampler& sampler, probe::Depth resting_depth,
          bool resting_always);

  // FailedPrecondition while another one runs: its numbers would be mixed up.
  absl::Status start(const CaptureOptions& options);
  // Ends it now, with what was seen. Harmless when none runs.
  void stop();
  State state() const;

  // The evidence thread hands over every session's description, and what the sampler drained.
  void add_session(std::uint64_t session, const profile::SessionInfo& info);
  void forget(std::uint64_t session);
  void advance(const trace::Trace& drained);

  // Of the last one that ran. NotFound when none did; Unavailable while it runs or when too few
  // requests came to say anything.
  absl::StatusOr<profile::Profile> profile() const;
  absl::StatusOr<trace::Trace> trace() const;

 private:
  void put_back() TS_REQUIRES(mutex_);
  absl::Status finished() const TS_REQUIRES(mutex_);

  const base::Clock& clock_;
  probe::Sampler& sampler_;
  const probe::Depth resting_depth_;
  const bool resting_always_;
  mutable base::Mutex mutex_;
  State state_ TS_GUARDED_BY(mutex_);
  base::Time begin_ TS_GUARDED_BY(mutex_);
  base::Time deadline_ TS_GUARDED_BY(mutex_);
  std::map<std::uint64_t, profile::SessionInfo> sessions_ TS_GUARDED_BY(mutex_);
  profile::Builder builder_ TS_GUARDED_BY(mutex_);
  LayerCounters counters_ TS_GUARDED_BY(mutex_){nullptr};
  trace::Trace trace_ TS_GUARDED_BY(mutex_);
};

}  // namespace tachostat::app
