// What another tool's file says, in our words: the common ground of every importer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trace/trace.h"

namespace tachostat::trace {

// What a file tells of one layer. Rows and the spans of kind kLayer in Import::trace are joined by
// name. Numbers are -1 and texts empty where the tool does not tell.
struct LayerRow {
  std::string name = {};
  std::vector<std::string> originals = {};  // the model's layers inside it
  std::string type = {};                    // operator: "Convolution", "aten::conv2d"
  std::string kernel = {};     // implementation: "brgconv_avx2_1x1", a GPU kernel's name
  std::string precision = {};  // as model::name_of(DataType) spells it: "f32", "i8"
  std::string layout = {};
  std::string device = {};  // "CPU", "GPU 0"; an execution provider
  // Totals, for tools that write tables. 0 executions: times come from the trace, or are unknown.
  std::uint64_t count = 0;
  double mean_ns = -1;
  double min_ns = -1;
  double median_ns = -1;
  double max_ns = -1;
  double flops = -1;  // per execution, a multiply-add is two
  double bytes = -1;  // per execution
  // Whatever else the tool measured, in its own words, per execution or as a level:
  // "dram__bytes.sum", "CPI Rate".
  std::map<std::string, double> metrics = {};
};

// A file's content. Either a timeline (trace holds spans of kind kLayer, and kRequest where the
// tool marks whole inferences or steps), or a table (rows with counts), or both.
struct Import {
  std::string tool = {};   // who wrote it, with its version when the file says: "onnxruntime"
  std::string model = {};  // the model's name when the file says
  Trace trace = {};
  std::vector<LayerRow> layers = {};  // in order of execution where the file has one
  // Inferences or steps covered; 0: the file does not say, and spans of kRequest count.
  std::uint64_t requests = 0;
  double request_mean_ns = -1;  // when the file gives a total per inference
  // What had to be left out or assumed; shown to the user.
  std::vector<std::string> notes = {};
};

// The bytes of a file, front to back, unpacked on the way when they are gzip. Thread-compatible.
class Input {
 public:
  // NotFound, or InvalidArgument for a directory and the like.
  static absl::StatusOr<Input> open(const std::string& path);
  // Of bytes in memory, for tests and fuzzers; unpacked too.
  static absl::StatusOr<Input> of(std::string bytes, std::string name = "memory");

  Input(Input&&) noexcept;
  Input& operator=(Input&&) noexcept;
  ~Input();

  const std::string& name() const;  // for messages: the path as given
  // The path on disk when the bytes lie there as they are (not packed, not in memory); for
  // libraries that insist on one. Empty otherwise.
  const std::string& plain_path() const;
  // The first bytes, at most kStart, whatever was read since.
  static constexpr std::size_t kStart = 4096;
  std::string_view start() const;
  // The next bytes, at least one unless the input is at its end (0). InvalidArgument: damaged gzip.
  absl::StatusOr<std::size_t> read(char* to, std::size_t most);
  // All that is left. ResourceExhausted beyond `limit` bytes.
  absl::StatusOr<std::string> all(std::size_t limit = std::size_t{1} << 30);

 private:
  struct State;
  explicit Input(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tachostat::trace
