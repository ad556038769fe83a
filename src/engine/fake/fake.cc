#include "engine/fake/fake.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/mutex.h"
#include "base/status.h"
#include "base/thread.h"
#include "engine/inputs.h"

namespace tachostat::engine {
namespace {

using base::MutexLock;

std::uint64_t next_session_number() {
  // Numbers must not meet those of other engines in the process: these start high.
  static std::atomic<std::uint64_t> next{std::uint64_t{1} << 32};
  return next++;
}

int batch_of(const std::vector<Tensor>& inputs) {
  if (inputs.empty() || inputs[0].shape.empty()) return 1;
  return static_cast<int>(inputs[0].shape[0]);
}

std::string bucket_of(const std::vector<Tensor>& inputs) {
  model::InputShapes shapes;
  for (const Tensor& input : inputs) shapes[input.name] = input.shape;
  return model::to_string(shapes);
}

std::vector<Tensor> echo(const model::Graph& graph, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> outputs;
  if (inputs.empty()) return outputs;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    outputs.push_back(inputs[std::min(i, inputs.size() - 1)]);
    outputs.back().name = graph.outputs[i].name;
  }
  return outputs;
}

Applied as_asked(const model::Graph& graph, const model::Variant& variant) {
  const bool open = variant.precision == model::Precision::kDefault;
  Applied applied{.precision = open ? "f32" : std::string(model::name_of(variant.precision)),
                  .threads = std::max(variant.threads, 1),
                  .streams = std::max(variant.streams, 1),
                  .layers = {}};
  for (const model::Layer& layer : graph.layers) {
    applied.layers.push_back({.name = layer.name,
                              .originals = {layer.name},
                              .type = layer.type,
                              .kernel = "fake_" + applied.precision,
                              .precision = applied.precision,
                              .layout = "abcd"});
  }
  return applied;
}

}  // namespace

// Shared by the engine and its sessions. A queued inference points to its session, which outlives
// it: the session's destructor waits.
struct FakeEngine::State {
  struct Pending {
    FakeSession* session;
    std::uint64_t order;
    base::Time begin, end;
    absl::Status refused;  // of the inputs
    std::vector<Tensor> inputs;
    Completion done;
  };
  using Taken = std::unique_ptr<Pending>;

  explicit State(Options o) : options(std::move(o)) {
    clock = options.clock != nullptr ? options.clock : &own_clock;
  }

  // Takes what ends first by `limit`, of one session or (null) of any; null when there is none.
  Taken take(const FakeSession* of, base::Time limit) TS_REQUIRES(mutex);
  void execute(Taken pending) TS_EXCLUDES(mutex);
  absl::StatusOr<std::vector<Tensor>> observe(Pending& inference) TS_EXCLUDES(mutex);
  absl::StatusOr<std::vector<Tensor>> outputs_of(const Pending& inference) TS_EXCLUDES(mutex);
  std::size_t run(const FakeSession* of, base::Time limit, std::size_t most) TS_EXCLUDES(mutex);
  absl::Status scripted_failure() TS_EXCLUDES(mutex);

  const Options options;
  base::ManualClock own_clock;
  base::ManualClock* clock;
  base::Mutex mutex;
  base::CondVar changed;  // something was queued, or a session has one in flight less
  std::vector<Taken> pending TS_GUARDED_BY(mutex);
  std::uint64_t submitted TS_GUARDED_BY(mutex) = 0;
  std::size_t executed TS_GUARDED_BY(mutex) = 0;
  absl::Status failure TS_GUARDED_BY(mutex);
  int failures_left TS_GUARDED_BY(mutex) = 0;
  std::vector<FakeSession*> sessions TS_GUARDED_BY(mutex);
};

class FakeEngine::FakeSession final : public Session {
 public:
  FakeSession(std::shared_ptr<State> state, const model::Graph& graph,
              const model::Variant& variant, std::vector<AcceptedInput> accepted,
              Observer* observer);
  ~FakeSession() override;

  std::uint64_t number() const override { return number_; }
  const model::Variant& variant() const override { return variant_; }
  const Applied& applied() const override { return applied_; }
  std::uint64_t memory_bytes() const override { return state_->options.memory_bytes; }
  void infer(std::vector<Tensor> inputs, Completion done) override;

 private:
  friend struct State;

  void serve_stream();

  const std::shared_ptr<State> state_;
  const std::uint64_t number_ = next_session_number();
  const model::Graph graph_;
  const model::Variant variant_;
  const std::vector<AcceptedInput> accepted_;
  const Applied applied_;
  Observer* const observer_;

  // The rest is guarded by state_->mutex, which clang cannot express here.
  std::vector<base::Time> stream_free_;
  int in_flight_ = 0;
  bool closing_ = false;
  std::vector<std::jthread> threads_;  // last: joined first
};

FakeEngine::State::Taken FakeEngine::State::take(const FakeSession* of, base::Time limit) {
  const auto before = [](const Taken& a, const Taken& b) {
    return std::pair(a->end, a->order) < std::pair(b->end, b->order);
  };
  auto best = pending.end();
  for (auto i = pending.begin(); i != pending.end(); ++i) {
    const bool eligible = (of == nullptr || (*i)->session == of) && (*i)->end <= limit;
    if (eligible && (best == pending.end() || before(*i, *best))) best = i;
  }
  if (best == pending.end()) return nullptr;
  Taken taken = std::move(*best);
  pending.erase(best);
  return taken;
}

absl::Status FakeEngine::State::scripted_failure() {
  MutexLock lock(mutex);
  if (failures_left == 0) return absl::OkStatus();
  --failures_left;
  return failure;
}

absl::StatusOr<std::vector<Tensor>> FakeEngine::State::outputs_of(const Pending& inference) {
  const FakeSession& session = *inference.session;
  TS_RETURN_IF_ERROR(scripted_failure());
  if (!options.outputs) return echo(session.graph_, inference.inputs);
  return options.outputs(session.graph_, session.variant_, inference.inputs);
}

absl::StatusOr<std::vector<Tensor>> FakeEngine::State::observe(Pending& inference) {
  if (!inference.refused.ok()) return inference.refused;
  const FakeSession& session = *inference.session;
  if (session.observer_ == nullptr) return outputs_of(inference);
  session.observer_->on_start(session.number_);
  absl::StatusOr<std::vector<Tensor>> result = outputs_of(inference);
  const std::string bucket = bucket_of(inference.inputs);
  session.observer_->on_end({.session = session.number_,
                             .thread = base::this_thread_id(),
                             .begin = inference.begin,
                             .end = inference.end,
                             .failed = !result.ok(),
                             .bucket = bucket});
  return result;
}

void FakeEngine::State::execute(Taken taken) {
  FakeSession& session = *taken->session;
  const bool moves = options.mode == Mode::kManual && options.advance_clock;
  if (moves && clock->now() < taken->end) clock->set(taken->end);
  absl::StatusOr<std::vector<Tensor>> result = observe(*taken);
  taken->inputs.clear();
  taken->done(std::move(result));
  taken->done = nullptr;

  MutexLock lock(mutex);
  ++executed;
  --session.in_flight_;
  changed.notify_all();  // under the lock: the session may be gone right after
}

std::size_t FakeEngine::State::run(const FakeSession* of, base::Time limit, std::size_t most) {
  std::size_t count = 0;
  while (count < most) {
    Taken next;
    {
      MutexLock lock(mutex);
      next = take(of, limit);
    }
    if (next == nullptr) break;
    execute(std::move(next));
    ++count;
  }
  return count;
}

FakeEngine::FakeSession::FakeSession(std::shared_ptr<State> state, const model::Graph& graph,
                                     const model::Variant& variant,
                                     std::vector<AcceptedInput> accepted, Observer* observer)
    : state_(std::move(state)),
      graph_(graph),
      variant_(variant),
      accepted_(std::move(accepted)),
      applied_(state_->options.applied ? state_->options.applied(graph, variant)
                                       : as_asked(graph, variant)),
      observer_(observer),
      stream_free_(static_cast<std::size_t>(std::max(applied_.streams, 1)), base::Time::min()) {
  {
    MutexLock lock(state_->mutex);
    state_->sessions.push_back(this);
  }
  if (state_->options.mode != Mode::kThreads) return;
  for (std::size_t i = 0; i < stream_free_.size(); ++i) {
    threads_.push_back(
        base::start_thread("fake", [this](const std::stop_token&) { serve_stream(); }));
  }
}

FakeEngine::FakeSession::~FakeSession() {
  if (state_->options.mode == Mode::kManual) state_->run(this, base::Time::max(), SIZE_MAX);
  MutexLock lock(state_->mutex);
  while (in_flight_ > 0) state_->changed.wait(state_->mutex);
  closing_ = true;
  state_->changed.notify_all();
  std::erase(state_->sessions, this);
}

void FakeEngine::FakeSession::serve_stream() {
  while (true) {
    State::Taken next;
    {
      MutexLock lock(state_->mutex);
      while (!closing_ && (next = state_->take(this, base::Time::max())) == nullptr) {
        state_->changed.wait(state_->mutex);
      }
    }
    if (next == nullptr) return;
    state_->execute(std::move(next));
  }
}

void FakeEngine::FakeSession::infer(std::vector<Tensor> inputs, Completion done) {
  const Options& options = state_->options;
  std::vector<int> order;
  absl::Status refused = match_inputs(accepted_, inputs, order);
  base::Duration service{0};
  if (refused.ok()) {
    service = options.service_time ? options.service_time(variant_, batch_of(inputs))
                                   : base::Duration(std::chrono::milliseconds(1));
  }
  const base::Time now = state_->clock->now();

  MutexLock lock(state_->mutex);
  base::Time begin = now;
  if (refused.ok()) {
    base::Time& free = *std::min_element(stream_free_.begin(), stream_free_.end());
    begin = std::max(now, free);
    free = begin + service;
  }
  auto pending = std::make_unique<State::Pending>(State::Pending{.session = this,
                                                                 .order = state_->submitted++,
                                                                 .begin = begin,
                                                                 .end = begin + service,
                                                                 .refused = std::move(refused),
                                                                 .inputs = std::move(inputs),
                                                                 .done = std::move(done)});
  state_->pending.push_back(std::move(pending));
  ++in_flight_;
  state_->changed.notify_all();
}

FakeEngine::FakeEngine() : FakeEngine(Options{}) {}
FakeEngine::FakeEngine(Options options) : state_(std::make_shared<State>(std::move(options))) {}
FakeEngine::~FakeEngine() = default;

std::string_view FakeEngine::name() const { return state_->options.name; }
const Capabilities& FakeEngine::capabilities() const { return state_->options.capabilities; }

absl::StatusOr<std::unique_ptr<Session>> FakeEngine::load(const model::Graph& graph,
                                                          const model::Variant& variant,
                                                          Observer* observer) {
  absl::StatusOr<std::vector<AcceptedInput>> accepted = accepted_inputs(graph, variant);
  if (!accepted.ok()) return std::move(accepted).status();
  if (state_->options.on_load) {
    if (absl::Status status = state_->options.on_load(graph, variant); !status.ok()) return status;
  }
  return std::make_unique<FakeSession>(state_, graph, variant, *std::move(accepted), observer);
}

bool FakeEngine::run_one() {
  if (state_->options.mode != Mode::kManual) return false;
  return state_->run(nullptr, base::Time::max(), 1) == 1;
}

std::size_t FakeEngine::run_until(base::Time time) {
  if (state_->options.mode != Mode::kManual) return 0;
  const std::size_t count = state_->run(nullptr, time, SIZE_MAX);
  if (state_->options.advance_clock && state_->clock->now() < time) state_->clock->set(time);
  return count;
}

std::size_t FakeEngine::run_all() {
  if (state_->options.mode != Mode::kManual) return 0;
  return state_->run(nullptr, base::Time::max(), SIZE_MAX);
}

base::Time FakeEngine::next_end() const {
  MutexLock lock(state_->mutex);
  base::Time first = base::Time::max();
  for (const State::Taken& pending : state_->pending) first = std::min(first, pending->end);
  return first;
}

void FakeEngine::fail_next(absl::Status status, int count) {
  MutexLock lock(state_->mutex);
  state_->failure = std::move(status);
  state_->failures_left = count;
}

std::size_t FakeEngine::queued() const {
  MutexLock lock(state_->mutex);
  return state_->pending.size();
}

std::size_t FakeEngine::executed() const {
  MutexLock lock(state_->mutex);
  return state_->executed;
}

std::vector<std::string> FakeEngine::loaded() const {
  MutexLock lock(state_->mutex);
  std::vector<std::string> ids;
  for (const FakeSession* session : state_->sessions) ids.push_back(session->variant().id());
  return ids;
}

}  // namespace tachostat::engine
