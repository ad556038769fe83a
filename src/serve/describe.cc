#include "serve/describe.h"

#include <nlohmann/json.hpp>

namespace tachostat::serve {
namespace {

// Members in the order written, as people read them.
using Json = nlohmann::ordered_json;

// Names come out of model files: bytes that are not UTF-8 must not spoil the page.
std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json ports_json(const std::vector<model::Port>& ports) {
  Json list = Json::array();
  for (const model::Port& port : ports) {
    list.push_back({{"name", port.name},
                    {"datatype", model::protocol_name_of(port.type)},
                    {"shape", port.shape}});
  }
  return list;
}

Json config_ports_json(const std::vector<model::Port>& ports) {
  Json list = Json::array();
  for (const model::Port& port : ports) {
    list.push_back(
        {{"name", port.name}, {"data_type", config_type_of(port.type)}, {"dims", port.shape}});
  }
  return list;
}

Json duration_json(std::uint64_t count, std::uint64_t nanoseconds) {
  return {{"count", count}, {"ns", nanoseconds}};
}

Json statistics_of(const ServedModel& model) {
  const schedule::Statistics statistics = model.scheduler->statistics();
  const std::uint64_t failed = statistics.failed + statistics.refused_full +
                               statistics.refused_deadline + statistics.expired;
  return {{"name", model.name},
          {"version", model.version},
          {"last_inference", model.last_inference_ms->load(std::memory_order_relaxed)},
          {"inference_count", statistics.succeeded},
          {"execution_count", statistics.executions},
          {"inference_stats",
           {{"success",
             duration_json(statistics.succeeded, statistics.queue_ns + statistics.compute_ns)},
            {"fail", duration_json(failed, 0)},
            {"queue", duration_json(statistics.succeeded, statistics.queue_ns)},
            {"compute_input", duration_json(0, 0)},
            {"compute_infer", duration_json(statistics.succeeded, statistics.compute_ns)},
            {"compute_output", duration_json(0, 0)}}},
          {"batch_stats", Json::array()}};
}

}  // namespace

std::string_view server_version() { return TACHOSTAT_VERSION; }

std::vector<std::string> server_extensions() {
  return {"binary_tensor_data", "model_configuration", "statistics"};
}

std::string config_type_of(model::DataType type) {
  if (type == model::DataType::kString) return "TYPE_STRING";
  const std::string_view name = model::protocol_name_of(type);
  return name.empty() ? "TYPE_INVALID" : "TYPE_" + std::string(name);
}

std::string server_metadata_json() {
  return dump(
      {{"name", kServerName}, {"version", server_version()}, {"extensions", server_extensions()}});
}

std::string model_metadata_json(const ServedModel& model) {
  return dump({{"name", model.name},
               {"versions", {model.version}},
               {"platform", model.platform},
               {"inputs", ports_json(model.graph.inputs)},
               {"outputs", ports_json(model.graph.outputs)}});
}

std::string model_config_json(const ServedModel& model) {
  return dump({{"name", model.name},
               {"platform", model.platform},
               {"backend", model.platform},
               {"max_batch_size", 0},
               {"input", config_ports_json(model.graph.inputs)},
               {"output", config_ports_json(model.graph.outputs)}});
}

std::string statistics_json(const std::vector<std::shared_ptr<const ServedModel>>& models) {
  Json list = Json::array();
  for (const auto& model : models) list.push_back(statistics_of(*model));
  return dump({{"model_stats", std::move(list)}});
}

std::string repository_index_json(const Repository& repository, bool only_ready) {
  const bool ready = repository.ready();
  Json list = Json::array();
  if (ready || !only_ready) {
    for (const auto& model : repository.list()) {
      list.push_back({{"name", model->name},
                      {"version", model->version},
                      {"state", ready ? "READY" : "UNAVAILABLE"},
                      {"reason", ready ? "" : "the server is loading or stopping"}});
    }
  }
  return dump(list);
}

}  // namespace tachostat::serve
