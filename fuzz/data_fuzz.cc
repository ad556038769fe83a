// An .npz or .npy of any bytes: an error, or samples that fit the model.
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "verify/data/dataset.h"

namespace {

using namespace tachostat;

model::Graph two_inputs() {
  model::Graph graph;
  graph.inputs = {{"x", model::DataType::kF32, {model::kDynamic, 3}},
                  {"ids", model::DataType::kI64, {1}}};
  return graph;
}

model::Graph one_input() {
  model::Graph graph;
  graph.inputs = {{"x", model::DataType::kF32, {model::kDynamic, model::kDynamic}}};
  return graph;
}

void read_all(const std::string& path, const model::Graph& graph) {
  const auto data = verify::Dataset::open(path, graph);
  if (!data.ok()) return;
  FUZZ_REQUIRE((*data)->size() > 0);
  for (std::size_t i = 0; i < std::min<std::size_t>((*data)->size(), 4); ++i) {
    const auto sample = (*data)->sample(i);
    FUZZ_REQUIRE(sample.ok() && sample->size() == graph.inputs.size());
    for (std::size_t k = 0; k < sample->size(); ++k) {
      const engine::Tensor& tensor = (*sample)[k];
      FUZZ_REQUIRE(model::accepts(graph.inputs[k].shape, tensor.shape));
      const auto elements = static_cast<std::size_t>(model::elements_of(tensor.shape));
      FUZZ_REQUIRE(tensor.data.size() * 8 ==
                   elements * static_cast<std::size_t>(model::bits_of(tensor.type)));
    }
    if ((*data)->labels().kind != verify::LabelKind::kNone) {
      FUZZ_REQUIRE((*data)->labels().at(i).ok());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The reader takes a path: a file in memory has one.
  static const int kFile = memfd_create("data", 0);
  static const std::string kPath = "/proc/self/fd/" + std::to_string(kFile);
  FUZZ_REQUIRE(kFile >= 0 && ftruncate(kFile, 0) == 0);
  FUZZ_REQUIRE(pwrite(kFile, data, size, 0) == static_cast<ssize_t>(size));
  read_all(kPath, one_input());
  read_all(kPath, two_inputs());
  return 0;
}
