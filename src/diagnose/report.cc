#include <nlohmann/json.hpp>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/layers.h"

namespace tachostat::diagnose {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr std::size_t kShownLayers = 4;

Json json_of(const Finding& finding) {
  Json evidence = Json::array();
  for (const Evidence& one : finding.evidence) {
    evidence.push_back(
        {{"metric", one.metric}, {"value", one.value}, {"unit", one.unit}, {"n", one.n}});
  }
  Json remedies = Json::array();
  for (const Remedy remedy : finding.remedies) remedies.push_back(name_of(remedy));
  return {{"rule", finding.rule},
          {"summary", finding.summary},
          {"layers", finding.layers},
          {"share", finding.share},
          {"gain_low", finding.gain_low},
          {"gain_high", finding.gain_high},
          {"evidence", std::move(evidence)},
          {"remedies", std::move(remedies)}};
}

std::string quantity(const Evidence& evidence) {
  if (evidence.unit == "share") return percent(evidence.value);
  if (evidence.unit == "ns") {
    return base::format_duration(base::Duration(static_cast<std::int64_t>(evidence.value)));
  }
  if (evidence.unit == "FLOP/s" || evidence.unit == "B/s") {
    return base::format_count(evidence.value) + evidence.unit;
  }
  return fmt::format("{:.3g}{}{}", evidence.value, evidence.unit.empty() ? "" : " ", evidence.unit);
}

// Names come from the model's file: nothing in them may steer a terminal.
std::string plain(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

std::string lines_of(const Finding& finding, std::size_t number) {
  std::string text =
      fmt::format("{}. {}: {}\n   expected gain: {} to {} of request time\n", number, finding.rule,
                  plain(finding.summary), percent(finding.gain_low), percent(finding.gain_high));
  if (!finding.layers.empty()) {
    text += "   layers: ";
    for (std::size_t i = 0; i < std::min(finding.layers.size(), kShownLayers); ++i) {
      text += (i == 0 ? "" : ", ") + plain(finding.layers[i]);
    }
    if (finding.layers.size() > kShownLayers) {
      text += fmt::format(" and {} more", finding.layers.size() - kShownLayers);
    }
    text += "\n";
  }
  for (const Evidence& one : finding.evidence) {
    text += fmt::format("   {}: {}", one.metric, quantity(one));
    text += one.n > 1 ? fmt::format(" (n = {})\n", one.n) : "\n";
  }
  text += "   remedies:";
  for (std::size_t i = 0; i < finding.remedies.size(); ++i) {
    text += fmt::format("{} {}", i == 0 ? "" : ",", name_of(finding.remedies[i]));
  }
  return text + "\n";
}

}  // namespace

std::string_view name_of(Remedy remedy) {
  switch (remedy) {
    case Remedy::kLowerPrecision:
      return "lower-precision";
    case Remedy::kThreadsAndStreams:
      return "threads-and-streams";
    case Remedy::kBatch:
      return "batch";
    case Remedy::kStaticShapes:
      return "static-shapes";
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
