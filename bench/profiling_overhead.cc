// Times requests with profiling off, sampled and always on, in one process and one session, in
// interleaved blocks in random order, and prints one JSON object. bench/profiling_overhead.py makes
// the table of it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
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
using Mode = app::ProbeMode;

constexpr std::array kModes = {std::pair{Mode::kOff, "off"}, std::pair{Mode::kSampled, "sampled"},
                               std::pair{Mode::kAlways, "always"}};

void set_mode(probe::Sampler& sampler, Mode mode) {
  sampler.set_depth(mode == Mode::kOff ? probe::Depth::kOff : probe::Depth::kKernels);
  sampler.set_always(mode == Mode::kAlways);
}

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

  json blocks = json::array();
  std::mt19937 random(1);
  auto order = kModes;
  // The sampler learns the cost before it is judged.
  set_mode(sampler, Mode::kSampled);
  time_block(*session, inputs, requests * 3);
  for (int round = 0; round < rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    json block;
    for (const auto& [mode, name] : order) {
      set_mode(sampler, mode);
      block[name] = time_block(*session, inputs, requests);
      evidence.pump();  // as the evidence thread does while serving, but outside the timed part
    }
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
