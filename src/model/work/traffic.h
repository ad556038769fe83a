// Bytes that a layer moves.
#pragma once

#include "model/work/operators.h"

namespace tachostat::model {

// Null when no family has the operator.
const Operator* find_operator(std::string_view type);
Traffic traffic_of(const Layer& layer);

double bytes_of(const Value& value);  // -1: unknown
// Of one input, as far as the layer reads it; a view's counts whole here. -1: unknown.
double input_bytes(const Layer& layer, std::size_t input, Traffic traffic);
double sum_or_unknown(double a, double b);

}  // namespace tachostat::model
