// The span, the rings that hold spans until someone reads them, and the trace they become.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tachostat::trace {

// What a span times, from the outside in.
enum class Kind : std::uint8_t {
  kRequest,    // one inference of a whole model, on the thread that ran it
  kLayer,      // one executed layer, by the name that the model or the engine gives it
  kOperator,   // the engine's operator class: "Convolution::execute"
  kPrimitive,  // a library's kernel: oneDNN "primitive::execute|convolution"
  kWorker,     // one parallel-for body on one worker thread
  kStage,      // a stage of serving: decode, queue, compute, encode
  kOther,
};
std::string_view name_of(Kind kind);
// The reverse, for readers of files; nothing when no kind has that name.
std::optional<Kind> kind_named(std::string_view name);

struct Span {
  std::uint64_t begin_ns = 0;  // base::Time axis (CLOCK_MONOTONIC)
  std::uint64_t end_ns = 0;
  std::uint32_t name = 0;    // index into Trace::names, given by whoever fills the trace
  std::uint32_t thread = 0;  // kernel thread id
  std::uint32_t depth = 0;   // nesting on its thread, 0 outermost
  Kind kind = Kind::kOther;
};

// A fixed ring of spans with one writer (its thread) and one reader. A full ring drops the new span
// and counts it; nothing ever blocks or allocates after construction.
class SpanRing {
 public:
  SpanRing(std::uint32_t thread, std::size_t capacity_power_of_two);

  std::uint32_t thread() const { return thread_; }
  // Writer's thread only. False when full.
  bool push(const Span& span);
  // Reader only: appends everything to `out` and empties the ring.
  void drain(std::vector<Span>& out);
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  // Hands the ring to another thread. Only while nobody writes or reads it: its thread has ended
  // and it was drained since.
  void hand_over(std::uint32_t thread) { thread_ = thread; }

 private:
  std::uint32_t thread_;
  const std::size_t mask_;
  std::vector<Span> spans_;
  alignas(64) std::atomic<std::uint64_t> head_{0};  // next to write
  alignas(64) std::atomic<std::uint64_t> tail_{0};  // next to read
  alignas(64) std::atomic<std::uint64_t> dropped_{0};
};

// Which session ran on which thread when: what links a thread's spans to a variant.
struct ExecutionMark {
  std::uint64_t session = 0;
  std::uint32_t thread = 0;
  std::uint64_t begin_ns = 0;
  std::uint64_t end_ns = 0;
  std::string bucket;
};

// A number that changes over time: a sensor, a hardware counter, a queue's length.
struct CounterTrack {
  std::string name = {};
  std::string unit = {};                                      // UCUM: "W", "Cel", "Hz", "By", "1"
  std::vector<std::pair<std::uint64_t, double>> points = {};  // time in ns, ascending, and value
};

// What made what: a launch and its kernel, a request on a network thread and its inference.
struct Flow {
  std::uint32_t from = 0;  // indices into Trace::spans
  std::uint32_t to = 0;
};

// A stretch of evidence: spans of any number of threads, in no order. A thread is a kernel thread
// of this process, or, in an imported trace, whatever the tool draws as one line: a thread of
// another process, a GPU stream.
struct Trace {
  std::vector<std::string> names = {};
  std::vector<std::pair<std::uint32_t, std::string>> threads = {};  // kernel thread id, name
  std::vector<Span> spans = {};
  std::vector<ExecutionMark> marks = {};
  std::vector<CounterTrack> counters = {};
  std::vector<Flow> flows = {};
  std::uint64_t dropped = 0;

  std::string_view name(const Span& span) const { return names[span.name]; }
};

// Adds a later stretch; its names are numbered anew, equal ones shared. Every name of `part`'s
// spans must be in it.
void append(const Trace& part, Trace& whole);

}  // namespace tachostat::trace
