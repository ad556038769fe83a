// An engine runs variants; a session is one loaded variant. The request plane calls infer(); the
// evidence plane loads, reads back and unloads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "model/model.h"

namespace tachostat::model {
struct ChannelGroup;
struct Kernels;
struct Rewrite;
}  // namespace tachostat::model

namespace tachostat::engine {

// A view of dense, row-major, little-endian data and whatever keeps it alive. `owner` may be a
// request's body or an engine's pooled buffer: drop the tensor as soon as it is written out.
struct Tensor {
  std::string name = {};
  model::DataType type = model::DataType::kUnknown;
  model::Shape shape = {};
  std::span<const std::byte> data = {};
  std::shared_ptr<const void> owner = {};
};

struct Capabilities {
  std::string version;
  std::vector<std::string> devices;
  // Precisions that the device computes in natively. The engine may accept others and run something
  // else in silence (OpenVINO does), so a proposer asks here and a trial reads Applied.
  std::vector<model::Precision> precisions;
  int hardware_threads = 1;
};

// A tensor at an executed layer's border.
struct AppliedTensor {
  model::DataType type = model::DataType::kUnknown;
  model::Shape shape = {};  // empty: not known, or a scalar
  bool constant = false;    // of an input: known when the model was compiled, such as a weight
  int producer = -1;  // of an input: index into Applied::layers; -1: a model input, or constant
};

// What one executed layer really is, read back after compiling.
struct AppliedLayer {
  std::string name;                    // as executed, and as its spans are called
  std::vector<std::string> originals;  // the model's layers that were fused into it
  std::string type;                    // "Convolution", "Reorder", …
  std::string kernel;                  // "brgconv_avx2_1x1_f32"
  std::string precision;               // of its arithmetic, as the engine calls it: "f32"
  std::string layout;                  // output layout, "nChw8c"
  // Types of the largest weight, of the largest activation read, and of the first output; kUnknown
  // where there is none or the engine does not tell.
  model::DataType weight_type = model::DataType::kUnknown;
  model::DataType input_type = model::DataType::kUnknown;
  model::DataType output_type = model::DataType::kUnknown;
  std::vector<AppliedTensor> inputs = {};
  std::vector<AppliedTensor> outputs = {};
  std::vector<std::string> answers = {};  // the model's outputs that are this layer's
};

struct Applied {
  std::string precision;  // of the session as a whole
  int threads = 0;
  int streams = 0;
  std::vector<AppliedLayer> layers = {};
};

// One finished inference, reported on the thread that ran it, right after it ended and before its
// completion runs. Links spans of that thread to a session.
struct Execution {
  std::uint64_t session = 0;  // Session::number()
  int thread = 0;             // kernel thread id of the thread that ran it
  base::Time begin;
  base::Time end;
  bool failed = false;
  std::string_view
      bucket;  // shapes it ran with, to_string(InputShapes); valid during the call only
};

// Must be cheap, must not block or throw. Called from many threads at once.
class Observer {
 public:
  virtual ~Observer() = default;
  // Before an inference starts, on the thread that runs it.
  virtual void on_start(std::uint64_t session) noexcept = 0;
  virtual void on_end(const Execution& execution) noexcept = 0;
};

// Runs exactly once, on a thread of the engine. May call infer() again; must not destroy the
// session.
using Completion = absl::AnyInvocable<void(absl::StatusOr<std::vector<Tensor>>)>;

// Thread-safe: infer() may be called from any thread. Destruction waits for the inferences in
// flight, whose completions still run.
class Session {
 public:
  virtual ~Session() = default;

  // Unique in the process, for Execution::session.
  virtual std::uint64_t number() const = 0;
  virtual const model::Variant& variant() const = 0;
  virtual const Applied& applied() const = 0;

  // Starts one inference and returns. `inputs` name every input of the model; their types and
  // shapes must be ones that the session accepts, else the completion gets InvalidArgument. The
  // session keeps the tensors until it has run. More calls than applied().streams are queued in
  // order.
  virtual void infer(std::vector<Tensor> inputs, Completion done) = 0;

  // Bytes held for weights and activations, as far as the engine tells; 0: it does not tell.
  virtual std::uint64_t memory_bytes() const = 0;
};

// Thread-safe.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string_view name() const = 0;
  virtual const Capabilities& capabilities() const = 0;
  // Compiles; takes from milliseconds to minutes. `observer` may be null and must outlive the
  // session.
  virtual absl::StatusOr<std::unique_ptr<Session>> load(const model::Graph& graph,
                                                        const model::Variant& variant,
                                                        Observer* observer) = 0;

  // Parts of the network, with these shapes, that the engine can write more cheaply without
  // changing what it computes; whether that pays is for the caller to measure. Each is found in
  // what those before it left. None: it knows none.
  virtual absl::StatusOr<std::vector<model::Rewrite>> rewrites(const model::Graph& graph,
                                                               const model::InputShapes& shapes);
  // The graph that a recipe leaves of it, with these shapes.
  virtual absl::StatusOr<model::Graph> rewritten(const model::Graph& graph,
                                                 const model::InputShapes& shapes,
                                                 const model::Recipe& recipe);
  // Other kernels that layers of a loaded network may run with, each for all that it suits; whether
  // any pays is for the caller to measure. `graph` is the one that was loaded, as rewritten() gives
  // it. None: it cannot be told which to use.
  virtual std::vector<model::Kernels> kernel_choices(const model::Graph& graph,
                                                     const Applied& applied);
  // Channels that the engine can leave out of what a recipe leaves of the network. None: it cannot.
  virtual absl::StatusOr<std::vector<model::ChannelGroup>> channel_groups(
      const model::Graph& graph, const model::InputShapes& shapes, const model::Recipe& recipe);
};

}  // namespace tachostat::engine
