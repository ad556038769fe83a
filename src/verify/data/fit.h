// How an array's shape becomes samples of a model's input. A sample is one request: where the
// model's first axis is the batch, it is 1.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "verify/data/npy.h"

namespace tachostat::verify {

struct Fit {
  std::int64_t samples = 0;  // 0: one array, the same for every sample
  model::Shape shape;        // of each sample
};

// An array that stacks samples along axis 0. With as many axes as the input has, axis 0 is the
// batch: [N,3,48,320] gives N samples [1,3,48,320]. With one more, the rest is the sample as it
// stands. A 0-d array for an input of no axis, or of one, is the same for every sample.
// InvalidArgument when neither fits or there is no sample.
absl::StatusOr<Fit> fit_stack(const model::Port& port, const NpyHeader& header);

// An array that is one sample; a missing batch axis is put back.
absl::StatusOr<model::Shape> fit_single(const model::Port& port, const NpyHeader& header);

}  // namespace tachostat::verify
