// Which of PyTorch's spans are layers, and which are inferences.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "trace/formats/kineto_events.h"

namespace tachostat::trace {
namespace {

constexpr std::uint32_t kNone = Timeline::kNone;

// Ranges that autograd puts around a backward operator are no operators.
bool is_wrapper(std::string_view name) { return name.starts_with("autograd::engine::"); }

struct Launched {
  const KinetoKernel* kernel;
  std::uint32_t op = kNone;  // outermost operator that caused it
  std::int64_t launched_ns = 0;
};

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
    if (on_device) add_device_layers();
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

  // Kernels of one operator that follow each other on one stream are one execution of the layer.
  void add_device_layers() {
    std::vector<Launched> launched = launched_in_order();
    for (std::size_t i = 0; i < launched.size();) {
      const Span& first = span(launched[i].kernel->span);
      const std::uint32_t line = first.thread;
      const std::int64_t begin = Timeline::begin_of(first);
      std::int64_t end = Timeline::end_of(first);
      const std::uint32_t name = layer_name(launched[i]);
      devices_.try_emplace(name, launched[i].kernel->device);
      std::size_t next = i;
      for (; next < launched.size(); ++next) {
        const Span& kernel = span(launched[next].kernel->span);
        if (kernel.thread != line ||
            (next > i && (launched[i].op == kNone || launched[next].op != launched[i].op))) {
          break;
        }
        end = std::max(end, Timeline::end_of(kernel));
        kernel_ns_[name][kernel.name] += Timeline::end_of(kernel) - Timeline::begin_of(kernel);
      }
      const std::uint32_t op = launched[i].op;
      const std::uint32_t layer = timeline().add(name, line, begin, end - begin, Kind::kLayer);
      if (op != kNone && layer != kNone) timeline().add_flow(op, layer);
      i = next;
    }
    add_device_requests(launched);
  }

  std::vector<Launched> launched_in_order() {
    std::vector<Launched> launched;
    launched.reserve(events_.kernels.size());
    for (const KinetoKernel& kernel : events_.kernels) {
      Launched one{.kernel = &kernel, .launched_ns = Timeline::begin_of(span(kernel.span))};
      const auto launch = events_.launches.find(kernel.correlation);
      if (kernel.correlation != 0 && launch != events_.launches.end()) {
        timeline().add_flow(launch->second, kernel.span);
        one.launched_ns = Timeline::begin_of(span(launch->second));
        one.op = outer_op_[launch->second];
      }
      const auto op = events_.operators.find(kernel.external);
      if (one.op == kNone && kernel.external != 0 && op != events_.operators.end()) {
        one.op = outer_op_[op->second];
      }
      launched.push_back(one);
    }
    std::sort(launched.begin(), launched.end(), [this](const Launched& a, const Launched& b) {
      const Span& x = span(a.kernel->span);
      const Span& y = span(b.kernel->span);
      return std::make_tuple(x.thread, Timeline::begin_of(x), a.kernel->span) <
             std::make_tuple(y.thread, Timeline::begin_of(y), b.kernel->span);
    });
    return launched;
  }

  std::uint32_t layer_name(const Launched& launched) const {
    return span(launched.op == kNone ? launched.kernel->span : launched.op).name;
  }

  // An inference on the device lasts from the first to the last kernel that was launched in it. It
  // is drawn on the line that has most kernels.
  void add_device_requests(const std::vector<Launched>& launched) {
    std::sort(requests_.begin(), requests_.end(), [this](std::uint32_t a, std::uint32_t b) {
      return Timeline::begin_of(span(a)) < Timeline::begin_of(span(b));
    });
    struct Extent {
      std::int64_t begin = std::numeric_limits<std::int64_t>::max();
      std::int64_t end = std::numeric_limits<std::int64_t>::min();
    };
    std::vector<Extent> extents(requests_.size());
    std::map<std::uint32_t, std::size_t> on_line;
    for (const Launched& one : launched) {
      const Span& kernel = span(one.kernel->span);
      ++on_line[kernel.thread];
      const auto after = std::upper_bound(
          requests_.begin(), requests_.end(), one.launched_ns,
          [this](std::int64_t at, std::uint32_t r) { return at < Timeline::begin_of(span(r)); });
      if (after == requests_.begin()) continue;
      const std::size_t request = static_cast<std::size_t>(after - requests_.begin()) - 1;
      if (one.launched_ns >= Timeline::end_of(span(requests_[request]))) continue;
      extents[request].begin = std::min(extents[request].begin, Timeline::begin_of(kernel));
      extents[request].end = std::max(extents[request].end, Timeline::end_of(kernel));
    }
    const auto busiest =
        std::max_element(on_line.begin(), on_line.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    for (std::size_t i = 0; i < extents.size(); ++i) {
      if (extents[i].end <= extents[i].begin) continue;
      const std::uint32_t name = span(requests_[i]).name;
      const std::uint32_t added = timeline().add(name, busiest->first, extents[i].begin,
                                                 extents[i].end - extents[i].begin, Kind::kRequest);
      if (added != kNone) timeline().add_flow(requests_[i], added);
    }
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
        row.device = fmt::format("GPU {}", devices_[layer.name]);
        add_kernel_facts(layer.name, row);
      }
      import.layers.push_back(std::move(row));
    }
  }

  // The layer's longest kernel speaks for it.
  void add_kernel_facts(std::uint32_t name, LayerRow& row) {
    const std::map<std::uint32_t, std::int64_t>& kernels = kernel_ns_[name];
    const auto longest =
        std::max_element(kernels.begin(), kernels.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (longest == kernels.end()) return;
    row.kernel = timeline().text(longest->first);
    const KinetoSums& measured = events_.measured[longest->first];
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
  absl::flat_hash_map<std::uint32_t, std::uint32_t> devices_;
  std::map<std::uint32_t, std::map<std::uint32_t, std::int64_t>> kernel_ns_;  // layer, kernel
};

}  // namespace

Import kineto_layers(KinetoEvents events) { return Decider(std::move(events)).decide(); }

}  // namespace tachostat::trace
