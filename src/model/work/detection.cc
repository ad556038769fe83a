// Detection heads and decoders. Most of their work depends on the data, so each score or box is
// counted once: a lower bound, and little beside the network before them.
#include <array>

#include "model/work/operators.h"

namespace tachostat::model {
namespace {

// The scores are the second input.
double per_score(const Layer& layer, const WorkHints&, double parameter) {
  return layer.inputs.size() < 2 ? kNotCounted : times(parameter, elements(layer.inputs[1]));
}

constexpr std::array kOperators = {
    Operator{"CTCGreedyDecoder", per_input, 1},
    Operator{"CTCGreedyDecoderSeqLen", per_input, 1},
    Operator{"CTCLoss", per_input, 3},
    Operator{"DetectionOutput", per_score, 1},
    Operator{"ExperimentalDetectronDetectionOutput", per_score, 1},
    Operator{"ExperimentalDetectronGenerateProposalsSingleImage", per_score, 1},
    Operator{"ExperimentalDetectronPriorGridGenerator", per_output, 1},
    Operator{"ExperimentalDetectronROIFeatureExtractor", per_output, 1},
    Operator{"ExperimentalDetectronTopKROIs", per_score, 1},
    Operator{"GenerateProposals", per_score, 1},
    Operator{"MatrixNms", per_score, 1},
    Operator{"MulticlassNms", per_score, 1},
    Operator{"NMSRotated", per_score, 1},
    Operator{"NonMaxSuppression", per_score, 1},
    Operator{"PriorBox", per_output, 4},
    Operator{"PriorBoxClustered", per_output, 4},
    Operator{"Proposal", per_input, 1},
    Operator{"RegionYolo", per_output, 3},
};

}  // namespace

const std::span<const Operator> kDetectionOperators = kOperators;

}  // namespace tachostat::model
