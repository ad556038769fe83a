#include <nlohmann/json.hpp>

#include "base/status.h"
#include "base/units.h"
#include "base/utf8.h"
#include "diagnose/case.h"

namespace tachostat::diagnose {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr std::size_t kShownLayers = 4;

Json json_of(const Evidence& one) {
  return {{"metric", one.metric}, {"value", one.value}, {"unit", one.unit},
          {"n", one.n},           {"low", one.low},     {"high", one.high}};
}

Json json_of(const Remedy& remedy) {
  Json to = {{"kind", name_of(remedy.kind)}};
  if (!remedy.settings.empty()) to["settings"] = remedy.settings;
  return to;
}

Json json_of(const Finding& finding) {
  Json evidence = Json::array();
  for (const Evidence& one : finding.evidence) evidence.push_back(json_of(one));
  Json remedies = Json::array();
  for (const Remedy& remedy : finding.remedies) remedies.push_back(json_of(remedy));
  Json parts = Json::array();
  for (std::size_t i = 0; i < finding.parts.size(); ++i) {
    const Part& part = finding.parts[i];
    Json to = Json::object();
    if (i < finding.layers.size()) to["layer"] = finding.layers[i];
    to["share"] = part.share;
    to["gain_low"] = part.gain_low;
    to["gain_high"] = part.gain_high;
    parts.push_back(std::move(to));
  }
  return {{"rule", finding.rule},
          {"family", finding.family},
          {"summary", finding.summary},
          {"layers", finding.layers},
          {"objective", name_of(finding.objective)},
          {"share", finding.share},
          {"gain_low", finding.gain_low},
          {"gain_high", finding.gain_high},
          {"confidence", finding.confidence},
          {"alarm", finding.alarm},
          {"evidence", std::move(evidence)},
          {"remedies", std::move(remedies)},
          {"parts", std::move(parts)}};
}

std::string quantity(double value, std::string_view unit) {
  if (unit == "share") return percent(value);
  if (unit == "ns") return base::format_nanoseconds(value);
  if (unit == "s") return base::format_nanoseconds(value * 1e9);
  if (unit == "FLOP/s" || unit == "B/s" || unit == "B") {
    return fmt::format("{}{}", base::format_count(value), unit);
  }
  return fmt::format("{:.3g}{}{}", value, unit.empty() ? "" : " ", unit);
}

std::string quantity(const Evidence& evidence) { return quantity(evidence.value, evidence.unit); }

// Names come from the model's file: nothing in them may steer a terminal.
using base::printable;

std::string_view whole_of(Objective objective) {
  switch (objective) {
    case Objective::kLatency:
      return "request time";
    case Objective::kThroughput:
      return "processor time per request";
    case Objective::kResponse:
      return "response time";
    case Objective::kMemory:
      return "memory";
  }
  return "request time";
}

std::string lines_of(const Finding& finding, std::size_t number) {
  std::string text = fmt::format("{}. {}: {}\n", number, finding.rule, printable(finding.summary));
  if (finding.gain_high > 0) {
    text += fmt::format("   expected gain: {} to {} of {} (confidence {})\n",
                        percent(finding.gain_low), percent(finding.gain_high),
                        whole_of(finding.objective), percent(finding.confidence));
  }
  if (!finding.layers.empty()) {
    text += "   layers: ";
    for (std::size_t i = 0; i < std::min(finding.layers.size(), kShownLayers); ++i) {
      text += (i == 0 ? "" : ", ") + printable(finding.layers[i]);
    }
    if (finding.layers.size() > kShownLayers) {
      text += fmt::format(" and {} more", finding.layers.size() - kShownLayers);
    }
    text += "\n";
  }
  for (const Evidence& one : finding.evidence) {
    text += fmt::format("   {}: {}", printable(one.metric), quantity(one));
    if (one.low < one.high) {
      text += fmt::format(" ({} to {})", quantity(one.low, one.unit), quantity(one.high, one.unit));
    }
    text += one.n > 1 ? fmt::format(", n = {}\n", one.n) : "\n";
  }
  text += "   remedies:";
  for (std::size_t i = 0; i < finding.remedies.size(); ++i) {
    text += fmt::format("{} {}", i == 0 ? "" : ",", name_of(finding.remedies[i].kind));
    for (const auto& [name, value] : finding.remedies[i].settings) {
      text += fmt::format(" ({}: {})", name, printable(value));
    }
  }
  return text + "\n";
}

}  // namespace

std::string_view name_of(Remedy::Kind kind) {
  switch (kind) {
    case Remedy::kLowerPrecision:
      return "lower-precision";
    case Remedy::kQuantise:
      return "quantise";
    case Remedy::kPlaceQuantisers:
      return "place-quantisers";
    case Remedy::kHigherPrecision:
      return "higher-precision";
    case Remedy::kThreadsAndStreams:
      return "threads-and-streams";
    case Remedy::kPinning:
      return "pinning";
    case Remedy::kBatch:
      return "batch";
    case Remedy::kStaticShapes:
      return "static-shapes";
    case Remedy::kShapeBuckets:
      return "shape-buckets";
    case Remedy::kWarmUp:
      return "warm-up";
    case Remedy::kFuse:
      return "fuse";
    case Remedy::kKeepLayout:
      return "keep-layout";
    case Remedy::kReplaceOperator:
      return "replace-operator";
    case Remedy::kPadChannels:
      return "pad-channels";
    case Remedy::kFoldConstants:
      return "fold-constants";
    case Remedy::kCutOutputs:
      return "cut-outputs";
    case Remedy::kDeduplicate:
      return "deduplicate";
    case Remedy::kPrune:
      return "prune";
    case Remedy::kKernel:
      return "kernel";
    case Remedy::kShareBuffers:
      return "share-buffers";
    case Remedy::kCaptureGraph:
      return "capture-graph";
    case Remedy::kPlace:
      return "place";
    case Remedy::kGoBack:
      return "go-back";
    case Remedy::kRecalibrate:
      return "recalibrate";
    case Remedy::kQuota:
      return "quota";
    case Remedy::kCooling:
      return "cooling";
    case Remedy::kPowerLimit:
      return "power-limit";
    case Remedy::kFrequency:
      return "frequency";
    case Remedy::kNeighbours:
      return "neighbours";
    case Remedy::kMemory:
      return "memory";
    case Remedy::kMemoryNode:
      return "memory-node";
    case Remedy::kCapacity:
      return "capacity";
    case Remedy::kClient:
      return "client";
  }
  return "unknown";
}

std::string_view name_of(Objective objective) {
  switch (objective) {
    case Objective::kLatency:
      return "latency";
    case Objective::kThroughput:
      return "throughput";
    case Objective::kResponse:
      return "response";
    case Objective::kMemory:
      return "memory";
  }
  return "unknown";
}

std::string to_json(const std::vector<Finding>& findings) {
  Json all = Json::array();
  for (const Finding& finding : findings) all.push_back(json_of(finding));
  const Json document = {{"version", kVersion}, {"findings", std::move(all)}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const std::vector<Finding>& findings) {
  if (findings.empty()) return "no findings: nothing that was measured holds this model back\n";
  std::string text;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    text += (i == 0 ? "" : "\n") + lines_of(findings[i], i + 1);
  }
  return text;
}

}  // namespace tachostat::diagnose
