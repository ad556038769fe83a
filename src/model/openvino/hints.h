// What WorkHints needs from an OpenVINO operator's attributes.
#pragma once

#include <functional>
#include <openvino/core/model.hpp>

#include "model/work.h"

namespace tachostat::model {

Shape shape_of(const ov::PartialShape& partial);  // an unknown rank reads as one open dimension

// `count_body` adds up one execution of a body.
WorkHints hints_of(const ov::Node& node, const std::function<Work(const ov::Model&)>& count_body);

// The product of the lengths of all letters of `equation` ("bij,bjk->bik") and of "..."; -1 when a
// shape is open or does not fit.
double einsum_multiply_adds(std::string_view equation, const std::vector<Shape>& inputs);

}  // namespace tachostat::model
