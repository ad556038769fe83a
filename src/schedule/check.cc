#include <algorithm>
#include <limits>

#include "base/status.h"
#include "schedule/schedule.h"

namespace tachostat::schedule {
namespace {

std::string known_names(const model::Graph& graph) {
  std::string names;
  for (const model::Port& port : graph.inputs) {
    if (!names.empty()) names += ", ";
    names += "'" + port.name + "'";
  }
  return names.empty() ? "none" : names;
}

// Clients read these messages, so types are spelled as the protocol does.
std::string_view spelled(model::DataType type) {
  const std::string_view name = model::protocol_name_of(type);
  return name.empty() ? model::name_of(type) : name;
}

// Bytes of `elements` of `bits` each, rounded up; false when the number is absurd.
bool bytes_of(std::int64_t elements, int bits, std::uint64_t& bytes) {
  const auto count = static_cast<std::uint64_t>(elements);
  if (count > std::numeric_limits<std::uint64_t>::max() / 128) return false;
  bytes = (count * static_cast<std::uint64_t>(bits) + 7) / 8;
  return true;
}

absl::Status check_input(const model::Port& port, const engine::Tensor& input) {
  const bool type_fits = port.type == model::DataType::kUnknown || input.type == port.type;
  if (!type_fits || !model::accepts(port.shape, input.shape)) {
    return base::invalid_argument("input '{}': expected {} {}, found {} {}", port.name,
                                  spelled(port.type), model::to_string(port.shape),
                                  spelled(input.type), model::to_string(input.shape));
  }
  const int bits = model::bits_of(input.type);
  if (bits == 0) return absl::OkStatus();  // strings are as long as they are
  std::uint64_t expected = 0;
  if (!bytes_of(model::elements_of(input.shape), bits, expected)) {
    return base::invalid_argument("input '{}': shape {} has more elements than any memory",
                                  port.name, model::to_string(input.shape));
  }
  if (expected != input.data.size()) {
    return base::invalid_argument("input '{}' of {} {}: expected {} bytes, found {}", port.name,
                                  spelled(input.type), model::to_string(input.shape), expected,
                                  input.data.size());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status check_inputs(const model::Graph& graph, const std::vector<engine::Tensor>& inputs) {
  for (auto input = inputs.begin(); input != inputs.end(); ++input) {
    const model::Port* port = graph.find_input(input->name);
    if (port == nullptr) {
      return base::invalid_argument("model '{}' has no input '{}'; its inputs: {}", graph.name,
                                    input->name, known_names(graph));
    }
    const bool twice = std::any_of(inputs.begin(), input, [&](const engine::Tensor& earlier) {
      return earlier.name == input->name;
    });
    if (twice) return base::invalid_argument("input '{}' is given twice", input->name);
    TS_RETURN_IF_ERROR(check_input(*port, *input));
  }
  // All are known and none came twice, so a smaller number means that some are missing.
  if (inputs.size() == graph.inputs.size()) return absl::OkStatus();
  for (const model::Port& port : graph.inputs) {
    const bool present = std::any_of(inputs.begin(), inputs.end(), [&](const engine::Tensor& each) {
      return each.name == port.name;
    });
    if (!present) {
      return base::invalid_argument("input '{}' is missing: expected {} {}", port.name,
                                    spelled(port.type), model::to_string(port.shape));
    }
  }
  return absl::OkStatus();
}

}  // namespace tachostat::schedule
