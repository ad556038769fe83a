// One stream: a compiled model's infer request and the buffers around it. Used by one thread at a
// time. OpenVINO's exceptions end here.
#pragma once

#include <openvino/openvino.hpp>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "engine/openvino/buffers.h"

namespace tachostat::engine {

class Stream {
 public:
  // Ports as the graph names them, in the compiled model's order; results not named in
  // `computed` are copied out. May throw what OpenVINO throws.
  Stream(ov::CompiledModel& compiled, std::span<const model::Port> outputs,
         const std::unordered_set<std::string>& computed);

  // `inputs` in the compiled model's order, checked; they must stay alive through run(). Where
  // memory is aligned to its elements OpenVINO reads it in place, else from a copy.
  absl::Status bind(std::span<const Tensor* const> inputs);
  // The inference itself, on the calling thread.
  absl::Status run();
  absl::StatusOr<std::vector<Tensor>> outputs();

  // The bound inputs' shapes, as to_string(InputShapes) gives them.
  const std::string& bucket() const { return bucket_; }

 private:
  struct Output {
    model::Port port;
    ov::element::Type type;
    ov::Shape shape;     // when bound
    bool bound = false;  // the engine writes into our buffer
    BufferPool pool = {};
    BufferPool::Buffer buffer = {};  // of the next or current inference
  };

  ov::Tensor input_tensor(std::size_t index, const Tensor& input);
  void note_shapes(std::span<const Tensor* const> inputs);

  std::vector<ov::element::Type> input_types_;
  std::vector<ov::Tensor> copies_;  // per input, for memory that is not aligned
  std::vector<Output> outputs_;
  std::vector<model::Shape> shapes_;
  std::string bucket_;
  ov::InferRequest request_;
};

}  // namespace tachostat::engine
