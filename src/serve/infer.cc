#include "serve/infer.h"

#include <algorithm>
#include <cstring>

#include "base/status.h"

namespace tachostat::serve {
namespace {

constexpr std::size_t kMaxQuoted = 120;
constexpr std::size_t kMaxMessage = 1500;
// Longer timeouts are as good as none, and would overflow the clock.
constexpr base::Duration kMaxTimeout = std::chrono::hours(24 * 365);

// Cut without splitting a UTF-8 character, which would spoil the JSON that it goes into.
std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

absl::Status wrong_kind(std::string_view name, std::string_view expected) {
  return base::invalid_argument("parameter '{}': expected {}", name, expected);
}

// Whether a value asks for something: 0, "" and false are how clients say "no".
bool asks(const ParameterValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number != 0;
  if (const auto* text = std::get_if<std::string>(&value)) return !text->empty();
  return true;
}

absl::Status refuse_shared_memory(std::string_view name) {
  return base::invalid_argument(
      "parameter '{}': shared memory is not served; send the tensor in the request", name);
}

bool is_shared_memory(std::string_view name) { return name.starts_with("shared_memory_"); }

}  // namespace

std::string in_quotes(std::string_view name) {
  const std::string_view kept = cut(name, kMaxQuoted);
  return fmt::format("'{}{}'", kept, kept.size() < name.size() ? "…" : "");
}

std::string wire_message(const absl::Status& status) {
  const std::string_view message = base::message_of(status);
  const std::string_view kept = cut(message, kMaxMessage);
  return fmt::format("{}{}", kept, kept.size() < message.size() ? "…" : "");
}

absl::Status set_request_parameter(std::string_view name, const ParameterValue& value,
                                   InferRequest& request) {
  if (name == "timeout") {
    const auto* microseconds = std::get_if<std::int64_t>(&value);
    if (microseconds == nullptr || *microseconds < 0) {
      return wrong_kind(name, "a whole number of microseconds, at least 0");
    }
    if (*microseconds > 0) {
      constexpr std::int64_t kMost = kMaxTimeout / std::chrono::microseconds(1);
      request.timeout = std::chrono::microseconds(std::min(*microseconds, kMost));
    }
  } else if (name == "binary_data_output") {
    const auto* flag = std::get_if<bool>(&value);
    if (flag == nullptr) return wrong_kind(name, "true or false");
    request.binary_outputs = *flag;
  } else if (name == "triton_enable_empty_final_response") {
    request.wants_final_flag = asks(value);
  } else if (name == "sequence_id" || name == "sequence_start" || name == "sequence_end") {
    if (asks(value)) {
      return base::invalid_argument(
          "parameter '{}': sequences are not served; every request stands alone", name);
    }
  }
  return absl::OkStatus();
}

absl::Status set_output_parameter(std::string_view name, const ParameterValue& value,
                                  WantedOutput& output) {
  if (name == "binary_data") {
    const auto* flag = std::get_if<bool>(&value);
    if (flag == nullptr) return wrong_kind(name, "true or false");
    output.binary = *flag;
  } else if (name == "classification" && asks(value)) {
    return base::invalid_argument(
        "parameter 'classification': not served; ask for the tensor and take its largest values");
  } else if (is_shared_memory(name)) {
    return refuse_shared_memory(name);
  }
  return absl::OkStatus();
}

absl::Status set_input_parameter(std::string_view name, const ParameterValue& value,
                                 std::optional<std::uint64_t>& binary_size) {
  if (name == "binary_data_size") {
    const auto* size = std::get_if<std::int64_t>(&value);
    if (size == nullptr || *size < 0) return wrong_kind(name, "a number of bytes, at least 0");
    if (binary_size) return base::invalid_argument("parameter '{}' is given twice", name);
    binary_size = static_cast<std::uint64_t>(*size);
  } else if (is_shared_memory(name)) {
    return refuse_shared_memory(name);
  }
  return absl::OkStatus();
}

absl::StatusOr<model::DataType> wire_type(std::string_view input, std::string_view datatype) {
  const model::DataType type = model::data_type_of_protocol(datatype);
  if (type != model::DataType::kUnknown) return type;
  return base::invalid_argument(
      "input {}: datatype {}: expected BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, "
      "INT64, FP16, BF16, FP32, FP64 or BYTES",
      in_quotes(input), in_quotes(datatype));
}

absl::Status check_shape(std::string_view input, const model::Shape& shape) {
  if (shape.size() > kMaxRank) {
    return base::invalid_argument("input {}: {} dimensions: expected at most {}", in_quotes(input),
                                  shape.size(), kMaxRank);
  }
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) {
      return base::invalid_argument(
          "input {}: dimension {}: a request's shape must be whole, with no negative dimension",
          in_quotes(input), dimension);
    }
  }
  return absl::OkStatus();
}

bool next_string(std::span<const std::byte>& bytes, std::string_view& element) {
  std::uint32_t size = 0;
  if (bytes.size() < sizeof size) return false;
  std::memcpy(&size, bytes.data(), sizeof size);
  if (size > bytes.size() - sizeof size) return false;
  element = {reinterpret_cast<const char*>(bytes.data()) + sizeof size, size};
  bytes = bytes.subspan(sizeof size + size);
  return true;
}

absl::Status check_size(const engine::Tensor& tensor) {
  const auto elements = static_cast<std::uint64_t>(model::elements_of(tensor.shape));
  if (tensor.type == model::DataType::kString) {
    std::span<const std::byte> rest = tensor.data;
    std::string_view element;
    std::uint64_t count = 0;
    while (!rest.empty() && next_string(rest, element)) ++count;
    if (!rest.empty() || count != elements) {
      return base::invalid_argument(
          "input {}: shape {} needs {} strings, each a 4-byte length and that many bytes; {} were "
          "found and {} bytes are left over",
          in_quotes(tensor.name), model::to_string(tensor.shape), elements, count, rest.size());
    }
    return absl::OkStatus();
  }
  const auto bits = static_cast<std::uint64_t>(model::bits_of(tensor.type));
  // Compared by division: elements * bits may not fit.
  const bool fits =
      bits > 0 && tensor.data.size() * 8 / bits == elements && tensor.data.size() * 8 % bits == 0;
  if (fits) return absl::OkStatus();
  return base::invalid_argument(
      "input {}: shape {} of {} needs {} elements of {} bytes, {} bytes came",
      in_quotes(tensor.name), model::to_string(tensor.shape), model::protocol_name_of(tensor.type),
      elements, bits / 8, tensor.data.size());
}

absl::Status check_outputs(const model::Graph& graph, const std::vector<WantedOutput>& outputs) {
  // Before the search for repeats, which would be slow for very many.
  if (outputs.size() > graph.outputs.size()) {
    return base::invalid_argument("{} outputs are wanted, model '{}' has {}", outputs.size(),
                                  graph.name, graph.outputs.size());
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (graph.find_output(outputs[i].name) == nullptr) {
      std::string known;
      for (const model::Port& port : graph.outputs) {
        known += fmt::format("{}'{}'", known.empty() ? "" : ", ", port.name);
      }
      return base::invalid_argument("no output {}: the model has {}", in_quotes(outputs[i].name),
                                    known);
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (outputs[j].name == outputs[i].name) {
        return base::invalid_argument("output {} is wanted twice", in_quotes(outputs[i].name));
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<engine::Tensor>> select_outputs(const std::vector<WantedOutput>& wanted,
                                                           std::vector<engine::Tensor> outputs) {
  if (wanted.empty()) return outputs;
  std::vector<engine::Tensor> selected;
  selected.reserve(wanted.size());
  for (const WantedOutput& output : wanted) {
    const auto found = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const auto& tensor) { return tensor.name == output.name; });
    if (found == outputs.end()) {
      return base::internal("the engine did not give output {}", in_quotes(output.name));
    }
    selected.push_back(std::move(*found));
  }
  return selected;
}

absl::StatusOr<std::shared_ptr<const ServedModel>> find_model(const Repository& repository,
                                                              std::string_view name,
                                                              std::string_view version) {
  auto found = repository.find(name, version);
  if (!found.ok() && absl::IsNotFound(found.status()) && !repository.ready()) {
    return base::unavailable("model {} is not there: the server is loading or stopping",
                             in_quotes(name));
  }
  return found;
}

base::Time deadline_of(base::Clock& clock, std::optional<base::Duration> timeout) {
  return timeout ? clock.now() + std::min(*timeout, kMaxTimeout) : base::Time::max();
}

std::chrono::steady_clock::time_point system_deadline(base::Clock& clock, base::Time deadline) {
  const base::Time latest = clock.now() + kMaxTimeout;
  return std::chrono::steady_clock::now() + (std::min(deadline, latest) - clock.now());
}

void submit(const ServedModel& model, base::Clock& clock, InferRequest& request,
            base::Time deadline, schedule::ResponseCallback done) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(clock.unix_time());
  model.last_inference_ms->store(now.count(), std::memory_order_relaxed);
  model.scheduler->submit({.inputs = std::move(request.inputs),
                           .deadline = std::min(deadline, deadline_of(clock, request.timeout)),
                           .done = std::move(done)});
}

}  // namespace tachostat::serve
