// What the engines' spans become while serving: drained from the sampler, added up per session,
// kept for a while as a trace that can be looked at.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "app/capture.h"
#include "app/cold_shapes.h"
#include "base/mutex.h"
#include "engine/engine.h"
#include "model/model.h"
#include "probe/probe.h"
#include "profile/profile.h"
#include "trace/trace.h"

namespace tachostat::app {

// Hands each inference to the sampler, and to `shapes` unless that is null. Called by engine
// threads.
class SamplingObserver final : public engine::Observer {
 public:
  explicit SamplingObserver(probe::Sampler& sampler, ColdShapes* shapes = nullptr)
      : sampler_(sampler), shapes_(shapes) {}
  void on_start(std::uint64_t session) noexcept override { sampler_.on_start(session); }
  void on_end(const engine::Execution& execution) noexcept override;

 private:
  probe::Sampler& sampler_;
  ColdShapes* const shapes_;
};

// Thread-safe: the evidence thread adds, network threads read.
class Evidence {
 public:
  static constexpr std::size_t kKeptSpans = 200'000;
  static constexpr std::uint64_t kEnoughRequests =
      8;  // looked-at requests before a profile is shown

  // `capture` gets everything too; may be null.
  // `machine` is Profile::machine.
  Evidence(probe::Sampler& sampler, model::Graph graph, Capture* capture = nullptr,
           std::string machine = "")
      : sampler_(sampler),
        graph_(std::move(graph)),
        capture_(capture),
        machine_(std::move(machine)) {}

  void add_session(const engine::Session& session);
  // Moves new spans in, and gives them; never null. Evidence thread only.
  std::shared_ptr<const trace::Trace> pump();
  // The profile of the bucket that was seen most; nothing until enough was seen. Work per layer is
  // counted at `shapes` when the variant has no shapes of its own.
  std::optional<profile::Profile> profile_of(std::uint64_t session,
                                             const model::InputShapes& shapes);
  void forget(std::uint64_t session);
  trace::Trace recent_trace() const;

 private:
  struct Known {
    model::Variant variant;
    engine::Applied applied;
    bool has_work = false;  // its layers' work was counted at static shapes
  };
  // Tells the builders what a session's layers are, with their work at these shapes.
  void describe(std::uint64_t session, const Known& known, const model::InputShapes& shapes)
      TS_REQUIRES(mutex_);

  const model::Graph& graph_at(const model::InputShapes& shapes) TS_REQUIRES(mutex_);

  probe::Sampler& sampler_;
  const model::Graph graph_;
  Capture* const capture_;
  const std::string machine_;
  mutable base::Mutex mutex_;
  profile::Builder builder_ TS_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Known> sessions_ TS_GUARDED_BY(mutex_);
  std::map<std::string, model::Graph> static_graphs_ TS_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<const trace::Trace>> recent_ TS_GUARDED_BY(mutex_);
  std::size_t recent_spans_ TS_GUARDED_BY(mutex_) = 0;
};

// Names, kernels and work of a session's executed layers, for profile::Builder. Work is counted
// from `graph`, which should be static; layers that it does not know get none. `declared` are the
// inputs as the model itself declares them, open or not.
profile::SessionInfo session_info(const model::Graph& graph,
                                  const std::vector<model::Port>& declared,
                                  const model::Variant& variant, const engine::Applied& applied);

}  // namespace tachostat::app
