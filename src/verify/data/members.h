// Which array of an .npz is which input of the model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "verify/data/zip.h"

namespace tachostat::verify {

struct Members {
  std::vector<ZipFile::Member> inputs;  // in the order of Graph::inputs
  std::optional<ZipFile::Member> labels;
};

// A member has the name of an input, or is named `labels` or `label`. The only array for a model of
// one input may have any name. InvalidArgument for an input without a member and for a member that
// is neither.
absl::StatusOr<Members> match_members(const ZipFile& archive, const model::Graph& graph);

}  // namespace tachostat::verify
