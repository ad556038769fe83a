#include "diagnose/integers.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace tachostat::diagnose {
namespace {

// Work of a step that converts, per element, in FLOPs at the machine's f32 peak: it multiplies,
// rounds, clamps and packs, and does not fill the multipliers. Seen in OpenVINO's runtime graphs of
// quantised models: 10 to 60 (0.1 to 0.6 ns on one core with 97 GFLOP/s).
constexpr double kStepFlops = 60;
// With an exponential or an error function in it, as GELU has.
constexpr double kDearStepFlops = 200;
// Starting one more layer.
constexpr double kStepNs = 1'500;
// An integer kernel's own start: scales, zero points, more that follows the multiplication.
constexpr double kKernelNs = 3'000;
// Of the integers' peak, by the best kernels.
constexpr double kReachable = 0.95;
// Where that peak follows from f32's, which was measured in a hurry and lies low by so much.
constexpr double kHurry = 1.1;
constexpr double kSlowProduct = -0.25;
// Of layers beside integers that compute little: a quarter of the bytes.
constexpr double kFewerBytes = 0.75;
// A quarter of the bytes; kernels that are slow for reasons of their own stay so.
constexpr double kMostCut = 0.8;

// `bytes`: of all `tensors` tensors like this one, as executed; asked where its shape is open.
double elements_of(const profile::Tensor& tensor, double bytes, std::size_t tensors) {
  if (!model::is_static(tensor.shape)) {
    constexpr double kFloat = 4;
    return std::max(0.0, bytes) / kFloat / static_cast<double>(std::max<std::size_t>(1, tensors));
  }
  double elements = 1;
  for (const std::int64_t dimension : tensor.shape) elements *= static_cast<double>(dimension);
  return elements;
}

// FLOPs per element of the activation inside a multiplying layer; 0: none, or one that integer
// kernels have too.
double fused_activation(const profile::LayerProfile& layer) {
  constexpr std::array<std::string_view, 5> kDear = {"erf", "gelu", "tanh", "mish", "softplus"};
  constexpr std::array<std::string_view, 4> kOther = {"swish", "sigmoid", "silu", "clip"};
  // A bias, a normalisation and a ReLU are fused by integer kernels as well.
  constexpr std::size_t kPlain = 4;
  const auto any_named = [&](const auto& words) {
    return std::any_of(layer.originals.begin(), layer.originals.end(), [&](std::string name) {
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
        return name.find(word) != std::string::npos;
      });
    });
  };
  if (any_named(kDear)) return kDearStepFlops;
  return any_named(kOther) || layer.originals.size() > kPlain ? kStepFlops : 0;
}

// Multiply-adds of 8 bits for each of f32, by the instructions of one core: a dot product does four
// in each place of 32 bits, a matrix instruction two or four times as many; pairs that are added in
// 16 bits and then widened two at most. Sources: Intel's and Arm's intrinsics guides.
struct DotProduct {
  std::string_view set;
  double factor;
};
constexpr std::array kDotProducts = {DotProduct{"amx_int8", 16}, DotProduct{"i8mm", 8},
                                     DotProduct{"avx512_vnni", 4}, DotProduct{"avx_vnni", 4},
                                     DotProduct{"asimddp", 4}};
constexpr double kWithoutDotProduct = 2;

double integer_factor(const Case& c) {
  for (const DotProduct& one : kDotProducts) {
    if (c.has_instructions(one.set)) return one.factor;
  }
  return kWithoutDotProduct;
}

// Its time goes with its bytes. Reorders and transposes are for rules of their own.
bool is_light(const LayerFacts& layer) {
  return layer.depthwise || layer.kind == Kind::kElementwise || layer.kind == Kind::kPooling ||
         layer.kind == Kind::kConcat;
}

class Model {
 public:
  explicit Model(const Case& c)
      : c_(c), factor_(integer_factor(c)), flops_(c.peak("f32")), integers_(c.peak("u8")) {
    if (integers_ > 0) return;
    integers_ = factor_ * flops_;
    reachable_ = kReachable * kHurry;
  }

  Cut cut_of(const LayerFacts& layer) const {
    const double once = std::max(1.0, profile::undisturbed_ns(layer.profile->time));
    Cut cut{layer.index, 0, 0};
    if (can_be_integer(layer)) cut = arithmetic(layer, once);
    if (is_light(layer) && is_between(layer)) cut.high = kFewerBytes;
    cut.low -= steps_ns(layer) / once;
    return cut;
  }

 private:
  double step_ns(double elements, double flops) const {
    return flops_ > 0 ? kStepNs + elements * flops / flops_ * 1e9 : kStepNs;
  }

  // What the integer kernel itself saves.
  Cut arithmetic(const LayerFacts& layer, double once) const {
    const double factor = layer.peak > 0 ? std::max(1.0, integers_ / layer.peak) : 2;
    Cut cut{layer.index, 0, 1 - 1 / factor};
    if (layer.flops > 0 && layer.peak > 0) {
      const double used = std::min(1.0, layer.flops / layer.peak);
      // At worst only the part of its time that is arithmetic at the peak gets shorter; at best the
      // whole layer runs near the integers' peak.
      cut.low = used * (1 - 1 / factor);
      cut.high = std::clamp(1 - layer.flops / (reachable_ * integers_), 0.0, kMostCut);
    }
    // Without an instruction for it, integer matrix products have been seen to take a quarter
    // longer.
    const bool product = layer.kind == Kind::kMatMul && factor_ <= kWithoutDotProduct;
    if (product) cut.low = kSlowProduct;
    cut.low = std::min(cut.low, cut.high) - kKernelNs / once;
    return cut;
  }

  // Steps that may be needed for one execution of this layer.
  double steps_ns(const LayerFacts& layer) const {
    const profile::LayerProfile& profile = *layer.profile;
    const auto computed = std::count_if(
        profile.inputs.begin(), profile.inputs.end(),
        [](const auto& input) { return input.producer != profile::Tensor::kConstant; });
    double ns = 0;
    if (can_be_integer(layer)) {
      for (const profile::Tensor& input : profile.inputs) {
        if (input.producer == profile::Tensor::kConstant || is_from_integers(input)) continue;
        ns += step_ns(
            elements_of(input, profile.work.input_bytes, static_cast<std::size_t>(computed)),
            kStepFlops);
      }
    }
    const double made =
        profile.outputs.empty() ? 0 : elements_of(profile.outputs[0], profile.work.output_bytes, 1);
    if (is_heavy(layer.kind)) {
      const double flops = fused_activation(profile);
      if (flops > 0) ns += step_ns(made, flops);
    } else if (layer.kind == Kind::kElementwise && is_between(layer)) {
      ns += made * kStepFlops / std::max(1.0, flops_) * 1e9;
    }
    return ns;
  }

  bool is_from_integers(const profile::Tensor& input) const {
    return input.producer >= 0 && input.producer < static_cast<int>(c_.layers().size()) &&
           can_be_integer(c_.layer(input.producer));
  }
  // Would read integers or make them.
  bool is_between(const LayerFacts& layer) const {
    const auto integer = [&](int other) { return can_be_integer(c_.layer(other)); };
    const auto& from = c_.producers(layer.index);
    const auto& to = c_.readers(layer.index);
    return std::any_of(from.begin(), from.end(), integer) ||
           std::any_of(to.begin(), to.end(), integer);
  }

  const Case& c_;
  const double factor_;
  const double flops_;
  double integers_;
  double reachable_ = kReachable;
};

}  // namespace

bool can_be_integer(const LayerFacts& layer) {
  const bool multiplies = layer.kind == Kind::kConvolution || layer.kind == Kind::kMatMul ||
                          layer.kind == Kind::kTransposedConvolution;
  return multiplies && !layer.depthwise && bits_of(layer.profile->precision) >= 16;
}

std::vector<Cut> cuts_by_integers(const Case& c) {
  const Model model(c);
  std::vector<Cut> cuts;
  for (const LayerFacts& layer : c.layers()) {
    if (!layer.counts) continue;
    const Cut cut = model.cut_of(layer);
    if (cut.low != 0 || cut.high != 0) cuts.push_back(cut);
  }
  return cuts;
}

}  // namespace tachostat::diagnose
