// Element-wise functions: operations per element of the output.
#include <array>

#include "model/work/operators.h"

namespace tachostat::model {
namespace {

constexpr std::array kOperators = {
    Operator{"Abs", per_output, 1},
    Operator{"Acos", per_output, 1},
    Operator{"Acosh", per_output, 1},
    Operator{"Add", per_output, 1},
    Operator{"Asin", per_output, 1},
    Operator{"Asinh", per_output, 1},
    Operator{"Atan", per_output, 1},
    Operator{"Atanh", per_output, 1},
    Operator{"BitwiseAnd", per_output, 1},
    Operator{"BitwiseLeftShift", per_output, 1},
    Operator{"BitwiseNot", per_output, 1},
    Operator{"BitwiseOr", per_output, 1},
    Operator{"BitwiseRightShift", per_output, 1},
    Operator{"BitwiseXor", per_output, 1},
    Operator{"Ceiling", per_output, 1},
    Operator{"Clamp", per_output, 2},
    Operator{"Cos", per_output, 1},
    Operator{"Cosh", per_output, 1},
    Operator{"Divide", per_output, 1},
    Operator{"Elu", per_output, 3},
    Operator{"Equal", per_output, 1},
    Operator{"Erf", per_output, 1},
    Operator{"ErfInv", per_output, 1},
    Operator{"Exp", per_output, 1},
    Operator{"FakeConvert", per_output, 4},   // scale, shift, and both undone
    Operator{"FakeQuantize", per_output, 7},  // clamp, scale, round, and scale back
    Operator{"Floor", per_output, 1},
    Operator{"FloorMod", per_output, 1},
    Operator{"Gelu", per_output, 5},
    Operator{"Greater", per_output, 1},
    Operator{"GreaterEqual", per_output, 1},
    Operator{"HSigmoid", per_output, 4},
    Operator{"HSwish", per_output, 5},
    Operator{"HardSigmoid", per_output, 4},
    Operator{"I420toBGR", per_output, 5},
    Operator{"I420toRGB", per_output, 5},
    Operator{"IsFinite", per_output, 1},
    Operator{"IsInf", per_output, 1},
    Operator{"IsNaN", per_output, 1},
    Operator{"Less", per_output, 1},
    Operator{"LessEqual", per_output, 1},
    Operator{"Log", per_output, 1},
    Operator{"LogicalAnd", per_output, 1},
    Operator{"LogicalNot", per_output, 1},
    Operator{"LogicalOr", per_output, 1},
    Operator{"LogicalXor", per_output, 1},
    Operator{"Maximum", per_output, 1},
    Operator{"Minimum", per_output, 1},
    Operator{"Mish", per_output, 5},
    Operator{"Mod", per_output, 1},
    Operator{"Multiply", per_output, 1},
    Operator{"NV12toBGR", per_output, 5},
    Operator{"NV12toRGB", per_output, 5},
    Operator{"Negative", per_output, 1},
    Operator{"NotEqual", per_output, 1},
    Operator{"PRelu", per_output, 2},
    Operator{"Power", per_output, 1},
    Operator{"RGBtoNV12", per_output, 5},
    Operator{"BGRtoNV12", per_output, 5},
    Operator{"RandomUniform", per_output, 1},
    Operator{"Relu", per_output, 1},
    Operator{"RoPE", per_output, 3},  // x cos + rotated(x) sin
    Operator{"Round", per_output, 1},
    Operator{"Select", per_output, 1},
    Operator{"Selu", per_output, 4},
    Operator{"Sigmoid", per_output, 3},
    Operator{"Sign", per_output, 1},
    Operator{"Sin", per_output, 1},
    Operator{"Sinh", per_output, 1},
    Operator{"SoftPlus", per_output, 3},
    Operator{"SoftSign", per_output, 3},
    Operator{"Sqrt", per_output, 1},
    Operator{"SquaredDifference", per_output, 2},
    Operator{"Subtract", per_output, 1},
    Operator{"Swish", per_output, 4},
    Operator{"Tan", per_output, 1},
    Operator{"Tanh", per_output, 1},
    Operator{"ThresholdedRelu", per_output, 1},
    Operator{"Xor", per_output, 1},
};

}  // namespace

const std::span<const Operator> kElementwiseOperators = kOperators;

}  // namespace tachostat::model
