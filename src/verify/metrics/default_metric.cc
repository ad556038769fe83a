#include <algorithm>
#include <array>
#include <cctype>

#include "base/status.h"
#include "verify/metrics/kinds.h"

namespace tachostat::verify {
namespace {

const model::Port* find_output(const model::Graph& graph, bool (*suits)(const model::Port&)) {
  const auto found = std::find_if(graph.outputs.begin(), graph.outputs.end(), suits);
  return found == graph.outputs.end() ? nullptr : &*found;
}

bool is_map(const model::Port& port) { return port.shape.size() >= 4; }
bool has_scores(const model::Port& port) { return has_class_axis(port.shape); }
bool has_steps(const model::Port& port) {
  return port.shape.size() == 3 && has_class_axis(port.shape);
}
// Shapes cannot tell an embedding from scores of classes; names often do.
bool is_embedding(const model::Port& port) {
  static constexpr std::array<std::string_view, 4> kWords = {"embed", "hidden", "pool", "feature"};
  std::string name = port.name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return name.find(word) != std::string::npos; });
}

std::string shown(const model::Port& port) {
  return fmt::format("output '{}' {}", port.name, model::to_string(port.shape));
}

DefaultMetric for_arrays(const model::Graph& graph) {
  if (const model::Port* map = find_output(graph, is_map)) {
    return {"map", fmt::format("The labels are arrays and {} is a map.", shown(*map))};
  }
  return {"cosine", "The labels are arrays of the output's values."};
}

DefaultMetric without_labels(const model::Graph& graph) {
  const model::Port* map = find_output(graph, is_map);
  if (map != nullptr && map->shape[1] == 1) {
    return {"map", fmt::format("There are no labels, and {} is a map with one channel: compared "
                               "with the f32 model's map.",
                               shown(*map))};
  }
  if (const model::Port* port = find_output(graph, is_embedding)) {
    return {"cosine", fmt::format("There are no labels, and {} is an embedding by its name: "
                                  "compared with the f32 model's.",
                                  shown(*port))};
  }
  if (const model::Port* port = find_output(graph, has_scores)) {
    return {"agreement", fmt::format("There are no labels, and {} has a class axis: compared with "
                                     "what the f32 model finds.",
                                     shown(*port))};
  }
  return {"cosine",
          "There are no labels and no output has a class axis: compared with the f32 "
          "model's values."};
}

}  // namespace

DefaultMetric default_metric(const Dataset& data, const model::Graph& graph) {
  switch (data.labels().kind) {
    case LabelKind::kClass:
      if (const model::Port* port = find_output(graph, has_steps)) {
        return {"text", fmt::format("The labels are numbers and {} has steps and classes: it reads "
                                    "them.",
                                    shown(*port))};
      }
      if (const model::Port* port = find_output(graph, has_scores)) {
        return {"top1", fmt::format("The labels are classes and {} scores them.", shown(*port))};
      }
      break;
    case LabelKind::kText:
      if (const model::Port* port = find_output(graph, has_steps)) {
        return {"text",
                fmt::format("The labels are texts and {} has steps and classes.", shown(*port))};
      }
      break;
    case LabelKind::kNumbers:
      return for_arrays(graph);
    case LabelKind::kNone:
      return without_labels(graph);
  }
  DefaultMetric fallback = without_labels(graph);
  fallback.reason = fmt::format("No output suits the labels ({}), so they are not used. {}",
                                name_of(data.labels().kind), fallback.reason);
  return fallback;
}

}  // namespace tachostat::verify
