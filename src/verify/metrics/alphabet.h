// Which text each class of a text recogniser stands for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "verify/data/dataset.h"

namespace tachostat::verify {

using Symbols = std::vector<std::vector<std::uint32_t>>;  // code points per class; class 0 is blank

// `lines`: one symbol per line, from class 1 on. A recogniser of one class more than blank and
// lines reads a space as its last class, as PaddleOCR's do; one class fewer: the first line is the
// blank's. `classes` is -1 where it is not known. InvalidArgument when the numbers don't fit.
absl::StatusOr<Symbols> alphabet_of_lines(std::string_view lines, std::int64_t classes);

// `file`, or, when that is empty, the model's own metadata `character` (as PaddleOCR's exports
// have), or the sorted characters of the labels when they are exactly as many as the classes.
absl::StatusOr<Symbols> find_alphabet(const std::string& file, const Dataset& data,
                                      const model::Graph& graph, std::int64_t classes);

}  // namespace tachostat::verify
