// One inference request as both wires mean it: what is asked, what its parameters say, and the
// checks that need no scheduler.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "model/model.h"
#include "serve/serve.h"

namespace tachostat::serve {

struct InferRequest {
  std::string id;
  std::vector<engine::Tensor> inputs;
  std::vector<WantedOutput> outputs;  // empty: all
  bool binary_outputs = false;        // HTTP only: for outputs that don't say
  bool wants_final_flag = false;      // streams only: "triton_enable_empty_final_response"
  std::optional<base::Duration> timeout;
};

// Tensor ranks and JSON nesting beyond this are refused.
inline constexpr int kMaxRank = 32;

// A parameter's value; monostate stands for kinds that no known parameter has.
using ParameterValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

// The parameters that are known are obeyed, or refused when they ask for something that is not
// served (sequences, shared memory, classification); others are ignored.
absl::Status set_request_parameter(std::string_view name, const ParameterValue& value,
                                   InferRequest& request);
absl::Status set_output_parameter(std::string_view name, const ParameterValue& value,
                                  WantedOutput& output);
// `binary_size` is set by "binary_data_size".
absl::Status set_input_parameter(std::string_view name, const ParameterValue& value,
                                 std::optional<std::uint64_t>& binary_size);

// A client's name for something, quoted and cut to what fits in a message.
std::string in_quotes(std::string_view name);
// A message as it goes over the wire: cut, so that it fits into a header.
std::string wire_message(const absl::Status& status);

// The data type of an input, from its name on the wire.
absl::StatusOr<model::DataType> wire_type(std::string_view input, std::string_view datatype);
absl::Status check_shape(std::string_view input, const model::Shape& shape);
// `size` bytes hold exactly a tensor of this type and shape. A string tensor's bytes are read:
// every element is a 4-byte little-endian length and that many bytes.
absl::Status check_size(const engine::Tensor& tensor);
// Every wanted output is one of the model's, and is wanted once.
absl::Status check_outputs(const model::Graph& graph, const std::vector<WantedOutput>& outputs);

// The wanted tensors in the order wanted; all of them when none is named.
absl::StatusOr<std::vector<engine::Tensor>> select_outputs(const std::vector<WantedOutput>& wanted,
                                                           std::vector<engine::Tensor> outputs);

// The model to ask. Unavailable, not NotFound, while models are being loaded.
absl::StatusOr<std::shared_ptr<const ServedModel>> find_model(const Repository& repository,
                                                              std::string_view name,
                                                              std::string_view version);

// Hands the inputs to the model's scheduler. `done` runs exactly once, perhaps before this returns.
void submit(const ServedModel& model, base::Clock& clock, InferRequest& request,
            base::Time deadline, schedule::ResponseCallback done);
// When a request that arrived now and may take `timeout` must be answered.
base::Time deadline_of(base::Clock& clock, std::optional<base::Duration> timeout);
// A deadline of the injected clock on the system's clock, for waits that only the system can do.
std::chrono::steady_clock::time_point system_deadline(base::Clock& clock, base::Time deadline);

// Reads a string tensor element by element. False when `bytes` do not start with a whole element;
// else `element` is set and `bytes` advanced.
bool next_string(std::span<const std::byte>& bytes, std::string_view& element);

}  // namespace tachostat::serve
