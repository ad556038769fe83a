// What a session accepts, and the check of one inference's inputs against it. Shared by the
// engines, so that they refuse the same things in the same words. Values; safe from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::engine {

struct AcceptedInput {
  model::Port port;             // open where any size is accepted
  std::int64_t most_rows = -1;  // most of axis 0 when that is open, -1: any
};

// The model's inputs under a variant. The bucket fixes their shapes. A batch above 1 opens axis 0
// of every input (of rank 1 or more) where it was fixed at n, from 1 to n x batch: requests are
// joined along that axis. InvalidArgument when the bucket names an input that is not there, leaves
// one open, or contradicts the model.
absl::StatusOr<std::vector<AcceptedInput>> accepted_inputs(const model::Graph& graph,
                                                           const model::Variant& variant);

// Every accepted input present once and no other, of its type and shape, with as many bytes as
// that needs. On success, `order[i]` is the index in `inputs` of accepted input i.
absl::Status match_inputs(const std::vector<AcceptedInput>& accepted,
                          const std::vector<Tensor>& inputs, std::vector<int>& order);

}  // namespace tachostat::engine
