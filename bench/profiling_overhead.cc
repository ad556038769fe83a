// Times requests with profiling off, sampled, and of every request at each depth, in one process
// and one session, in interleaved blocks in random order, beside OpenVINO's own profiler
// (PERF_COUNT) switched off and on; prints one JSON object. bench/profiling_overhead.py makes the
// table of it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <openvino/openvino.hpp>
#include <random>

#include "app/engines.h"
#include "app/evidence.h"
#include "app/model_server.h"
#include "app/profile_run.h"
#include "base/clock.h"
#include "base/status.h"

namespace tachostat {
namespace {

using nlohmann::json;
using probe::Depth;

struct Mode {
  const char* name;
  Depth depth;
  bool always;
};
constexpr Mode kModes[] = {{"off", Depth::kOff, false},
                           {"sampled", Depth::kKernels, false},
                           {"layers", Depth::kLayers, true},
                           {"kernels", Depth::kKernels, true},
                           {"counters", Depth::kCounters, true}};

void set_mode(probe::Sampler& sampler, const Mode& mode) {
  sampler.set_depth(mode.depth);
  sampler.set_always(mode.always);
}

// The same model by OpenVINO's own interface, with its own profiler off or on.
class Bare {
 public:
  Bare(ov::Core& core, const std::string& path, const std::vector<engine::Tensor>& inputs,
       bool profiled)
      : compiled_(
            core.compile_model(path, "CPU",
                               {ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                                ov::num_streams(1), ov::enable_profiling(profiled)})),
        request_(compiled_.create_infer_request()) {
    for (const engine::Tensor& input : inputs) {
      const ov::Output<const ov::Node> port = compiled_.input(input.name);
      ov::Shape shape;
      for (const std::int64_t dimension : input.shape) {
        shape.push_back(static_cast<std::size_t>(dimension));
      }
      ov::Tensor tensor(port.get_element_type(), shape);
      std::memcpy(tensor.data(), input.data.data(), input.data.size());
      request_.set_tensor(port, tensor);
    }
  }

  std::vector<double> time_block(int requests) {
    std::vector<double> milliseconds;
    const base::SystemClock clock;
    for (int i = 0; i < requests; ++i) {
      const base::Time begin = clock.now();
      request_.infer();
      milliseconds.push_back(base::to_milliseconds(clock.now() - begin));
    }
    return milliseconds;
  }

 private:
  ov::CompiledModel compiled_;
  ov::InferRequest request_;
};

std::vector<double> time_block(engine::Session& session, const std::vector<engine::Tensor>& inputs,
                               int requests) {
  std::vector<double> milliseconds;
  for (int i = 0; i < requests; ++i) {
    base::Mutex mutex;
    base::CondVar wake;
    bool done = false;
    const base::SystemClock clock;
    const base::Time begin = clock.now();
    session.infer(inputs, [&](const auto&) {
      base::MutexLock lock(mutex);
      done = true;
      wake.notify_one();
    });
    base::MutexLock lock(mutex);
    while (!done) wake.wait(mutex);
    milliseconds.push_back(base::to_milliseconds(clock.now() - begin));
  }
  return milliseconds;
}

absl::StatusOr<json> measure(const std::string& path, const std::string& shape_text, int rounds,
                             int requests) {
  TS_ASSIGN_OR_RETURN(const auto engine, app::make_engine("openvino"));
  TS_ASSIGN_OR_RETURN(const model::Graph graph, model::read(path));
  model::InputShapes given;
  if (!shape_text.empty()) {
    // "x=1,3,48,320"
    const std::size_t at = shape_text.find('=');
    model::Shape shape;
    for (std::size_t from = at + 1; from < shape_text.size();) {
      const std::size_t to = std::min(shape_text.find(',', from), shape_text.size());
      shape.push_back(std::stoll(shape_text.substr(from, to - from)));
      from = to + 1;
    }
    given[shape_text.substr(0, at)] = shape;
  }
  TS_ASSIGN_OR_RETURN(const model::InputShapes shapes, app::fill_open_dimensions(graph, given));
  TS_ASSIGN_OR_RETURN(const auto inputs, app::synthetic_inputs(graph, shapes, 1));
  probe::Sampler sampler(probe::itt_source(), {});
  app::SamplingObserver observer(sampler);
  app::Evidence evidence(sampler, graph);
  TS_ASSIGN_OR_RETURN(const auto session, engine->load(graph, {}, &observer));
  evidence.add_session(*session);

  ov::Core core;
  Bare bare(core, path, inputs, false);
  Bare bare_profiled(core, path, inputs, true);
  // The sampler learns the cost before it is judged.
  set_mode(sampler, kModes[1]);
  time_block(*session, inputs, requests * 3);
  sampler.set_depth(Depth::kOff);
  bare.time_block(requests);
  bare_profiled.time_block(requests);

  json blocks = json::array();
  std::mt19937 random(1);
  std::vector<std::function<void(json&)>> runs;
  for (const Mode& mode : kModes) {
    if (!probe::itt_source().available_at(mode.depth).ok()) continue;
    runs.emplace_back([&](json& block) {
      set_mode(sampler, mode);
      block[mode.name] = time_block(*session, inputs, requests);
      set_mode(sampler, kModes[0]);
      evidence.pump();  // as the evidence thread does while serving, but outside the timed part
    });
  }
  runs.emplace_back([&](json& block) { block["openvino_off"] = bare.time_block(requests); });
  runs.emplace_back(
      [&](json& block) { block["openvino_on"] = bare_profiled.time_block(requests); });
  for (int round = 0; round < rounds; ++round) {
    std::shuffle(runs.begin(), runs.end(), random);
    json block;
    for (const auto& run : runs) run(block);
    blocks.push_back(std::move(block));
  }
  const probe::Sampler::Report report = sampler.report();
  const auto profile = evidence.profile_of(session->number(), shapes);
  return json{{"model", graph.name},
              {"blocks", std::move(blocks)},
              {"nanoseconds_per_span", probe::itt_source().nanoseconds_per_span()},
              {"cost_when_sampled", report.cost_when_sampled},
              {"dropped_spans", report.dropped_spans},
              {"layers", profile ? profile->layers.size() : 0}};
}

}  // namespace
}  // namespace tachostat

int main(int argc, char** argv) {
  tachostat::probe::ensure_itt_environment(argv);
  if (argc != 5) {
    fmt::print(stderr, "usage: profiling_overhead MODEL NAME=D1,D2,…|'' ROUNDS REQUESTS\n");
    return 2;
  }
  const auto result = tachostat::measure(argv[1], argv[2], std::atoi(argv[3]), std::atoi(argv[4]));
  if (!result.ok()) {
    fmt::print(stderr, "profiling_overhead: {}\n", result.status().message());
    return 3;
  }
  fmt::print("{}\n", result->dump());
}
