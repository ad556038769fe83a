// An inference's answer as HTTP carries it: a JSON object, then binary tensors that are not copied.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "serve/infer.h"

namespace tachostat::serve {

struct JsonAnswer {
  std::string json;
  std::vector<engine::Tensor> tail;  // binary outputs, in the order of the JSON's outputs
  bool binary = false;               // some output is binary, even if it has no bytes
};

// `outputs` as select_outputs() gave them for `wanted`. FailedPrecondition when a value has no JSON
// form (FP16, BF16, NaN, infinity, a string that is not UTF-8): the client must ask for binary
// data.
absl::StatusOr<JsonAnswer> write_infer_answer(const ServedModel& model, const InferRequest& request,
                                              std::vector<engine::Tensor> outputs);

// A string as a JSON literal; bytes that are not UTF-8 are replaced.
std::string json_string(std::string_view text);

}  // namespace tachostat::serve
