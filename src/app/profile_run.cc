#include "app/profile_run.h"

#include <bit>
#include <cstring>
#include <random>

#include "app/driver.h"
#include "app/evidence.h"
#include "app/layer_counters.h"
#include "app/readings.h"
#include "base/status.h"

namespace tachostat::app {
namespace {

constexpr std::int64_t kOpenDimension = 256;

// Round to nearest is not needed for synthetic values: the upper half of an f32 is a bf16.
std::uint16_t to_bf16(float value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}

// For values in [0, 1): truncated, small ones to zero.
std::uint16_t to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const int exponent = static_cast<int>(bits >> 23) - 127 + 15;
  if (exponent <= 0) return 0;
  return static_cast<std::uint16_t>((exponent << 10) | ((bits >> 13) & 0x3FF));
}

template <class T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

void fill(std::span<std::byte> data, model::DataType type, std::mt19937_64& random) {
  std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
  const std::size_t size = static_cast<std::size_t>(model::bits_of(type)) / 8;
  for (std::size_t at = 0; at + size <= data.size(); at += size) {
    std::byte* const to = data.data() + at;
    switch (type) {
      case model::DataType::kF32:
        put(to, uniform(random));
        break;
      case model::DataType::kF64:
        put(to, static_cast<double>(uniform(random)));
        break;
      case model::DataType::kF16:
        put(to, to_f16(uniform(random)));
        break;
      case model::DataType::kBF16:
        put(to, to_bf16(uniform(random)));
        break;
      default:
        *to = static_cast<std::byte>(random() & 1);
        break;  // little-endian 0 or 1
    }
  }
}

// Looks at the sensors between requests, a few times in all.
class SensorLooks {
 public:
  SensorLooks(probe::SensorPoller* sensors, int requests)
      : sensors_(sensors), every_(std::max(1, requests / kLooks)) {}

  void look(int done) {
    if (sensors_ == nullptr) return;
    sensors_->poll();
    stretch_.look(*sensors_->snapshot(), static_cast<std::uint64_t>(done));
    next_ = done + every_;
  }
  void look_if_due(int done) {
    if (done >= next_) look(done);
  }
  void fill(const engine::Session& session, profile::Profile& profile) const {
    if (const std::uint64_t bytes = session.memory_bytes(); bytes > 0) {
      profile.readings["memory/held"] = reading_of(static_cast<double>(bytes), "By");
    }
    stretch_.fill(profile.threads * profile.streams, profile.readings);
  }

 private:
  static constexpr int kLooks = 8;
  probe::SensorPoller* const sensors_;
  const int every_;
  int next_ = 0;
  SensorStretch stretch_;
};

}  // namespace

absl::StatusOr<model::InputShapes> fill_open_dimensions(const model::Graph& graph,
                                                        const model::InputShapes& given) {
  for (const auto& [name, shape] : given) {
    const model::Port* const input = graph.find_input(name);
    if (input == nullptr) {
      return base::invalid_argument("'{}' has no input '{}'", graph.name, name);
    }
    if (!model::accepts(input->shape, shape)) {
      return base::invalid_argument("input '{}': expected a shape that {} allows, found {}", name,
                                    model::to_string(input->shape), model::to_string(shape));
    }
  }
  model::InputShapes shapes = given;
  for (const model::Port& input : graph.inputs) {
    if (given.contains(input.name)) continue;
    model::Shape shape = input.shape;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis] == model::kDynamic) shape[axis] = axis == 0 ? 1 : kOpenDimension;
    }
    shapes[input.name] = std::move(shape);
  }
  return shapes;
}

absl::StatusOr<std::vector<engine::Tensor>> synthetic_inputs(const model::Graph& graph,
                                                             const model::InputShapes& shapes,
                                                             std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<engine::Tensor> inputs;
  for (const model::Port& port : graph.inputs) {
    const int bits = model::bits_of(port.type);
    if (bits < 8) {
      return base::invalid_argument(
          "input '{}' is of type {}: synthetic values are made for types of whole bytes", port.name,
          model::name_of(port.type));
    }
    const model::Shape& shape = shapes.at(port.name);
    auto bytes = std::make_shared<std::vector<std::byte>>(
        static_cast<std::size_t>(model::elements_of(shape)) * static_cast<std::size_t>(bits) / 8);
    fill(*bytes, port.type, random);
    inputs.push_back(
        {.name = port.name, .type = port.type, .shape = shape, .data = *bytes, .owner = bytes});
  }
  return inputs;
}

absl::StatusOr<ProfileRun> profile_model(engine::Engine& engine, probe::SpanSource& spans,
                                         const model::Graph& graph, const ProfileOptions& options) {
  TS_RETURN_IF_ERROR(base::with_context(spans.available_at(options.depth), "no layer spans"));
  LayerCounters counters(options.depth == probe::Depth::kCounters ? spans.counters() : nullptr);
  probe::Sampler sampler(spans, {});
  SamplingObserver observer(sampler);
  Evidence evidence(sampler, graph, nullptr, options.machine);
  TS_ASSIGN_OR_RETURN(const auto session, engine.load(graph, options.variant, &observer));
  TS_ASSIGN_OR_RETURN(const auto inputs, synthetic_inputs(graph, options.shapes, options.seed));
  Driver driver(*session, inputs);
  sampler.set_depth(probe::Depth::kOff);
  TS_RETURN_IF_ERROR(driver.run(options.warmup));
  evidence.add_session(*session);
  sampler.set_depth(options.depth);
  sampler.set_always(true);
  // Rings are emptied between batches of requests, so that none overflows.
  constexpr int kBatch = 10;
  SensorLooks looks(options.sensors, options.requests);
  int done = 0;
  looks.look(done);
  while (done < options.requests) {
    if (options.progress && !options.progress(done)) break;
    const int batch = std::min(kBatch, options.requests - done);
    TS_RETURN_IF_ERROR(driver.run(batch));
    counters.add(*evidence.pump());
    done += batch;
    if (done < options.requests) looks.look_if_due(done);
  }
  looks.look(done);
  sampler.set_depth(probe::Depth::kOff);
  counters.add(*evidence.pump());
  std::optional<profile::Profile> profile = evidence.profile_of(session->number(), options.shapes);
  if (!profile) {
    return base::unavailable("'{}' gave no profile: fewer than {} requests were seen whole",
                             graph.name, Evidence::kEnoughRequests);
  }
  counters.fill(session->number(), *profile);
  looks.fill(*session, *profile);
  return ProfileRun{.profile = *std::move(profile), .trace = evidence.recent_trace()};
}

}  // namespace tachostat::app
