// Spans become per-layer distributions, keyed by model, variant and shape bucket.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/histogram.h"
#include "model/model.h"
#include "profile/thread_stats.h"
#include "trace/trace.h"

namespace tachostat::profile {

// A tensor at a layer's border, as executed.
struct Tensor {
  // Of an input that no layer of the profile makes.
  static constexpr int kUnknown = -1, kModelInput = -2, kConstant = -3;

  std::string type{};       // "f32", "u8"; empty: not known
  model::Shape shape{};     // empty: not known, or a scalar
  int producer = kUnknown;  // of an input: index into Profile::layers
};

// A stretch of the time that was profiled, in order: what changed over time shows here.
struct Slice {
  std::uint64_t count = 0;
  std::uint64_t sum_ns = 0;
  double mean_ns() const {
    return count == 0 ? 0 : static_cast<double>(sum_ns) / static_cast<double>(count);
  }
};

// Something measured beside the layers while they were profiled: how requests reached the model
// ("serving/queue"), the machine ("cgroup/cpu/throttled"), the process.
// docs/design/profile-format.md lists the names.
struct Reading {
  double mean = 0;
  double low = 0;  // least and most that was read; the mean where it was read once
  double high = 0;
  std::uint64_t n = 1;  // times it was read, or requests behind it
  std::string unit{};   // UCUM: "s", "1", "By", "Hz"
};

// Durations are in nanoseconds throughout.
struct LayerProfile {
  std::string name{};                    // as executed
  std::vector<std::string> originals{};  // the model's layers inside it
  std::string type{};
  std::string kernel{};
  std::string precision{};
  std::string layout{};
  std::string device{};    // where it ran when the tool says: "GPU 0"; empty: the variant's device
  base::Histogram time{};  // wall time per execution, on the thread that runs the request
  double share = 0;        // of all request time
  // Busy time of all threads inside parallel-for bodies of this layer ÷ (wall time × threads); -1
  // when no worker spans were seen.
  double thread_efficiency = -1;
  ThreadStats threads{};
  model::Work work{};  // per execution, of all its originals together
  // Whatever else was measured, per execution or as a level, by its tool's name: hardware counters
  // ("instructions"), another tool's columns ("dram__bytes.sum").
  std::map<std::string, double> metrics{};
  std::vector<Tensor> inputs{};        // empty: not known
  std::vector<Tensor> outputs{};       // likewise
  std::vector<std::string> answers{};  // the model's outputs that are this layer's
  std::vector<Slice> slices{};         // as Profile::slices; empty: not known
};

struct Profile {
  static constexpr int kVersion = 1;

  std::string model{};
  std::string model_hash{};
  std::string variant{};  // Variant::id()
  std::string bucket{};   // to_string(InputShapes) of the requests seen
  int threads = 1;        // per stream
  int streams = 1;
  // Compiled for fixed shapes: the variant's bucket, or the model's own.
  bool static_shapes = false;
  base::Histogram request_time{};     // looked-at inferences, without queueing
  std::uint64_t unattributed_ns = 0;  // request time inside no layer
  double overhead = 0;                // Sampler::Report::overhead when it was taken
  std::uint64_t dropped_spans = 0;
  std::vector<LayerProfile> layers{};  // in order of execution
  // Fingerprint::hash() of the machine that it was taken on; empty: not known.
  std::string machine{};
  std::vector<Slice> slices{};  // of requests, at most kMostSlices with equally many each
  std::map<std::string, Reading> readings{};

  static constexpr std::size_t kMostSlices = 32;

  const LayerProfile* find(std::string_view layer) const;
  double layer_total_ns() const;
};

// What a session is, so that its spans can be named. Filled by app/ from engine::Applied and the
// graph.
struct SessionInfo {
  std::string model{};
  std::string model_hash{};
  model::Variant variant{};
  int threads = 1;
  int streams = 1;
  bool static_shapes = false;  // the model itself declares no open dimension
  struct Layer {
    std::string name{};
    std::vector<std::string> originals{};
    std::string type{}, kernel{}, precision{}, layout{};
    model::Work work{};
    std::vector<Tensor> inputs{};  // producers are indices into SessionInfo::layers
    std::vector<Tensor> outputs{};
    std::vector<std::string> answers{};
  };
  std::vector<Layer> layers{};
};

struct LayerRun;

// Adds up traces. Thread-compatible.
//
// A request span belongs to the session whose mark on the same thread overlaps it; a mark without a
// request span stands for one itself. Layer spans belong to the request that encloses them on their
// thread, and only the outermost count; worker spans to the layer that runs when they begin, when
// that is unambiguous (one request in flight).
class Builder {
 public:
  // Shapes kept per session; one more takes the place of the one with the fewest requests.
  static constexpr std::size_t kMaxBuckets = 64;

  // A session that is known already gets the new names and work; what was measured stays.
  void add_session(std::uint64_t session, SessionInfo info);
  // Marks of sessions that were not added are ignored.
  void add(const trace::Trace& trace);
  // One profile per session and bucket seen; empty layers are listed with a count of 0.
  std::vector<Profile> profiles() const;
  // Forgets everything that was measured of a session, e.g. after a change of load.
  void reset(std::uint64_t session);
  // And what the session is, once it is unloaded.
  void remove(std::uint64_t session);

 private:
  struct PerLayer {
    base::Histogram time;
    ThreadSums threads;
    std::vector<Slice> slices;
  };
  struct PerBucket {
    base::Histogram request_time;
    std::vector<Slice> slices;
    std::uint64_t slice_requests = 1;  // in each slice but the last
    std::uint64_t layer_ns = 0;
    std::map<std::string, PerLayer, std::less<>> layers;
    std::vector<std::string> order;  // as first seen
    std::uint64_t dropped = 0;
  };
  using Key = std::pair<std::uint64_t, std::string>;  // session, bucket

  PerBucket& bucket_of(const Key& key);
  static void begin_request(PerBucket& bucket, std::uint64_t duration_ns);
  static void add_layer(PerBucket& bucket, const std::string& name, const LayerRun& run);
  static void number_producers(const SessionInfo& info, Profile& profile);
  static Profile profile_of(const SessionInfo& info, const std::string& name,
                            const PerBucket& bucket);

  std::map<std::uint64_t, SessionInfo> sessions_;
  std::map<Key, PerBucket> buckets_;
};

// Mean of the fastest quarter of the values, in nanoseconds: what an execution takes that nothing
// disturbs. Neighbours only ever add time. 0 when empty.
double undisturbed_ns(const base::Histogram& time);

std::string to_json(const Profile& profile);
// InvalidArgument names the member that is missing or wrong.
absl::StatusOr<Profile> from_json(std::string_view json);
// For people: the `top` most expensive layers (0: all, in order of execution), with a total line.
std::string to_text(const Profile& profile, int top = 20);
// What is known of the layers' threads, one line a layer; `top` as above.
std::string to_threads_text(const Profile& profile, int top = 20);

// Measured peaks of this machine. -1: not measured.
struct Roofline {
  int threads = 1;
  double peak_f32_flops = -1;    // FLOP/s with `threads`
  double single_f32_flops = -1;  // with one
  double memory_bandwidth = -1;  // bytes/s from DRAM with `threads`
  double cache_bandwidth = -1;   // bytes/s from the last cache level
  // From a calibration only, with `threads`; -1 also where no instruction multiplies these types.
  double peak_bf16_flops = -1;
  double peak_f16_flops = -1;
  double peak_int8_ops = -1;  // operations/s
  double l2_bandwidth = -1;   // bytes/s from the second level
  double dispatch_ns = -1;    // handing work to threads that spin
  double wake_ns = -1;        // to threads that sleep
  // What the machine is; -1 or empty: not known.
  double l2_bytes = -1;          // that one thread can use
  double last_level_bytes = -1;  // that all of them share
  int cores = -1;                // physical ones that this process may use
  int processors = -1;           // and their hardware threads
  std::vector<std::string> instruction_sets{};
};

// Runs a fused multiply-add loop and a stream triad for about `milliseconds` in all. Quick (0.2 s
// by default) and rough: within about 10 % on a quiet machine.
Roofline measure_roofline(int threads, int milliseconds = 200);
std::string to_json(const Roofline& roofline);
absl::StatusOr<Roofline> roofline_from_json(std::string_view json);

}  // namespace tachostat::profile
