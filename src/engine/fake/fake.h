// A scripted engine for deterministic tests and the simulator: no runtime, no files, time as told.
//
// Virtual time: an inference takes one of its session's streams when it is submitted, or when one
// falls free, and ends `service_time` later. Nothing completes by itself in kManual mode: a test
// calls run_one(), run_until() or run_all(), which execute in order of end time on the calling
// thread and set the clock to each end.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::engine {

// One layer "copy" from input "x" to output "y" of the same type and shape. Path, hash and format
// are made up; no file is read.
model::Graph identity_graph(const std::string& name = "identity",
                            const model::Shape& shape = {model::kDynamic, 4},
                            model::DataType type = model::DataType::kF32);

// A tensor that owns a copy of `values` as f32. The shape defaults to [number of values].
Tensor f32_tensor(const std::string& name, const std::vector<float>& values,
                  model::Shape shape = {});
std::vector<float> f32_values(const Tensor& tensor);

// Thread-safe. Sessions may outlive the engine.
class FakeEngine final : public Engine {
 public:
  enum class Mode {
    kManual,   // the test completes inferences; on_start, on_end and completions run on its thread
    kThreads,  // one thread a stream completes at once; the clock stands still
  };
  using Outputs = std::function<absl::StatusOr<std::vector<Tensor>>(
      const model::Graph&, const model::Variant&, const std::vector<Tensor>& inputs)>;

  struct Options {
    Mode mode = Mode::kManual;
    // What inferences read, and in kManual mode set. Must outlive engine and sessions. Null: a
    // clock of the engine's own.
    base::ManualClock* clock = nullptr;
    // False: run_one() and its like leave the clock alone, and the test moves it.
    bool advance_clock = true;
    std::string name = "fake";
    Capabilities capabilities = {
        .version = "1", .devices = {"CPU"}, .precisions = {model::Precision::kF32}};
    // `batch` is axis 0 of the first input. Null: 1 ms whatever the batch.
    std::function<base::Duration(const model::Variant&, int batch)> service_time = nullptr;
    // May fail. Null: output i is input i (the last one again when there are fewer), under the
    // output's name, without a copy.
    Outputs outputs = nullptr;
    // An error here is load()'s. Null: every variant loads.
    std::function<absl::Status(const model::Graph&, const model::Variant&)> on_load = nullptr;
    // Null: precision, threads and streams as asked (f32, 1, 1 where the variant leaves them open),
    // and one layer per layer of the graph.
    std::function<Applied(const model::Graph&, const model::Variant&)> applied = nullptr;
    std::uint64_t memory_bytes = 0;
  };

  FakeEngine();
  explicit FakeEngine(Options options);
  ~FakeEngine() override;

  std::string_view name() const override;
  const Capabilities& capabilities() const override;
  // InvalidArgument for a shape bucket that contradicts the graph. In kManual mode a session's
  // destructor runs what is left of its own inferences on the destroying thread.
  absl::StatusOr<std::unique_ptr<Session>> load(const model::Graph& graph,
                                                const model::Variant& variant,
                                                Observer* observer) override;

  // kManual mode only, else they do nothing. Completions may call infer() again; what they add
  // counts too. Not to be called from a completion.
  bool run_one();                          // the inference that ends first; false: none is queued
  std::size_t run_until(base::Time time);  // all that end by `time`; then the clock is at `time`
  std::size_t run_all();                   // until none is left

  // The end of the inference that run_one() would run; Time::max() when there is none.
  base::Time next_end() const;

  // The next `count` inferences to run, of any session, fail with `status`.
  void fail_next(absl::Status status, int count = 1);

  std::size_t queued() const;               // submitted, not run; over all sessions
  std::size_t executed() const;             // run so far, failures too
  std::vector<std::string> loaded() const;  // Variant::id() of the sessions alive, in order of load

 private:
  struct State;
  class FakeSession;
  std::shared_ptr<State> state_;
};

}  // namespace tachostat::engine
