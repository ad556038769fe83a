#include "app/evidence.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "model/work.h"

namespace tachostat::app {
namespace {

// The engine does not always tell all that it fused: the MatMul before a bias is missing from the
// fully connected layer that runs both. A layer of the model that no executed layer claims is
// counted with the one that uses what it makes.
std::vector<std::string> with_unclaimed_producers(const model::Graph& graph,
                                                  const std::vector<std::string>& originals,
                                                  const std::set<std::string>& claimed) {
  std::vector<std::string> all = originals;
  for (std::size_t at = 0; at < all.size(); ++at) {
    const int index = graph.find_layer(all[at]);
    if (index < 0) continue;
    for (const int producer : graph.layers[static_cast<std::size_t>(index)].producers) {
      if (producer < 0) continue;
      const std::string& name = graph.layers[static_cast<std::size_t>(producer)].name;
      if (claimed.contains(name)) continue;
      if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
    }
  }
  return all;
}

// Of all originals together, at the types that the layer runs with.
model::Work work_of(const model::Graph& graph, const model::FusedWork& fused,
                    const std::vector<std::string>& originals, const engine::AppliedLayer& layer) {
  std::vector<int> indices;
  for (const std::string& name : originals) {
    const int index = graph.find_layer(name);
    if (index < 0) continue;
    if (std::find(indices.begin(), indices.end(), index) == indices.end()) indices.push_back(index);
  }
  return fused.of(
      indices,
      {.weights = layer.weight_type, .inputs = layer.input_type, .outputs = layer.output_type});
}

std::vector<profile::Tensor> tensors_of(const std::vector<engine::AppliedTensor>& applied,
                                        bool inputs) {
  using profile::Tensor;
  std::vector<Tensor> tensors;
  for (const engine::AppliedTensor& one : applied) {
    Tensor tensor{.shape = one.shape};
    if (one.type != model::DataType::kUnknown) tensor.type = model::name_of(one.type);
    if (inputs && one.constant) {
      tensor.producer = Tensor::kConstant;
    } else if (inputs) {
      tensor.producer = one.producer >= 0 ? one.producer : Tensor::kModelInput;
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace

void SamplingObserver::on_end(const engine::Execution& execution) noexcept {
  sampler_.on_end(
      {.session = execution.session,
       .thread = static_cast<std::uint32_t>(execution.thread),
       .begin_ns = static_cast<std::uint64_t>(execution.begin.time_since_epoch().count()),
       .end_ns = static_cast<std::uint64_t>(execution.end.time_since_epoch().count()),
       .bucket = std::string(execution.bucket)});
  if (shapes_ != nullptr) shapes_->inferred(execution);
}

profile::SessionInfo session_info(const model::Graph& graph,
                                  const std::vector<model::Port>& declared,
                                  const model::Variant& variant, const engine::Applied& applied) {
  profile::SessionInfo info;
  info.model = graph.name;
  info.model_hash = graph.hash;
  info.variant = variant;
  info.streams = std::max(1, applied.streams);
  info.threads = std::max(1, applied.threads / info.streams);
  info.static_shapes = std::all_of(declared.begin(), declared.end(), [](const model::Port& input) {
    return model::is_static(input.shape);
  });
  const model::FusedWork fused(graph);
  std::set<std::string> claimed;
  for (const engine::AppliedLayer& layer : applied.layers) {
    claimed.insert(layer.originals.begin(), layer.originals.end());
  }
  for (const engine::AppliedLayer& layer : applied.layers) {
    std::vector<std::string> originals = with_unclaimed_producers(graph, layer.originals, claimed);
    info.layers.push_back({.name = layer.name,
                           .originals = originals,
                           .type = layer.type,
                           .kernel = layer.kernel,
                           .precision = layer.precision,
                           .layout = layer.layout,
                           .work = work_of(graph, fused, originals, layer),
                           .inputs = tensors_of(layer.inputs, true),
                           .outputs = tensors_of(layer.outputs, false),
                           .answers = layer.answers});
  }
  return info;
}

void Evidence::add_session(const engine::Session& session) {
  base::MutexLock lock(mutex_);
  Known known{.variant = session.variant(), .applied = session.applied()};
  known.has_work = !known.variant.shapes.empty();
  describe(session.number(), known, known.variant.shapes);
  sessions_[session.number()] = std::move(known);
}

void Evidence::describe(std::uint64_t session, const Known& known,
                        const model::InputShapes& shapes) {
  profile::SessionInfo info =
      session_info(graph_at(shapes), graph_.inputs, known.variant, known.applied);
  if (capture_ != nullptr) capture_->add_session(session, info);
  builder_.add_session(session, std::move(info));
}

const model::Graph& Evidence::graph_at(const model::InputShapes& shapes) {
  if (shapes.empty()) return graph_;
  const std::string key = model::to_string(shapes);
  const auto found = static_graphs_.find(key);
  if (found != static_graphs_.end()) return found->second;
  absl::StatusOr<model::Graph> graph = model::read(graph_.path, shapes);
  if (!graph.ok()) {
    spdlog::warn("work per layer is not counted at {}: {}", key, graph.status().ToString());
    return graph_;
  }
  return static_graphs_.emplace(key, *std::move(graph)).first->second;
}

std::shared_ptr<const trace::Trace> Evidence::pump() {
  auto trace = std::make_shared<const trace::Trace>(sampler_.drain());
  if (capture_ != nullptr) capture_->advance(*trace);
  if (trace->spans.empty() && trace->marks.empty()) return trace;
  base::MutexLock lock(mutex_);
  builder_.add(*trace);
  recent_spans_ += trace->spans.size();
  recent_.push_back(trace);
  while (recent_.size() > 1 && recent_spans_ > kKeptSpans) {
    recent_spans_ -= recent_.front()->spans.size();
    recent_.pop_front();
  }
  return trace;
}

std::optional<profile::Profile> Evidence::profile_of(std::uint64_t session,
                                                     const model::InputShapes& shapes) {
  base::MutexLock lock(mutex_);
  const auto known = sessions_.find(session);
  if (known == sessions_.end()) return std::nullopt;
  if (!known->second.has_work && !shapes.empty()) {
    known->second.has_work = true;
    describe(session, known->second, shapes);
  }
  std::optional<profile::Profile> best;
  for (profile::Profile& candidate : builder_.profiles()) {
    if (candidate.variant != known->second.variant.id()) continue;
    if (best && candidate.request_time.count() <= best->request_time.count()) continue;
    best = std::move(candidate);
  }
  if (!best || best->request_time.count() < kEnoughRequests) return std::nullopt;
  best->overhead = sampler_.report().overhead;
  best->machine = machine_;
  return best;
}

void Evidence::forget(std::uint64_t session) {
  base::MutexLock lock(mutex_);
  builder_.remove(session);
  sessions_.erase(session);
  if (capture_ != nullptr) capture_->forget(session);
}

trace::Trace Evidence::recent_trace() const {
  base::MutexLock lock(mutex_);
  trace::Trace all;
  for (const auto& part : recent_) trace::append(*part, all);
  return all;
}

}  // namespace tachostat::app
