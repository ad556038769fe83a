#include "trace/formats/xplane_planes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

namespace tachostat::trace {
namespace {

constexpr std::uint32_t kNone = Timeline::kNone;

// "fusion.12" is a fusion.
std::string_view without_number(std::string_view name) {
  const std::size_t point = name.rfind('.');
  if (point == name.npos || point == 0 || point + 1 == name.size()) return name;
  return name.find_first_not_of("0123456789", point + 1) == name.npos ? name.substr(0, point)
                                                                      : name;
}

// "regs:32 static_shared:0 occ_pct:50": what a GPU's kernel was launched with.
void take_details(std::string_view text, std::map<std::string, double>& numbers) {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const std::size_t colon = word.find(':');
    if (colon == word.npos) continue;
    double number = 0;
    const char* const last = word.data() + word.size();
    const auto [end, error] = std::from_chars(word.data() + colon + 1, last, number);
    if (error == std::errc() && end == last) numbers[std::string(word.substr(0, colon))] = number;
  }
}

double number_of(const xplane::XStat& stat) {
  switch (stat.value_case()) {
    case xplane::XStat::kDoubleValue:
      return stat.double_value();
    case xplane::XStat::kUint64Value:
      return static_cast<double>(stat.uint64_value());
    case xplane::XStat::kInt64Value:
      return static_cast<double>(stat.int64_value());
    default:
      return -1;
  }
}

// TensorFlow's executor names a kernel "scope/name:Type". Splits that; false for any other name.
bool split_operation(std::string_view text, std::string_view& name, std::string_view& type) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos || colon == 0 || text.find(' ') != text.npos) return false;
  name = text.substr(0, colon);
  type = text.substr(colon + 1);
  return !type.empty() && std::isdigit(static_cast<unsigned char>(type[0])) == 0 &&
         std::all_of(type.begin(), type.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

// Picoseconds since the line's begin on the axis of nanoseconds. False when it does not fit.
bool on_axis(std::int64_t timestamp_ns, std::int64_t offset_ps, std::int64_t& ns) {
  std::int64_t whole = offset_ps / 1000;
  if (offset_ps % 1000 < 0) --whole;
  return !__builtin_add_overflow(timestamp_ns, whole, &ns);
}

}  // namespace

void XPlanes::add_event_metadata(const xplane::XEventMetadataEntry& entry) {
  Metadata& metadata = plane_.metadata[entry.key()];
  const xplane::XEventMetadata& value = entry.value();
  // A TPU's name is the whole HLO line and its display name short; TensorFlow's display name is
  // only the type.
  std::string_view name;
  std::string_view type;
  const bool use_name = value.display_name().empty() || split_operation(value.name(), name, type);
  metadata.name = use_name ? value.name() : value.display_name();
  metadata.stats.assign(value.stats().begin(), value.stats().end());
}

void XPlanes::add_stat_metadata(const xplane::XStatMetadataEntry& entry) {
  plane_.stat_names[entry.key()] = entry.value().name();
}

void XPlanes::add_event(const xplane::XEvent& event) {
  if (event.data_case() == xplane::XEvent::kNumOccurrences) {
    ++totals_;
    return;
  }
  std::string key;
  const auto add_number = [&key](std::int64_t number) {
    key.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  add_number(event.metadata_id());
  for (const xplane::XStat& stat : event.stats()) {
    if (stat.value_case() == xplane::XStat::kRefValue) {
      add_number(stat.metadata_id());
      add_number(static_cast<std::int64_t>(stat.ref_value()));
    } else if (stat.value_case() == xplane::XStat::kStrValue) {
      add_number(stat.metadata_id());
      add_number(static_cast<std::int64_t>(stat.str_value().size()));
      key.append(stat.str_value());
    }
  }
  const auto [number, added] = plane_.class_numbers.try_emplace(
      std::move(key), static_cast<std::uint32_t>(plane_.classes.size()));
  if (added) {
    plane_.classes.push_back(
        {.metadata = event.metadata_id(), .stats = {event.stats().begin(), event.stats().end()}});
  }
  plane_.events.push_back({.event_class = number->second,
                           .begin_ps = event.offset_ps(),
                           .duration_ps = event.duration_ps()});
}

void XPlanes::end_line(std::int64_t id, std::string_view name, std::int64_t timestamp_ns) {
  Line& line = plane_.lines.back();
  line.id = id;
  line.name = name;
  line.timestamp_ns = timestamp_ns;
}

void XPlanes::take(const xplane::XStat& stat, Facts& facts) const {
  const auto name = plane_.stat_names.find(stat.metadata_id());
  if (name == plane_.stat_names.end()) return;
  const std::string& key = name->second;
  std::string text;
  if (stat.value_case() == xplane::XStat::kStrValue) {
    text = stat.str_value();
  } else if (stat.value_case() == xplane::XStat::kRefValue) {
    const auto referred = plane_.stat_names.find(static_cast<std::int64_t>(stat.ref_value()));
    if (referred != plane_.stat_names.end()) text = referred->second;
  }
  if (key == "hlo_op") {
    facts.hlo_op = text;
  } else if (key == "hlo_module") {
    facts.module = text;
  } else if (key == "hlo_category") {
    facts.category = text;
  } else if (key == "tf_op" || key == "tf_op_name") {
    facts.framework_op = text;
  } else if (key == "kernel_details") {
    take_details(text, facts.numbers);
  } else if (key == "step_num") {
    facts.is_step = true;
  } else if (key == "flops" || key == "model_flops" || key == "bytes_accessed" ||
             key == "occupancy_pct" || key == "theoretical_occupancy_pct") {
    if (const double number = number_of(stat); number >= 0) facts.numbers[key] = number;
  }
}

XPlanes::Facts XPlanes::facts_of(const EventClass& event_class) const {
  Facts facts;
  const auto metadata = plane_.metadata.find(event_class.metadata);
  if (metadata != plane_.metadata.end()) {
    facts.name = metadata->second.name;
    for (const xplane::XStat& stat : metadata->second.stats) take(stat, facts);
  }
  if (facts.name.empty()) facts.name = fmt::format("event {}", event_class.metadata);
  for (const xplane::XStat& stat : event_class.stats) take(stat, facts);
  return facts;
}

XPlanes::LineIs XPlanes::line_is(std::string_view name) const {
  if (!plane_.name.starts_with("/device:")) return LineIs::kThread;
  if (name.starts_with("Stream #")) return LineIs::kStream;
  if (name == "Steps") return LineIs::kSteps;
  if (name == "XLA Modules") return LineIs::kModules;
  if (name == "XLA Ops") return LineIs::kOps;
  if (name == "Async XLA Ops") return LineIs::kAsync;
  // These say again what the lines above say, grouped by other names.
  if (name == "Framework Ops" || name == "TensorFlow Ops" || name == "Framework Name Scope" ||
      name == "TensorFlow Name Scope" || name == "Source code" || name == "XLA TraceMe") {
    return LineIs::kDerived;
  }
  return LineIs::kThread;
}

// The layer's name; its row is made when it is new. Operations of two modules may share a name.
std::uint32_t XPlanes::layer(const Facts& facts) {
  const std::string& operation = facts.hlo_op.empty() ? facts.name : facts.hlo_op;
  const auto [known, added] = layers_.try_emplace({operation, facts.module}, 0);
  if (!added) return known->second;
  std::string name = operation;
  if (row_of_.contains(timeline_.name(name))) {
    name = fmt::format("{} ({})", operation, facts.module);
  }
  known->second = timeline_.name(name);
  row_of_[known->second] = rows_.size();
  LayerRow row{.name = name};
  row.type = facts.category.empty() ? without_number(operation) : facts.category;
  if (!facts.framework_op.empty()) row.originals = {facts.framework_op};
  const std::string_view plane = plane_.name;
  row.device = "CPU";
  if (plane.starts_with("/device:")) {
    row.device = plane.substr(sizeof("/device:") - 1);
    std::replace(row.device.begin(), row.device.end(), ':', ' ');
    if (facts.name != operation) row.kernel = facts.name;
  }
  row.metrics = facts.numbers;
  const auto take_number = [&row](const char* key, double& to) {
    const auto number = row.metrics.find(key);
    if (number != row.metrics.end()) to = number->second;
  };
  take_number("flops", row.flops);
  take_number("bytes_accessed", row.bytes);
  rows_.push_back(std::move(row));
  if (!facts.module.empty()) modules_[facts.module] = true;
  return known->second;
}

XPlanes::Role XPlanes::role_of(const Facts& facts, LineIs line) {
  Role role{.name = timeline_.name(facts.name), .layer = kNone};
  switch (line) {
    case LineIs::kSteps:
    case LineIs::kModules:
      role.kind = Kind::kRequest;
      break;
    case LineIs::kOps:
      role.kind = Kind::kLayer;
      role.name = layer(facts);
      break;
    case LineIs::kStream:
      role.kind = Kind::kPrimitive;
      if (!facts.hlo_op.empty() || !facts.framework_op.empty()) {
        Facts named = facts;
        if (named.hlo_op.empty()) named.hlo_op = facts.framework_op;
        role.layer = layer(named);
      }
      break;
    case LineIs::kAsync:
      role.kind = Kind::kPrimitive;
      break;
    case LineIs::kDerived:
      role.use = Role::kDrop;
      break;
    case LineIs::kThread:
      if (facts.is_step) {
        role.kind = Kind::kRequest;
      } else if (!facts.hlo_op.empty()) {
        role.kind = Kind::kLayer;
        role.name = layer(facts);
      } else if (std::string_view name, type; split_operation(facts.name, name, type)) {
        Facts named = facts;
        named.hlo_op = name;
        named.category = type;
        role.kind = Kind::kLayer;
        role.name = layer(named);
      } else if (facts.name == "ThreadpoolListener::StartRegion") {
        role.use = Role::kRegionStart;
      } else if (facts.name == "ThreadpoolListener::StopRegion") {
        role.use = Role::kRegionStop;
      } else if (facts.name == "ThreadpoolListener::Record" || facts.name.starts_with("end: ")) {
        role.use = Role::kDrop;
      }
      break;
  }
  return role;
}

void XPlanes::place_line(const Line& line, std::size_t end, const std::vector<Facts>& facts) {
  const LineIs is = line_is(line.name);
  if (is == LineIs::kDerived) return;
  const std::uint32_t number =
      timeline_.line(fmt::format("{} {} {}", planes_, line.id, plane_.name));
  timeline_.label(number, plane_.name == "/host:CPU"
                              ? line.name
                              : fmt::format("{} {}", plane_.name, line.name));
  std::vector<std::int64_t> regions;  // begun and not yet ended
  const std::uint32_t region_name = timeline_.name("thread pool's region");
  absl::flat_hash_map<std::uint32_t, Role> roles;
  const auto first_span = static_cast<std::uint32_t>(timeline_.size());
  std::vector<std::uint32_t> layers;  // of the line's spans
  for (std::size_t i = line.first; i < end; ++i) {
    const Event& event = plane_.events[i];
    const auto [found, added] = roles.try_emplace(event.event_class);
    if (added) found->second = role_of(facts[event.event_class], is);
    const Role& role = found->second;
    if (role.use == Role::kDrop) continue;
    std::int64_t end_ps = 0;
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
    std::int64_t duration_ns = 0;
    if (event.duration_ps < 0 ||
        __builtin_add_overflow(event.begin_ps, event.duration_ps, &end_ps) ||
        !on_axis(line.timestamp_ns, event.begin_ps, begin_ns) ||
        !on_axis(line.timestamp_ns, end_ps, end_ns) ||
        __builtin_sub_overflow(end_ns, begin_ns, &duration_ns)) {
      ++timeline_.left_out;
      continue;
    }
    if (role.use == Role::kRegionStart) {
      regions.push_back(begin_ns);
      continue;
    }
    std::uint32_t span = kNone;
    if (role.use == Role::kRegionStop) {
      if (regions.empty() || begin_ns < regions.back()) continue;
      duration_ns = begin_ns - regions.back();
      span = timeline_.add(region_name, number, regions.back(), duration_ns, Kind::kWorker);
      regions.pop_back();
    } else {
      span = timeline_.add(role.name, number, begin_ns, duration_ns, role.kind);
    }
    if (span == kNone) continue;
    layers.push_back(role.use == Role::kSpan ? role.layer : kNone);
    if (role.kind != Kind::kRequest || role.use != Role::kSpan) continue;
    if (is == LineIs::kThread) {
      host_steps_.push_back(span);
    } else {
      device_requests_ = true;
    }
  }
  if (is == LineIs::kStream) wrap_kernels(first_span, layers);
}

// Kernels of one operation that follow each other on a stream are one execution of the layer.
void XPlanes::wrap_kernels(std::uint32_t first_span, const std::vector<std::uint32_t>& layers) {
  std::vector<std::uint32_t> order(layers.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto span = [&](std::uint32_t i) { return timeline_.spans()[first_span + i]; };
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return Timeline::begin_of(span(a)) < Timeline::begin_of(span(b));
  });
  for (std::size_t i = 0; i < order.size();) {
    const std::uint32_t name = layers[order[i]];
    const std::int64_t begin = Timeline::begin_of(span(order[i]));
    std::int64_t end = begin;
    std::size_t next = i;
    for (; next < order.size() && layers[order[next]] == name; ++next) {
      end = std::max(end, Timeline::end_of(span(order[next])));
    }
    if (name != kNone) {
      timeline_.add(name, span(order[i]).thread, begin, end - begin, Kind::kLayer);
    }
    i = next;
  }
}

void XPlanes::take_plane_stats() {
  for (const xplane::XStat& stat : plane_.stats) {
    const auto name = plane_.stat_names.find(stat.metadata_id());
    if (name == plane_.stat_names.end() || stat.value_case() != xplane::XStat::kStrValue) continue;
    if (name->second == "jax_version") tool_ = "jax " + stat.str_value();
  }
}

void XPlanes::end_plane() {
  ++planes_;
  take_plane_stats();
  std::vector<Facts> facts;
  facts.reserve(plane_.classes.size());
  for (const EventClass& event_class : plane_.classes) facts.push_back(facts_of(event_class));
  const bool has_steps =
      std::any_of(plane_.lines.begin(), plane_.lines.end(),
                  [this](const Line& line) { return line_is(line.name) == LineIs::kSteps; });
  for (std::size_t i = 0; i < plane_.lines.size(); ++i) {
    // A step holds modules; without steps the modules are what ran as a whole.
    if (has_steps && line_is(plane_.lines[i].name) == LineIs::kModules) continue;
    const std::size_t end =
        i + 1 < plane_.lines.size() ? plane_.lines[i + 1].first : plane_.events.size();
    place_line(plane_.lines[i], end, facts);
  }
  plane_ = Plane{};
}

// Operations inside an operation are those of a while, a call or a conditional.
void XPlanes::nest_layers() {
  std::vector<Span>& spans = timeline_.spans();
  std::vector<bool> in_layer(spans.size());
  walk_nesting(spans, timeline_.in_order(), [&](std::uint32_t index, std::uint32_t parent) {
    if (parent == kNone) return;
    in_layer[index] = in_layer[parent] || spans[parent].kind == Kind::kLayer;
    if (in_layer[index] && spans[index].kind == Kind::kLayer) spans[index].kind = Kind::kOperator;
  });
}

Import XPlanes::finish() {
  if (device_requests_) {
    for (const std::uint32_t step : host_steps_) timeline_.spans()[step].kind = Kind::kStage;
  }
  nest_layers();
  Import import{.tool = tool_, .layers = std::move(rows_)};
  if (modules_.size() == 1) import.model = modules_.begin()->first;
  if (totals_ > 0) {
    import.notes.push_back(fmt::format("{} events that are totals were left out", totals_));
  }
  if (import.layers.empty()) {
    import.notes.emplace_back(
        "no operation of XLA or TensorFlow in it: was anything run while recording?");
  }
  import.trace = timeline_.finish(import.notes);
  return import;
}

}  // namespace tachostat::trace
