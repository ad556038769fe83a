// The operators that can be counted: one line each, in the file of its family.
#pragma once

#include <span>
#include <string_view>

#include "model/work.h"

namespace tachostat::model {

// How much of its inputs a layer reads.
enum class Traffic : std::uint8_t {
  kAll,
  kView,      // nothing is moved
  kReturned,  // of the first input, as many bytes as it returns
  kIndexed,   // of the first input, one row for each element of the second
};

struct Operator {
  std::string_view type;
  // Operations, or -1 when a shape or a hint that it needs is unknown. Never called without inputs
  // or without outputs.
  double (*flops)(const Layer& layer, const WorkHints& hints, double parameter);
  double parameter = 0;  // the meaning is the function's
  Traffic traffic = Traffic::kAll;
};

extern const std::span<const Operator> kElementwiseOperators;
extern const std::span<const Operator> kReductionOperators;
extern const std::span<const Operator> kConvolutionOperators;
extern const std::span<const Operator> kProductOperators;
extern const std::span<const Operator> kRecurrentOperators;
extern const std::span<const Operator> kSamplingOperators;
extern const std::span<const Operator> kTransformOperators;
extern const std::span<const Operator> kDetectionOperators;
extern const std::span<const Operator> kMovingOperators;
extern const std::span<const Operator> kBodyOperators;

// Helpers of the families.

inline constexpr double kNotCounted = -1;

// -1 when a dimension is open.
double elements(const Value& value);
// The product of dimensions [first, end); the shape must be static.
double product_from(const Shape& shape, std::size_t first);
// a × b, or -1 when one is unknown.
double times(double a, double b);

// `parameter` operations per element of the first output, or of the first input.
double per_output(const Layer& layer, const WorkHints& hints, double parameter);
double per_input(const Layer& layer, const WorkHints& hints, double parameter);
double nothing(const Layer& layer, const WorkHints& hints, double parameter);

}  // namespace tachostat::model
