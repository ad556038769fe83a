#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "profile/members.h"
#include "profile/profile.h"

namespace tachostat::profile {
namespace {

using Json = nlohmann::ordered_json;
using nlohmann::json;

// More is no profile of a model. Also bounds the memory that a small hostile file can ask for.
constexpr std::size_t kMostLayers = 200'000;
constexpr std::size_t kMostTensors = 4'096;  // of one layer
constexpr int kMostThreads = 65'536;

// The statistics are for readers; the sum and the buckets are what is read back.
void add_time(const base::Histogram& time, Json& to) {
  to["count"] = time.count();
  to["mean_ns"] = time.mean();
  to["p50_ns"] = time.quantile(0.5);
  to["p90_ns"] = time.quantile(0.9);
  to["p99_ns"] = time.quantile(0.99);
  to["min_ns"] = time.min();
  to["max_ns"] = time.max();
  to["sum_ns"] = time.sum();
  to["buckets"] = time.buckets();
}

Json json_of(const ThreadStats& threads) {
  return {{"executions", threads.executions},
          {"busy_ns", number_or_null(threads.busy_ns)},
          {"per_thread_ns", threads.per_thread_ns},
          {"participants", number_or_null(threads.participants)},
          {"imbalance", number_or_null(threads.imbalance)},
          {"idle_share", number_or_null(threads.idle_share)},
          {"dispatch_ns", number_or_null(threads.dispatch_ns)},
          {"start_spread_ns", number_or_null(threads.start_spread_ns)},
          {"tail_ns", number_or_null(threads.tail_ns)}};
}

Json json_of(const std::vector<Slice>& slices) {
  Json to = Json::array();
  for (const Slice& slice : slices) to.push_back({slice.count, slice.sum_ns});
  return to;
}

// Members that say nothing are left out: there are many tensors.
Json json_of(const std::vector<Tensor>& tensors) {
  Json all = Json::array();
  for (const Tensor& tensor : tensors) {
    Json to = Json::object();
    if (!tensor.type.empty()) to["type"] = tensor.type;
    if (!tensor.shape.empty()) to["shape"] = tensor.shape;
    if (tensor.producer >= 0) to["layer"] = tensor.producer;
    if (tensor.producer == Tensor::kModelInput) to["from"] = "input";
    if (tensor.producer == Tensor::kConstant) to["from"] = "constant";
    all.push_back(std::move(to));
  }
  return all;
}

Json json_of(const std::map<std::string, Reading>& readings) {
  Json to = Json::object();
  for (const auto& [name, reading] : readings) {
    to[name] = {{"mean", reading.mean},
                {"low", reading.low},
                {"high", reading.high},
                {"n", reading.n},
                {"unit", reading.unit}};
  }
  return to;
}

Json json_of(const LayerProfile& layer) {
  Json to = {{"name", layer.name},     {"originals", layer.originals}, {"type", layer.type},
             {"kernel", layer.kernel}, {"precision", layer.precision}, {"layout", layer.layout}};
  add_time(layer.time, to);
  to["share"] = layer.share;
  to["thread_efficiency"] = number_or_null(layer.thread_efficiency);
  if (layer.threads.executions > 0) to["threads"] = json_of(layer.threads);
  to["flops"] = number_or_null(layer.work.flops);
  to["bytes"] = number_or_null(layer.work.bytes());
  to["weight_bytes"] = number_or_null(layer.work.weight_bytes);
  to["input_bytes"] = number_or_null(layer.work.input_bytes);
  to["output_bytes"] = number_or_null(layer.work.output_bytes);
  if (!layer.device.empty()) to["device"] = layer.device;
  if (!layer.metrics.empty()) to["metrics"] = layer.metrics;
  if (!layer.inputs.empty()) to["inputs"] = json_of(layer.inputs);
  if (!layer.outputs.empty()) to["outputs"] = json_of(layer.outputs);
  if (!layer.answers.empty()) to["answers"] = layer.answers;
  if (!layer.slices.empty()) to["slices"] = json_of(layer.slices);
  return to;
}

absl::StatusOr<std::vector<std::pair<std::uint32_t, std::uint64_t>>> read_buckets(
    const Members& members, std::uint64_t count) {
  const std::uint32_t last = base::Histogram::bucket_of(UINT64_MAX);
  const std::string path = members.path_of("buckets");
  TS_ASSIGN_OR_RETURN(const json* array, members.array("buckets", last + 1));
  std::vector<std::pair<std::uint32_t, std::uint64_t>> buckets;
  std::uint64_t left = count;
  for (const json& pair : *array) {
    const bool good = pair.is_array() && pair.size() == 2 && pair[0].is_number_unsigned() &&
                      pair[1].is_number_unsigned() && pair[0] <= last;
    if (!good) {
      return base::invalid_argument(
          "member '{}': expected pairs of a bucket from 0 to {} and its count", path, last);
    }
    const auto bucket = pair[0].get<std::uint32_t>();
    const auto times = pair[1].get<std::uint64_t>();
    if (!buckets.empty() && bucket <= buckets.back().first) {
      return base::invalid_argument("member '{}': buckets must ascend, but {} follows {}", path,
                                    bucket, buckets.back().first);
    }
    if (times == 0 || times > left) {
      return base::invalid_argument("member '{}': the counts must be from 1 and add up to {}", path,
                                    count);
    }
    left -= times;
    buckets.emplace_back(bucket, times);
  }
  if (left != 0) {
    return base::invalid_argument("member '{}': the counts must add up to {}, but {} are missing",
                                  path, count, left);
  }
  return buckets;
}

absl::Status read_time(const Members& members, base::Histogram& to) {
  std::uint64_t count = 0;
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  std::uint64_t sum = 0;
  TS_RETURN_IF_ERROR(members.read("count", count));
  TS_RETURN_IF_ERROR(members.read("min_ns", min));
  TS_RETURN_IF_ERROR(members.read("max_ns", max));
  TS_RETURN_IF_ERROR(members.read("sum_ns", sum));
  TS_ASSIGN_OR_RETURN(const auto buckets, read_buckets(members, count));
  if (buckets.empty()) return absl::OkStatus();
  if (base::Histogram::bucket_of(min) != buckets.front().first) {
    return base::invalid_argument("member '{}': {} is not in the first bucket, {}",
                                  members.path_of("min_ns"), min, buckets.front().first);
  }
  if (base::Histogram::bucket_of(max) != buckets.back().first || max < min) {
    return base::invalid_argument("member '{}': {} is not in the last bucket, {}",
                                  members.path_of("max_ns"), max, buckets.back().first);
  }
  // A mean outside [min, max], told without a product that could overflow.
  const double mean = static_cast<double>(sum) / static_cast<double>(count);
  if (mean < static_cast<double>(min) * (1 - 1e-9) ||
      mean > static_cast<double>(max) * (1 + 1e-9)) {
    return base::invalid_argument("member '{}': {} over {} is a mean outside [min_ns, max_ns]",
                                  members.path_of("sum_ns"), sum, count);
  }
  to = base::Histogram::from_buckets(buckets, min, max, sum);
  return absl::OkStatus();
}

absl::Status read_threads(const Members& members, ThreadStats& threads) {
  TS_RETURN_IF_ERROR(members.read("executions", threads.executions));
  TS_RETURN_IF_ERROR(members.read_or_null("busy_ns", threads.busy_ns));
  TS_ASSIGN_OR_RETURN(const json* ranks, members.array("per_thread_ns", ThreadStats::kMostRanks));
  for (const json& rank : *ranks) {
    if (!rank.is_number() || rank < 0) {
      return base::invalid_argument("member '{}': expected numbers from 0",
                                    members.path_of("per_thread_ns"));
    }
    threads.per_thread_ns.push_back(rank.get<double>());
  }
  TS_RETURN_IF_ERROR(members.read_or_null("participants", threads.participants));
  TS_RETURN_IF_ERROR(members.read_or_null("imbalance", threads.imbalance));
  TS_RETURN_IF_ERROR(members.read_or_null("idle_share", threads.idle_share));
  TS_RETURN_IF_ERROR(members.read_or_null("dispatch_ns", threads.dispatch_ns));
  TS_RETURN_IF_ERROR(members.read_or_null("start_spread_ns", threads.start_spread_ns));
  return members.read_or_null("tail_ns", threads.tail_ns);
}

absl::Status read_work(const Members& members, model::Work& work) {
  TS_RETURN_IF_ERROR(members.read_or_null("flops", work.flops));
  TS_RETURN_IF_ERROR(members.read_or_null("weight_bytes", work.weight_bytes));
  TS_RETURN_IF_ERROR(members.read_or_null("input_bytes", work.input_bytes));
  return members.read_or_null("output_bytes", work.output_bytes);
}

absl::Status read_slices(const Members& members, std::vector<Slice>& slices) {
  if (!members.has("slices")) return absl::OkStatus();
  TS_ASSIGN_OR_RETURN(const json* array, members.array("slices", Profile::kMostSlices));
  for (const json& pair : *array) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_unsigned() ||
        !pair[1].is_number_unsigned()) {
      return base::invalid_argument("member '{}': expected pairs of a count and a sum",
                                    members.path_of("slices"));
    }
    slices.push_back({pair[0].get<std::uint64_t>(), pair[1].get<std::uint64_t>()});
  }
  return absl::OkStatus();
}

absl::Status read_shape(const Members& members, model::Shape& shape) {
  constexpr std::size_t kMostDimensions = 64;
  if (!members.has("shape")) return absl::OkStatus();
  TS_ASSIGN_OR_RETURN(const json* array, members.array("shape", kMostDimensions));
  for (const json& dimension : *array) {
    if (!dimension.is_number_integer() || dimension < model::kDynamic) {
      return base::invalid_argument("member '{}': expected whole numbers from -1",
                                    members.path_of("shape"));
    }
    shape.push_back(dimension.get<std::int64_t>());
  }
  return absl::OkStatus();
}

absl::Status read_tensor(const Members& members, Tensor& tensor) {
  if (members.has("type")) TS_RETURN_IF_ERROR(members.read("type", tensor.type));
  TS_RETURN_IF_ERROR(read_shape(members, tensor.shape));
  if (members.has("layer")) {
    constexpr int kMost = static_cast<int>(kMostLayers);
    TS_RETURN_IF_ERROR(members.read("layer", 0, kMost, tensor.producer));
  }
  if (!members.has("from")) return absl::OkStatus();
  std::string from;
  TS_RETURN_IF_ERROR(members.read("from", from));
  if (from != "input" && from != "constant") {
    return base::invalid_argument("member '{}': expected 'input' or 'constant', found '{}'",
                                  members.path_of("from"), from);
  }
  tensor.producer = from == "input" ? Tensor::kModelInput : Tensor::kConstant;
  return absl::OkStatus();
}

absl::Status read_tensors(const Members& members, const char* name, std::vector<Tensor>& tensors) {
  if (!members.has(name)) return absl::OkStatus();
  TS_ASSIGN_OR_RETURN(const json* array, members.array(name, kMostTensors));
  for (std::size_t i = 0; i < array->size(); ++i) {
    const std::string path = fmt::format("{}[{}]", members.path_of(name), i);
    if (!(*array)[i].is_object()) {
      return base::invalid_argument("member '{}': expected an object, found {}", path,
                                    (*array)[i].type_name());
    }
    TS_RETURN_IF_ERROR(read_tensor(Members((*array)[i], path), tensors.emplace_back()));
  }
  return absl::OkStatus();
}

absl::Status read_readings(const Members& members, std::map<std::string, Reading>& readings) {
  constexpr std::size_t kMost = 10'000;
  if (!members.has("readings")) return absl::OkStatus();
  TS_ASSIGN_OR_RETURN(const Members all, members.object("readings"));
  const std::vector<std::string> names = all.names();
  if (names.size() > kMost) {
    return base::invalid_argument("member 'readings': expected at most {}, found {}", kMost,
                                  names.size());
  }
  for (const std::string& name : names) {
    TS_ASSIGN_OR_RETURN(const Members one, all.object(name.c_str()));
    Reading reading;
    TS_RETURN_IF_ERROR(one.read_any("mean", reading.mean));
    TS_RETURN_IF_ERROR(one.read_any("low", reading.low));
    TS_RETURN_IF_ERROR(one.read_any("high", reading.high));
    TS_RETURN_IF_ERROR(one.read("n", reading.n));
    TS_RETURN_IF_ERROR(one.read("unit", reading.unit));
    readings[name] = std::move(reading);
  }
  return absl::OkStatus();
}

absl::Status check_producers(const Profile& profile) {
  for (std::size_t i = 0; i < profile.layers.size(); ++i) {
    for (const Tensor& input : profile.layers[i].inputs) {
      if (input.producer >= static_cast<int>(profile.layers.size())) {
        return base::invalid_argument("member 'layers[{}].inputs': there is no layer {}", i,
                                      input.producer);
      }
    }
  }
  return absl::OkStatus();
}

// What older writers and other tools leave out.
absl::Status read_optional(const Members& members, LayerProfile& layer) {
  if (members.has("device")) TS_RETURN_IF_ERROR(members.read("device", layer.device));
  if (members.has("metrics")) TS_RETURN_IF_ERROR(members.read("metrics", layer.metrics));
  TS_RETURN_IF_ERROR(read_tensors(members, "inputs", layer.inputs));
  TS_RETURN_IF_ERROR(read_tensors(members, "outputs", layer.outputs));
  if (members.has("answers")) TS_RETURN_IF_ERROR(members.read("answers", layer.answers));
  return read_slices(members, layer.slices);
}

absl::Status read_layer(const Members& members, LayerProfile& layer) {
  TS_RETURN_IF_ERROR(members.read("name", layer.name));
  TS_RETURN_IF_ERROR(members.read("originals", layer.originals));
  TS_RETURN_IF_ERROR(members.read("type", layer.type));
  TS_RETURN_IF_ERROR(members.read("kernel", layer.kernel));
  TS_RETURN_IF_ERROR(members.read("precision", layer.precision));
  TS_RETURN_IF_ERROR(members.read("layout", layer.layout));
  TS_RETURN_IF_ERROR(read_time(members, layer.time));
  TS_RETURN_IF_ERROR(members.read("share", layer.share));
  TS_RETURN_IF_ERROR(members.read_or_null("thread_efficiency", layer.thread_efficiency));
  if (members.has("threads")) {
    TS_ASSIGN_OR_RETURN(const Members threads, members.object("threads"));
    TS_RETURN_IF_ERROR(read_threads(threads, layer.threads));
  }
  TS_RETURN_IF_ERROR(read_work(members, layer.work));
  return read_optional(members, layer);
}

absl::Status read_layers(const Members& members, std::vector<LayerProfile>& to) {
  TS_ASSIGN_OR_RETURN(const json* layers, members.array("layers", kMostLayers));
  for (std::size_t i = 0; i < layers->size(); ++i) {
    const std::string path = fmt::format("layers[{}]", i);
    if (!(*layers)[i].is_object()) {
      return base::invalid_argument("member '{}': expected an object, found {}", path,
                                    (*layers)[i].type_name());
    }
    TS_RETURN_IF_ERROR(read_layer(Members((*layers)[i], path), to.emplace_back()));
  }
  return absl::OkStatus();
}

absl::Status read_profile(const Members& members, Profile& profile) {
  TS_RETURN_IF_ERROR(members.read("model", profile.model));
  TS_RETURN_IF_ERROR(members.read("model_hash", profile.model_hash));
  TS_RETURN_IF_ERROR(members.read("variant", profile.variant));
  TS_RETURN_IF_ERROR(members.read("bucket", profile.bucket));
  TS_RETURN_IF_ERROR(members.read("threads", 1, kMostThreads, profile.threads));
  TS_RETURN_IF_ERROR(members.read("streams", 1, kMostThreads, profile.streams));
  TS_RETURN_IF_ERROR(members.read("static_shapes", profile.static_shapes));
  TS_ASSIGN_OR_RETURN(const Members requests, members.object("requests"));
  TS_RETURN_IF_ERROR(read_time(requests, profile.request_time));
  TS_RETURN_IF_ERROR(members.read("unattributed_ns", profile.unattributed_ns));
  TS_RETURN_IF_ERROR(members.read("overhead", profile.overhead));
  TS_RETURN_IF_ERROR(members.read("dropped_spans", profile.dropped_spans));
  TS_RETURN_IF_ERROR(read_layers(members, profile.layers));
  if (members.has("machine")) TS_RETURN_IF_ERROR(members.read("machine", profile.machine));
  TS_RETURN_IF_ERROR(read_slices(members, profile.slices));
  TS_RETURN_IF_ERROR(read_readings(members, profile.readings));
  return check_producers(profile);
}

// Of a calibration, or what the machine is; older writers don't have them.
absl::Status read_optional(const Members& members, Roofline& roofline) {
  const std::pair<const char*, double*> numbers[] = {
      {"peak_bf16_flops", &roofline.peak_bf16_flops},
      {"peak_f16_flops", &roofline.peak_f16_flops},
      {"peak_int8_ops", &roofline.peak_int8_ops},
      {"l2_bandwidth", &roofline.l2_bandwidth},
      {"dispatch_ns", &roofline.dispatch_ns},
      {"wake_ns", &roofline.wake_ns},
      {"l2_bytes", &roofline.l2_bytes},
      {"last_level_bytes", &roofline.last_level_bytes}};
  for (const auto& [name, to] : numbers) {
    if (members.has(name)) TS_RETURN_IF_ERROR(members.read_or_null(name, *to));
  }
  const std::pair<const char*, int*> counts[] = {{"cores", &roofline.cores},
                                                 {"processors", &roofline.processors}};
  for (const auto& [name, to] : counts) {
    if (!members.has(name)) continue;
    double number = -1;
    TS_RETURN_IF_ERROR(members.read_or_null(name, number));
    *to = static_cast<int>(std::min<double>(number, kMostThreads));
  }
  if (!members.has("instruction_sets")) return absl::OkStatus();
  return members.read("instruction_sets", roofline.instruction_sets);
}

absl::Status read_roofline(const Members& members, Roofline& roofline) {
  TS_RETURN_IF_ERROR(members.read("threads", 1, kMostThreads, roofline.threads));
  TS_RETURN_IF_ERROR(members.read_or_null("peak_f32_flops", roofline.peak_f32_flops));
  TS_RETURN_IF_ERROR(members.read_or_null("single_f32_flops", roofline.single_f32_flops));
  TS_RETURN_IF_ERROR(members.read_or_null("memory_bandwidth", roofline.memory_bandwidth));
  TS_RETURN_IF_ERROR(members.read_or_null("cache_bandwidth", roofline.cache_bandwidth));
  return read_optional(members, roofline);
}

}  // namespace

std::string to_json(const Profile& profile) {
  Json requests = Json::object();
  add_time(profile.request_time, requests);
  Json layers = Json::array();
  for (const LayerProfile& layer : profile.layers) layers.push_back(json_of(layer));
  Json document = {{"version", Profile::kVersion},     {"model", profile.model},
                   {"model_hash", profile.model_hash}, {"variant", profile.variant},
                   {"bucket", profile.bucket},         {"threads", profile.threads},
                   {"streams", profile.streams},       {"static_shapes", profile.static_shapes},
                   {"requests", std::move(requests)},  {"unattributed_ns", profile.unattributed_ns},
                   {"overhead", profile.overhead},     {"dropped_spans", profile.dropped_spans},
                   {"layers", std::move(layers)}};
  if (!profile.machine.empty()) document["machine"] = profile.machine;
  if (!profile.slices.empty()) document["slices"] = json_of(profile.slices);
  if (!profile.readings.empty()) document["readings"] = json_of(profile.readings);
  // Layer names come from the model's file and need not be UTF-8.
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<Profile> from_json(std::string_view text) {
  TS_ASSIGN_OR_RETURN(const json document, parse_document(text, "profile", Profile::kVersion));
  Profile profile;
  const absl::Status status = read_profile(Members(document, ""), profile);
  if (!status.ok()) return base::with_context(status, "profile");
  return profile;
}

std::string to_json(const Roofline& roofline) {
  const Json document = {{"version", Profile::kVersion},
                         {"threads", roofline.threads},
                         {"peak_f32_flops", number_or_null(roofline.peak_f32_flops)},
                         {"single_f32_flops", number_or_null(roofline.single_f32_flops)},
                         {"memory_bandwidth", number_or_null(roofline.memory_bandwidth)},
                         {"cache_bandwidth", number_or_null(roofline.cache_bandwidth)},
                         {"peak_bf16_flops", number_or_null(roofline.peak_bf16_flops)},
                         {"peak_f16_flops", number_or_null(roofline.peak_f16_flops)},
                         {"peak_int8_ops", number_or_null(roofline.peak_int8_ops)},
                         {"l2_bandwidth", number_or_null(roofline.l2_bandwidth)},
                         {"dispatch_ns", number_or_null(roofline.dispatch_ns)},
                         {"wake_ns", number_or_null(roofline.wake_ns)},
                         {"l2_bytes", number_or_null(roofline.l2_bytes)},
                         {"last_level_bytes", number_or_null(roofline.last_level_bytes)},
                         {"cores", number_or_null(roofline.cores)},
                         {"processors", number_or_null(roofline.processors)},
                         {"instruction_sets", roofline.instruction_sets}};
  return document.dump();
}

absl::StatusOr<Roofline> roofline_from_json(std::string_view text) {
  TS_ASSIGN_OR_RETURN(const json document, parse_document(text, "roofline", Profile::kVersion));
  Roofline roofline;
  const absl::Status status = read_roofline(Members(document, ""), roofline);
  if (!status.ok()) return base::with_context(status, "roofline");
  return roofline;
}

}  // namespace tachostat::profile
