#include <algorithm>
#include <cmath>
#include <openvino/op/clamp.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/elu.hpp>
#include <openvino/op/gelu.hpp>
#include <openvino/op/hsigmoid.hpp>
#include <openvino/op/hswish.hpp>
#include <openvino/op/mish.hpp>
#include <openvino/op/prelu.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/softplus.hpp>
#include <openvino/op/swish.hpp>
#include <openvino/op/tanh.hpp>

#include "engine/openvino/passes/scalar_function.h"

namespace tachostat::engine {
namespace {

using NodePtr = std::shared_ptr<ov::Node>;
using Function = std::function<double(double)>;

struct Known {
  Function value;
  std::function<NodePtr(const ov::Output<ov::Node>&)> make;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }
double hard_sigmoid(double x) { return std::clamp(x + 3, 0.0, 6.0) / 6; }

NodePtr number(double value) {
  return ov::op::v0::Constant::create(ov::element::f32, {}, {static_cast<float>(value)});
}

template <class Node>
Known plain(Function value) {
  return {std::move(value),
          [](const ov::Output<ov::Node>& x) { return std::make_shared<Node>(x); }};
}

Known gelu(ov::op::GeluApproximationMode mode, Function value) {
  return {std::move(value), [mode](const ov::Output<ov::Node>& x) {
            return std::make_shared<ov::op::v7::Gelu>(x, mode);
          }};
}

std::vector<Known> without_numbers() {
  using ov::op::GeluApproximationMode;
  return {
      plain<ov::op::v0::Relu>([](double x) { return std::max(x, 0.0); }),
      plain<ov::op::v0::Sigmoid>(sigmoid),
      plain<ov::op::v0::Tanh>([](double x) { return std::tanh(x); }),
      plain<ov::op::v5::HSigmoid>(hard_sigmoid),
      plain<ov::op::v4::HSwish>([](double x) { return x * hard_sigmoid(x); }),
      plain<ov::op::v4::SoftPlus>(softplus),
      plain<ov::op::v4::Mish>([](double x) { return x * std::tanh(softplus(x)); }),
      gelu(GeluApproximationMode::ERF,
           [](double x) { return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0))); }),
      gelu(GeluApproximationMode::TANH,
           [](double x) {
             const double inner = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
             return x * 0.5 * (1 + std::tanh(inner));
           }),
  };
}

// Those that have numbers of their own, read off the function.
std::vector<Known> with_numbers(const Function& f) {
  std::vector<Known> known;
  const double low = f(-1e4);
  const double high = f(1e4);
  if (low < high && low == f(-5e3) && high == f(5e3)) {
    known.push_back({[low, high](double x) { return std::clamp(x, low, high); },
                     [low, high](const ov::Output<ov::Node>& x) {
                       return std::make_shared<ov::op::v0::Clamp>(x, low, high);
                     }});
  }
  const double slope = -f(-1);
  known.push_back({[slope](double x) { return x < 0 ? slope * x : x; },
                   [slope](const ov::Output<ov::Node>& x) {
                     return std::make_shared<ov::op::v0::PRelu>(x, number(slope));
                   }});
  const double alpha = -f(-100);
  known.push_back({[alpha](double x) { return x < 0 ? alpha * std::expm1(x) : x; },
                   [alpha](const ov::Output<ov::Node>& x) {
                     return std::make_shared<ov::op::v0::Elu>(x, alpha);
                   }});
  const double beta = std::log(f(1) / (1 - f(1)));  // x · sigmoid(beta · x) at 1
  known.push_back({[beta](double x) { return x * sigmoid(beta * x); },
                   [beta](const ov::Output<ov::Node>& x) {
                     return std::make_shared<ov::op::v4::Swish>(x, number(beta));
                   }});
  return known;
}

const std::vector<double>& samples() {
  static const std::vector<double> numbers = [] {
    std::vector<double> values;
    for (int i = -2000; i <= 2000; ++i) values.push_back(i / 100.0);
    for (const double far : {50.0, 500.0, 1e4}) values.insert(values.end(), {-far, far});
    return values;
  }();
  return numbers;
}

// Where the layers overflow (exp of much), the one layer need not.
bool same(const Function& f, const Function& known) {
  // The layers' numbers are rounded to f32.
  constexpr double kRelative = 2e-6;
  constexpr double kAbsolute = 1e-8;
  std::size_t compared = 0;
  for (const double x : samples()) {
    const double value = f(x);
    if (!std::isfinite(value)) continue;
    const double other = known(x);
    if (!(std::abs(value - other) <= kRelative * std::abs(value) + kAbsolute)) return false;
    ++compared;
  }
  return compared > samples().size() / 2;
}

}  // namespace

std::shared_ptr<ov::Node> one_layer_of(const ScalarFunction& function) {
  std::vector<Known> known = without_numbers();
  for (Known& one : with_numbers(function.value)) known.push_back(std::move(one));
  for (const Known& one : known) {
    if (same(function.value, one.value)) return one.make(function.argument);
  }
  return nullptr;
}

}  // namespace tachostat::engine
