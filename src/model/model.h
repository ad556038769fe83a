// What is served, as values: the network as its file describes it (Graph), one way to run it
// (Variant), and what the scheduler follows (Plan). No engine, no clock, no threads here. All types
// are values, safe to copy and to read from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "model/recipe.h"

namespace tachostat::model {

enum class DataType {
  kUnknown,
  kBool,
  kI4,
  kU4,
  kI8,
  kU8,
  kI16,
  kU16,
  kI32,
  kU32,
  kI64,
  kU64,
  kF8,
  kF16,
  kBF16,
  kF32,
  kF64,
  kString
};

// Bits per element; 0 for kUnknown and kString.
int bits_of(DataType type);
// Our spelling: "f32", "bf16", "i8", "u8", "bool", "string", "unknown".
std::string_view name_of(DataType type);
DataType data_type_of(std::string_view name);
// The Open Inference Protocol's spelling: "FP32", "BYTES"; empty when the protocol has none.
std::string_view protocol_name_of(DataType type);
DataType data_type_of_protocol(std::string_view name);

// Dimensions, outermost first; kDynamic where the model leaves one open.
using Shape = std::vector<std::int64_t>;
inline constexpr std::int64_t kDynamic = -1;
bool is_static(const Shape& shape);
// Product of the dimensions; 0 when one is dynamic; saturates at INT64_MAX.
std::int64_t elements_of(const Shape& shape);
// "[1,3,48,?]".
std::string to_string(const Shape& shape);
// True when `actual` (static) is one of the shapes that `declared` allows.
bool accepts(const Shape& declared, const Shape& actual);

// A named input or output of the whole model.
struct Port {
  std::string name = {};
  DataType type = DataType::kUnknown;
  Shape shape = {};
};

// An edge's end as one layer sees it.
struct Value {
  DataType type = DataType::kUnknown;
  Shape shape = {};
  bool constant = false;  // a weight
};

// Operations and traffic of one execution of a layer, counted from shapes and types. An unfused
// count: bytes assume that inputs come from and outputs go to memory. -1 where it cannot be counted
// (an operator that we don't know, or a dynamic shape).
struct Work {
  double flops = -1;  // a multiply-add is two
  double weight_bytes = -1;
  double input_bytes = -1;   // activations read
  double output_bytes = -1;  // activations written
  double bytes() const;      // the sum, or -1
};

struct Layer {
  std::string name;  // as the model names it, unique in the graph
  std::string type;  // operator, as OpenVINO names it: "Convolution", "MatMul", …
  std::vector<Value> inputs = {};
  std::vector<Value> outputs = {};
  std::vector<int> producers =
      {};  // per input: index into Graph::layers, or -1 for a weight or a model input
  Work work = {};
};

// Static shapes for a model's inputs, by input name: one "shape bucket". Empty: as the model
// declares.
using InputShapes = std::map<std::string, Shape>;
// "x[1,3,48,320]", inputs separated by ";" ; "dynamic" when empty.
std::string to_string(const InputShapes& shapes);

struct Graph {
  std::string name;  // the file's stem
  std::string path;
  std::string hash;    // SHA-256 over the file (and the IR's .bin), so stable across machines
  std::string format;  // "onnx", "ir", "tflite", …
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  std::vector<Layer> layers;  // in topological order, weights left out

  const Port* find_input(std::string_view name) const;
  const Port* find_output(std::string_view name) const;
  int find_layer(std::string_view name) const;  // -1 when absent
};

// Reads any file that the default engine reads: ONNX, OpenVINO IR, TensorFlow, TensorFlow Lite,
// PaddlePaddle, PyTorch. `shapes`, when given, makes the graph static, so that every layer's work
// is known. Errors: NotFound (no such file), InvalidArgument (not a model, or shapes that it
// refuses).
absl::StatusOr<Graph> read(const std::string& path, const InputShapes& shapes = {});

// kDefault leaves it to the engine.
enum class Precision { kDefault, kF32, kBF16, kF16 };
std::string_view name_of(Precision precision);  // "default", "f32", …
absl::StatusOr<Precision> precision_of(std::string_view name);

// One way to run a model. Every field is a request to the engine; engine::Applied says what it did.
struct Variant {
  std::string engine = "openvino";
  std::string device = "CPU";
  Precision precision = Precision::kDefault;
  int threads = 0;  // over all streams; 0: the engine's choice
  int streams = 1;  // requests that run side by side; 0: the engine's choice
  int batch = 1;    // largest number of requests joined into one inference
  bool pinning = false;
  InputShapes shapes = {};  // shape bucket; empty: the model's own, dynamic where it is
  Recipe recipe = {};       // what is done to the network first

  // Readable and unique: "openvino.CPU f32 2t 1s b1", the bucket and the recipe when there is one.
  std::string id() const;
  friend bool operator==(const Variant&, const Variant&) = default;
};
std::string to_json(const Variant& variant);
absl::StatusOr<Variant> variant_from_json(std::string_view json);

// What the scheduler follows. Immutable once published; a newer one replaces it whole.
struct Plan {
  struct Share {
    std::string variant;  // Variant::id() of a loaded session
    double weight = 1;    // relative share of batches
    // Only requests with exactly these shapes go here, before any share without shapes; empty: any
    // request.
    InputShapes shapes = {};
  };
  std::uint64_t generation = 0;
  std::vector<Share> shares = {};
  int max_batch = 1;                  // requests joined at most
  base::Duration max_batch_delay{0};  // how long the oldest request may wait for company
  int concurrency = 1;                // inferences in flight over all shares
  int queue_limit = 256;              // requests waiting; one more is refused
  // A request without a deadline of its own that would wait for a slot and be answered later than
  // this is refused.
  base::Duration patience = base::Duration::max();
  // An inference that takes longer hangs: its requests are answered with an error, and its slot is
  // free again.
  base::Duration hang_after = base::Duration::max();
};
using PlanPtr = std::shared_ptr<const Plan>;

}  // namespace tachostat::model
