// LiteRT's (TensorFlow Lite's) operator profile: benchmark_model --enable_op_profiling=true, as a
// log, as csv (--op_profiling_output_mode=csv) or as protobuf (=proto). The text is that of tsl's
// StatsCalculator between the headings of tflite's ProfileSummaryFormatter: per graph a table in
// run order, which we read, and others that repeat it.
#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "base/status.h"
#include "litert_profile.pb.h"
#include "trace/formats/csv.h"
#include "trace/formats/formats.h"
#include "trace/formats/words.h"

namespace tachostat::trace {
namespace {

constexpr std::size_t kMostTextBytes = std::size_t{64} << 20;
// A message of two bytes takes a hundred in memory.
constexpr std::size_t kMostProtoBytes = std::size_t{16} << 20;
constexpr double kUsToNs = 1e3;
constexpr double kMsToNs = 1e6;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// The names inside "[first, second]:12", the tensors that a node computes.
std::vector<std::string> originals_in(std::string_view name) {
  std::vector<std::string> originals;
  const std::size_t end = name.rfind(']');
  if (name.empty() || name.front() != '[' || end == name.npos) return originals;
  std::string_view list = name.substr(1, end - 1);
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(", "), list.size());
    if (comma > 0) originals.emplace_back(trimmed(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 2, list.size()));
  }
  return originals;
}

// XNNPACK's operators: "Convolution (NHWC, F32) IGEMM" is type, layout, precision and kernel in
// one.
void describe_inside(LayerRow& row) {
  row.device = "delegate";
  row.kernel = row.type;
  const std::size_t open = row.type.find(" (");
  const std::size_t close = row.type.find(')', std::min(open, row.type.size()));
  if (open == row.type.npos || close == row.type.npos) return;
  const std::string inside = row.type.substr(open + 2, close - open - 2);
  const std::size_t comma = std::min(inside.find(", "), inside.size());
  row.layout = inside.substr(0, comma);
  row.precision = precision_named(trimmed(inside.substr(std::min(comma + 2, inside.size()))));
  row.type.erase(open);
}

// The rows of graphs and of delegates' insides, before it is known which to keep.
class Rows {
 public:
  void add(LayerRow row, bool inside_delegate) {
    any_inside_ = any_inside_ || inside_delegate;
    // Graphs may share names.
    const std::size_t before = names_[row.name]++;
    if (before > 0) row.name += fmt::format(" #{}", before + 1);
    rows_.push_back(std::move(row));
  }

  void move_to(Import& import) {
    for (LayerRow& row : rows_) {
      const bool delegate_node = row.device.empty() && contains(row.type, "Delegate");
      if (!(any_inside_ && delegate_node)) import.layers.push_back(std::move(row));
    }
    if (any_inside_) {
      import.notes.push_back(
          "a delegate told what it did: its operators stand in place of its node");
    }
  }

 private:
  std::vector<LayerRow> rows_;
  std::unordered_map<std::string, std::size_t> names_;
  bool any_inside_ = false;
};

// --- text ---

class TextReader {
 public:
  explicit TextReader(const std::string& file) : file_(file) {}

  absl::StatusOr<Import> read(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++line_;
      TS_RETURN_IF_ERROR(add(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (tables_ == 0) {
      return base::invalid_argument(
          "{}: no table \"Run Order\"; expected the output of benchmark_model "
          "--enable_op_profiling=true",
          file_);
    }
    Import import{.tool = "litert benchmark_model"};
    for (auto& [row, inside_delegate] : pending_) {
      if (layout_ != Layout::kBlanks) row.count *= std::max<std::uint64_t>(runs_, 1);
      rows_.add(std::move(row), inside_delegate);
    }
    rows_.move_to(import);
    import.requests = runs_;
    import.request_mean_ns = mean_ns_;
    if (runs_ == 0) import.notes.push_back("the number of runs is not told: counted as one");
    return import;
  }

 private:
  enum class State { kOutside, kHeader, kTable };
  enum class Layout { kCommas, kTabs, kBlanks };
  static constexpr std::size_t kMostColumns = 64;

  absl::Status add(std::string_view raw) {
    const std::size_t log = raw.find("INFO: ");
    const std::string_view line = trimmed(log == raw.npos ? raw : raw.substr(log + 6));
    if (state_ == State::kHeader) return begin_table(line);
    if (state_ == State::kTable) {
      if (line.empty() || line.front() == '=') {
        state_ = State::kOutside;
      } else {
        return add_row(line);
      }
    }
    if (line.substr(0, 3) == "===") {
      if (contains(line, "Run Order")) state_ = State::kHeader;
    } else if (contains(line, "Profiling Info for Benchmark Initialization")) {
      initialising_ = true;
    } else if (contains(line, "Regular Benchmark Runs")) {
      initialising_ = inside_delegate_ = false;
    } else if (line.substr(0, 17) == "Delegate internal") {
      inside_delegate_ = true;
    } else if (line.substr(0, 13) == "Primary graph" || line.substr(0, 8) == "Subgraph") {
      inside_delegate_ = false;
    } else {
      note_timings(line);
    }
    return absl::OkStatus();
  }

  // "Timings (microseconds): count=67 first=8781 … avg=7454.97 std=419", under the table of a
  // graph, and "Inference timings in us: Init: …, Inference (avg): 7454.97" of the log.
  void note_timings(std::string_view line) {
    constexpr std::string_view kInference = "Inference (avg): ";
    if (const std::size_t at = line.find(kInference); at != line.npos) {
      set_mean(line.substr(at + kInference.size()));
      mean_is_measured_ = mean_ns_ >= 0;
      return;
    }
    if (initialising_ || inside_delegate_ || line.substr(0, 9) != "Timings (") return;
    if (layout_ == Layout::kBlanks) return;
    constexpr std::string_view kCount = " count=";
    if (const std::size_t at = line.find(kCount); at != line.npos && runs_ == 0) {
      const std::string_view rest = line.substr(at + kCount.size());
      const auto count = number_of(rest.substr(0, rest.find(' ')));
      if (count && *count >= 1 && *count <= 1e9) runs_ = static_cast<std::uint64_t>(*count);
    }
    constexpr std::string_view kAverage = " avg=";
    const std::size_t at = line.find(kAverage);
    if (at != line.npos && !mean_is_measured_ && mean_ns_ < 0) {
      set_mean(line.substr(at + kAverage.size()));
    }
  }

  void set_mean(std::string_view from) {
    const auto us = number_of(from.substr(0, from.find_first_of(" ,")));
    if (us && *us >= 0 && *us < 1e15) mean_ns_ = *us * kUsToNs;
  }

  absl::Status begin_table(std::string_view line) {
    if (line.substr(0, 9) == "node type") {
      layout_ = Layout::kCommas;
    } else if (line.substr(0, 11) == "[node type]") {
      layout_ = contains(line, "\t") ? Layout::kTabs : Layout::kBlanks;
    } else {
      return base::invalid_argument(
          "{}: line {}: expected the header \"node type, …\", found \"{}\"", file_, line_,
          line.substr(0, 80));
    }
    names_.clear();
    // Blanks part names like [times called] too; brackets do not.
    const bool brackets = layout_ == Layout::kBlanks;
    for (std::string& name : brackets ? in_brackets(line) : split(line, SIZE_MAX)) {
      std::replace(name.begin(), name.end(), '_', ' ');
      std::erase_if(name, [](char c) { return c == '[' || c == ']'; });
      names_.push_back(std::move(name));
    }
    const CsvColumns columns(names_);
    first_ = columns.find({"first"});
    mean_ = columns.find({"avg ms"});
    memory_ = columns.find({"mem KB"});
    called_ = columns.find({"times called"});
    name_ = columns.find({"name"});
    if (!mean_ || !name_ || *name_ == 0 || *name_ + 1 != names_.size()) {
      return base::invalid_argument(
          "{}: line {}: the header lacks \"avg ms\", or \"name\" at its end", file_, line_);
    }
    state_ = State::kTable;
    ++tables_;
    return absl::OkStatus();
  }

  static std::vector<std::string> in_brackets(std::string_view line) {
    std::vector<std::string> names;
    while (names.size() < kMostColumns) {
      const std::size_t open = line.find('[');
      const std::size_t close = line.find(']');
      if (open == line.npos || close == line.npos || close < open) break;
      names.emplace_back(line.substr(open + 1, close - open - 1));
      line.remove_prefix(close + 1);
    }
    return names;
  }

  // The last of `most` fields holds the rest: names may have separators in them.
  std::vector<std::string> split(std::string_view line, std::size_t most) const {
    constexpr std::array<std::string_view, 3> kSeparators = {",", "\t", "  "};
    const std::string_view separator = kSeparators[static_cast<std::size_t>(layout_)];
    std::vector<std::string> fields;
    while (fields.size() + 1 < std::min(most, kMostColumns)) {
      const std::size_t at = line.find(separator);
      if (at == line.npos) break;
      fields.emplace_back(trimmed(line.substr(0, at)));
      line.remove_prefix(at + separator.size());
      if (layout_ == Layout::kBlanks) line = trimmed(line);
    }
    fields.emplace_back(trimmed(line));
    return fields;
  }

  absl::Status add_row(std::string_view line) {
    if (initialising_) return absl::OkStatus();
    std::vector<std::string> fields = split(line, names_.size());
    if (fields.size() != names_.size()) {
      return base::invalid_argument("{}: line {}: {} fields, the header has {}", file_, line_,
                                    fields.size(), names_.size());
    }
    LayerRow row;
    row.type = fields[0];
    row.name = fields[*name_];
    // In csv the commas of names became tabs.
    std::replace(row.name.begin(), row.name.end(), '\t', ',');
    if (row.name.empty()) row.name = row.type;
    row.originals = originals_in(row.name);
    if (inside_delegate_) describe_inside(row);
    constexpr std::string_view kInside = "Delegate/";
    if (row.type.substr(0, kInside.size()) == kInside) {
      row.originals.clear();
      row.type.erase(0, kInside.size());
      row.name = fmt::format("{}{}", row.type,
                             row.name.substr(std::min(row.name.rfind(':'), row.name.size())));
      describe_inside(row);
    }
    TS_ASSIGN_OR_RETURN(const double mean_ms, number_in(fields, mean_));
    row.mean_ns = mean_ms * kMsToNs;
    row.count = 1;
    if (called_) {
      TS_ASSIGN_OR_RETURN(const double called, number_in(fields, called_));
      row.count = static_cast<std::uint64_t>(std::clamp(called, 1.0, 1e9));
      // Of all runs: the operator that ran least tells how many there were.
      if (layout_ == Layout::kBlanks) runs_ = runs_ == 0 ? row.count : std::min(runs_, row.count);
    }
    if (first_) {
      TS_ASSIGN_OR_RETURN(const double first_ms, number_in(fields, first_));
      row.metrics["first_ns"] = first_ms * kMsToNs;
    }
    if (memory_) {
      TS_ASSIGN_OR_RETURN(row.metrics["memory_kb"], number_in(fields, memory_));
    }
    pending_.emplace_back(std::move(row), inside_delegate_);
    return absl::OkStatus();
  }

  absl::StatusOr<double> number_in(const std::vector<std::string>& fields,
                                   std::optional<std::size_t> column) const {
    const auto number = number_of(fields[*column]);
    if (number && *number >= 0 && *number < 1e12) return *number;
    return base::invalid_argument("{}: line {}: \"{}\" is \"{}\", expected a number", file_, line_,
                                  names_[*column], fields[*column]);
  }

  const std::string& file_;
  std::size_t line_ = 0;
  State state_ = State::kOutside;
  bool initialising_ = false;
  bool inside_delegate_ = false;
  Layout layout_ = Layout::kCommas;
  std::vector<std::string> names_;
  std::optional<std::size_t> first_, mean_, memory_, called_, name_;
  std::size_t tables_ = 0;
  std::vector<std::pair<LayerRow, bool>> pending_;  // and whether inside a delegate
  Rows rows_;
  std::uint64_t runs_ = 0;
  double mean_ns_ = -1;
  bool mean_is_measured_ = false;
};

// --- protobuf ---

absl::Status add_operator(const litert::OperatorProfile& from, std::uint64_t& runs,
                          bool inside_delegate, Rows& rows) {
  LayerRow row;
  row.type = from.node_type();
  row.name = from.name().empty() ? from.node_type() : from.name();
  if (row.name.empty()) return base::invalid_argument("an operator without name and type");
  row.originals = originals_in(row.name);
  if (inside_delegate) describe_inside(row);
  const litert::Statistic& time = from.inference_microseconds();
  if (time.count() < 0 || time.sum() < 0 || time.min() < 0 || time.max() < 0) {
    return base::invalid_argument("operator '{}': a count or time below 0", row.name);
  }
  if (time.count() > 0) {
    row.count = static_cast<std::uint64_t>(time.count());
    row.mean_ns = static_cast<double>(time.sum()) / static_cast<double>(time.count()) * kUsToNs;
    row.min_ns = static_cast<double>(time.min()) * kUsToNs;
    row.max_ns = static_cast<double>(time.max()) * kUsToNs;
    row.metrics["first_ns"] = static_cast<double>(time.first()) * kUsToNs;
    const std::uint64_t per_run =
        static_cast<std::uint64_t>(std::max<std::int64_t>(from.times_called(), 1));
    if (!inside_delegate) runs = std::max(runs, row.count / per_run);
  }
  if (from.mem_kb().count() > 0)
    row.metrics["memory_kb"] = static_cast<double>(from.mem_kb().last());
  rows.add(std::move(row), inside_delegate);
  return absl::OkStatus();
}

absl::StatusOr<Import> read_proto(Input& input) {
  TS_ASSIGN_OR_RETURN(const std::string bytes, input.all(kMostProtoBytes));
  litert::BenchmarkProfile profile;
  if (!profile.ParseFromString(bytes)) {
    return base::invalid_argument(
        "{}: not a whole message of tflite.profiling.BenchmarkProfilingData", input.name());
  }
  Import import{.tool = "litert benchmark_model", .model = profile.model_name()};
  const litert::ModelProfile& model = profile.runtime_profile();
  Rows rows;
  std::size_t operators = 0;
  const auto add_all = [&](const auto& profiles, bool inside_delegate) -> absl::Status {
    for (const litert::OperatorProfile& each : profiles) {
      ++operators;
      const absl::Status added = add_operator(each, import.requests, inside_delegate, rows);
      if (!added.ok()) return base::with_context(added, input.name());
    }
    return absl::OkStatus();
  };
  for (const auto& graph : model.subgraph_profiles()) {
    TS_RETURN_IF_ERROR(add_all(graph.per_op_profiles(), false));
  }
  for (const auto& delegate : model.delegate_profiles()) {
    TS_RETURN_IF_ERROR(add_all(delegate.per_op_profiles(), true));
  }
  if (operators == 0) {
    return base::invalid_argument("{}: no operator in runtime_profile", input.name());
  }
  rows.move_to(import);
  return import;
}

// --- which of the two ---

// The length-delimited field that starts `bytes`; nothing when it does not.
std::optional<std::pair<int, std::string_view>> first_field(std::string_view bytes) {
  if (bytes.size() < 2 || (bytes[0] & 7) != 2) return std::nullopt;
  const int number = static_cast<unsigned char>(bytes[0]) >> 3;
  std::size_t length = 0;
  std::size_t at = 1;
  for (int shift = 0;; shift += 7) {
    if (at >= bytes.size() || shift > 28) return std::nullopt;
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    length |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return std::pair(number, bytes.substr(at, length));
}

bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; });
}

// Optionally a model's name, then a profile of graphs, the first with its name.
bool is_profile(std::string_view start) {
  auto field = first_field(start);
  if (field && field->first == 1 && is_text(field->second)) {
    const auto after =
        static_cast<std::size_t>(field->second.data() + field->second.size() - start.data());
    field = first_field(start.substr(after));
  }
  if (!field || (field->first != 2 && field->first != 3)) return false;
  const auto graph = first_field(field->second);
  if (!graph || graph->first > 2) return false;
  const auto name = first_field(graph->second);
  return name && name->first <= 3 && (name->first != 1 || is_text(name->second));
}

bool is_log(std::string_view start) {
  return contains(start, "== Run Order ==") || contains(start, "Profiling Info for Benchmark") ||
         contains(start, "[node type]") || contains(start, "Operator-wise Profiling Info") ||
         contains(start, "Enable op profiling: [");
}

bool recognises(std::string_view start, std::string_view) {
  return is_log(start) || is_profile(start);
}

absl::StatusOr<Import> read(Input& input) {
  if (!is_log(input.start()) && is_profile(input.start())) return read_proto(input);
  TS_ASSIGN_OR_RETURN(const std::string text, input.all(kMostTextBytes));
  return TextReader(input.name()).read(text);
}

}  // namespace

extern const Importer kLitert;
const Importer kLitert = {
    "litert", "LiteRT's benchmark_model --enable_op_profiling=true: its log, csv or protobuf",
    recognises, read};

}  // namespace tachostat::trace
