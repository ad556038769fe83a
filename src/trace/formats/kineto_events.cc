#include "trace/formats/kineto_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "trace/formats/words.h"

namespace tachostat::trace {
namespace {

// Since PyTorch 1.12 lower case; before, words with capitals. XPU, MTIA and HPU name their own.
constexpr std::pair<std::string_view, KinetoWhat> kCategories[] = {
    {"cpu_op", KinetoWhat::kOp},
    {"Operator", KinetoWhat::kOp},
    {"user_annotation", KinetoWhat::kAnnotation},
    {"gpu_user_annotation", KinetoWhat::kGpuRange},
    {"kernel", KinetoWhat::kKernel},
    {"Kernel", KinetoWhat::kKernel},
    {"gpu_memcpy", KinetoWhat::kCopy},
    {"gpu_memset", KinetoWhat::kCopy},
    {"Memcpy", KinetoWhat::kCopy},
    {"Memset", KinetoWhat::kCopy},
    {"cuda_runtime", KinetoWhat::kLaunch},
    {"cuda_driver", KinetoWhat::kLaunch},
    {"xpu_runtime", KinetoWhat::kLaunch},
    {"xpu_driver", KinetoWhat::kLaunch},
    {"privateuse1_runtime", KinetoWhat::kLaunch},
    {"mtia_runtime", KinetoWhat::kLaunch},
    {"Runtime", KinetoWhat::kLaunch},
    {"python_function", KinetoWhat::kPython},
};

// C++'s words among PyTorch's for element types; "c10::Half", "float" and the like are others' too.
constexpr std::pair<std::string_view, std::string_view> kPrecisions[] = {
    {"signed char", "i8"}, {"unsigned char", "u8"}, {"qint8", "i8"},
    {"quint8", "u8"},      {"long int", "i64"},     {"long", "i64"},
    {"int", "i32"},        {"short int", "i16"},    {"short", "i16"},
};

std::string_view precision_of(std::string_view type) {
  if (type.starts_with("c10::")) type.remove_prefix(5);
  for (const auto& [theirs, ours] : kPrecisions) {
    if (type == theirs) return ours;
  }
  return precision_named(type);
}

// Of a kernel's args, what is worth a row's metric.
constexpr std::array<std::string_view, 7> kMeasured = {
    "est. achieved occupancy %",
    "registers per thread",
    "shared memory",
    "blocks per SM",
    "warps per SM",
    "bytes",
    "memory bandwidth (GB/s)",
};

KinetoWhat what_of(const JsonEvent& event) {
  for (const auto& [category, what] : kCategories) {
    if (event.category != category) continue;
    if ((what == KinetoWhat::kOp || what == KinetoWhat::kAnnotation) &&
        event.name.starts_with("ProfilerStep#")) {
      return KinetoWhat::kStep;
    }
    if (what == KinetoWhat::kPython && event.name.starts_with("nn.Module: ")) {
      return KinetoWhat::kModule;
    }
    return what;
  }
  return KinetoWhat::kOther;
}

// "[[1,3,224,224],[64,3,7,7],[],[]]" without the empty ones at the end: arguments that are no
// tensors. Empty when nothing is left.
void trim_dims(std::string& dims) {
  while (dims.ends_with(",[]]")) dims.replace(dims.size() - 4, 4, "]");
  if (dims == "[]" || dims == "[[]]") dims.clear();
}

}  // namespace

void KinetoReader::add(const JsonEvent& event) {
  if (event.phase == "X") {
    add_span(event);
  } else if (event.phase == "M") {
    add_metadata(event);
  } else if (event.phase == "C") {
    add_counters(event);
  } else if (event.phase == "i" || event.phase == "I") {
    add_instant(event);
  }
  // Flows (s, t, f) say again what correlation ids say.
}

std::uint32_t KinetoReader::line_of(const JsonEvent& event) {
  key_.assign(event.pid).append("/").append(event.tid);
  if (key_ != last_key_ || last_line_ == 0) {
    last_line_ = events_.timeline.line(key_);
    last_key_ = key_;
  }
  return last_line_;
}

void KinetoReader::add_span(const JsonEvent& event) {
  const KinetoWhat what = what_of(event);
  if (what == KinetoWhat::kOther && event.category == "Trace") return;  // the recording as a whole
  Timeline& timeline = events_.timeline;
  if (!event.begin_ns || !event.duration_ns) {
    ++timeline.left_out;
    return;
  }
  if (what == KinetoWhat::kPython || what == KinetoWhat::kModule) {
    if (events_.python_dropped > 0) {
      ++events_.python_dropped;
      return;
    }
    if (++python_ > kMostPython) {
      drop_python();
      return;
    }
  }
  std::uint64_t external = 0;
  const std::uint32_t name =
      what == KinetoWhat::kOp ? operator_name(event, external) : timeline.name(event.name);
  const std::uint32_t span =
      timeline.add(name, line_of(event), *event.begin_ns, *event.duration_ns, Kind::kOther);
  if (span == Timeline::kNone) return;
  events_.what.push_back(what);
  if (what == KinetoWhat::kOp && external != 0) events_.operators.emplace(external, span);
  if (what == KinetoWhat::kKernel || what == KinetoWhat::kCopy) {
    add_kernel(event, span, what == KinetoWhat::kCopy);
  }
  if (what == KinetoWhat::kLaunch) {
    args_.each(event.args, [&](std::string_view key, JsonArgs::Value& value) {
      if (key != "correlation") return;
      if (const auto number = JsonArgs::unsigned_number(value)) {
        events_.launches.emplace(*number, span);
      }
    });
  }
}

// An operator on other shapes is another layer, so its input shapes are part of its name.
std::uint32_t KinetoReader::operator_name(const JsonEvent& event, std::uint64_t& external) {
  std::string dims;
  std::string_view precision;
  args_.each(event.args, [&](std::string_view key, JsonArgs::Value& value) {
    if (key == "External id" || key == "external id") {
      external = JsonArgs::unsigned_number(value).value_or(0);
    } else if (key == "Input Dims" || key == "Input dims") {
      dims = JsonArgs::compact(value);
    } else if (key == "Input type" && precision.empty()) {
      const std::string types = JsonArgs::compact(value);
      // The first argument that is a tensor.
      for (std::size_t at = types.find('"'); at != types.npos && precision.empty();) {
        const std::size_t end = types.find('"', at + 1);
        if (end == types.npos) break;
        precision = precision_of(std::string_view(types).substr(at + 1, end - at - 1));
        at = types.find('"', end + 1);
      }
    }
  });
  trim_dims(dims);
  text_.assign(event.name);
  if (!dims.empty()) text_.append(" ").append(dims);
  const std::uint32_t name = events_.timeline.name(text_);
  if (!precision.empty()) events_.precisions.try_emplace(name, precision);
  return name;
}

void KinetoReader::add_kernel(const JsonEvent& event, std::uint32_t span, bool copy) {
  KinetoKernel kernel{.span = span};
  KinetoSums& sums = events_.measured[events_.timeline.spans()[span].name];
  ++sums.count;
  std::optional<std::uint64_t> stream;
  args_.each(event.args, [&](std::string_view key, JsonArgs::Value& value) {
    if (key == "correlation") {
      kernel.correlation = JsonArgs::unsigned_number(value).value_or(0);
    } else if (key == "External id" || key == "external id") {
      kernel.external = JsonArgs::unsigned_number(value).value_or(0);
    } else if (key == "device") {
      kernel.device = static_cast<std::uint32_t>(JsonArgs::unsigned_number(value).value_or(0));
    } else if (key == "stream") {
      stream = JsonArgs::unsigned_number(value);
    } else if (std::find(kMeasured.begin(), kMeasured.end(), key) != kMeasured.end() &&
               !(copy && key == "shared memory")) {
      if (const auto number = JsonArgs::number(value)) sums.sums[std::string(key)] += *number;
    }
  });
  if (stream) {
    events_.timeline.label(last_line_, fmt::format("GPU {} stream {}", kernel.device, *stream));
  }
  events_.kernels.push_back(kernel);
}

// "[memory]": what the allocator holds after an allocation or a release.
void KinetoReader::add_instant(const JsonEvent& event) {
  if (event.name != "[memory]" || !event.begin_ns) return;
  std::optional<double> total;
  std::optional<double> reserved;
  bool gpu = false;
  std::uint64_t device = 0;
  args_.each(event.args, [&](std::string_view key, JsonArgs::Value& value) {
    if (key == "Total Allocated") total = JsonArgs::number(value);
    if (key == "Total Reserved") reserved = JsonArgs::number(value);
    if (key == "Device Type") gpu = JsonArgs::unsigned_number(value).value_or(0) != 0;
    if (key == "Device Id") device = JsonArgs::unsigned_number(value).value_or(0);
  });
  const std::string where = gpu ? fmt::format("GPU {}", device) : "CPU";
  if (total) {
    events_.timeline.add_point("memory allocated, " + where, "By", *event.begin_ns, *total);
  }
  if (reserved && gpu) {
    events_.timeline.add_point("memory reserved, " + where, "By", *event.begin_ns, *reserved);
  }
}

void KinetoReader::add_counters(const JsonEvent& event) {
  if (!event.begin_ns) return;
  args_.each(event.args, [&](std::string_view key, JsonArgs::Value& value) {
    const auto number = JsonArgs::number(value);
    if (!number) return;
    text_.assign(event.name);
    if (key != event.name) text_.append(" ").append(key);
    events_.timeline.add_point(text_, "1", *event.begin_ns, *number);
  });
}

void KinetoReader::add_metadata(const JsonEvent& event) {
  if (event.name != "thread_name") return;
  args_.each(event.args, [&](std::string_view key, JsonArgs::Value& value) {
    if (key == "name") events_.timeline.label(line_of(event), JsonArgs::string(value));
  });
}

void KinetoReader::drop_python() {
  std::vector<Span>& spans = events_.timeline.spans();
  std::vector<std::uint32_t> moved(spans.size(), Timeline::kNone);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (events_.what[i] == KinetoWhat::kPython || events_.what[i] == KinetoWhat::kModule) continue;
    moved[i] = static_cast<std::uint32_t>(kept);
    spans[kept] = spans[i];
    events_.what[kept] = events_.what[i];
    ++kept;
  }
  events_.python_dropped = spans.size() - kept + 1;
  spans.resize(kept);
  spans.shrink_to_fit();
  events_.what.resize(kept);
  for (KinetoKernel& kernel : events_.kernels) kernel.span = moved[kernel.span];
  for (auto& [correlation, span] : events_.launches) span = moved[span];
  for (auto& [external, span] : events_.operators) span = moved[span];
}

}  // namespace tachostat::trace
