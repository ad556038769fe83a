// The answer for people and tools, and the folder that `serve` reads.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/optimize/optimize_run.h"
#include "base/status.h"
#include "model/variant_file.h"

namespace tachostat::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string dump(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string_view name_of(Outcome::Verdict verdict) {
  switch (verdict) {
    case Outcome::Verdict::kBaseline:
      return "baseline";
    case Outcome::Verdict::kChosen:
      return "chosen";
    case Outcome::Verdict::kVerified:
      return "verified";
    case Outcome::Verdict::kRefused:
      return "refused";
  }
  return "refused";
}

Json json_of(const verify::Drop& drop) {
  return {{"samples", drop.samples}, {"mean", drop.mean}, {"bound", drop.bound}};
}

// Infinity, which JSON lacks, becomes null: "no bound yet".
Json json_of(const Ratio& ratio) {
  return {
      {"value", ratio.value}, {"low", ratio.low}, {"high", ratio.high}, {"rounds", ratio.rounds}};
}

Json json_of(const Outcome& outcome) {
  return {{"name", outcome.name},
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
          {"throughput_time_ratio", json_of(outcome.throughput_time)}};
}

// Layers by name, before and after: what a fused layer holds is named by its first original.
Json layers_of(const profile::Profile& profile) {
  Json layers = Json::array();
  for (const profile::LayerProfile& layer : profile.layers) {
    if (layer.time.count() == 0) continue;
    layers.push_back({{"name", layer.name},
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

// Written beside, then moved into place.
absl::Status write_file(const fs::path& path, const std::string& text) {
  const fs::path part = path.string() + ".part";
  {
    std::ofstream file(part, std::ios::binary | std::ios::trunc);
    file << text;
    file.flush();
    if (!file) {
      std::error_code ignored;
      fs::remove(part, ignored);
      return base::unavailable("cannot write '{}': is the disk full, or the folder not writable?",
                               path.string());
    }
  }
  std::error_code error;
  fs::rename(part, path, error);
  if (error) return base::unavailable("cannot write '{}': {}", path.string(), error.message());
  return absl::OkStatus();
}

std::string file_name(const Outcome& outcome) {
  std::string name;
  for (const char c : outcome.name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain || (!name.empty() && name.back() != '-')) name += plain ? c : '-';
  }
  while (name.ends_with('-')) name.pop_back();
  return name + ".json";
}

bool dominated(const Outcome& outcome, const std::vector<Outcome>& all) {
  return std::any_of(all.begin(), all.end(), [&outcome](const Outcome& other) {
    const bool stands =
        other.verdict == Outcome::Verdict::kVerified || other.verdict == Outcome::Verdict::kChosen;
    return stands && other.service_ms <= outcome.service_ms * 0.99 &&
           other.saturated_ms <= outcome.saturated_ms * 0.99 &&
           other.report.bound <= outcome.report.bound;
  });
}

model::VariantFile file_of(const OptimizeOptions& options, const OptimizeResult& result,
                           const Outcome& outcome) {
  model::VariantFile file{.model_path = fs::absolute(options.model_path).string(),
                          .model_hash = result.model_hash,
                          .data_hash = result.data_hash,
                          .engine_version = result.engine_version,
                          .machine = options.machine,
                          .variant = outcome.variant,
                          .drop_bound = outcome.report.bound,
                          .metric = result.metric,
                          .service_ms = outcome.service_ms,
                          .capacity = outcome.saturated_ms > 0 ? 1e3 / outcome.saturated_ms : 0};
  Json proof = json_of(outcome);
  proof.erase("variant");
  file.proof = dump(proof);
  return file;
}

std::string percent(double share) { return fmt::format("{:.2f} %", share * 100); }

}  // namespace

std::string to_json(const OptimizeResult& result) {
  Json outcomes = Json::array();
  for (const Outcome& outcome : result.outcomes) outcomes.push_back(json_of(outcome));
  const Json json = {{"model", result.model},
                     {"model_hash", result.model_hash},
                     {"data", result.data},
                     {"data_hash", result.data_hash},
                     {"engine_version", result.engine_version},
                     {"metric", result.metric},
                     {"metric_reason", result.metric_reason},
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
                     {"accuracy_notes", result.accuracy_notes},
                     {"choices", result.switched},
                     {"layers_before", layers_of(result.before)},
                     {"layers_after", layers_of(result.after)},
                     {"reused", result.reused}};
  return dump(json, 1);
}

std::string to_text(const OptimizeResult& result) {
  std::string text = fmt::format(
      "{}: {} of {} samples, {} ({}); search {}, selection {}, report {} samples\n\n", result.model,
      percent(result.reference_score), result.samples, result.metric, result.metric_reason,
      result.search_samples, result.selection_samples, result.report_samples);
  text += fmt::format("{:44} {:>10} {:>12} {:>9} {:>9}  {}\n", "way to run it", "latency",
                      "requests/s", "drop", "at most", "verdict");
  for (const Outcome& outcome : result.outcomes) {
    const bool raced = outcome.service_ms > 0;
    text += fmt::format(
        "{:44} {:>10} {:>12} {:>9} {:>9}  {}{}{}\n", outcome.name,
        raced ? fmt::format("{:.2f} ms", outcome.service_ms) : "-",
        raced ? fmt::format("{:.1f}", 1e3 / outcome.saturated_ms) : "-",
        percent(outcome.report.samples > 0 ? outcome.report.mean : outcome.selection.mean),
        outcome.report.samples > 0 ? percent(outcome.report.bound) : "-", name_of(outcome.verdict),
        outcome.sentence.empty() ? "" : ": ", outcome.sentence);
  }
  text += fmt::format("\n{}\n", result.sentence);
  return text;
}

absl::Status write_output(const OptimizeOptions& options, const OptimizeResult& result) {
  const fs::path folder(options.folder);
  std::error_code error;
  fs::create_directories(folder / "variants", error);
  if (error) {
    return base::unavailable("cannot make '{}': {}", (folder / "variants").string(),
                             error.message());
  }
  // What an earlier run left is replaced whole.
  for (const fs::directory_entry& entry : fs::directory_iterator(folder / "variants", error)) {
    if (entry.path().extension() == ".json") fs::remove(entry.path(), error);
  }
  for (const Outcome& outcome : result.outcomes) {
    const bool stands = outcome.verdict == Outcome::Verdict::kVerified ||
                        outcome.verdict == Outcome::Verdict::kChosen;
    if (!stands || dominated(outcome, result.outcomes)) continue;
    TS_RETURN_IF_ERROR(write_file(folder / "variants" / file_name(outcome),
                                  model::to_json(file_of(options, result, outcome))));
  }
  return write_file(folder / "report.json", to_json(result) + "\n");
}

}  // namespace tachostat::app
