#include "serve/infer_json.h"

#include <simdjson.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/status.h"
#include "serve/json_tensor.h"

namespace tachostat::serve {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(Body::kPadding >= simdjson::SIMDJSON_PADDING);

absl::Status json_error(simdjson::error_code error, std::string_view where) {
  return base::invalid_argument("{}: {}", where, simdjson::error_message(error));
}

#define TS_RETURN_IF_JSON_ERROR(expression, where)            \
  do {                                                        \
    if (const simdjson::error_code ts_error = (expression)) { \
      return json_error(ts_error, where);                     \
    }                                                         \
  } while (false)

// Calls on_field(index into `known`, value) for each known member and skips the others. A known
// member that comes twice is refused, since servers in a chain might read different ones.
template <std::size_t N, class OnField>
absl::Status read_members(ondemand::object object, const std::array<std::string_view, N>& known,
                          std::string_view where, OnField&& on_field) {
  unsigned seen = 0;
  for (auto result : object) {
    ondemand::field field;
    TS_RETURN_IF_JSON_ERROR(std::move(result).get(field), where);
    std::string_view key;
    TS_RETURN_IF_JSON_ERROR(field.unescaped_key().get(key), where);
    for (unsigned i = 0; i < N; ++i) {
      if (key != known[i]) continue;
      if ((seen & (1u << i)) != 0) {
        return base::invalid_argument("{}: member '{}' comes twice", where, known[i]);
      }
      seen |= 1u << i;
      TS_RETURN_IF_ERROR(on_field(i, field.value()));
      break;
    }
  }
  return absl::OkStatus();
}

absl::Status read_string(ondemand::value value, std::string_view where, std::string& text) {
  std::string_view view;
  TS_RETURN_IF_JSON_ERROR(value.get_string().get(view), where);
  text = view;
  return absl::OkStatus();
}

absl::StatusOr<ParameterValue> read_parameter(ondemand::value value, std::string_view where) {
  ondemand::json_type type{};
  TS_RETURN_IF_JSON_ERROR(value.type().get(type), where);
  if (type == ondemand::json_type::boolean) {
    bool flag = false;
    TS_RETURN_IF_JSON_ERROR(value.get_bool().get(flag), where);
    return flag;
  }
  if (type == ondemand::json_type::string) {
    std::string text;
    TS_RETURN_IF_ERROR(read_string(value, where, text));
    return text;
  }
  if (type == ondemand::json_type::number) {
    ondemand::number number;
    TS_RETURN_IF_JSON_ERROR(value.get_number().get(number), where);
    if (number.is_int64()) return number.get_int64();
    return number.is_uint64() ? static_cast<double>(number.get_uint64()) : number.get_double();
  }
  return ParameterValue();
}

template <class Set>
absl::Status read_parameters(ondemand::value value, std::string_view where, Set&& set) {
  ondemand::object object;
  TS_RETURN_IF_JSON_ERROR(value.get_object().get(object), where);
  for (auto result : object) {
    ondemand::field field;
    TS_RETURN_IF_JSON_ERROR(std::move(result).get(field), where);
    std::string_view key;
    TS_RETURN_IF_JSON_ERROR(field.unescaped_key().get(key), where);
    TS_ASSIGN_OR_RETURN(const ParameterValue parameter, read_parameter(field.value(), where));
    TS_RETURN_IF_ERROR(set(key, parameter));
  }
  return absl::OkStatus();
}

absl::Status read_shape(ondemand::value value, std::string_view where, model::Shape& shape) {
  ondemand::array array;
  TS_RETURN_IF_JSON_ERROR(value.get_array().get(array), where);
  for (auto element : array) {
    std::int64_t dimension = 0;
    TS_RETURN_IF_JSON_ERROR(element.get_int64().get(dimension), where);
    if (shape.size() == kMaxRank) {
      return base::invalid_argument("{}: more than {} dimensions", where, kMaxRank);
    }
    shape.push_back(dimension);
  }
  return absl::OkStatus();
}

// What the first look at the object finds of one input.
struct InputHead {
  engine::Tensor tensor;
  std::string datatype;
  std::optional<std::uint64_t> binary_size;
  bool has_shape = false;
  bool has_data = false;
};

absl::StatusOr<InputHead> read_input_head(ondemand::object object) {
  constexpr std::array<std::string_view, 5> kMembers = {"name", "shape", "datatype", "parameters",
                                                        "data"};
  InputHead head;
  const auto on_member = [&head](unsigned member, ondemand::value value) -> absl::Status {
    switch (member) {
      case 0:
        return read_string(value, "an input's name", head.tensor.name);
      case 1:
        head.has_shape = true;
        return read_shape(value, "an input's shape", head.tensor.shape);
      case 2:
        return read_string(value, "an input's datatype", head.datatype);
      case 3:
        return read_parameters(value, "an input's parameters",
                               [&](std::string_view name, const ParameterValue& parameter) {
                                 return set_input_parameter(name, parameter, head.binary_size);
                               });
      default:
        head.has_data = true;  // read in the second look, when type and shape are known
        return absl::OkStatus();
    }
  };
  TS_RETURN_IF_ERROR(read_members(object, kMembers, "an input", on_member));
  if (head.tensor.name.empty()) return base::invalid_argument("an input has no name");
  if (!head.has_shape) {
    return base::invalid_argument("input {} has no shape", in_quotes(head.tensor.name));
  }
  TS_ASSIGN_OR_RETURN(head.tensor.type, wire_type(head.tensor.name, head.datatype));
  TS_RETURN_IF_ERROR(check_shape(head.tensor.name, head.tensor.shape));
  if (head.has_data == head.binary_size.has_value()) {
    return base::invalid_argument(
        "input {}: expected either 'data' or the parameter 'binary_data_size', found {}",
        in_quotes(head.tensor.name), head.has_data ? "both" : "neither");
  }
  return head;
}

absl::StatusOr<WantedOutput> read_output(ondemand::object object) {
  constexpr std::array<std::string_view, 2> kMembers = {"name", "parameters"};
  WantedOutput output;
  TS_RETURN_IF_ERROR(read_members(
      object, kMembers, "a wanted output",
      [&output](unsigned member, ondemand::value value) -> absl::Status {
        if (member == 0) return read_string(value, "a wanted output's name", output.name);
        return read_parameters(value, "a wanted output's parameters",
                               [&](std::string_view name, const ParameterValue& parameter) {
                                 return set_output_parameter(name, parameter, output);
                               });
      }));
  if (output.name.empty()) return base::invalid_argument("a wanted output has no name");
  return output;
}

class Reader {
 public:
  Reader(const std::shared_ptr<const Body>& body, std::size_t json_size)
      : body_(body), json_size_(json_size) {}

  absl::StatusOr<InferRequest> read() {
    // The bytes behind the JSON, binary tensors or padding, are what simdjson wants to be readable.
    const simdjson::padded_string_view json(body_->text().data(), json_size_,
                                            body_->size() + Body::kPadding);
    TS_RETURN_IF_JSON_ERROR(parser_.iterate(json).get(document_), "the request's JSON");
    TS_RETURN_IF_ERROR(read_heads());
    const char* rest = nullptr;
    if (document_.current_location().get(rest) == simdjson::SUCCESS) {
      return base::invalid_argument("the request's JSON: something follows the object");
    }
    TS_RETURN_IF_ERROR(take_binary());
    TS_RETURN_IF_ERROR(read_data());
    for (InputHead& head : heads_) request_.inputs.push_back(std::move(head.tensor));
    return std::move(request_);
  }

 private:
  static constexpr std::string_view kWhere = "the request's JSON";

  absl::Status read_heads() {
    constexpr std::array<std::string_view, 4> kMembers = {"id", "parameters", "inputs", "outputs"};
    ondemand::object object;
    TS_RETURN_IF_JSON_ERROR(document_.get_object().get(object), kWhere);
    bool has_inputs = false;
    TS_RETURN_IF_ERROR(read_members(
        object, kMembers, kWhere, [&](unsigned member, ondemand::value value) -> absl::Status {
          switch (member) {
            case 0:
              return read_string(value, "id", request_.id);
            case 1:
              return read_parameters(value, "parameters",
                                     [&](std::string_view name, const ParameterValue& parameter) {
                                       return set_request_parameter(name, parameter, request_);
                                     });
            case 2:
              has_inputs = true;
              return read_inputs(value);
            default:
              return read_outputs(value);
          }
        }));
    if (has_inputs) return absl::OkStatus();
    return base::invalid_argument("the request's JSON has no 'inputs'");
  }

  absl::Status read_inputs(ondemand::value value) {
    ondemand::array array;
    TS_RETURN_IF_JSON_ERROR(value.get_array().get(array), "inputs");
    for (auto element : array) {
      ondemand::object object;
      TS_RETURN_IF_JSON_ERROR(element.get_object().get(object), "inputs");
      TS_ASSIGN_OR_RETURN(InputHead head, read_input_head(object));
      heads_.push_back(std::move(head));
    }
    return absl::OkStatus();
  }

  absl::Status read_outputs(ondemand::value value) {
    ondemand::array array;
    TS_RETURN_IF_JSON_ERROR(value.get_array().get(array), "outputs");
    for (auto element : array) {
      ondemand::object object;
      TS_RETURN_IF_JSON_ERROR(element.get_object().get(object), "outputs");
      TS_ASSIGN_OR_RETURN(WantedOutput output, read_output(object));
      request_.outputs.push_back(std::move(output));
    }
    return absl::OkStatus();
  }

  // The binary tensors follow the JSON in the order of the inputs.
  absl::Status take_binary() {
    std::span<const std::byte> rest = body_->bytes().subspan(json_size_);
    for (InputHead& head : heads_) {
      if (!head.binary_size) continue;
      if (*head.binary_size > rest.size()) {
        return base::invalid_argument("input {}: binary_data_size is {}, {} bytes are left",
                                      in_quotes(head.tensor.name), *head.binary_size, rest.size());
      }
      head.tensor.data = rest.first(*head.binary_size);
      head.tensor.owner = body_;
      rest = rest.subspan(*head.binary_size);
      TS_RETURN_IF_ERROR(check_size(head.tensor));
    }
    if (rest.empty()) return absl::OkStatus();
    return base::invalid_argument("{} bytes follow the last binary tensor", rest.size());
  }

  // The second look: now that types and shapes are known, the numbers go straight to their place.
  absl::Status read_data() {
    bool any = false;
    for (const InputHead& head : heads_) any = any || head.has_data;
    if (!any) return absl::OkStatus();
    document_.rewind();
    constexpr std::array<std::string_view, 1> kInputs = {"inputs"};
    ondemand::object object;
    TS_RETURN_IF_JSON_ERROR(document_.get_object().get(object), kWhere);
    return read_members(object, kInputs, kWhere,
                        [this](unsigned, ondemand::value value) { return read_data_of(value); });
  }

  absl::Status read_data_of(ondemand::value inputs) {
    constexpr std::array<std::string_view, 1> kData = {"data"};
    ondemand::array array;
    TS_RETURN_IF_JSON_ERROR(inputs.get_array().get(array), "inputs");
    std::size_t index = 0;
    for (auto element : array) {
      ondemand::object input;
      TS_RETURN_IF_JSON_ERROR(element.get_object().get(input), "inputs");
      engine::Tensor& tensor = heads_[index++].tensor;
      TS_RETURN_IF_ERROR(
          read_members(input, kData, "an input", [&](unsigned, ondemand::value data) {
            return read_json_tensor(data, json_size_, tensor);
          }));
    }
    return absl::OkStatus();
  }

  const std::shared_ptr<const Body>& body_;
  const std::size_t json_size_;
  ondemand::parser parser_;
  ondemand::document document_;
  InferRequest request_;
  std::vector<InputHead> heads_;
};

}  // namespace

absl::StatusOr<InferRequest> parse_infer_body(const std::shared_ptr<const Body>& body,
                                              std::optional<std::size_t> json_size) {
  const std::size_t size = json_size.value_or(body->size());
  if (size > body->size()) {
    return base::invalid_argument(
        "Inference-Header-Content-Length is {}, the whole body has {} bytes", size, body->size());
  }
  return Reader(body, size).read();
}

}  // namespace tachostat::serve
