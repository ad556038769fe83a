#include "plain_openvino.h"

#include <deque>

#include "base/mutex.h"
#include "base/status.h"
#include "model/openvino/reason.h"

namespace tachostat {
namespace {

// Where each of the graph's inputs is in the compiled model: a saved copy may order them otherwise.
std::vector<std::size_t> places_of(const model::Graph& graph, const ov::CompiledModel& compiled) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    std::size_t place = i;
    for (std::size_t k = 0; k < compiled.inputs().size(); ++k) {
      if (compiled.input(k).get_names().contains(graph.inputs[i].name)) place = k;
    }
    places.push_back(place);
  }
  return places;
}

class PlainSession final : public engine::Session {
 public:
  PlainSession(const model::Graph& graph, ov::CompiledModel compiled, int requests)
      : outputs_(graph.outputs),
        places_(places_of(graph, compiled)),
        compiled_(std::move(compiled)) {
    applied_.streams = requests;
    for (int i = 0; i < requests; ++i) {
      Slot& slot = slots_.emplace_back();
      slot.request = compiled_.create_infer_request();
      free_.push_back(&slot);
      if (requests == 1) continue;
      slot.request.set_callback(
          [this, &slot](const std::exception_ptr& error) { finish(slot, error); });
    }
  }
  ~PlainSession() override {
    base::MutexLock lock(mutex_);
    while (free_.size() < slots_.size()) changed_.wait(mutex_);
  }

  std::uint64_t number() const override { return 0; }
  const model::Variant& variant() const override { return variant_; }
  const engine::Applied& applied() const override { return applied_; }
  std::uint64_t memory_bytes() const override { return 0; }

  void infer(std::vector<engine::Tensor> inputs, engine::Completion done) override {
    Slot& slot = take();
    slot.inputs = std::move(inputs);
    slot.done = std::move(done);
    try {
      bind(slot);
      if (slots_.size() > 1) {
        slot.request.start_async();
        return;
      }
      slot.request.infer();
    } catch (const std::exception&) {
      return finish(slot, std::current_exception());
    }
    finish(slot, nullptr);
  }

 private:
  struct Slot {
    ov::InferRequest request;
    std::vector<engine::Tensor> inputs;  // alive while they are read
    engine::Completion done;
  };

  Slot& take() {
    base::MutexLock lock(mutex_);
    while (free_.empty()) changed_.wait(mutex_);
    Slot* const slot = free_.back();
    free_.pop_back();
    return *slot;
  }

  void bind(Slot& slot) {
    for (std::size_t i = 0; i < slot.inputs.size(); ++i) {
      const engine::Tensor& input = slot.inputs[i];
      const ov::element::Type type = compiled_.input(places_[i]).get_element_type();
      const ov::Shape shape(input.shape.begin(), input.shape.end());
      slot.request.set_input_tensor(
          places_[i], ov::Tensor(type, shape, static_cast<const void*>(input.data.data())));
    }
  }

  void finish(Slot& slot, const std::exception_ptr& error) {
    engine::Completion done = std::move(slot.done);
    done(error ? failed(error) : answer(slot));
    done = nullptr;
    slot.inputs.clear();
    base::MutexLock lock(mutex_);
    free_.push_back(&slot);
    changed_.notify_all();
  }

  static absl::StatusOr<std::vector<engine::Tensor>> failed(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& exception) {
      return base::internal("inference failed: {}", model::reason_of(exception));
    }
  }

  absl::StatusOr<std::vector<engine::Tensor>> answer(Slot& slot) {
    std::vector<engine::Tensor> tensors;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const ov::Tensor tensor = slot.request.get_output_tensor(i);
      const ov::Shape shape = tensor.get_shape();
      tensors.push_back(
          {.name = outputs_[i].name,
           .type = outputs_[i].type,
           .shape = model::Shape(shape.begin(), shape.end()),
           .data = {static_cast<const std::byte*>(tensor.data()), tensor.get_byte_size()}});
    }
    return tensors;
  }

  const std::vector<model::Port> outputs_;
  const std::vector<std::size_t> places_;
  const model::Variant variant_;
  engine::Applied applied_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<Slot*> free_ TS_GUARDED_BY(mutex_);
  ov::CompiledModel compiled_;
  std::deque<Slot> slots_;  // of fixed size: slots have addresses
};

}  // namespace

absl::StatusOr<std::unique_ptr<engine::Session>> load_plain(ov::Core& core,
                                                            const model::Graph& graph,
                                                            const PlainOptions& options) {
  using ov::hint::PerformanceMode;
  ov::AnyMap properties = {ov::hint::performance_mode(
      options.throughput ? PerformanceMode::THROUGHPUT : PerformanceMode::LATENCY)};
  if (options.f32) properties.insert(ov::hint::inference_precision(ov::element::f32));
  try {
    ov::CompiledModel compiled = core.compile_model(options.path, "CPU", properties);
    if (compiled.inputs().size() != graph.inputs.size() ||
        compiled.outputs().size() != graph.outputs.size()) {
      return base::invalid_argument("'{}' has other inputs and outputs than '{}'", options.path,
                                    graph.path);
    }
    const auto requests = compiled.get_property(ov::optimal_number_of_infer_requests);
    return std::make_unique<PlainSession>(graph, std::move(compiled),
                                          options.throughput ? static_cast<int>(requests) : 1);
  } catch (const std::exception& error) {
    return base::failed_precondition("openvino cannot load '{}': {}", options.path,
                                     model::reason_of(error));
  }
}

}  // namespace tachostat
