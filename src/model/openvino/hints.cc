#include "model/openvino/hints.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <openvino/op/constant.hpp>
#include <openvino/op/einsum.hpp>
#include <openvino/op/grid_sample.hpp>
#include <openvino/op/if.hpp>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/irdft.hpp>
#include <openvino/op/lrn.hpp>
#include <openvino/op/rdft.hpp>
#include <openvino/op/util/avg_pool_base.hpp>
#include <openvino/op/util/fft_base.hpp>
#include <openvino/op/util/max_pool_base.hpp>
#include <openvino/op/util/roi_align_base.hpp>
#include <openvino/op/util/sub_graph_base.hpp>

namespace tachostat::model {
namespace {

double interpolation_window(const ov::op::util::InterpolateBase& resize) {
  using Mode = ov::op::util::InterpolateBase::InterpolateMode;
  const Mode mode = resize.get_attrs().mode;
  if (mode == Mode::NEAREST) return 0;
  const Shape from = shape_of(resize.get_input_partial_shape(0));
  const Shape to = shape_of(resize.get_output_partial_shape(0));
  if (from.size() != to.size()) return -1;
  const double per_axis = mode == Mode::CUBIC || mode == Mode::BICUBIC_PILLOW ? 4 : 2;
  double taps = 1;
  for (std::size_t i = 0; i < from.size(); ++i) taps *= from[i] == to[i] ? 1 : per_axis;
  return taps;
}

double grid_window(const ov::op::v9::GridSample& grid) {
  using Mode = ov::op::v9::GridSample::InterpolationMode;
  switch (grid.get_attributes().mode) {
    case Mode::NEAREST:
      return 0;
    case Mode::BILINEAR:
      return 4;
    case Mode::BICUBIC:
      return 16;
  }
  return -1;
}

// Four neighbours at each sample; a ratio of 0 leaves their number to the region's size.
double region_window(int sampling_ratio) {
  const double samples = std::max(1, sampling_ratio);
  return 4 * samples * samples;
}

double response_window(const ov::op::v0::LRN& lrn) {
  const Shape axes = shape_of(lrn.get_input_partial_shape(1));
  if (!is_static(axes)) return -1;
  return std::pow(static_cast<double>(lrn.get_nsize()), static_cast<double>(elements_of(axes)));
}

// The lengths of the transformed axes, of the signal, multiplied.
double transform_points(const ov::Node& node) {
  const auto* axes = dynamic_cast<const ov::op::v0::Constant*>(node.get_input_node_ptr(1));
  if (axes == nullptr) return -1;
  Shape signal;
  if (dynamic_cast<const ov::op::v9::RDFT*>(&node) != nullptr) {
    signal = shape_of(node.get_input_partial_shape(0));
  } else {
    signal = shape_of(node.get_output_partial_shape(0));
    const bool is_complex = dynamic_cast<const ov::op::v9::IRDFT*>(&node) == nullptr;
    if (is_complex && !signal.empty()) signal.pop_back();
  }
  const auto rank = static_cast<std::int64_t>(signal.size());
  double points = 1;
  for (std::int64_t axis : axes->cast_vector<std::int64_t>()) {
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank) return -1;
    const std::int64_t length = signal[static_cast<std::size_t>(axis)];
    if (length < 0) return -1;
    points *= static_cast<double>(length);
  }
  return points;
}

double window_of(const ov::Node& node) {
  if (const auto* pool = dynamic_cast<const ov::op::util::AvgPoolBase*>(&node)) {
    return static_cast<double>(ov::shape_size(pool->get_kernel()));
  }
  if (const auto* pool = dynamic_cast<const ov::op::util::MaxPoolBase*>(&node)) {
    return static_cast<double>(ov::shape_size(pool->get_kernel()));
  }
  if (const auto* resize = dynamic_cast<const ov::op::util::InterpolateBase*>(&node)) {
    return interpolation_window(*resize);
  }
  if (const auto* grid = dynamic_cast<const ov::op::v9::GridSample*>(&node)) {
    return grid_window(*grid);
  }
  if (const auto* region = dynamic_cast<const ov::op::util::ROIAlignBase*>(&node)) {
    return region_window(region->get_sampling_ratio());
  }
  if (const auto* lrn = dynamic_cast<const ov::op::v0::LRN*>(&node)) return response_window(*lrn);
  if (dynamic_cast<const ov::op::util::FFTBase*>(&node) != nullptr) return transform_points(node);
  return -1;
}

Work repeated(Work work, double trips) {
  for (double* part : {&work.flops, &work.weight_bytes, &work.input_bytes, &work.output_bytes}) {
    *part = *part < 0 || trips < 0 ? -1 : *part * trips;
  }
  return work;
}

// Which branch runs depends on the data: the one with more operations counts.
Work branch_work(const ov::op::v8::If& branches,
                 const std::function<Work(const ov::Model&)>& count_body) {
  const Work then = count_body(*branches.get_function(0));
  const Work otherwise = count_body(*branches.get_function(1));
  if (then.flops < 0 || otherwise.flops < 0) return {};
  return then.flops >= otherwise.flops ? then : otherwise;
}

}  // namespace

Shape shape_of(const ov::PartialShape& partial) {
  if (partial.rank().is_dynamic()) return {kDynamic};
  Shape shape;
  for (const ov::Dimension& dimension : partial) {
    shape.push_back(dimension.is_static() ? dimension.get_length() : kDynamic);
  }
  return shape;
}

WorkHints hints_of(const ov::Node& node, const std::function<Work(const ov::Model&)>& count_body) {
  WorkHints hints{.window = window_of(node)};
  if (const auto* einsum = dynamic_cast<const ov::op::v7::Einsum*>(&node)) {
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < einsum->get_input_size(); ++i) {
      shapes.push_back(shape_of(einsum->get_input_partial_shape(i)));
    }
    hints.multiply_adds = einsum_multiply_adds(einsum->get_equation(), shapes);
  } else if (const auto* loop = dynamic_cast<const ov::op::util::SubGraphOp*>(&node)) {
    hints.body = repeated(count_body(*loop->get_function()),
                          static_cast<double>(loop->get_num_iterations()));
  } else if (const auto* branches = dynamic_cast<const ov::op::v8::If*>(&node)) {
    hints.body = branch_work(*branches, count_body);
  }
  return hints;
}

double einsum_multiply_adds(std::string_view equation, const std::vector<Shape>& inputs) {
  std::map<char, double> letters;
  double rest = 1;  // of the dimensions that "..." stands for
  std::size_t at = 0;
  for (const Shape& shape : inputs) {
    if (!is_static(shape)) return -1;
    const std::size_t end = std::min(equation.find_first_of(",-", at), equation.size());
    std::string term;
    for (const char c : equation.substr(at, end - at)) {
      if (c != ' ') term += c;
    }
    at = std::min(end + 1, equation.size());
    const std::size_t dots = term.find("...");
    const std::size_t named = dots == std::string::npos ? term.size() : term.size() - 3;
    if (named > shape.size() || (dots == std::string::npos && named != shape.size())) return -1;
    std::size_t dimension = 0;
    double joined = 1;
    for (std::size_t i = 0; i < term.size(); ++i) {
      if (i == dots) {
        for (std::size_t skip = shape.size() - named; skip > 0; --skip) {
          joined *= static_cast<double>(shape[dimension++]);
        }
        i += 2;
      } else {
        double& length = letters[term[i]];
        length = std::max(length, static_cast<double>(shape[dimension++]));
      }
    }
    rest = std::max(rest, joined);
  }
  for (const auto& [letter, length] : letters) rest *= length;
  return rest;
}

}  // namespace tachostat::model
