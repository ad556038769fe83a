// Profiles a model by itself: loads it, feeds it synthetic inputs, looks at every request.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "probe/probe.h"
#include "probe/sensors/poller.h"
#include "profile/profile.h"
#include "trace/trace.h"

namespace tachostat::app {

struct ProfileOptions {
  model::Variant variant;
  model::InputShapes shapes;  // static, one for every input; see fill_open_dimensions()
  int requests = 200;         // looked at, after the warm-up
  int warmup = 10;
  probe::Depth depth = probe::Depth::kKernels;
  std::uint64_t seed = 1;
  std::string machine{};  // Fingerprint::hash() of this one, for the profile
  // Asked before, now and then between, and after the requests, for the profile's readings; its
  // period should be zero. May be null.
  probe::SensorPoller* sensors = nullptr;
  // Called now and then with the number of requests done. May be null. False stops early.
  std::function<bool(int done)> progress;
};

struct ProfileRun {
  profile::Profile profile;
  trace::Trace trace;  // of the last requests, at most Evidence::kKeptSpans spans
};

// A static shape for every input: `given` where it says so, 1 for an open first dimension (the
// batch), 256 for other open ones. Errors: a given name or rank that the model does not have.
absl::StatusOr<model::InputShapes> fill_open_dimensions(const model::Graph& graph,
                                                        const model::InputShapes& given);

// Values in [0, 1) for floating inputs, 0 or 1 for integers; the same for the same seed.
absl::StatusOr<std::vector<engine::Tensor>> synthetic_inputs(const model::Graph& graph,
                                                             const model::InputShapes& shapes,
                                                             std::uint64_t seed);

// As many requests in flight as the session has streams. Errors: Unavailable when spans cannot be
// had.
absl::StatusOr<ProfileRun> profile_model(engine::Engine& engine, probe::SpanSource& spans,
                                         const model::Graph& graph, const ProfileOptions& options);

}  // namespace tachostat::app
