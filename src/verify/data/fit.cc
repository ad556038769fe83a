#include "verify/data/fit.h"

#include "base/status.h"
#include "verify/data/convert.h"

namespace tachostat::verify {
namespace {

absl::Status check_type(const model::Port& port, const NpyHeader& header) {
  if (header.kind == NpyKind::kNumbers && can_convert(header.type, port.type)) {
    return absl::OkStatus();
  }
  const bool scaled = header.kind == NpyKind::kNumbers && port.type == model::DataType::kF32;
  return base::invalid_argument(
      "expected {}, found {}{}", model::name_of(port.type), header.type_name(),
      scaled ? ": scale it as the model wants and save x.astype(np.float32)" : "");
}

absl::Status unfit(const model::Port& port, const model::Shape& found, std::string_view expected) {
  return base::invalid_argument("expected {} for the model's {}, found shape {}", expected,
                                model::to_string(port.shape), model::to_string(found));
}

absl::StatusOr<Fit> broadcast(const model::Port& port) {
  model::Shape shape(port.shape.size(), 1);
  if (port.shape.size() <= 1 && model::accepts(port.shape, shape)) return Fit{0, std::move(shape)};
  return unfit(port, {}, "samples stacked along axis 0");
}

}  // namespace

absl::StatusOr<Fit> fit_stack(const model::Port& port, const NpyHeader& header) {
  TS_RETURN_IF_ERROR(check_type(port, header));
  const model::Shape& found = header.shape;
  const std::size_t rank = port.shape.size();
  if (found.empty()) return broadcast(port);
  if (found[0] == 0) {
    return base::invalid_argument("it has no samples: its shape is {}", model::to_string(found));
  }
  Fit fit{found[0], found};
  if (found.size() == rank) {
    if (port.shape[0] > 1) {
      return unfit(port, found,
                   fmt::format("[N,…] with the fixed first axis kept, {} axes in all,", rank + 1));
    }
    fit.shape[0] = 1;
  } else {
    fit.shape.erase(fit.shape.begin());
  }
  if (fit.shape.size() != rank || !model::accepts(port.shape, fit.shape)) {
    return unfit(port, found, "samples stacked along axis 0");
  }
  return model::elements_of(fit.shape) > 0 ? absl::StatusOr<Fit>(std::move(fit))
                                           : unfit(port, found, "samples that are not empty");
}

absl::StatusOr<model::Shape> fit_single(const model::Port& port, const NpyHeader& header) {
  TS_RETURN_IF_ERROR(check_type(port, header));
  model::Shape shape = header.shape;
  if (shape.size() + 1 == port.shape.size()) shape.insert(shape.begin(), 1);
  if (shape.size() != port.shape.size() || !model::accepts(port.shape, shape)) {
    return unfit(port, header.shape, "one sample");
  }
  if (model::elements_of(shape) <= 0) return unfit(port, shape, "a sample that is not empty");
  return shape;
}

}  // namespace tachostat::verify
