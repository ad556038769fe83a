// Which of PyTorch's spans are layers, and which are inferences.
#include <fmt/format.h>

#include <algorithm>

#include "trace/formats/device_layers.h"
#include "trace/formats/kineto_events.h"

namespace tachostat::trace {
namespace {

constexpr std::uint32_t kNone = Timeline::kNone;

// Ranges that autograd puts around a backward operator are no operators.
bool is_wrapper(std::string_view name) { return name.starts_with("autograd::engine::"); }

class Decider {
 public:
  explicit Decider(KinetoEvents events)
      : events_(std::move(events)), outer_op_(events_.timeline.size(), kNone) {}

  Import decide() {
    nest();
    const bool on_device = std::any_of(
        events_.kernels.begin(), events_.kernels.end(),
        [this](const KinetoKernel& kernel) { return what(kernel.span) == KinetoWhat::kKernel; });
    set_kinds(on_device);
    if (on_device) device_ = add_device_layers(timeline(), device_work(), requests_);
    Import import;
    write_rows(on_device, import);
    if (events_.python_dropped > 0) {
      import.notes.push_back(
          fmt::format("{} calls of Python functions were left out", events_.python_dropped));
    }
    if (!has_requests_) {
      import.notes.emplace_back(
          "no ProfilerStep and no record_function() around an inference: nothing says where one "
          "begins");
    }
    import.trace = timeline().finish(import.notes);
    return import;
  }

 private:
  Timeline& timeline() { return events_.timeline; }
  const Span& span(std::uint32_t index) const { return events_.timeline.spans()[index]; }
  KinetoWhat what(std::uint32_t index) const { return events_.what[index]; }

  // For each operator and launch, the outermost operator around it or itself; which modules run
  // which operators; which annotations hold operators and lie in no other.
  void nest() {
    std::vector<std::uint32_t> module(timeline().size(), kNone);      // innermost
    std::vector<std::uint32_t> annotation(timeline().size(), kNone);  // outermost
    walk_nesting(timeline().spans(), timeline().in_order(),
                 [&](std::uint32_t index, std::uint32_t parent) {
                   if (parent != kNone) {
                     outer_op_[index] = outer_op_[parent];
                     module[index] = module[parent];
                     annotation[index] = annotation[parent];
                   }
                   if (what(index) == KinetoWhat::kModule) module[index] = index;
                   if (what(index) == KinetoWhat::kAnnotation && annotation[index] == kNone) {
                     annotation[index] = index;
                   }
                   if (what(index) != KinetoWhat::kOp || outer_op_[index] != kNone ||
                       is_wrapper(timeline().text(span(index).name))) {
                     return;
                   }
                   outer_op_[index] = index;
                   if (annotation[index] != kNone) annotations_.push_back(annotation[index]);
                   if (module[index] != kNone) {
                     add_original(span(index).name, span(module[index]).name);
                   }
                 });
    std::sort(annotations_.begin(), annotations_.end());
    annotations_.erase(std::unique(annotations_.begin(), annotations_.end()), annotations_.end());
  }

  void add_original(std::uint32_t name, std::uint32_t module) {
    std::vector<std::uint32_t>& modules = modules_[name];
    if (std::find(modules.begin(), modules.end(), module) == modules.end() && modules.size() < 64) {
      modules.push_back(module);
    }
  }

  void set_kinds(bool on_device) {
    const bool steps = std::find(events_.what.begin(), events_.what.end(), KinetoWhat::kStep) !=
                       events_.what.end();
    const Kind whole = on_device ? Kind::kStage : Kind::kRequest;
    std::vector<Span>& spans = timeline().spans();
    for (std::uint32_t i = 0; i < spans.size(); ++i) {
      switch (what(i)) {
        case KinetoWhat::kOp:
          spans[i].kind = outer_op_[i] == i && !on_device ? Kind::kLayer : Kind::kOperator;
          break;
        case KinetoWhat::kStep:
          spans[i].kind = whole;
          requests_.push_back(i);
          break;
        case KinetoWhat::kLaunch:
          spans[i].kind = Kind::kOperator;
          break;
        case KinetoWhat::kKernel:
        case KinetoWhat::kCopy:
          spans[i].kind = Kind::kPrimitive;
          break;
        case KinetoWhat::kAnnotation:
        case KinetoWhat::kGpuRange:
          spans[i].kind = Kind::kStage;
          break;
        default:
          spans[i].kind = Kind::kOther;
      }
    }
    if (!steps) {
      requests_ = annotations_;
      for (const std::uint32_t index : requests_) spans[index].kind = whole;
    }
    has_requests_ = !requests_.empty();
  }

  std::vector<DeviceWork> device_work() {
    std::vector<DeviceWork> work;
    work.reserve(events_.kernels.size());
    for (const KinetoKernel& kernel : events_.kernels) {
      DeviceWork one{.span = kernel.span,
                     .launched_ns = Timeline::begin_of(span(kernel.span)),
                     .device = kernel.device};
      const auto launch = events_.launches.find(kernel.correlation);
      if (kernel.correlation != 0 && launch != events_.launches.end()) {
        timeline().add_flow(launch->second, kernel.span);
        one.launched_ns = Timeline::begin_of(span(launch->second));
        one.owner = outer_op_[launch->second];
      }
      const auto op = events_.operators.find(kernel.external);
      if (one.owner == kNone && kernel.external != 0 && op != events_.operators.end()) {
        one.owner = outer_op_[op->second];
      }
      work.push_back(one);
    }
    return work;
  }

  // One per name of a layer, in order of the file.
  void write_rows(bool on_device, Import& import) {
    absl::flat_hash_map<std::uint32_t, bool> seen;
    for (const Span& layer : timeline().spans()) {
      if (layer.kind != Kind::kLayer || !seen.try_emplace(layer.name, true).second) continue;
      const std::string& name = timeline().text(layer.name);
      LayerRow row{.name = name, .type = name.substr(0, name.find(" [")), .device = "CPU"};
      const auto precision = events_.precisions.find(layer.name);
      if (precision != events_.precisions.end()) row.precision = precision->second;
      const auto modules = modules_.find(layer.name);
      if (modules != modules_.end()) {
        for (const std::uint32_t module : modules->second) {
          row.originals.push_back(timeline().text(module).substr(sizeof("nn.Module: ") - 1));
        }
      }
      if (on_device) {
        add_device_facts(device_[layer.name], row);
      }
      import.layers.push_back(std::move(row));
    }
  }

  // The layer's longest kernel speaks for it.
  void add_device_facts(const DeviceLayer& layer, LayerRow& row) {
    row.device = fmt::format("GPU {}", layer.device);
    if (layer.kernel_ns.empty()) return;
    const std::uint32_t kernel = layer.longest_kernel();
    row.kernel = timeline().text(kernel);
    const KinetoSums& measured = events_.measured[kernel];
    for (const auto& [metric, sum] : measured.sums) {
      row.metrics[metric] = sum / static_cast<double>(measured.count);
    }
  }

  KinetoEvents events_;
  std::vector<std::uint32_t> outer_op_;
  std::vector<std::uint32_t> annotations_;  // outermost, with operators inside
  std::vector<std::uint32_t> requests_;
  bool has_requests_ = false;
  absl::flat_hash_map<std::uint32_t, std::vector<std::uint32_t>> modules_;  // by layer's name
  std::map<std::uint32_t, DeviceLayer> device_;                             // by layer's name
};

}  // namespace

Import kineto_layers(KinetoEvents events) { return Decider(std::move(events)).decide(); }

}  // namespace tachostat::trace
