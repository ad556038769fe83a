// Nsight Systems: nsys export --type sqlite. Source of the format: the "SQLite Schema Reference" of
// its user guide; tables and columns differ between versions, any may be missing.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "trace/formats/device_layers.h"
#include "trace/formats/formats.h"
#include "trace/formats/nsys_database.h"
#include "trace/formats/timeline.h"

namespace tachostat::trace {
namespace {

constexpr std::uint32_t kNone = Timeline::kNone;

// ENUM_CUDA_MEMCPY_OPER.
constexpr std::pair<std::int64_t, std::string_view> kCopies[] = {
    {1, "HtoD"},  {2, "DtoH"},          {8, "DtoD"},          {9, "HtoH"},
    {10, "PtoP"}, {11, "Unified HtoD"}, {12, "Unified DtoH"}, {13, "Unified DtoD"},
};

// The number that a framework gives to each call is no part of a layer's name:
// "aten::conv2d, seq = 4, op_id = 7".
std::string_view without_counts(std::string_view name) {
  for (const std::string_view word : {", seq = ", ", op_id = "}) {
    name = name.substr(0, name.find(word));
  }
  return name;
}

// "cudaLaunchKernel_v7000" is cudaLaunchKernel.
std::string_view without_version(std::string_view name) {
  const std::size_t at = name.rfind("_v");
  if (at == name.npos || at + 2 == name.size()) return name;
  return name.find_first_not_of("0123456789", at + 2) == name.npos ? name.substr(0, at) : name;
}

struct Sums {
  std::uint64_t count = 0;
  std::map<std::string, double> sums = {};
};

class NsysReader {
 public:
  explicit NsysReader(NsysDatabase& database) : database_(database) {}

  absl::StatusOr<Import> read(const std::string& file) {
    TS_RETURN_IF_ERROR(read_strings(file));
    read_ranges();
    read_calls();
    read_kernels();
    read_copies("CUPTI_ACTIVITY_KIND_MEMCPY");
    read_copies("CUPTI_ACTIVITY_KIND_MEMSET");
    if (timeline_.size() == 0) {
      return base::invalid_argument(
          "{}: no kernel, CUDA call or NVTX range in it: expected the tables of nsys export --type "
          "sqlite, recorded with --trace=cuda,nvtx",
          file);
    }
    label_threads();
    nest();
    std::map<std::uint32_t, DeviceLayer> device;
    if (!work_.empty()) device = on_device();
    Import import{.tool = "nsys"};
    write_rows(device, import);
    if (requests_.empty()) {
      import.notes.emplace_back(
          "no NVTX range around the layers of an inference: nothing says where one begins");
    }
    import.trace = timeline_.finish(import.notes);
    return import;
  }

 private:
  absl::Status read_strings(const std::string& file) {
    std::uint64_t bytes = 0;
    // A damaged file may show the same page many times.
    const std::uint64_t most = 2 * database_.bytes() + (1 << 20);
    database_.scan("StringIds", {"id", "value"}, [&](const NsysRow& row) {
      if (!row.number(0) || bytes > most) return;
      bytes += row.text(1).size();
      strings_[*row.number(0)] = std::string(row.text(1));
    });
    if (bytes <= most) return absl::OkStatus();
    return base::invalid_argument("{}: StringIds holds more text than the file has bytes", file);
  }

  // A text, or the number of one in StringIds.
  std::string_view string_of(const NsysRow& row, std::size_t column) const {
    if (const auto id = row.number(column)) {
      const auto found = strings_.find(*id);
      return found == strings_.end() ? std::string_view{} : std::string_view(found->second);
    }
    return row.text(column);
  }

  std::uint32_t thread_line(std::int64_t global_tid) {
    const std::uint32_t line = timeline_.line(fmt::format("thread {}", global_tid));
    threads_[global_tid] = line;
    return line;
  }

  std::uint32_t stream_line(std::int64_t device, std::int64_t stream) {
    return timeline_.line(fmt::format("GPU {} stream {}", device, stream));
  }

  std::uint32_t add(std::string_view name, std::uint32_t line, const NsysRow& row, Kind kind) {
    const auto begin = row.number(0);
    const auto end = row.number(1);
    std::int64_t duration = 0;
    if (!begin || !end || __builtin_sub_overflow(*end, *begin, &duration)) {
      ++timeline_.left_out;
      return kNone;
    }
    return timeline_.add(timeline_.name(name.empty() ? "?" : name), line, *begin, duration, kind);
  }

  // The rows that have an end are ranges; others are marks, domains and categories.
  void read_ranges() {
    database_.scan(
        "NVTX_EVENTS", {"start", "end", "text", "textId", "globalTid"}, [&](const NsysRow& row) {
          if (!row.number(1)) return;
          std::string_view name = string_of(row, 2);
          if (name.empty()) name = string_of(row, 3);
          add(without_counts(name), thread_line(row.number(4).value_or(0)), row, Kind::kStage);
        });
    ranges_ = timeline_.size();
  }

  void read_calls() {
    for (const char* table : {"CUPTI_ACTIVITY_KIND_RUNTIME", "CUPTI_ACTIVITY_KIND_DRIVER"}) {
      database_.scan(table, {"start", "end", "nameId", "globalTid", "correlationId"},
                     [&](const NsysRow& row) {
                       const std::uint32_t span =
                           add(without_version(string_of(row, 2)),
                               thread_line(row.number(3).value_or(0)), row, Kind::kOperator);
                       if (span != kNone && row.number(4)) launches_.emplace(*row.number(4), span);
                     });
    }
  }

  void add_work(const NsysRow& row, std::string_view name, std::size_t device_column,
                Sums** measured) {
    const std::int64_t device = row.number(device_column).value_or(0);
    const std::int64_t stream = row.number(device_column + 1).value_or(0);
    const std::uint32_t span = add(name, stream_line(device, stream), row, Kind::kPrimitive);
    if (span == kNone) return;
    const Span& added = timeline_.spans()[span];
    DeviceWork one{.span = span,
                   .launched_ns = Timeline::begin_of(added),
                   .device = static_cast<std::uint32_t>(device)};
    const auto launch = launches_.find(row.number(device_column + 2).value_or(0));
    if (launch != launches_.end()) {
      timeline_.add_flow(launch->second, span);
      one.owner = launch->second;  // until nest() knows the layer around it
      one.launched_ns = Timeline::begin_of(timeline_.spans()[launch->second]);
    }
    work_.push_back(one);
    *measured = &measured_[added.name];
    ++(*measured)->count;
  }

  void read_kernels() {
    static const std::vector<std::string_view> columns = {"start",
                                                          "end",
                                                          "demangledName",
                                                          "shortName",
                                                          "name",
                                                          "deviceId",
                                                          "streamId",
                                                          "correlationId",
                                                          "registersPerThread",
                                                          "staticSharedMemory",
                                                          "dynamicSharedMemory",
                                                          "gridX",
                                                          "gridY",
                                                          "gridZ",
                                                          "blockX",
                                                          "blockY",
                                                          "blockZ"};
    database_.scan("CUPTI_ACTIVITY_KIND_KERNEL", columns, [&](const NsysRow& row) {
      std::string_view name;
      for (std::size_t column = 2; column <= 4 && name.empty(); ++column) {
        name = string_of(row, column);
      }
      Sums* measured = nullptr;
      add_work(row, name, 5, &measured);
      if (measured == nullptr) return;
      const auto number = [&row](std::size_t column) {
        return static_cast<double>(row.number(column).value_or(-1));
      };
      if (number(8) >= 0) measured->sums["registers per thread"] += number(8);
      if (number(9) >= 0 && number(10) >= 0) {
        measured->sums["shared memory"] += number(9) + number(10);
      }
      const double blocks = number(11) * number(12) * number(13);
      const double threads = number(14) * number(15) * number(16);
      if (blocks > 0) measured->sums["blocks"] += blocks;
      if (threads > 0) measured->sums["threads per block"] += threads;
    });
  }

  void read_copies(const std::string& table) {
    const bool copies = table.ends_with("MEMCPY");
    database_.scan(table,
                   {"start", "end", "copyKind", "bytes", "deviceId", "streamId", "correlationId"},
                   [&](const NsysRow& row) {
                     std::string name = copies ? "Memcpy" : "Memset";
                     for (const auto& [kind, word] : kCopies) {
                       if (copies && row.number(2) == kind) name += fmt::format(" {}", word);
                     }
                     Sums* measured = nullptr;
                     add_work(row, name, 4, &measured);
                     if (measured != nullptr && row.number(3)) {
                       measured->sums["bytes"] += static_cast<double>(*row.number(3));
                     }
                   });
  }

  void label_threads() {
    for (const auto& [global, line] : threads_) {
      // The two lower groups of 24 bits: process and thread.
      timeline_.label(line, fmt::format("thread {} of process {}", global & 0xffffff,
                                        (global >> 24) & 0xffffff));
    }
    database_.scan("ThreadNames", {"nameId", "globalTid"}, [&](const NsysRow& row) {
      const auto known = threads_.find(row.number(1).value_or(-1));
      const std::string_view name = string_of(row, 0);
      if (known != threads_.end() && !name.empty()) timeline_.label(known->second, name);
    });
  }

  bool is_range(std::uint32_t span) const { return span < ranges_; }
  bool is_framework(std::uint32_t span) const {
    return timeline_.text(timeline_.spans()[span].name).starts_with("aten::");
  }

  // For each call, the range that is its layer: the outermost of PyTorch's operators, else the
  // innermost. Without work on a device, ranges with no range inside are the layers.
  void nest() {
    layer_.assign(timeline_.size(), kNone);
    std::vector<std::uint32_t> outermost(timeline_.size(), kNone);
    std::vector<bool> holds_range(timeline_.size());
    std::vector<bool> has_layers(timeline_.size());  // others than itself
    walk_nesting(timeline_.spans(), timeline_.in_order(),
                 [&](std::uint32_t index, std::uint32_t parent) {
                   if (parent != kNone) {
                     layer_[index] = layer_[parent];
                     outermost[index] = outermost[parent];
                     if (is_range(index)) holds_range[parent] = true;
                   }
                   if (!is_range(index)) return;
                   if (layer_[index] == kNone || !is_framework(layer_[index])) {
                     layer_[index] = index;
                   }
                   if (outermost[index] == kNone) outermost[index] = index;
                 });
    if (work_.empty()) {
      for (std::uint32_t i = 0; i < ranges_; ++i) {
        if (holds_range[i]) continue;
        const std::uint32_t layer = layer_[i];
        timeline_.spans()[layer].kind = Kind::kLayer;
        if (outermost[i] != layer) has_layers[outermost[i]] = true;
      }
    }
    for (DeviceWork& one : work_) {
      if (one.owner == kNone) continue;
      const std::uint32_t layer = layer_[one.owner];
      if (layer != kNone && outermost[layer] != layer) has_layers[outermost[layer]] = true;
      one.owner = layer;
    }
    for (std::uint32_t i = 0; i < ranges_; ++i) {
      if (!has_layers[i]) continue;
      requests_.push_back(i);
      if (work_.empty()) timeline_.spans()[i].kind = Kind::kRequest;
    }
  }

  std::map<std::uint32_t, DeviceLayer> on_device() {
    // An inference's own copies are its layers too, but not named after the whole of it.
    std::vector<bool> is_request(timeline_.size());
    for (const std::uint32_t request : requests_) is_request[request] = true;
    for (DeviceWork& one : work_) {
      if (one.owner != kNone && is_request[one.owner]) one.owner = kNone;
    }
    return add_device_layers(timeline_, std::move(work_), requests_);
  }

  void write_rows(const std::map<std::uint32_t, DeviceLayer>& device, Import& import) {
    absl::flat_hash_map<std::uint32_t, bool> seen;
    for (const Span& layer : timeline_.spans()) {
      if (layer.kind != Kind::kLayer || !seen.try_emplace(layer.name, true).second) continue;
      LayerRow row{.name = timeline_.text(layer.name), .device = "CPU"};
      const auto on = device.find(layer.name);
      if (on != device.end()) {
        row.device = fmt::format("GPU {}", on->second.device);
        const std::uint32_t kernel = on->second.longest_kernel();
        row.kernel = timeline_.text(kernel);
        const Sums& measured = measured_[kernel];
        for (const auto& [metric, sum] : measured.sums) {
          row.metrics[metric] = sum / static_cast<double>(measured.count);
        }
      }
      import.layers.push_back(std::move(row));
    }
  }

  NsysDatabase& database_;
  Timeline timeline_;
  absl::flat_hash_map<std::int64_t, std::string> strings_;
  absl::flat_hash_map<std::int64_t, std::uint32_t> launches_;  // correlation to span
  std::map<std::int64_t, std::uint32_t> threads_;              // globalTid to line
  std::vector<DeviceWork> work_;
  std::map<std::uint32_t, Sums> measured_;  // of a kernel's name
  std::size_t ranges_ = 0;                  // spans before it are NVTX's
  std::vector<std::uint32_t> layer_;        // by span: the range that is its layer
  std::vector<std::uint32_t> requests_;     // ranges
};

bool recognises(std::string_view start, std::string_view) {
  return start.starts_with(std::string_view("SQLite format 3\0", 16));
}

absl::StatusOr<Import> read(Input& input) {
  if (!recognises(input.start(), "")) {
    return base::invalid_argument("{}: no SQLite database: make one by nsys export --type sqlite",
                                  input.name());
  }
  TS_ASSIGN_OR_RETURN(const std::unique_ptr<NsysDatabase> database, NsysDatabase::open(input));
  try {
    return NsysReader(*database).read(input.name());
  } catch (const std::exception& error) {
    return base::invalid_argument("{}: the database is damaged or refuses to be read: {}",
                                  input.name(), error.what());
  }
}

}  // namespace

extern const Importer kNsys;
const Importer kNsys = {"nsys", "Nsight Systems, nsys export --type sqlite", recognises, read};

}  // namespace tachostat::trace
