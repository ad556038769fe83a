#include "verify/data/dataset.h"

#include <array>
#include <filesystem>

#include "base/status.h"
#include "verify/data/source.h"
#include "verify/data/temporary.h"

namespace tachostat::verify {
namespace {

absl::StatusOr<Opened> open_any(const std::string& path, const model::Graph& graph) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return open_folder(path, graph);
  // A pipe would never end.
  if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
    return base::invalid_argument("'{}' is neither a file nor a folder", path);
  }
  if (is_picture(path)) return pictures_refused(path, graph);
  TS_ASSIGN_OR_RETURN(const Descriptor file, open_to_read(path));
  std::array<std::byte, 6> start{};
  const auto got = read_from(file, 0, start);
  TS_RETURN_IF_ERROR(base::with_context(got.status(), path));
  // By content: a file may have any name.
  const std::string_view magic(reinterpret_cast<const char*>(start.data()), *got);
  if (magic.starts_with("PK")) return open_npz_stack(path, graph);
  if (magic == "\x93NUMPY") return open_npy_stack(path, graph);
  return base::invalid_argument(
      "'{}' {}: expected an .npz or .npy as NumPy saves them, or a folder of them", path,
      magic.empty() ? "is empty" : "is neither an .npz nor an .npy");
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Dataset>> Dataset::open(const std::string& path,
                                                             const model::Graph& graph) {
  if (graph.inputs.empty()) {
    return base::invalid_argument("model '{}' has no inputs to give data to", graph.name);
  }
  TS_ASSIGN_OR_RETURN(Opened opened, open_any(path, graph));
  std::unique_ptr<Dataset> data(new Dataset());
  data->path_ = path;
  data->inputs_ = graph.inputs;
  data->source_ = std::move(opened.source);
  data->labels_ = std::move(opened.labels);
  data->hash_ = std::move(opened.hash);
  return data;
}

Dataset::~Dataset() = default;

std::size_t Dataset::size() const { return source_->size(); }

absl::StatusOr<std::vector<engine::Tensor>> Dataset::sample(std::size_t index) const {
  if (index >= size()) {
    return base::invalid_argument("no sample {} in '{}', which has {}", index, path_, size());
  }
  auto read = source_->read(index);
  TS_RETURN_IF_ERROR(base::with_context(read.status(), path_));
  std::vector<engine::Tensor> tensors;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    auto bytes = std::make_shared<const std::vector<std::byte>>(std::move((*read)[i]));
    tensors.push_back({.name = inputs_[i].name,
                       .type = inputs_[i].type,
                       .shape = source_->shape(index, i),
                       .data = *bytes,
                       .owner = bytes});
  }
  return tensors;
}

model::InputShapes Dataset::shapes(std::size_t index) const {
  model::InputShapes shapes;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    shapes[inputs_[i].name] = source_->shape(index, i);
  }
  return shapes;
}

}  // namespace tachostat::verify
