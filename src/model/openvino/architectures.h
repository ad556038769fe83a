// Well-known networks built from operators, as their exporters write them, for tests. Weights are
// one number spread to its shape, so that they cost no memory before an engine folds them.
#pragma once

#include <memory>
#include <openvino/core/model.hpp>

namespace tachostat::model {

// He et al., "Deep Residual Learning for Image Recognition", with the stride in the 3×3 convolution
// as today's frameworks have it ("v1.5"); 224×224.
std::shared_ptr<ov::Model> resnet50();
// Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks"; 224×224.
std::shared_ptr<ov::Model> mobilenet_v2();
// Devlin et al., "BERT"; hidden size 768, 12 heads, from token numbers to the pooled output.
std::shared_ptr<ov::Model> bert_base(std::size_t tokens, int layers = 12);

}  // namespace tachostat::model
