// What moves or makes values and computes nothing, and look-ups with their sums.
#include <array>

#include "model/work/operators.h"

namespace tachostat::model {
namespace {

// Adds up a row of the table for each index.
double embedding(const Layer& layer, const WorkHints&, double) {
  if (layer.inputs.size() < 2 || !is_static(layer.inputs[0].shape)) return kNotCounted;
  return times(product_from(layer.inputs[0].shape, 1), elements(layer.inputs[1]));
}

constexpr std::array kOperators = {
    Operator{"Assign", nothing, 0, Traffic::kView},
    Operator{"BatchToSpace", nothing},
    Operator{"Broadcast", nothing},
    Operator{"Concat", nothing},
    Operator{"Convert", nothing},
    Operator{"ConvertLike", nothing},
    Operator{"ConvertPromoteTypes", nothing},
    Operator{"DepthToSpace", nothing},
    Operator{"EmbeddingBagOffsets", embedding, 0, Traffic::kIndexed},
    Operator{"EmbeddingBagOffsetsSum", embedding, 0, Traffic::kIndexed},
    Operator{"EmbeddingBagPacked", embedding, 0, Traffic::kIndexed},
    Operator{"EmbeddingBagPackedSum", embedding, 0, Traffic::kIndexed},
    Operator{"EmbeddingSegmentsSum", embedding, 0, Traffic::kIndexed},
    Operator{"ExtractImagePatches", nothing},
    Operator{"Eye", nothing},
    Operator{"Flatten", nothing, 0, Traffic::kView},
    Operator{"Gather", nothing, 0, Traffic::kReturned},
    Operator{"GatherElements", nothing, 0, Traffic::kReturned},
    Operator{"GatherND", nothing, 0, Traffic::kReturned},
    Operator{"GatherTree", nothing},
    Operator{"Identity", nothing},
    Operator{"Multinomial", nothing},
    Operator{"NonZero", nothing},
    Operator{"OneHot", nothing},
    Operator{"Pad", nothing},
    Operator{"Range", nothing},
    Operator{"ReadValue", nothing},
    Operator{"ReorgYolo", nothing},
    Operator{"Reshape", nothing, 0, Traffic::kView},
    Operator{"Reverse", nothing},
    Operator{"ReverseSequence", nothing},
    Operator{"Roll", nothing},
    Operator{"ScatterElementsUpdate", nothing},
    Operator{"ScatterNDUpdate", nothing},
    Operator{"ScatterUpdate", nothing},
    Operator{"ShapeOf", nothing, 0, Traffic::kView},
    Operator{"ShuffleChannels", nothing},
    Operator{"Slice", nothing, 0, Traffic::kReturned},
    Operator{"SliceScatter", nothing},
    Operator{"SpaceToBatch", nothing},
    Operator{"SpaceToDepth", nothing},
    Operator{"SparseFillEmptyRows", nothing},
    Operator{"Split", nothing},
    Operator{"Squeeze", nothing, 0, Traffic::kView},
    Operator{"StridedSlice", nothing, 0, Traffic::kReturned},
    Operator{"StringTensorPack", nothing},
    Operator{"StringTensorUnpack", nothing},
    Operator{"Tile", nothing},
    Operator{"Transpose", nothing},
    Operator{"Unique", nothing},
    Operator{"Unsqueeze", nothing, 0, Traffic::kView},
    Operator{"VariadicSplit", nothing},
};

}  // namespace

const std::span<const Operator> kMovingOperators = kOperators;

}  // namespace tachostat::model
