// The result for programs: docs/schema/optimize.schema.json.
#include "app/optimize/report_json.h"

#include "app/optimize/report_parts.h"

namespace tachostat::app {
namespace {

using Json = nlohmann::json;

Json json_of(const verify::Drop& drop) {
  return {{"samples", drop.samples}, {"mean", drop.mean}, {"bound", drop.bound}};
}

// Infinity, which JSON lacks, becomes null: "no bound yet".
Json json_of(const Ratio& ratio) {
  return {
      {"value", ratio.value}, {"low", ratio.low}, {"high", ratio.high}, {"rounds", ratio.rounds}};
}

// Layers by name, before and after: what a fused layer holds is named by its first original.
Json layers_of(const profile::Profile& profile) {
  Json layers = Json::array();
  for (const profile::LayerProfile& layer : profile.layers) {
    if (layer.time.count() == 0) continue;
    layers.push_back({{"name", layer.name},
                      {"originals", layer.originals},
                      {"type", layer.type},
                      {"kernel", layer.kernel},
                      {"precision", layer.precision},
                      {"ms", optimize::quiet_mean_ns(layer.slices) / 1e6}});
  }
  return layers;
}

Json json_of(const optimize::PlacementResult& placement) {
  Json tries = Json::array();
  for (const optimize::PlacementTry& one : placement.tries) {
    tries.push_back({{"what", one.what}, {"ms", one.ns / 1e6}, {"against_ms", one.base_ns / 1e6}});
  }
  return {{"f32_ms", placement.f32_ns / 1e6}, {"ms", placement.ns / 1e6}, {"tries", tries}};
}

Json json_of(const Promise& promise) {
  return {{"rules", promise.rules},
          {"remedy", promise.remedy},
          {"objective", promise.objective},
          {"summary", promise.summary},
          {"promised", {{"low", promise.promised_low}, {"high", promise.promised_high}}},
          {"tried", promise.tried},
          {"against", promise.against},
          {"measured",
           {{"value", promise.gain}, {"low", promise.gain_low}, {"high", promise.gain_high}}},
          {"verdict", name_of(promise.verdict)}};
}

}  // namespace

std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json json_of(const Outcome& outcome) {
  Json json = {{"name", outcome.name},
               {"reason", outcome.reason},
               {"verdict", name_of(outcome.verdict)},
               {"sentence", outcome.sentence},
               {"variant", Json::parse(model::to_json(outcome.variant))},
               {"id", outcome.variant.id()},
               {"selection", json_of(outcome.selection)},
               {"report", json_of(outcome.report)},
               {"non_finite", outcome.non_finite},
               {"service_ms", outcome.service_ms},
               {"requests_per_second", outcome.saturated_ms > 0 ? 1e3 / outcome.saturated_ms : 0},
               {"latency_ratio", json_of(outcome.latency)},
               {"throughput_time_ratio", json_of(outcome.throughput_time)},
               {"energy_ratio", json_of(outcome.energy)},
               {"memory_bytes", outcome.memory_bytes},
               {"joules_per_request", outcome.joules}};
  json["samples_needed"] = outcome.samples_needed ? Json(*outcome.samples_needed) : Json();
  return json;
}

std::string to_json(const OptimizeResult& result) {
  Json outcomes = Json::array();
  for (const Outcome& outcome : result.outcomes) outcomes.push_back(json_of(outcome));
  Json promises = Json::array();
  for (const Promise& promise : result.promises) promises.push_back(json_of(promise));
  const Json json = {{"version", 1},
                     {"model", result.model},
                     {"model_hash", result.model_hash},
                     {"data", result.data},
                     {"data_hash", result.data_hash},
                     {"machine", result.machine_name},
                     {"engine_version", result.engine_version},
                     {"metric", result.metric},
                     {"metric_reason", result.metric_reason},
                     {"objective", name_of(result.objective)},
                     {"max_drop", result.max_drop},
                     {"memory_limit", result.memory_limit},
                     {"seed", result.seed},
                     {"samples",
                      {{"all", result.samples},
                       {"search", result.search_samples},
                       {"selection", result.selection_samples},
                       {"report", result.report_samples}}},
                     {"reference_score", result.reference_score},
                     {"answer", result.sentence},
                     {"chosen", result.chosen},
                     {"best_default", result.best_default},
                     {"outcomes", outcomes},
                     {"placement", json_of(result.placement)},
                     {"promises", promises},
                     {"rewriting_notes", result.rewriting_notes},
                     {"kernel_notes", result.kernel_notes},
                     {"pruning_notes", result.pruning_notes},
                     {"accuracy_notes", result.accuracy_notes},
                     {"choices", result.switched},
                     {"layers_before", layers_of(result.before)},
                     {"layers_after", layers_of(result.after)},
                     {"reused", result.reused}};
  return dump(json, 1);
}

}  // namespace tachostat::app
